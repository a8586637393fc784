"""What an answer to a hook means, and when it is sent again. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
)
"""After each failure of one message; the last one again and again."""

GIVE_UP_AFTER = timedelta(days=5)
"""How long a message is tried; a failure after that is its last."""

LONGEST_WISH = timedelta(days=1)
"""How long a receiver may ask us to wait (`Retry-After`)."""

UNWELL = 3
"""Failures in a row after which a receiver is taken for out of order: then it gets one message at a time, and rests."""
_FIRST_REST = timedelta(seconds=5)
_LONGEST_REST = timedelta(minutes=5)

_GOOD = range(200, 300)
_GONE = 410


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try.

    Attributes:
        at: when it began.
        status: of the answer; None where there was none.
        error: a word for what kept it from being taken; None where it was.
        milliseconds: how long it took.
        wait: how long the receiver asks for.
    """

    at: datetime
    status: int | None
    error: str | None
    milliseconds: int
    wait: timedelta | None = None

    @property
    def taken(self) -> bool:
        return self.error is None

    @property
    def gone(self) -> bool:
        """Whether the receiver wants no more of anything (Standard Webhooks, "410 Gone")."""
        return self.status == _GONE


def fault_of(status: int) -> str | None:
    """Why a status is no acceptance; None where it is one. Redirects are none: nothing is followed."""
    return None if status in _GOOD else f"status {status}"


def next_try(tries: int, since: datetime, now: datetime, wish: timedelta | None = None) -> datetime | None:
    """When a message is sent again after its `tries`-th failure; None where it was the last.

    Args:
        tries: failures so far, the present one included.
        since: when the message came to be sent, or was last asked for again.
        now: the present moment.
        wish: how long the receiver asks us to wait.
    """
    if now - since >= GIVE_UP_AFTER:
        return None
    pause = PAUSES[min(tries, len(PAUSES)) - 1]
    return now + max(pause, min(wish or timedelta(), LONGEST_WISH))


def rest(failures: int) -> timedelta:
    """How long a receiver is left alone after so many failures in a row, whatever the message."""
    if failures < UNWELL:
        return timedelta()
    return min(_FIRST_REST * (1 << min(failures - UNWELL, 20)), _LONGEST_REST)


def wish_of(header: str | None) -> timedelta | None:
    """A `Retry-After` in seconds (RFC 9110, 10.2.3); its other form, a date, is not heeded."""
    if header is None or not (header.isascii() and header.isdigit()):
        return None
    return timedelta(seconds=min(int(header[:9]), LONGEST_WISH.total_seconds()))
