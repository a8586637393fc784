"""Which letters fit into a file. Pure."""

from typing import Literal

Fault = Literal["letters", "too_long"]


def fits(letter: str, letters: str) -> bool:
    """Whether a vendor that reads this codec can take a letter."""
    if not letter.isprintable():  # a tab or a line break would make another column or line of it
        return False
    try:
        letter.encode(letters)
    except UnicodeEncodeError:
        return False
    return True


def strange(text: str, letters: str) -> str:
    """The letters that do not fit, each once."""
    return "".join(dict.fromkeys(letter for letter in text if not fits(letter, letters)))


def unsendable(text: str, letters: str, limit: int | None) -> Fault | None:
    """Why a text cannot be in a file; None where it can."""
    if strange(text, letters):
        return "letters"
    return "too_long" if limit is not None and len(text) > limit else None
