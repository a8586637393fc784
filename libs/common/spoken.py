"""How sentences that are the same for everybody write days: in English."""

from datetime import date

from libs.common.languages import ENGLISH
from libs.common.languages.days import written


def spoken(day: date) -> str:
    """A day as a sentence has it: 10 May 2026."""
    return written(day, ENGLISH.code)
