"""Calendar arithmetic of programs: whole days, and years that survive 29 February."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

_MONTHS = 12
_SHORTEST_MONTH = 28


@lru_cache(maxsize=8192)  # a history adds the same years to the same few days over and over
def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the month's last day where it is shorter (29 February becomes 28).

    A sum past the year 9999 is the calendar's last day, so that no input makes the arithmetic fail.
    """
    year, month = divmod(day.year * _MONTHS + day.month - 1 + months, _MONTHS)
    if year > date.max.year:
        return date.max
    month += 1
    if day.day <= _SHORTEST_MONTH:
        return date(year, month, day.day)
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def add_years(day: date, years: int) -> date:
    """The same day `years` later; 29 February becomes 28 February where the year has none."""
    return add_months(day, years * _MONTHS)


def add_days(day: date, days: int) -> date:
    """So many days later; the calendar's last day where there are none left."""
    return date.max if days > (date.max - day).days else day + timedelta(days)


@dataclass(frozen=True, slots=True)
class Period:
    """A length of calendar time; zero months is the day itself."""

    months: int
    days: int = 0

    def last_day(self, start: date) -> date:
        """The last day that still lies within the period begun on `start`."""
        end = add_months(start, self.months)
        return add_days(end, self.days) if self.days else end
