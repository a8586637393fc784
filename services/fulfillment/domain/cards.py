"""Numbers that look like those of payment cards, so that none is ever taken in. Pure."""

import re
from typing import Final

_GROUPED: Final = re.compile(
    r"(?<![A-Za-z0-9-])(?:\d{12,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5})(?![A-Za-z0-9-])"
)
"""In one piece, or in fours, or as three groups of 4, 6 and 4 or 5 digits."""
_BRANDS: Final = re.compile(
    r"4\d{12}(?:\d{3}){0,2}"
    r"|(?:5[1-5]|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12,14}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11,16}|35(?:2[89]|[3-8]\d)\d{12,15}"
    r"|(?:5[0678]|6\d)\d{10,17}"
)
"""Beginnings and lengths of ISO/IEC 7812 as the large schemes use them."""


def holds_card_number(text: str) -> bool:
    """Whether a text has a number of a card's form in it, whose check digit is right (ISO/IEC 7812-1, annex B)."""
    found = (re.sub(r"\D", "", match[0]) for match in _GROUPED.finditer(text))
    return any(_BRANDS.fullmatch(digits) is not None and _checks(digits) for digits in found)


def _checks(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 the sum of its two digits
    return total % 10 == 0
