"""One row of the picture for each certification: when it was held, until when, and what has extended it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from services.portal.timeline.scale import Scale, percent

BarKind = Literal["held", "coming", "expiring", "expired", "suspended"]
MarkKind = Literal["earned", "renewed", "expiry", "open"]

NEAR: Final = 1.3
"""Per cent of the width: marks nearer than this hide one another; about 9 px on a wide screen."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A time during which something was so."""

    kind: BarKind
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A day on which something happened."""

    kind: MarkKind
    x: str


@dataclass(frozen=True, slots=True)
class Lane:
    """The picture of one row."""

    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """One unbroken time of holding; the last day counts."""

    earned_on: date
    expires_on: date | None
    renewed_on: tuple[date, ...] = ()


def days_of(times: Iterable[Held]) -> Iterable[date]:
    """The days that the axis has to hold."""
    for held in times:
        yield held.earned_on
        if held.expires_on is not None:
            yield held.expires_on


def lane_of(times: Sequence[Held], scale: Scale, today: date, *, soon: timedelta, suspended: bool = False) -> Lane:
    """The row of a certification.

    Args:
        times: oldest first.
        scale: of all rows.
        today: where what was ends and what is to come begins.
        soon: how long before its end something is called expiring.
        suspended: whether it is set aside at present.
    """
    bars: list[Bar] = []
    marks: list[tuple[float, MarkKind]] = []
    for held in times:
        bars += _bars(held, scale, today, soon, suspended=suspended)
        marks.append((scale.x(held.earned_on), "earned"))
        marks += [(scale.x(day), "renewed") for day in held.renewed_on]
        marks.append((scale.x(held.expires_on), "expiry") if held.expires_on is not None else (100.0, "open"))
    return Lane(tuple(bars), tuple(Mark(kind, percent(x)) for x, kind in _apart(marks)))


def _bars(held: Held, scale: Scale, today: date, soon: timedelta, *, suspended: bool) -> Iterable[Bar]:
    begin, now = scale.x(held.earned_on), scale.x(today)
    end = scale.x(held.expires_on) if held.expires_on is not None else 100.0
    if held.expires_on is not None and held.expires_on < today:
        yield _bar("expired", begin, end)
        return
    yield _bar("suspended" if suspended else "held", begin, now)
    near = held.expires_on is not None and held.expires_on - today <= soon
    yield _bar("expiring" if near else "coming", now, end)


def _bar(kind: BarKind, begin: float, end: float) -> Bar:
    return Bar(kind, percent(begin), percent(round(max(end - begin, 0.0), 2)))


def _apart(marks: Iterable[tuple[float, MarkKind]]) -> list[tuple[float, MarkKind]]:
    """Marks that do not hide one another: of two that are too near, the older one is left out."""
    kept: list[tuple[float, MarkKind]] = []
    for mark in sorted(marks, reverse=True, key=lambda one: one[0]):
        if not kept or kept[-1][0] - mark[0] >= NEAR:
            kept.append(mark)
    return kept[::-1]
