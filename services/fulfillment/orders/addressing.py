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


def ship_to(person: Person, address: Address, carrier: Carrier) -> ShipTo:
    """The label. Raises the problem `invalid-request`, with what the candidate is to change field by field."""
    checked = check(address, carrier)
    if checked.problems:
        raise Problem(
            INVALID,
            errors=[
                FieldError(path=f"body.address.{one.path}", code=one.code, message=one.sentence)
                for one in checked.problems
            ],
        )
    printed, strange = latin(person.name, carrier.letters, address.country)
    return ShipTo(
        name=person.name if strange else printed,
        lines=checked.lines,
        country=address.country,
        given=address.model_dump(),
        native_name=person.native_name,
    )
