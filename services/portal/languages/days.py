"""Days, moments and numbers as the reader's language writes them, in the reader's time zone."""

from contextvars import ContextVar
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal
from markupsafe import Markup

from libs.common.languages import READER, days
from services.portal.languages import say, say_many

ZONE: Final[ContextVar[ZoneInfo]] = ContextVar("zone", default=ZoneInfo("UTC"))  # noqa: B039 never changed
"""The time zone of whoever reads."""

_NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_FORTNIGHT: Final = 14
"""Days: so near, people think in weekdays."""


def spoken(value: date) -> str:
    """A day as a sentence has it: 10 May 2026."""
    return days.spoken(value).replace(" ", _NO_BREAK)


def day(value: date) -> Markup:
    """The same, marked as a day for machines."""
    return _marked(value.isoformat(), spoken(value))


def short_day(value: date) -> Markup:
    """A day as tables have it: 10 May 2026, its month cut."""
    text = str(format_date(value, "d MMM y", locale=READER.get().locale))
    return _marked(value.isoformat(), text.replace(" ", _NO_BREAK))


def weekday(value: date, today: date) -> Markup:
    """A day, with its weekday where it is within a fortnight."""
    return _marked(value.isoformat(), near(value, today))


def near(value: date, today: date) -> str:
    """The same as a sentence has it."""
    if abs((value - today).days) > _FORTNIGHT:
        return spoken(value)
    return str(format_date(value, "full", locale=READER.get().locale)).replace(" ", _NO_BREAK)


def minute(value: datetime) -> Markup:
    """A moment in the reader's zone; the foot of the page names the zone."""
    text = str(format_datetime(_there(value), "d MMM y, HH:mm", locale=READER.get().locale))
    return _marked(value.isoformat(timespec="seconds"), text.replace(" ", _NO_BREAK))


def clock_time(value: datetime) -> str:
    """The time of a moment in the reader's zone: 14:02."""
    return str(format_time(_there(value), "HH:mm", locale=READER.get().locale))


def day_there(value: datetime) -> date:
    """The day of a moment in the reader's zone."""
    return _there(value).date()


def number(value: float | Decimal) -> str:
    return str(format_decimal(value, locale=READER.get().locale))


def in_days(value: date, today: date) -> str:
    """How far a day to come is away."""
    left = (value - today).days
    if left == 0:
        return say("today")
    if left == 1:
        return say("tomorrow")
    return say_many("in {count} day", "in {count} days", left)


def _there(value: datetime) -> datetime:
    moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return moment.astimezone(ZONE.get())


def _marked(machine: str, text: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(machine, text)
