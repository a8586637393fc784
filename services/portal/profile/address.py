"""The form of a postal address: which boxes a country's has, and what was typed into them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.portal.addresses.countries import own_language, strange_letters
from services.portal.addresses.fields import USUAL, label, lacking
from services.portal.addresses.shapes import Address, AddressForm, FormField, Region
from services.portal.languages import mark, say
from services.portal.web.forms import Faults, Typed

LONGEST: Final = 200
"""Letters of a line, as identity takes it."""

_OWN_LABELS: Final = {
    "line1": mark("Street and number, your script"),
    "line2": mark("Further line, your script"),
    "city": mark("City, your script"),
}
_IN_LATIN: Final = {
    "line1": mark("Write the street and number in Latin letters. “{letters}” can't be printed"),
    "line2": mark("Write the further line in Latin letters. “{letters}” can't be printed"),
    "city": mark("Write the city in Latin letters. “{letters}” can't be printed"),
    "region": mark("Write the province or state in Latin letters. “{letters}” can't be printed"),
}
_KEPT_BELOW: Final = {
    "line1": mark(
        "Write the street and number in Latin letters. “{letters}” can't be printed; it's in the box below now"
    ),
    "line2": mark("Write the further line in Latin letters. “{letters}” can't be printed; it's in the box below now"),
    "city": mark("Write the city in Latin letters. “{letters}” can't be printed; it's in the box below now"),
}
_COMPLETION: Final = {
    "line1": "address-line1",
    "line2": "address-line2",
    "city": "address-level2",
    "region": "address-level1",
    "postal_code": "postal-code",
}
OWN: Final = "own_"
"""Begins the names of boxes in the person's own script."""


@dataclass(frozen=True, slots=True)
class Box:
    """One field of the form.

    Attributes:
        name: of the field, and of the part: `line1`, `line2`, `city`, `region`, `postal_code`; with `own_` in the
            person's own script.
        label: said already.
        lacking: what to do where it is empty, said already.
        options: values and words to choose from; none where any text may be given.
        language: of what is written into it (BCP 47), where that is not Latin.
    """

    name: str
    label: str
    lacking: str
    required: bool
    hint: str | None = None
    completion: str = "off"
    options: tuple[tuple[str, str], ...] = ()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed.

    Attributes:
        address: as identity takes it; None where it has no street or a fault that keeps it from being kept.
        native: the same in the person's own script; None where nothing was written.
        faults: in the order of the boxes.
        what: as it was typed, with what is in other letters moved to where it belongs.
    """

    address: dict[str, Any] | None
    native: dict[str, Any] | None
    faults: Faults
    what: Typed


def boxes_of(form: AddressForm | None, country: str, *, needed: Iterable[str] = (), own: bool = False) -> list[Box]:
    """The boxes for a country, in the order of people there.

    Args:
        form: as fulfillment knows it; None where it does not answer.
        country: ISO 3166-1.
        needed: parts that identity wants, whatever the form says: `city`.
        own: whether there is something in the person's own script already.
    """
    fields = (
        list(form.fields)
        if form
        else [FormField(name=name, kind=kind, required=name == "lines") for name, kind in USUAL.items()]
    )
    known, wanted = {field.name for field in fields}, set(needed)
    fields += [
        FormField(name=name, kind=USUAL[name], required=True)
        for name in ("city", "region", "postal_code")
        if name in wanted - known
    ]
    language = own_language(country) or ("und" if own else None)
    boxes: list[Box] = []
    for field in fields:
        boxes += _boxes(field, required=field.required or field.name in wanted, language=language)
    return boxes


def _boxes(field: FormField, *, required: bool, language: str | None) -> list[Box]:
    word, what = label(field), lacking(field)
    if field.name == "lines":
        hint = say("In Latin letters, which is all that the printer has.") if language else None
        first = Box("line1", word, what, required=True, hint=hint, completion=_COMPLETION["line1"])
        second = Box("line2", say("Further line"), "", required=False, completion=_COMPLETION["line2"])
        return [first, *_in_own("line1", language), second, *_in_own("line2", language)]
    options = tuple((one.code, _words(one)) for one in field.options)
    example = say("Such as {example}", example=field.examples[0]) if field.examples else None
    box = Box(field.name, word, what, required, example, _COMPLETION[field.name], options)
    return [box, *(_in_own("city", language) if field.name == "city" else ())]


def _in_own(part: str, language: str | None) -> list[Box]:
    if language is None:
        return []
    hint = say("Printed under the Latin lines, so that the local post can deliver.") if part == "line1" else None
    return [Box(OWN + part, say(_OWN_LABELS[part]), "", required=False, hint=hint, language=language)]


def _words(region: Region) -> str:
    return f"{region.latin} · {region.name}" if strange_letters(region.name) else region.name


def shown_in(address: Address | None, native: Address | None) -> Typed:
    """An address as the form shows it."""
    found: Typed = {}
    for prefix, one in (("", address), (OWN, native)):
        if one is None:
            continue
        lines = one.lines
        found |= {prefix + "line1": lines[0] if lines else "", prefix + "line2": ", ".join(lines[1:])}
        found |= {prefix + "city": one.city or "", prefix + "region": one.region or ""}
        found[prefix + "postal_code"] = one.postal_code or ""
    return found


def read_address(country: str, boxes: Iterable[Box], what: Mapping[str, Any]) -> Given:
    """What was typed, as an address and as what is wrong with it; nothing that is right is lost for what is wrong."""
    boxes, moved, faults = list(boxes), dict(what), Faults()
    names = {box.name for box in boxes}
    texts = {box.name: str(what.get(box.name, "")).strip() for box in boxes}
    for box in boxes:
        text, own = texts[box.name], OWN + box.name
        strange = "" if box.language or box.options else strange_letters(text)
        if box.required and not text:
            faults[box.name] = box.lacking
        elif len(text) > LONGEST:
            faults[box.name] = say("Shorten this to {count} letters", count=LONGEST)
        elif box.options and text and text not in dict(box.options):
            faults[box.name] = box.lacking
        elif strange and own in names and not texts[own]:
            moved[own] = text
            faults[box.name] = say(_KEPT_BELOW[box.name], letters=strange)
        elif strange and box.name in _IN_LATIN:
            faults[box.name] = say(_IN_LATIN[box.name], letters=strange)
    right = {name: text for name, text in texts.items() if text and name not in faults}
    address = _address(country, "", right)
    # What is the same in any script is taken from the other.
    same = {OWN + name: right[name] for name in ("region", "postal_code") if name in right}
    return Given(address, _address(country, OWN, same | right), faults, moved)


def _address(country: str, prefix: str, texts: Mapping[str, str]) -> dict[str, Any] | None:
    if prefix + "line1" not in texts:
        return None
    lines = [texts[prefix + name] for name in ("line1", "line2") if prefix + name in texts]
    parts = {name: texts.get(prefix + name) for name in ("city", "region", "postal_code")}
    return {"lines": lines, **parts, "country": country}
