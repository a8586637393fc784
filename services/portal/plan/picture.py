"""Plans on one axis: how long each lasts, and the days that it loses. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from services.portal.languages import say, say_many
from services.portal.languages.days import spoken
from services.portal.plan.plans import Plan
from services.portal.plan.words import Card
from services.portal.timeline.scale import Scale, Year, percent, scale_of

BarKind = Literal["held", "coming", "expiring", "plan", "lost"]
MarkKind = Literal["renewed", "expiry", "open"]

_THIN: Final = frozenset({"coming", "expiring"})
_THICK: Final = frozenset({"plan", "lost"})


@dataclass(frozen=True, slots=True)
class Bar:
    """A time in a row; `height` in pixels."""

    kind: BarKind
    x: str
    width: str
    height: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A day in a row."""

    kind: MarkKind
    x: str


@dataclass(frozen=True, slots=True)
class Row:
    """A plan, in words and as a lane.

    Attributes:
        note: what stands below its end.
        worse: whether that is bad news.
    """

    name: str
    below: str
    renewed_on: date | None
    until: date | None
    note: str
    worse: bool
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """All rows; `mirrored` where time runs from right to left, as its readers read."""

    rows: tuple[Row, ...]
    years: tuple[Year, ...]
    today: str
    story: str
    mirrored: bool


def picture_of(
    cards: Sequence[Card], tried: tuple[str, Plan] | None, expires_on: date, today: date, *, mirrored: bool = False
) -> Picture:
    """All plans below one axis.

    Args:
        cards: the plans, the best one first.
        tried: what the candidate has tried, and what it is called.
        expires_on: last active day as it is now.
        today: where what was ends and what is to come begins.
        mirrored: whether time runs from right to left.
    """
    named = [(card.name, card.plan) for card in cards] + ([tried] if tried is not None else [])
    best = max((plan.until or date.max for _, plan in named), default=expires_on)
    ends = [plan.until for _, plan in named if plan.until is not None]
    scale = scale_of([date(today.year, 1, 1), expires_on, *ends], today)
    axis = _Axis(scale, today, expires_on, best, mirrored)
    rows = tuple(axis.row(name, plan) for name, plan in named)
    years = tuple(Year(axis.at(float(year.x.removesuffix("%"))), year.label) for year in scale.years())
    return Picture(rows, years, axis.at(scale.x(today)), _story(named), mirrored)


@dataclass(frozen=True, slots=True)
class _Axis:
    """What all rows have in common; `best` is the last day of the longest plan."""

    scale: Scale
    today: date
    expires_on: date
    best: date
    mirrored: bool

    def row(self, name: str, plan: Plan) -> Row:
        renews = plan.acts_on if plan.renewed else None
        below = say("Renews on {day}", day=spoken(renews)) if renews is not None else say("No renewal")
        note, worse = self._note(plan)
        end = self._x(plan.until)
        mark = Mark("expiry" if plan.until is not None else "open", self.at(end))
        marks = (mark,) if renews is None else (Mark("renewed", self.at(self._x(renews))), mark)
        return Row(name, below, renews, plan.until, note, worse, tuple(self._bars(plan, renews, end)), marks)

    def _bars(self, plan: Plan, renews: date | None, end: float) -> Iterable[Bar]:
        now = self._x(self.today)
        yield self._bar("held", 0.0, now)
        if renews is None:
            yield self._bar("expiring", now, end)
            return
        renewed = max(self._x(renews), now)
        if renewed > now:
            yield self._bar("coming", now, renewed)
        yield self._bar("plan", renewed, end)
        if plan.until is not None and plan.until < self.best < date.max:
            yield self._bar("lost", end, self._x(self.best))

    def _note(self, plan: Plan) -> tuple[str, bool]:
        if not plan.renewed:
            return say("expires"), True
        if plan.until is None:
            return say("never expires"), False
        less = (self.best - plan.until).days if self.best < date.max else 0
        if less:
            return say_many("{count} day less", "{count} days less", less), True
        spare = max(0, (self.expires_on - plan.acts_on).days) if plan.acts_on is not None else 0
        return say_many("{count} day to spare", "{count} days to spare", spare), False

    def at(self, x: float) -> str:
        """Where so many per cent from the beginning are drawn."""
        return percent(round(100 - x, 2) if self.mirrored else x)

    def _bar(self, kind: BarKind, begin: float, end: float) -> Bar:
        width = round(max(end - begin, 0.0), 2)
        height = 14 if kind in _THICK else 8 if kind in _THIN else 10
        return Bar(kind, self.at(begin + width if self.mirrored else begin), percent(width), height)

    def _x(self, day: date | None) -> float:
        return self.scale.x(day) if day is not None else 100.0


def _story(named: Iterable[tuple[str, Plan]]) -> str:
    """The picture in words: until when each plan lasts."""
    ends = [say("{plan}: active until {day}.", plan=name, day=spoken(plan.until)) for name, plan in named if plan.until]
    return " ".join(ends)
