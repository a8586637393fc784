"""Whom a parcel goes to: the name as identity tells it, and an address that the carrier reaches."""

from libs.common.events.types import Address
from libs.common.http.problems import INVALID, FieldError, Problem
from libs.common.mongo.people import Person
from libs.common.programs import Benefit
from services.fulfillment.addresses.checking import Carrier, check
from services.fulfillment.addresses.letters import latin
from services.fulfillment.domain.orders import ShipTo


def carrier_of(benefit: Benefit) -> Carrier:
    """What the carrier of a benefit takes."""
    return Carrier(po_boxes=benefit.po_boxes)


def ship_to(person: Person, address: Address, carrier: Carrier, name: str | None = None) -> ShipTo:
    """The label. `name` is taken where the printer has no letters for the name of the profile.

    Raises the problem `invalid-request`, with what the candidate is to change field by field.
    """
    checked = check(address, carrier)
    errors = [
        FieldError(path=f"body.address.{one.path}", code=one.code, message=one.sentence) for one in checked.problems
    ]
    printed, strange = latin(person.name, carrier.letters, address.country)
    if strange and name is not None:
        printed, strange = latin(name, carrier.letters, address.country)
    if strange or not printed:
        sentence = f"Write your name in Latin letters for the label. We can't print “{strange}”."
        errors.append(FieldError(path="body.name", code="letters", message=sentence))
    if errors:
        raise Problem(INVALID, errors=errors)
    return ShipTo(
        name=printed,
        lines=checked.lines,
        country=address.country,
        given=address.model_dump(),
        native_name=person.native_name,
    )
