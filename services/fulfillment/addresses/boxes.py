"""Finding what an address names instead of a house: a P.O. box, a locker, a counter. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Final

from services.fulfillment.addresses.box_words import TABLE, Kind, Words

_START: Final = r"(?<![^\W\d])"
_NUMBER: Final = r"(?: (?:n|no|nr|nro|num|numero|nummer|number|numer|رقم)(?![^\W\d]))?(?: [a-z])? ?\d"
_NOT_SPACED: Final = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7ff]")
"""Scripts that write words without spaces between them."""


def find_box(text: str, country: str) -> Kind | None:
    """What a line of an address in this country names instead of a house; None for a house."""
    folded = fold(text)
    return next((kind for kind, pattern in _patterns(country) if pattern.search(folded)), None)


def fold(text: str) -> str:
    """A text as it is searched: no accents, no case; a comma stays, every other mark is a space."""
    signs = unicodedata.normalize("NFKD", text).casefold().translate(_ALIKE)
    return " ".join(unicodedata.normalize("NFC", "".join(map(_folded, signs))).split())


_COMMAS: Final = frozenset(",;\N{ARABIC COMMA}\N{FULLWIDTH COMMA}\N{IDEOGRAPHIC COMMA}")
_ALIKE: Final = str.maketrans("łđøıی", "ldoiي")


def _folded(sign: str) -> str:
    if sign in _COMMAS:
        return " , "
    if "\u0300" <= sign <= "\u036f" or "\u064b" <= sign <= "\u0652" or sign == "\u0640":
        return ""
    kind = unicodedata.category(sign)
    if kind == "Cf":
        return ""
    return sign if kind[0] in "LNM" else " "


@cache
def _patterns(country: str) -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    texts: dict[Kind, list[str]] = {}
    for words in TABLE:
        if country not in words.but and (words.countries is None or country in words.countries):
            texts.setdefault(words.kind, []).extend(_written(words))
    return tuple((kind, re.compile("|".join(found))) for kind, found in texts.items())


def _written(words: Words) -> Iterator[str]:
    for text in words.texts:
        body = " ?".join(map(re.escape, fold(text).split()))
        if words.place == "anywhere":
            yield body if _NOT_SPACED.search(text) else rf"{_START}{body}(?![^\W\d])"
        elif words.place == "numbered":
            yield rf"{_START}{body}{_NUMBER}"
        else:
            yield rf"(?:^|, ){body}{_NUMBER}"
