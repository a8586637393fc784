"""Names in any script: in which language they are set, and from which side they are read."""

import unicodedata
from collections import Counter
from typing import Literal, NamedTuple

_LANGUAGES = {
    "LATIN": "und-Latn",
    "GREEK": "el",
    "CYRILLIC": "und-Cyrl",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "THAI": "th",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CJK": "zh-Hans",
}
"""By the first word of a letter's Unicode name."""

_HAN = {"JP": "ja", "KR": "ko", "TW": "zh-Hant", "HK": "zh-Hant", "MO": "zh-Hant"}
"""Where the same characters are written in another form than on the mainland of China."""

_RIGHT_TO_LEFT = frozenset({"R", "AL"})

_WIDE = frozenset({"W", "F"})


class Setting(NamedTuple):
    """How a name is set."""

    language: str
    """BCP 47; it also chooses among the forms of Han characters."""
    direction: Literal["ltr", "rtl"]


def setting_of(name: str, country: str) -> Setting:
    """How to set a name of somebody in a country (ISO 3166-1, two letters).

    The script that most letters are of decides; Kana and Hangul decide for the Han characters beside them.
    """
    scripts = Counter(unicodedata.name(sign, "").split(" ")[0].partition("-")[0] for sign in name if sign.isalpha())
    known = [(script, count) for script, count in scripts.items() if script in _LANGUAGES]
    script = max(known, key=lambda one: one[1])[0] if known else "LATIN"
    language = _LANGUAGES[script]
    if script == "CJK":
        language = _beside(scripts) or _HAN.get(country, language)
    first = next((kind for sign in name if (kind := unicodedata.bidirectional(sign)) in _RIGHT_TO_LEFT | {"L"}), "L")
    return Setting(language, "rtl" if first in _RIGHT_TO_LEFT else "ltr")


def _beside(scripts: Counter[str]) -> str | None:
    return next((_LANGUAGES[one] for one in ("HIRAGANA", "KATAKANA", "HANGUL") if scripts[one]), None)


def width_of(text: str) -> int:
    """How many letters of the usual width a text is about as long as; marks above others take no room."""
    return sum(
        0 if unicodedata.category(sign) in ("Mn", "Cf") else 2 if unicodedata.east_asian_width(sign) in _WIDE else 1
        for sign in text
    )
