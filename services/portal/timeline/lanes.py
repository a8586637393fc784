"""One row of the picture: when something was held, until when, and what has extended it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from services.portal.timeline.scale import Scale

BarKind = Literal["held", "coming", "expiring", "expired", "suspended", "plan", "lost"]
MarkKind = Literal["earned", "renewed", "pass", "expiry", "open", "reminder", "reminded"]

NEAR: Final = 2.5
"""Per cent of the width: marks nearer than this hide one another; about 9 px on a phone."""
_THICK: Final = frozenset({"plan", "lost"})
_SOLID: Final = frozenset({"held", "suspended", "expired"})


@dataclass(frozen=True, slots=True)
class Bar:
    """A time during which something was so, or would be by a plan."""

    kind: BarKind
    x: str
    width: str

    @property
    def height(self) -> int:
        """Pixels."""
        if self.kind in _THICK:
            return 14
        return 10 if self.kind in _SOLID else 8


@dataclass(frozen=True, slots=True)
class Mark:
    """A day on which something happened, or will."""

    kind: MarkKind
    x: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The picture of one row.

    Attributes:
        since: the year in which it began, where that lies before the picture.
    """

    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """One unbroken time of holding; the last day counts.

    Attributes:
        suspended: times during which it was set aside, by their first days and the days on which it was given back;
            None where it still is, which is drawn to the end: its days run on.
    """

    earned_on: date
    expires_on: date | None
    renewed_on: tuple[date, ...] = ()
    suspended: tuple[tuple[date, date | None], ...] = ()


def days_of(times: Iterable[Held]) -> Iterable[date]:
    """The days that the axis has to hold."""
    for held in times:
        yield held.earned_on
        if held.expires_on is not None:
            yield held.expires_on


def lane_of(times: Sequence[Held], scale: Scale, today: date, *, soon: timedelta) -> Lane:
    """The row of a certification.

    Args:
        times: oldest first.
        scale: of all rows.
        today: where what was ends and what is to come begins.
        soon: how long before its end something is called expiring.
    """
    bars: list[Bar] = []
    marks: list[tuple[float, MarkKind]] = []
    for held in times:
        bars += _bars(held, scale, today, soon)
        marks += [(scale.x(day), "renewed") for day in held.renewed_on if day >= scale.first]
        if held.earned_on >= scale.first:
            marks.append((scale.x(held.earned_on), "earned"))
        if held.expires_on is None:
            marks.append((100.0, "open"))
        elif held.expires_on >= scale.first:
            marks.append((scale.x(held.expires_on), "expiry"))
    first = min((held.earned_on for held in times), default=scale.first)
    return Lane(tuple(bars), _drawn(marks, scale), first.year if first < scale.first else None)


def days_lane(days: Iterable[tuple[date, MarkKind]], scale: Scale) -> Lane:
    """A row of days alone: passes, reminders."""
    marks: list[tuple[float, MarkKind]] = [
        (scale.x(day), kind) for day, kind in days if scale.first <= day < scale.last
    ]
    return Lane((), _drawn(marks, scale))


def bar_of(kind: BarKind, first: date, last: date, scale: Scale) -> Bar:
    """A time as a bar: a plan, or days that it would cost."""
    return _bar(kind, scale.x(first), scale.x(last), scale)


def _bars(held: Held, scale: Scale, today: date, soon: timedelta) -> Iterator[Bar]:
    begin, now = scale.x(held.earned_on), scale.x(today)
    end = scale.x(held.expires_on) if held.expires_on is not None else 100.0
    if held.expires_on is not None and held.expires_on < today:
        yield _bar("expired", begin, end, scale)
    else:
        yield _bar("held", begin, now, scale)
        near = held.expires_on is not None and held.expires_on - today <= soon
        yield _bar("expiring" if near else "coming", now, end, scale)
    for since, until in held.suspended:
        first, last = max(scale.x(since), begin), min(scale.x(until), end) if until else end
        if first < last:
            yield _bar("suspended", first, last, scale)


def _bar(kind: BarKind, begin: float, end: float, scale: Scale) -> Bar:
    return Bar(kind, *scale.span(begin, end))


def _drawn(marks: Iterable[tuple[float, MarkKind]], scale: Scale) -> tuple[Mark, ...]:
    return tuple(Mark(kind, scale.at(x)) for x, kind in _apart(marks))


def _apart(marks: Iterable[tuple[float, MarkKind]]) -> list[tuple[float, MarkKind]]:
    """Marks that do not hide one another: of two that are too near, the older one is left out."""
    kept: list[tuple[float, MarkKind]] = []
    for mark in sorted(marks, reverse=True, key=lambda one: one[0]):
        if not kept or kept[-1][0] - mark[0] >= NEAR:
            kept.append(mark)
    return kept[::-1]
