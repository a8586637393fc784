"""How orders are shown, to their candidates and to staff."""

from datetime import date, datetime
from typing import Literal

from libs.common.http.models import View
from services.fulfillment.domain.orders import Order, State, kind_of


class ShipToView(View):
    """The label, as it was fixed with the order."""

    name: str
    lines: list[str]
    country: str


class EntryView(View):
    state: State
    at: datetime
    by: Literal["candidate", "staff", "vendor", "system"]
    note: str | None


class OrderView(View):
    """One parcel."""

    order_id: str
    program: str
    candidate_id: str
    offer_id: str
    benefit: str
    certification: str
    """What it was awarded for; of what comes with a milestone the milestone."""
    title: str
    choices: dict[str, str]
    state: State
    placed_at: datetime
    promised_by: date | None
    """The last day of the program's promise; null until it is paid."""
    late: bool
    awaits_payment: bool
    ship_to: ShipToView | None
    """Null where nothing is shipped."""
    carrier: str | None
    tracking_number: str | None
    tracking_url: str | None
    replaces: str | None
    """The order that it sends again."""
    replaced_by: str | None
    history: list[EntryView]
    """In order of time."""


def order_view(order: Order, today: date) -> OrderView:
    """An order on a day of its program's calendar."""
    to = order.ship_to
    return OrderView(
        order_id=order.id,
        program=order.program,
        candidate_id=order.candidate_id,
        offer_id=order.offer_id,
        benefit=order.benefit,
        certification=order.certification,
        title=order.title,
        choices=dict(order.choices),
        state=order.state,
        placed_at=order.placed_at,
        promised_by=order.promised_by,
        late=order.is_late(today),
        awaits_payment=order.awaits_payment,
        ship_to=None if to is None else ShipToView(name=to.name, lines=list(to.lines), country=to.country),
        carrier=order.carrier,
        tracking_number=order.tracking_number,
        tracking_url=order.tracking_url,
        replaces=order.replaces,
        replaced_by=order.replaced_by,
        history=[
            EntryView(state=entry.state, at=entry.at, by=kind_of(entry.by), note=entry.note) for entry in order.history
        ],
    )
