"""Days in sentences."""

from datetime import date
from functools import lru_cache

from libs.common.languages import LANGUAGES, READER


def spoken(day: date) -> str:
    """A day as a sentence of the reader's language has it: 10 May 2026."""
    return written(day, READER.get().code)


@lru_cache(maxsize=8192)
def written(day: date, code: str) -> str:
    """A day as a sentence of one of our languages has it, by the language's code."""
    language = LANGUAGES[code]
    return language.day.format(day=day.day, month=language.months[day.month - 1], year=day.year)
