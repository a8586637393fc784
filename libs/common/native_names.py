"""A person's name as it is shown: on certificates, in badges, in the directory. Pure."""

import unicodedata

_FAMILY_FIRST = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA")
"""Beginnings of the Unicode names of letters in whose scripts the family name comes first."""


def in_own_script(given_name: str | None, family_name: str | None) -> str | None:
    """A name in its own script, in the order that goes with it; None where there is none."""
    parts = [given_name, family_name]
    if any(unicodedata.name(letter, "").startswith(_FAMILY_FIRST) for part in parts for letter in part or ""):
        parts.reverse()
    return " ".join(part for part in parts if part) or None
