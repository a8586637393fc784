"""Business days of a program: no weekend, no public holiday, none of the program's own closed days."""

import warnings
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import holidays
from holidays.registry import EntityLoader

SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """On which days people work, by which promises are counted.

    Attributes:
        weekend: days of the week, Monday 0; never all seven.
        country: whose public holidays count (ISO 3166-1 alpha-2); None for none.
        subdivision: of the country (ISO 3166-2, without the country), whose own holidays count too.
        closed: further days on which nobody works.
        open: days on which people work all the same, whatever the rest says.
    """

    weekend: frozenset[int] = frozenset({SATURDAY, SUNDAY})
    country: str | None = None
    subdivision: str | None = None
    closed: frozenset[date] = frozenset()
    open: frozenset[date] = frozenset()

    def is_business_day(self, day: date) -> bool:
        """Whether people work on it."""
        if day in self.open:
            return True
        return day.weekday() not in self.weekend and day not in self.closed and day not in self._holidays(day.year)

    def add(self, day: date, days: int) -> date:
        """The so many-th business day after a day; no days later is the day itself, whatever day that is.

        A sum past the year 9999 is the calendar's last day, so that no input makes the arithmetic fail.
        """
        if days == 0:
            return day
        year, worked = day.year, _business_days(self, day.year)
        position = bisect_right(worked, day) + days - 1
        while position >= len(worked):
            if year == date.max.year:
                return date.max
            position -= len(worked)
            year += 1
            worked = _business_days(self, year)
        return worked[position]

    def between(self, start: date, end: date) -> int:
        """How many business days come after `start`, up to and with `end`; none where it is no later."""
        if end <= start:
            return 0
        whole = sum(len(_business_days(self, year)) for year in range(start.year, end.year))
        before = bisect_right(_business_days(self, start.year), start)
        return whole + bisect_right(_business_days(self, end.year), end) - before

    def _holidays(self, year: int) -> frozenset[date]:
        return frozenset() if self.country is None else public_holidays(self.country, self.subdivision, year)


WEEKDAYS = BusinessCalendar()
"""From Monday to Friday, without holidays."""


def is_known(country: str) -> bool:
    """Whether the public holidays of a country are known, by the library's register.

    A process that counts no days is spared what the library says of every country: 250 modules, a tenth of its start.
    """
    return country in EntityLoader.get_country_codes(include_aliases=False)


def known_subdivisions(country: str) -> frozenset[str]:
    """The subdivisions of a known country whose own holidays are known."""
    return frozenset(getattr(holidays, country).subdivisions)


@lru_cache(maxsize=4096)
def public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """The days of a year on which offices are closed, also the days off for holidays that fall on a weekend.

    Of feasts that follow the moon the library knows some decades, and warns where a year lies beyond them; promises
    lie weeks ahead.
    """
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))


@lru_cache(maxsize=4096)
def _business_days(calendar: BusinessCalendar, year: int) -> tuple[date, ...]:
    """Those of a year, in order: promises are counted far more often than definitions change."""
    days = range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1)
    return tuple(day for day in map(date.fromordinal, days) if calendar.is_business_day(day))
