"""Brings every ledger to the policy in force, a slice at a time, while the service goes on working.

What is left to do is what the index finds, so a stop or a crash costs nothing that was done. A ledger that gets a new
fact meanwhile is brought there by that.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.ledger import Ledger
from services.certs.policies import Policies
from services.certs.store import CertsStore


class Reevaluation:
    """Tells what a new version of a program's policy changes."""

    EVERY: ClassVar = timedelta(seconds=5)
    SLICE: ClassVar = 200
    SECONDS: ClassVar = 20.0
    """For one run, well below a job's lease; the next goes on."""

    def __init__(
        self, store: CertsStore, policies: Policies, programs: Mapping[str, Program], unit_of_work: UnitOfWork
    ) -> None:
        self._store = store
        self._policies = policies
        self._programs = programs
        self._unit_of_work = unit_of_work

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self.SECONDS
        for program in list(self._programs):
            while loop.time() < until and await self._slice(program) == self.SLICE:
                pass

    async def _slice(self, program: str) -> int:
        policy = await self._policies.current(program)

        async def work(transaction: Transaction) -> int:
            rows = await self._store.outdated(transaction.session, policy.id, policy.version, self.SLICE)
            ledgers = [
                Ledger(row["_id"], policy, row, told_under=await self._policies.told_under(row, policy)) for row in rows
            ]
            for ledger in ledgers:
                ledger.pass_time(transaction)
            await self._store.save(transaction, ledgers)
            return len(rows)

        return await self._unit_of_work.run(work)
