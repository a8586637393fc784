"""Orders that nobody pays are called off, and what they were for is offered again."""

from datetime import timedelta
from functools import partial
from typing import ClassVar

from libs.common.clock import Clock, as_stored
from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.fulfillment.offers.claiming import Claims
from services.fulfillment.orders.store import OrderStore


class Unpaid:
    """The job. Who pays later all the same gets the money back: the payment is listed."""

    EVERY: ClassVar = timedelta(minutes=5)
    SLICE: ClassVar = 200
    """Orders in one run at most; the next run goes on."""
    PATIENCE: ClassVar = timedelta(days=14)

    def __init__(self, orders: OrderStore, claims: Claims, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._orders = orders
        self._claims = claims
        self._unit_of_work = unit_of_work
        self._clock = clock

    def job(self) -> Job:
        return Job("unpaid_orders", self.EVERY, self.run)

    async def run(self) -> None:
        before = as_stored(self._clock.now() - self.PATIENCE)
        for order in await self._orders.unpaid(before, limit=self.SLICE):
            await self._unit_of_work.run(partial(self._call_off, order_id=order.id))

    async def _call_off(self, transaction: Transaction, *, order_id: str) -> None:
        order = await self._orders.get(order_id, transaction.session)
        if order is not None and order.awaits_payment and order.state == "pending":
            reason = f"It was not paid within {self.PATIENCE.days} days."
            await self._claims.call_off(transaction, order, "system", reason)
