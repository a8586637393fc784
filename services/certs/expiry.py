"""Walks what is due: certifications whose state changes by time alone, cheapest first, nothing else touched."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.ledger import Ledger
from services.certs.policies import Policies
from services.certs.store import CertsStore


class ExpirySweep:
    """Tells expiries on their day, in each program's time zone."""

    EVERY: ClassVar = timedelta(minutes=1)
    SLICE: ClassVar = 200

    def __init__(
        self,
        store: CertsStore,
        policies: Policies,
        programs: Mapping[str, Program],
        unit_of_work: UnitOfWork,
    ) -> None:
        self._store = store
        self._policies = policies
        self._programs = programs
        self._unit_of_work = unit_of_work

    async def run(self) -> None:
        for program in list(self._programs):
            while await self._slice(await self._policies.current(program)) == self.SLICE:
                pass

    async def _slice(self, program: Program) -> int:
        async def work(transaction: Transaction) -> int:
            today = program.day_of(transaction.now).isoformat()
            rows = await self._store.due(transaction.session, program.id, today, self.SLICE)
            ledgers = [
                Ledger(row["_id"], program, row, told_under=await self._policies.told_under(row, program))
                for row in rows
            ]
            for ledger in ledgers:
                ledger.pass_time(transaction)
            await self._store.save(transaction, ledgers)
            return len(rows)

        return await self._unit_of_work.run(work)
