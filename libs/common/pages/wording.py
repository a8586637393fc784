"""How pages write numbers, days and moments, in the reader's language."""

from datetime import date, datetime
from typing import Final

from markupsafe import Markup

from libs.common.languages import ENGLISH, READER
from libs.common.languages.days import spoken

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


class InWords(int):
    """A number that a sentence has in words up to twelve: as the count of `say_many`.

    In English alone; where a number's word has a gender, its sentence says the small ones and the others are digits.
    """

    def __format__(self, spec: str) -> str:
        small = READER.get() is ENGLISH and 0 <= self < len(_NUMBERS)
        return _NUMBERS[self] if small else super().__format__(spec)


def moment(value: datetime) -> str:
    """A moment in UTC, as a sentence has it."""
    return READER.get().moment.format(day=spoken(value.date()), time=f"{value:%H:%M}")


def day(value: date) -> Markup:
    """A day that does not break at the end of a line."""
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), spoken(value).replace(" ", _NO_BREAK))


def minute(value: datetime) -> Markup:
    """A moment in UTC that does not break at the end of a line."""
    text = moment(value).replace(" ", _NO_BREAK)
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(timespec="seconds"), text)
