"""How pages write numbers, days and moments."""

from datetime import date, datetime
from typing import Final

from markupsafe import Markup

from libs.common.spoken import spoken

_NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_NUMBERS: Final = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


def counted(number: int) -> str:
    """A number as a sentence has it: words up to twelve."""
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)


def day(value: date) -> Markup:
    """A day that does not break at the end of a line."""
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), spoken(value).replace(" ", _NO_BREAK))


def minute(value: datetime) -> Markup:
    """A moment in UTC."""
    text = f"{spoken(value.date())}, {value:%H:%M} UTC".replace(" ", _NO_BREAK)
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(timespec="seconds"), text)
