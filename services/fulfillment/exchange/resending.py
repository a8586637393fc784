"""Has an order sent to its house once more, under its number."""

from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from services.fulfillment.domain.orders import RECALLABLE
from services.fulfillment.exchange.orders import Orders
from services.fulfillment.exchange.standing import again
from services.fulfillment.exchange.store import ExchangeStore, standing_of, write_standing


async def resend(
    transaction: Transaction, store: ExchangeStore, orders: Orders, *, program: str, order_id: str
) -> Document:
    """Where the order stands then; what waits to be sent already waits on.

    Raises:
        Problem: `not-found`; `conflict` where the parcel has left the house, or nothing is sent any more.
    """
    row = (await store.dispatches(transaction.session, [order_id])).get(order_id)
    if row is None or row["program"] != program:
        raise Problem(NOT_FOUND)
    order = (await orders.several(transaction.session, [order_id])).get(order_id)
    before = standing_of(row)
    after = again(before)
    if order is None or order.state not in RECALLABLE or after.todo != "request":
        raise Problem(CONFLICT, "the parcel has left the house, or nothing is sent any more")
    if after != before:
        write_standing(row, after)
        row |= {"due_at": transaction.now, "changed_at": transaction.now}
        await store.save_dispatches(transaction.session, [row])
    return row
