"""Offers whose last day has passed end by themselves."""

from datetime import timedelta
from functools import partial
from typing import ClassVar

from libs.common.clock import Clock
from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.fulfillment.offers.telling import Telling
from services.fulfillment.store import FulfillmentStore


class Ending:
    """The job. What it comes too late for cannot be claimed all the same: a claim looks at the day itself."""

    EVERY: ClassVar = timedelta(minutes=5)
    SLICE: ClassVar = 500
    """Offers in one run at most; the next run goes on."""

    def __init__(self, store: FulfillmentStore, telling: Telling, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._store = store
        self._telling = telling
        self._unit_of_work = unit_of_work
        self._clock = clock

    def job(self) -> Job:
        return Job("offers_over", self.EVERY, self.run)

    async def run(self) -> None:
        for candidate_id in await self._store.over(self._clock.now(), limit=self.SLICE):
            await self._unit_of_work.run(partial(self._settle, candidate_id=candidate_id))

    async def _settle(self, transaction: Transaction, *, candidate_id: str) -> None:
        accounts = await self._store.merges.family(transaction.session, candidate_id)
        known = await self._store.known(transaction.session, accounts)
        after = await self._telling.settle(transaction, known, accounts)
        changed = [one for key, one in after.items() if one != known.get(key)]
        await self._store.save(transaction.session, changed, known)
