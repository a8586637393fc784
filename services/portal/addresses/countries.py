"""Countries by name in the reader's language, and in which letters people there write."""

import unicodedata
from functools import cache
from typing import Final

from babel import Locale
from babel.core import get_global

from libs.common.languages import READER

_NO_COUNTRIES: Final = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})
"""Territories of CLDR that are none of ISO 3166-1."""


def countries() -> tuple[tuple[str, str], ...]:
    """Pairs of code (ISO 3166-1 alpha-2) and name, by name."""
    return _countries(READER.get().locale)


def country_name(code: str) -> str:
    return str(Locale.parse(READER.get().locale).territories.get(code, code))


def is_country(code: str) -> bool:
    return any(code == one for one, _ in countries())


def own_language(code: str) -> str | None:
    """The language of a country that is not written in Latin letters (BCP 47); None of all others."""
    likely = str(get_global("likely_subtags").get(f"und_{code}", ""))
    language, _, rest = likely.partition("_")
    return language if rest and not rest.startswith("Latn") else None


def strange_letters(text: str) -> str:
    """The first letters in a text that are not Latin; nothing where all are."""
    found = ""
    for sign in text:
        if sign.isalpha() and not unicodedata.name(sign, "").startswith(("LATIN", "FULLWIDTH LATIN", "MODIFIER")):
            found += sign
        elif found and not unicodedata.category(sign).startswith("M"):
            break
    return found


@cache
def _countries(locale: str) -> tuple[tuple[str, str], ...]:
    named = Locale.parse(locale).territories
    own = [(code, str(name)) for code, name in named.items() if len(code) == 2 and code not in _NO_COUNTRIES]  # noqa: PLR2004 the others are numbers of continents
    return tuple(sorted(own, key=lambda one: unicodedata.normalize("NFKD", one[1]).casefold()))
