"""An order as its house reads it: as a message, or as a line of a file. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import orjson

from libs.common.bus.messages import Outgoing
from libs.common.bus.topology import ORDERS
from libs.common.events import SINGLE
from libs.common.events.orders import CustomsDeclaration, OrderRequested, OrderWithdrawn, ShipTo, order_type
from libs.common.ids import derived_id
from libs.common.programs.benefits import Customs
from libs.common.vendor_files.letters import unsendable
from services.fulfillment.exchange.definition import House, OrderFilesShape

_SOURCE = "certrail/fulfillment"
_ADDRESS_LINES = 7
_FAULTS = {"letters": "has letters that the house cannot print", "too_long": "is longer than the house prints"}


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes into a parcel and onto it.

    Attributes:
        name: on the label, as are the lines, without the country.
        customs: what is in it, for whoever must declare it.
        item: the house's own number of what is sent.
    """

    order_id: str
    program: str
    candidate_id: str
    house: str
    benefit: str
    title: str
    name: str
    lines: tuple[str, ...]
    country: str
    promised_by: date
    item: str | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    customs: Customs | None = None
    replaces: str | None = None


def request_of(parcel: Parcel, house: House, sending: int) -> OrderRequested:
    """What the house is asked for."""
    return OrderRequested(
        order_id=parcel.order_id,
        sending=sending,
        benefit=parcel.benefit,
        title=parcel.title,
        item=parcel.item,
        choices=dict(parcel.choices),
        ship_to=ShipTo(name=parcel.name, lines=list(parcel.lines), country=parcel.country),
        customs=_declared(parcel, house),
        replaces=parcel.replaces,
        promised_by=parcel.promised_by,
    )


def _declared(parcel: Parcel, house: House) -> CustomsDeclaration | None:
    customs = parcel.customs
    if customs is None or parcel.country == house.country:
        return None
    return CustomsDeclaration(
        description=customs.description,
        tariff_code=customs.tariff_code,
        origin=customs.origin,
        value=str(customs.value.amount) if customs.value else None,
        currency=customs.value.currency if customs.value else None,
    )


def message(
    data: OrderRequested | OrderWithdrawn, *, program: str, house: str, sending: int, now: datetime
) -> Outgoing:
    """The message to the house's queue. The same sending of an order is the same message, with the same id."""
    kind = order_type(type(data))
    key = derived_id(kind, data.order_id, str(sending))
    envelope = {
        "specversion": "1.0",
        "id": key,
        "source": _SOURCE,
        "type": kind,
        "time": now,
        "datacontenttype": "application/json",
        "program": program,
        "data": data.model_dump(mode="json"),
    }
    return Outgoing(
        id=key,
        exchange=ORDERS,
        routing_key=house,
        type=kind,
        content_type=SINGLE,
        body=orjson.dumps(envelope),
    )


def line_of(parcel: Parcel, house: House, sending: int) -> dict[str, str]:
    """The line of a file that asks for an order, by column."""
    asked = request_of(parcel, house, sending)
    lines = list(parcel.lines)
    if len(lines) > _ADDRESS_LINES:
        lines[_ADDRESS_LINES - 1 :] = [", ".join(lines[_ADDRESS_LINES - 1 :])]
    customs = asked.customs
    return {
        "Action": "Add",
        "OrderID": parcel.order_id,
        "Sending": str(sending),
        "Replaces": parcel.replaces or "",
        "Benefit": parcel.benefit,
        "Title": parcel.title,
        "Item": parcel.item or "",
        "Choices": ";".join(f"{name}={chosen}" for name, chosen in sorted(parcel.choices.items())),
        "Name": parcel.name,
        **{f"Address{number}": line for number, line in enumerate(lines, start=1)},
        "Country": parcel.country,
        "CustomsDescription": customs.description if customs else "",
        "CustomsTariff": (customs.tariff_code if customs else None) or "",
        "CustomsOrigin": (customs.origin if customs else None) or "",
        "CustomsValue": (customs.value if customs else None) or "",
        "CustomsCurrency": (customs.currency if customs else None) or "",
        "PromisedBy": parcel.promised_by.isoformat(),
    }


def withdrawal_line(order_id: str) -> dict[str, str]:
    """The line of a file that takes an order back, by column."""
    return {"Action": "Cancel", "OrderID": order_id}


def why_unsendable(line: Mapping[str, str], shape: OrderFilesShape) -> str | None:
    """What of a line the house cannot read, in a sentence for staff; None where it can read all of it."""
    for column in shape.columns:
        fault = unsendable(line.get(column, ""), shape.letters, shape.lengths.get(column))
        if fault is not None:
            return f"{column} {_FAULTS[fault]}"
    return None
