"""Time as a dependency: nothing in Certrail reads the system clock except through a `Clock`."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


def as_stored(moment: datetime) -> datetime:
    """A moment as MongoDB keeps it, in UTC and whole milliseconds, so that it equals itself when it is read again."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Clock(Protocol):
    """Tells the present moment."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that moves only when told to; for tests and simulations."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment.astimezone(UTC)

    def now(self) -> datetime:
        return self._moment

    def advance(self, step: timedelta) -> None:
        self._moment += step
