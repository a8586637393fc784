"""An address as its form has it: the fields of a country, what was typed, and what is wrong with that. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.portal.addresses.fields import USUAL, lacking
from services.portal.addresses.shapes import Address, AddressForm, FormField
from services.portal.kits.shapes import AddressProblem
from services.portal.languages import mark, say
from services.portal.web.forms import Faults, Typed

ANY: Final = AddressForm(
    country="", fields=[FormField(name=name, kind=kind, required=name == "lines") for name, kind in USUAL.items()]
)
"""What an address is made of somewhere; the check says what a country needs of it."""
FIELDS: Final = ("lines", "city", "region", "postal_code")
MOST_LINES: Final = 6
_WHERE: Final = mark("That's a place the carrier can't deliver to. Give us a street and number. Your profile stays.")
_CODES: Final[Mapping[str, str]] = {
    "po_box": mark("That's a P.O. box. The carrier needs a street and number. Your mailing address stays as it is."),
    "locker": _WHERE,
    "counter": _WHERE,
    "military": _WHERE,
    "not_served": mark("We can't send parcels to this country. Give us another address"),
}
_CONTROLS: Final[Mapping[str, str]] = {
    "lines": "street-address",
    "city": "address-level2",
    "region": "address-level1",
    "postal_code": "postal-code",
}


def option_of(field: FormField, given: str) -> str:
    """What was given, as the option of a list that it means; itself where there is no list, or it is not on it."""
    meant = (one.code for one in field.options if given and given in (one.code, one.name, one.latin))
    return next(meant, given)


def autocomplete(name: str) -> str:
    """What browsers call a field (HTML, autofill)."""
    return _CONTROLS[name]


def begun(address: Address | None, country: str) -> Typed:
    """An address as the form begins with it."""
    if address is None:
        return {"country": country, **dict.fromkeys(FIELDS, "")}
    return {
        "country": address.country,
        "lines": "\n".join(address.lines),
        "city": address.city or "",
        "region": address.region or "",
        "postal_code": address.postal_code or "",
    }


def read(answers: Typed) -> dict[str, Any]:
    """What was typed as services take it; without lines or country none of them can say more of it."""
    lines = [line for line in (" ".join(one.split()) for one in str(answers.get("lines", "")).splitlines()) if line]
    return {
        "lines": lines,
        "country": str(answers.get("country", "")),
        **{name: str(answers.get(name, "")) or None for name in FIELDS[1:]},
    }


def missing(address: Mapping[str, Any]) -> Faults:
    """What has to be there before anybody can check it."""
    faults: Faults = {}
    if len(address["country"]) != 2:  # noqa: PLR2004 ISO 3166-1 alpha-2
        faults["country"] = say("Choose a country from the list")
    if not address["lines"]:
        faults["lines"] = say("Enter the street and number")
    elif len(address["lines"]) > MOST_LINES:
        faults["lines"] = say("Put some of the lines together: there is room for six")
    return faults


def faults_of(problems: Iterable[AddressProblem], form: AddressForm | None) -> Faults:
    """What keeps a parcel from an address, by field in the order of the form."""
    found: Faults = {}
    for one in problems:
        found.setdefault(one.path.partition(".")[0], _sentence(one, form))
    order = ["country", *([field.name for field in form.fields] if form else FIELDS)]
    return {name: found[name] for name in sorted(found, key=lambda name: order.index(name) if name in order else 9)}


def _sentence(problem: AddressProblem, form: AddressForm | None) -> str:
    if problem.code in _CODES:
        return say(_CODES[problem.code])
    name = problem.path.partition(".")[0]
    field = next((one for one in form.fields if one.name == name), None) if form else None
    if problem.code == "required" and field is not None:
        return lacking(field)
    return problem.message
