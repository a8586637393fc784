"""The one way in which orders change: the document and what is told of it, in one transaction."""

from dataclasses import replace
from typing import Any

from libs.common.bus.messages import Cause
from libs.common.clock import as_stored
from libs.common.events import fulfillment
from libs.common.mongo.unit_of_work import Transaction
from libs.common.privacy.pseudonyms import is_pseudonym
from libs.common.programs import Program
from libs.common.versions import next_version
from services.fulfillment.domain.orders import PERSONAL, Entry, Order, State, advance, promise
from services.fulfillment.orders.store import OrderStore

TOLD: frozenset[State] = frozenset({"shipped", "delivered", "returned", "cancelled"})
"""States that candidates hear of; what goes on inside a fulfilment house is shown where they look."""


class Ordering:
    """Places orders, and takes in what becomes of them. An order is to be read in the session of the transaction."""

    def __init__(self, store: OrderStore) -> None:
        self.store = store

    async def place(
        self, transaction: Transaction, program: Program, order: Order, by: str, cause: Cause | None = None
    ) -> Order:
        """A new order. It goes to its fulfilment house at once, unless it is to be paid first."""
        first = Entry("pending", as_stored(transaction.now), by)
        order = replace(order, history=(first,), placed_at=first.at)
        if not order.awaits_payment:
            order = _standing(transaction, program, order, cause)
        await self.store.place(transaction.session, order)
        return order

    async def release(
        self, transaction: Transaction, program: Program, order: Order, cause: Cause | None = None
    ) -> Order:
        """An order that is paid now. One that has been, or was called off, stays as it is."""
        if not order.awaits_payment or order.state != "pending":
            return order
        order = _standing(transaction, program, replace(order, awaits_payment=False), cause)
        await self.store.save(transaction.session, order)
        return order

    async def record(
        self, transaction: Transaction, order: Order, report: Entry, cause: Cause | None = None
    ) -> Order | None:
        """What is told of an order, by whomever; None where it was known. Candidates hear of a state that is new."""
        erased = is_pseudonym(order.candidate_id)
        moved = advance(order, replace(report, **PERSONAL) if erased else report)
        if moved is None:
            return None
        if moved.state != order.state and moved.state in TOLD and not erased:
            moved = replace(moved, version=next_version(order.version or None, transaction.now))
            _tell(transaction, moved, _event(moved, report), cause)
        await self.store.save(transaction.session, moved)
        if order.state == "cancelled" and moved.state != "cancelled":
            await self.store.claim_again(transaction.session, moved)
        return moved

    async def cancel(
        self, transaction: Transaction, order: Order, by: str, reason: str, cause: Cause | None = None
    ) -> Order | None:
        """Call an order off; a house that has it already hears of it from whoever speaks with the house."""
        return await self.record(transaction, order, Entry("cancelled", transaction.now, by, reason), cause)


def _standing(transaction: Transaction, program: Program, order: Order, cause: Cause | None) -> Order:
    """The order from the moment on which the program's promise holds for it."""
    benefit = program.benefits.get(order.benefit)
    today = program.day_of(transaction.now)
    order = replace(
        order,
        promised_by=promise(benefit, today) if benefit else today,
        version=next_version(order.version or None, transaction.now),
    )
    if order.promised_by is None:
        raise AssertionError("it was promised just now")
    event = fulfillment.OrderPlaced(
        **_about(order), placed_at=transaction.now, promised_by=order.promised_by, replaces=order.replaces
    )
    _tell(transaction, order, event, cause)
    return order


def _tell(transaction: Transaction, order: Order, event: Any, cause: Cause | None) -> None:
    transaction.emit(event, program=order.program, subject=order.candidate_id, version=order.version, cause=cause)


def _event(order: Order, report: Entry) -> Any:
    about = _about(order)
    match order.state:
        case "shipped":
            return fulfillment.OrderShipped(
                **about,
                shipped_at=report.at,
                promised_by=order.promised_by or order.placed_at.date(),
                carrier=order.carrier,
                tracking_number=order.tracking_number,
                tracking_url=order.tracking_url,
            )
        case "delivered":
            return fulfillment.OrderDelivered(**about, delivered_at=report.at)
        case "returned":
            return fulfillment.OrderReturned(**about, returned_at=report.at, reason=report.note)
        case _:
            return fulfillment.OrderCancelled(**about, cancelled_at=report.at, reason=report.note or "Called off")


def _about(order: Order) -> dict[str, Any]:
    return {
        "candidate_id": order.candidate_id,
        "order_id": order.id,
        "benefit": order.benefit,
        "title": order.title,
    }
