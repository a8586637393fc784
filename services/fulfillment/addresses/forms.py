"""The form for a country's address, and the label made of it. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from services.fulfillment.addresses.countries import Country, Region, country, plain
from services.fulfillment.languages import mark, say

Field = Literal["country", "lines", "city", "region", "postal_code"]

_FIELDS: Final[Mapping[str, Field]] = {"A": "lines", "C": "city", "S": "region", "Z": "postal_code"}
"""What the form asks for. A part of a city goes into the lines."""

_WORDS: Final = {
    "street": mark("street and number"),
    "city": mark("city"),
    "suburb": mark("suburb"),
    "post_town": mark("post town"),
    "district": mark("district"),
    "prefecture": mark("prefecture"),
    "province": mark("province"),
    "department": mark("department"),
    "area": mark("area"),
    "oblast": mark("oblast"),
    "county": mark("county"),
    "island": mark("island"),
    "state": mark("state"),
    "do_si": mark("province or city"),
    "emirate": mark("emirate"),
    "parish": mark("parish"),
    "zip": mark("ZIP code"),
    "postal": mark("postal code"),
    "pin": mark("PIN code"),
    "eircode": mark("Eircode"),
}
"""What each kind of part is called."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form.

    Attributes:
        kind: what the country calls it, such as `zip` or `prefecture`.
        label: that in the reader's language.
        examples: of postal codes.
        options: what may be chosen from; none where any text may be given.
    """

    name: Field
    kind: str
    label: str
    required: bool
    examples: tuple[str, ...] = ()
    options: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A country's form, with its fields in the order in which people there write them."""

    country: str
    name: str
    fields: tuple[FormField, ...]


def form(code: str) -> Form | None:
    """The form of a country by ISO 3166-1 alpha-2; None where there is no data on it."""
    land = country(code)
    if land is None:
        return None
    names = labels(land)
    return Form(
        code,
        land.name,
        tuple(
            FormField(
                name=names[part][0],
                kind="street" if part == "A" else land.kinds[part],
                label=names[part][1],
                required=part in land.required,
                examples=land.examples if part == "Z" else (),
                options=land.regions if part == "S" else (),
            )
            for part in land.parts
            if part in _FIELDS
        ),
    )


def labels(land: Country) -> dict[str, tuple[Field, str]]:
    """By part: the field, and what the country calls it, in the reader's language."""
    kinds = {"A": "street", **land.kinds}
    return {part: (field, say(_WORDS.get(kinds[part], kinds[part]))) for part, field in _FIELDS.items()}


def filled(land: Country, parts: Mapping[str, str], *, native: bool) -> tuple[str, ...]:
    """The lines of a label without name and country, in the order of the country's own script or of the Latin one.

    Part A may have several lines.
    """
    layout = land.layout if native else land.latin_layout
    if "%C" in layout and plain(parts["C"]) == plain(parts["S"]):
        parts = {**parts, "S": ""}
    parts = {**parts, "A": _with_city(layout, parts)}
    lines = "\n".join(_row(row, parts, land.capitals) for row in layout.split("%n")).split("\n")
    return tuple(line for line in map(_tidy, lines) if line)


def _with_city(layout: str, parts: Mapping[str, str]) -> str:
    """The address lines, with the city where the country has no place of its own for it and the person gave one."""
    lines, city = parts["A"], parts["C"]
    if "%C" in layout or not city or plain(city) == plain(parts["S"]):
        return lines
    big_first = "%S" in layout and layout.index("%S") < layout.index("%A")
    return f"{city}\n{lines}" if big_first else f"{lines}\n{city}"


def _row(row: str, parts: Mapping[str, str], capitals: frozenset[str]) -> str:
    """A row of a layout; what stands directly before a part, as in `L-%Z`, is left out with it."""

    def put(found: re.Match[str]) -> str:
        before, part = found.groups()
        text = parts.get(part, "")
        return f"{before}{text.upper() if part in capitals else text}" if text else ""

    return re.sub(r"((?:〒|[A-Z]{1,3}[- ]?)?)%([A-Z])", put, row)


def _tidy(line: str) -> str:
    """A line without the marks that stood between parts of which one is missing."""
    line = " ".join(unicodedata.normalize("NFC", line).split())
    line = re.sub(r"(?:\s*,)+(?=\s*,)", "", line)
    return line.strip(" ,-/")
