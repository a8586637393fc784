"""What a country calls the fields of an address, and where its form is asked for."""

from collections.abc import Mapping
from typing import Final

from services.portal.addresses.shapes import AddressForm, FormField
from services.portal.languages import mark, say
from services.portal.web.visit import Visit, part

_STREET: Final = (mark("Street and number"), mark("Enter the street and number"))
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "street": _STREET,
    "city": (mark("City"), mark("Enter the city")),
    "post_town": (mark("Post town"), mark("Enter the post town")),
    "suburb": (mark("Suburb"), mark("Enter the suburb")),
    "district": (mark("District"), mark("Enter the district")),
    "state": (mark("State or territory"), mark("Choose the state")),
    "province": (mark("Province"), mark("Enter the province")),
    "island": (mark("Island"), mark("Enter the island")),
    "department": (mark("Department"), mark("Enter the department")),
    "parish": (mark("Parish"), mark("Enter the parish")),
    "county": (mark("County"), mark("Enter the county")),
    "oblast": (mark("Oblast"), mark("Enter the oblast")),
    "emirate": (mark("Emirate"), mark("Choose the emirate")),
    "area": (mark("Area"), mark("Choose the area")),
    "prefecture": (mark("Prefecture"), mark("Choose the prefecture")),
    "do_si": (mark("Province or city"), mark("Choose the province or city")),
    "postal": (mark("Postal code"), mark("Enter the postal code")),
    "zip": (mark("ZIP code"), mark("Enter the ZIP code")),
    "eircode": (mark("Eircode"), mark("Enter the Eircode")),
    "pin": (mark("PIN code"), mark("Enter the PIN code")),
}
"""By what a country calls a part: its label, and what to do where it is missing."""
USUAL: Final = {"lines": "street", "city": "city", "region": "province", "postal_code": "postal"}
"""What a field is in a country that calls it nothing we know."""


def label(field: FormField) -> str:
    return say(_words(field)[0])


def lacking(field: FormField) -> str:
    """What to do where it is empty."""
    return say(_words(field)[1])


async def form_of(visit: Visit, country: str) -> AddressForm | None:
    """A country's form; None where fulfillment does not answer. Raises `Refused` where there is no such country."""
    path = f"/programs/{visit.theirs.id}/address-form"
    return await part(visit.backend.read(visit.browser, "fulfillment", path, AddressForm, {"country": country}))


def _words(field: FormField) -> tuple[str, str]:
    return _KINDS.get(field.kind, _KINDS[USUAL[field.name]])
