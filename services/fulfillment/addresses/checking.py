"""Whether a parcel can go to an address, what its person has to change, and what stands on the label. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from libs.common.events.types import Address
from services.fulfillment.addresses.box_words import Kind
from services.fulfillment.addresses.boxes import find_box
from services.fulfillment.addresses.countries import Country, Region, country
from services.fulfillment.addresses.forms import Field, filled, labels
from services.fulfillment.addresses.letters import Letters, is_latin, latin
from services.fulfillment.languages import mark, say, say_many

Code = Literal[
    "required", "unknown", "format", "elsewhere", "not_served", "po_box", "locker", "counter", "military", "letters",
    "too_long",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """What the carrier takes and the fulfilment house can print.

    Attributes:
        po_boxes: whether it delivers to P.O. boxes and military post offices.
        lockers: whether it delivers to parcel lockers and counters.
        letters: what the printer has.
        lines: of a label, below the name and above the country.
        width: letters in a line.
        countries: ISO 3166-1, to which it delivers; None for all.
    """

    po_boxes: bool = False
    lockers: bool = False
    letters: Letters = "latin1"
    lines: int = 7
    width: int = 60
    countries: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a parcel from an address.

    Attributes:
        sentence: says what to do, for the person themselves.
        position: of the line, from 0, where the field is `lines`.
    """

    field: Field
    code: Code
    sentence: str
    position: int | None = None

    @property
    def path(self) -> str:
        """Where in the address, joined by a dot."""
        return self.field if self.position is None else f"{self.field}.{self.position}"


@dataclass(frozen=True, slots=True)
class Checked:
    """An address that was looked at. Its lines are those between the name and the country; with problems they are none.

    Attributes:
        lines: as they are printed.
        native_lines: as they would be with every letter; the same unless the printer lacks some.
        country: the last line of the label.
    """

    problems: tuple[Problem, ...]
    lines: tuple[str, ...] = ()
    native_lines: tuple[str, ...] = ()
    country: str = ""


_DASHES: Final = re.compile(r"\s*[\u2010-\u2015\u2212]\s*")
_BOXES: Final[Mapping[Kind, str]] = {
    "po_box": mark("That's a P.O. box. The carrier needs a street and number. Your mailing address stays as it is."),
    "locker": mark(
        "That's a parcel locker. The carrier needs a street and number. Your mailing address stays as it is."
    ),
    "counter": mark(
        "That's a place where parcels are fetched. The carrier needs a street and number. Your mailing address stays "
        "as it is."
    ),
    "military": mark(
        "That's a military post office, which the carrier can't reach. Give us a street and number. Your mailing "
        "address stays as it is."
    ),
}
_MILITARY_REGIONS: Final = frozenset({"AA", "AE", "AP"})
"""Of the United States' post: https://pe.usps.com/text/pub28/28apb.htm."""


def check(address: Address, carrier: Carrier) -> Checked:
    """Whether a carrier can bring a parcel to an address, and the label."""
    land = country(address.country)
    if land is None:
        return Checked((Problem("country", "unknown", say("Choose a country from the list.")),))
    if carrier.countries is not None and address.country not in carrier.countries:
        sentence = say("We can't send parcels to this country. Give us another address.")
        return Checked((Problem("country", "not_served", sentence),))
    region = land.region(address.region) if address.region else None
    postal_code = _postal_code(address.postal_code or "", land)
    problems = [
        *_missing(address, land),
        *_unfit(address, land, region, postal_code),
        *_undeliverable(address, land, region, carrier),
        *_unprintable(address, land, region, carrier),
    ]
    if problems:
        return Checked(tuple(problems))
    native, lines = _labels(address, land, region, postal_code, carrier)
    problems = list(_oversized(lines, carrier))
    if problems:
        return Checked(tuple(problems))
    return Checked((), lines, native, latin(land.name, carrier.letters, land.code)[0])


def _missing(address: Address, land: Country) -> Iterator[Problem]:
    given = {"C": address.city, "S": address.region, "Z": address.postal_code}
    names = labels(land)
    for part, (field, label) in names.items():
        if part in land.required and part in given and not given[part]:
            yield Problem(field, "required", say("We need the {label}.", label=label))


