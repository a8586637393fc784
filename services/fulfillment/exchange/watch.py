"""Watches what takes too long: orders without an answer, orders past their promise, houses that say nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import ClassVar

import structlog
from prometheus_client import Gauge

from libs.common.clock import Clock
from libs.common.events import fulfillment
from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from libs.common.versions import next_version
from services.fulfillment.exchange.definition import House, Houses
from services.fulfillment.exchange.orders import Orders
from services.fulfillment.exchange.standing import MOST_SENDINGS, again
from services.fulfillment.exchange.store import ExchangeStore, standing_of, write_standing

SILENT = Gauge(
    "certrail_house_silent", "1 while a fulfilment house with open orders says nothing", ["program", "house"]
)

log = structlog.get_logger(__name__)


class Watch:
    """Sends again, flags and tells."""

    EVERY: ClassVar = timedelta(minutes=15)
    SLICE: ClassVar = 200

    def __init__(  # noqa: PLR0917 parts
        self,
        store: ExchangeStore,
        orders: Orders,
        houses: Houses,
        unit_of_work: UnitOfWork,
        programs: Mapping[str, Program],
        clock: Clock,
    ) -> None:
        self._store = store
        self._orders = orders
        self._houses = houses
        self._unit_of_work = unit_of_work
        self._programs = programs
        self._clock = clock

    def job(self) -> Job:
        return Job("orders-watch", self.EVERY, self.run)

    async def run(self) -> None:
        """Look at everything once."""
        for program, name in await self._store.houses_of_orders():
            house = self._houses[name]
            work = partial(self._send_again, program=program, house=house)
            while await self._unit_of_work.run(work) == self.SLICE:
                pass
            await self._flag_silent(program, house)
        for one in list(self._programs.values()):
            while await self._tell_late(one) == self.SLICE:
                pass

    async def _send_again(self, transaction: Transaction, *, program: str, house: House) -> int:
        """Orders without an answer go once more, under their numbers; after five times people have to ask."""
        before = transaction.now - house.resend_after
        rows = await self._store.unanswered(
            transaction.session, program, house.id, before, limit=self.SLICE, most=MOST_SENDINGS
        )
        for row in rows:
            write_standing(row, again(standing_of(row)))
            row |= {"due_at": transaction.now, "changed_at": transaction.now}
        await self._store.save_dispatches(transaction.session, rows)
        return len(rows)

    async def _flag_silent(self, program: str, house: House) -> None:
        """A house is silent from its last word, or from the oldest order that it should be busy with."""
        first = await self._store.oldest_sent(program, house.id)
        known = await self._store.house(program, house.id)
        heard = (known or {}).get("last_heard_at")
        since = max(first, heard) if first is not None and heard is not None else first
        silent = since is not None and self._clock.now() - since > house.silent_after
        SILENT.labels(program, house.id).set(int(silent))
        if await self._store.silent(program, house.id, since if silent else None) and silent:
            log.warning("house_silent", program=program, vendor=house.id)

    async def _tell_late(self, program: Program) -> int:
        """Tell candidates, once, whose promised day is over. Returns how many there were."""
        today = program.day_of(self._clock.now())
        late = await self._orders.store.late(program.id, today, limit=self.SLICE)
        for order in late:
            await self._unit_of_work.run(partial(self._tell, order_id=order.id, program=program))
        return len(late)

    async def _tell(self, transaction: Transaction, *, order_id: str, program: Program) -> None:
        order = await self._orders.store.get(order_id, transaction.session)
        if order is None or order.late_at is not None or not order.is_late(program.day_of(transaction.now)):
            return
        state = order.state
        if order.promised_by is None or state == "delivered" or state == "returned" or state == "cancelled":  # noqa: PLR1714
            return
        version = next_version(order.version, transaction.now)
        await self._orders.store.save(transaction.session, replace(order, late_at=transaction.now, version=version))
        transaction.emit(
            fulfillment.OrderLate(
                candidate_id=order.candidate_id,
                order_id=order.id,
                benefit=order.benefit,
                title=order.title,
                promised_by=order.promised_by,
                state=state,
                late_at=transaction.now,
            ),
            program=order.program,
            subject=order.candidate_id,
            version=version,
        )
