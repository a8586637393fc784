"""Walks what is due: certifications whose state changes by time alone, cheapest first, nothing else touched."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from libs.common.clock import Clock
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.ledger import Ledger, changed
from services.certs.store import CertsStore


class ExpirySweep:
    """Tells expiries on their day, in each program's time zone."""

    EVERY: ClassVar = timedelta(minutes=1)
    SLICE: ClassVar = 200

    def __init__(
        self, store: CertsStore, programs: Mapping[str, Program], unit_of_work: UnitOfWork, clock: Clock
    ) -> None:
        self._store = store
        self._programs = programs
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def run(self) -> None:
        for program in self._programs.values():
            while await self._slice(program) == self.SLICE:
                pass

    async def _slice(self, program: Program) -> int:
        async def work(transaction: Transaction) -> int:
            today = transaction.now.astimezone(ZoneInfo(program.time_zone)).date().isoformat()
            rows = await self._store.due(transaction.session, program.id, today, self.SLICE)
            ledgers = [Ledger(row["_id"], program, row) for row in rows]
            for ledger in ledgers:
                ledger.pass_time(transaction)
            await self._store.save(transaction.session, changed(ledgers), [row["_id"] for row in rows])
            return len(rows)

        return await self._unit_of_work.run(work)