def _unfit(address: Address, land: Country, region: Region | None, postal_code: str) -> Iterator[Problem]:
    """What does not fit what is known of the country."""
    names = labels(land)
    if "S" in land.parts and address.region and land.regions and region is None and "S" in land.required:
        yield Problem("region", "unknown", say("Choose the {label} from the list.", label=names["S"][1]))
    if land.postal_code is None or not postal_code:
        return
    label = names["Z"][1]
    if not land.postal_code.fullmatch(postal_code):
        sentence = say("That isn't a {label} of this country.", label=label)
        if land.examples:
            sentence += " " + say("It looks like {example}.", example=land.examples[0])
        yield Problem("postal_code", "format", sentence)
    elif region is not None and region.postal_code is not None and not region.postal_code.match(postal_code):
        sentence = say("This {label} isn't in {region}. Change one of the two.", label=label, region=region.name)
        yield Problem("postal_code", "elsewhere", sentence)


def _undeliverable(address: Address, land: Country, region: Region | None, carrier: Carrier) -> Iterator[Problem]:
    if land.code == "US" and region is not None and region.code in _MILITARY_REGIONS and not carrier.po_boxes:
        sentence = _BOXES["military"]
        yield Problem("region", "military", say(sentence))
        return
    for field, position, text in _texts(address):
        found = find_box(text, land.code) if field in ("lines", "city") else None
        if found is None or (carrier.po_boxes if found in ("po_box", "military") else carrier.lockers):
            continue
        yield Problem(field, found, say(_BOXES[found]), position)


def _unprintable(address: Address, land: Country, region: Region | None, carrier: Carrier) -> Iterator[Problem]:
    names = dict(labels(land).values())
    for field, position, text in _texts(address):
        if field == "region" and (region is not None or "S" not in land.parts):
            continue  # there is a Latin name for it, or it is not printed
        strange = latin(text, carrier.letters, land.code)[1]
        if strange:
            what = names.get(field, field)
            sentence = say("Write the {what} in Latin letters. We can't print “{letters}”.", what=what, letters=strange)
            yield Problem(field, "letters", sentence, position)


def _oversized(lines: tuple[str, ...], carrier: Carrier) -> Iterator[Problem]:
    if len(lines) > carrier.lines:
        sentence = say_many(
            "The label has room for {count} line. Put some of yours together.",
            "The label has room for {count} lines. Put some of yours together.",
            carrier.lines,
        )
        yield Problem("lines", "too_long", sentence)
    for line in lines:
        if len(line) > carrier.width:
            sentence = say_many(
                "The label has room for {count} letter in a line. Shorten “{line}”, or use two lines.",
                "The label has room for {count} letters in a line. Shorten “{line}”, or use two lines.",
                carrier.width,
                line=line,
            )
            yield Problem("lines", "too_long", sentence)


def _texts(address: Address) -> Iterator[tuple[Field, int | None, str]]:
    for position, line in enumerate(address.lines):
        yield "lines", position, line
    if address.city:
        yield "city", None, address.city
    if address.region:
        yield "region", None, address.region


def _postal_code(text: str, land: Country) -> str:
    """A postal code with plain digits and dashes, without what only the label has before it."""
    plain_text = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    digits = "".join(str(unicodedata.digit(one)) if one.isdigit() else one for one in plain_text)
    code = " ".join(digits.upper().split()).removeprefix("〒").strip()
    if land.postal_code is None or land.postal_code.fullmatch(code):
        return code
    for shorter in (code.removeprefix(land.prefix), code.removeprefix(land.prefix.strip(" -")), code.replace(" ", "")):
        if land.postal_code.fullmatch(shorter.strip(" -")):
            return shorter.strip(" -")
    return code


def _labels(
    address: Address, land: Country, region: Region | None, postal_code: str, carrier: Carrier
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines as written, and as printed."""
    own = {"A": "\n".join(address.lines), "C": address.city or "", "Z": postal_code}
    foreign = {**own, "S": region.latin if region else address.region or ""}
    in_latin = is_latin(own["A"] + own["C"])
    native = filled(land, foreign if in_latin or not region else {**own, "S": region.code}, native=not in_latin)
    if all(latin(line, carrier.letters, land.code) == (line, "") for line in native):
        return native, native
    return native, filled(land, {part: _printed(text, land, carrier) for part, text in foreign.items()}, native=False)


def _printed(text: str, land: Country, carrier: Carrier) -> str:
    return "\n".join(latin(line, carrier.letters, land.code)[0] for line in text.split("\n"))
