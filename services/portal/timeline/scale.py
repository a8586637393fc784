"""Where days lie on the axis: in per cent of its width, so that the picture never stretches its text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from libs.common.programs.calendar import add_days

_DAYS_AFTER: Final = 90
LEAST_YEARS: Final = 3
MOST_YEARS: Final = 8
_LABEL_ROOM: Final = 120
"""Days that a year needs on the axis for its label to fit."""


@dataclass(frozen=True, slots=True)
class Year:
    """A line across all rows, and its label where there is room."""

    x: str
    label: str | None


@dataclass(frozen=True, slots=True)
class Scale:
    """From the first to the last day, the last one not included."""

    first: date
    last: date
    cut: bool = False
    """Whether something lies before the first day."""
    mirrored: bool = False
    """Whether time runs from right to left, as its readers read."""

    def x(self, day: date) -> float:
        """Per cent from the beginning, within the picture."""
        share = (day - self.first).days / (self.last - self.first).days
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def at(self, x: float) -> str:
        """Where so many per cent from the beginning are drawn."""
        return percent(round(100 - x, 2) if self.mirrored else x)

    def span(self, begin: float, end: float) -> tuple[str, str]:
        """Where a bar is drawn: its left edge, and its width, which is never negative."""
        width = round(max(end - begin, 0.0), 2)
        return percent(round(100 - begin - width, 2) if self.mirrored else begin), percent(width)

    def years(self) -> Iterator[Year]:
        """The first of January of each year; of the first year the beginning of the picture."""
        for year in range(self.first.year, self.last.year + 1):
            begin = max(date(year, 1, 1), self.first)
            if begin >= self.last:
                return
            room = (min(date(year + 1, 1, 1), self.last) - begin).days
            yield Year(self.at(self.x(begin)), str(year) if room >= _LABEL_ROOM else None)


def scale_of(days: Iterable[date], today: date, *, mirrored: bool = False) -> Scale:
    """The axis for what happens on these days: whole years at its beginning, whole quarters at its end."""
    known = [*days, today]
    begin, end = min(known), max(known)
    last = _quarter_after(add_days(end, _DAYS_AFTER))
    first = date(min(begin.year, last.year - LEAST_YEARS), 1, 1)
    earliest = last.year - MOST_YEARS
    if first.year < earliest:
        return Scale(date(earliest, 1, 1), last, cut=True, mirrored=mirrored)
    return Scale(first, last, mirrored=mirrored)


def percent(value: float) -> str:
    """As SVG has it: `12.5%`."""
    return f"{value:g}%"


def _quarter_after(day: date) -> date:
    """The first day of the quarter that follows."""
    month = 3 * ((day.month - 1) // 3) + 4
    return date(day.year + 1, 1, 1) if month > 12 else date(day.year, month, 1)  # noqa: PLR2004 months
