"""How sentences write days."""

from datetime import date
from functools import lru_cache

# fmt: off
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)
# fmt: on


@lru_cache(maxsize=8192)
def spoken(day: date) -> str:
    """A day as a sentence has it: 10 May 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
