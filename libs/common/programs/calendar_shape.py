"""The shape of the section that states on which days people work."""

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from libs.common.events.types import Country
from libs.common.programs.business_calendar import BusinessCalendar, is_known, known_subdivisions
from libs.common.programs.written import Shape

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEK: tuple[Weekday, ...] = get_args(Weekday)


class HolidaysShape(Shape):
    """Whose public holidays count. They come with the services, for every year."""

    country: Country
    subdivision: Annotated[str, Field(min_length=1, max_length=60)] | None = None

    @model_validator(mode="after")
    def _is_known(self) -> "HolidaysShape":
        if not is_known(self.country):
            raise ValueError(f"the holidays of the country {self.country!r} are not known")
        if self.subdivision is not None and self.subdivision not in known_subdivisions(self.country):
            raise ValueError(
                f"the country {self.country!r} has no subdivision {self.subdivision!r} of its own holidays"
            )
        return self


class CalendarShape(Shape):
    """On which days people work; left out, from Monday to Friday without holidays."""

    weekend: Annotated[list[Weekday], Field(max_length=6)] = Field(default=["saturday", "sunday"])
    holidays: HolidaysShape | None = None
    closed: list[date] = Field(default=[], max_length=1_000)
    """Further days on which nobody works."""
    open: list[date] = Field(default=[], max_length=1_000)
    """Days on which people work, whatever the rest says."""

    @model_validator(mode="after")
    def _says_nothing_twice(self) -> "CalendarShape":
        if len(set(self.weekend)) < len(self.weekend):
            raise ValueError("the weekend names a day twice")
        both = set(self.closed) & set(self.open)
        if both:
            raise ValueError(f"{min(both)} cannot be both closed and open")
        return self

    def read(self) -> BusinessCalendar:
        given = self.holidays
        return BusinessCalendar(
            weekend=frozenset(_WEEK.index(day) for day in self.weekend),
            country=given.country if given else None,
            subdivision=given.subdivision if given else None,
            closed=frozenset(self.closed),
            open=frozenset(self.open),
        )
