"""Which letters a printer has, and how others are written with them. Pure."""

import unicodedata
from typing import Final, Literal

from anyascii import anyascii

Letters = Literal["ascii", "latin1", "cp1250", "cp1252", "utf-8"]
"""What a printer has, by the name of the encoding with just these; with `utf-8` every letter."""

_SPELT: Final = frozenset(
    {
        *("LATIN", "FULLWIDTH", "MASCULINE", "FEMININE", "MODIFIER", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN"),
        *("HANGUL", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "ETHIOPIC", "DEVANAGARI", "BENGALI", "GUJARATI"),
        *("GURMUKHI", "KANNADA", "MALAYALAM", "ORIYA", "SINHALA", "TAMIL", "TELUGU"),
    }
)
"""Scripts in which a letter has a sound, so that a Latin form can be read. Arabic and Hebrew leave vowels out, Thai and
Khmer write them elsewhere, and a Chinese character is read in one way in Beijing and in another in Tokyo."""

_READ_AS_IN_BEIJING: Final = frozenset({"CN", "TW", "SG"})

_PLAIN_SIGNS: Final = "°№〒"


def has(letter: str, letters: Letters) -> bool:
    """Whether a printer has a letter."""
    if not letter.isprintable():
        return False
    try:
        letter.encode(letters)
    except UnicodeEncodeError:
        return False
    return unicodedata.category(letter) != "So" or letter in _PLAIN_SIGNS


def latin(text: str, letters: Letters, country: str) -> tuple[str, str]:
    """A text as a printer can print it, and what of it cannot be written so that it could still be read, each once.

    Letters that the printer has stay; others get a Latin form. What joins or turns letters and is not seen is left out.
    """
    printed: list[str] = []
    strange: dict[str, None] = {}
    for letter in unicodedata.normalize("NFC", text):
        if unicodedata.category(letter) == "Cf":
            continue
        if has(letter, letters):
            printed.append(letter)
            continue
        form = "".join(one for one in anyascii(letter) if has(one, letters)) if _can_be_read(letter, country) else ""
        if form or unicodedata.combining(letter):
            printed.append(form)
        else:
            strange.setdefault(letter)
    return " ".join("".join(printed).split()), "".join(strange)


def is_latin(text: str) -> bool:
    """Whether all letters of a text are Latin ones."""
    return all(
        not one.isalpha() or unicodedata.name(one, "").startswith(("LATIN", "MASCULINE", "FEMININE")) for one in text
    )


def _can_be_read(letter: str, country: str) -> bool:
    kind = unicodedata.category(letter)
    if kind[0] in "NPZ" or letter in _PLAIN_SIGNS:
        return True
    script = unicodedata.name(letter, "").split(" ")[0]
    return kind[0] in "LM" and (script in _SPELT or (script == "CJK" and country in _READ_AS_IN_BEIJING))
