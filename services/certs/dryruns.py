"""A new policy tried on every candidate before it is in force: who gains, who loses, whose dates move.

The work is cut into chunks of ledgers in the order of their ids, and evaluated by processes of its own, one for each
core. What a chunk shows and how far the run has come are written together, so a run that is interrupted goes on where
it stopped, and counts nobody twice. Only the chunks under way are in memory, however many candidates there are.
"""

import asyncio
import multiprocessing
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar

import structlog

from libs.common.clock import Clock
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program, load_definition
from services.certs.domain.comparison import Difference, Side, compare
from services.certs.domain.evaluate import evaluate
from services.certs.dryrun_store import DryRunStore
from services.certs.ledger import facts_at

CHUNK = 500
"""Ledgers that one process evaluates at a time."""

log = structlog.get_logger(__name__)

Changes = list[tuple[str, Difference]]
"""Candidate and difference."""


class DryRuns:
    """Works through the dry runs that have been asked for, the oldest first."""

    EVERY: ClassVar = timedelta(seconds=1)
    SECONDS: ClassVar = 20.0
    """For one run of the job, well below its lease; the next goes on."""

    def __init__(
        self,
        store: DryRunStore,
        programs: Mapping[str, Program],
        unit_of_work: UnitOfWork,
        clock: Clock,
        *,
        processes: int | None = None,
    ) -> None:
        self._store = store
        self._programs = programs
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._processes = processes or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    async def run(self) -> None:
        until = asyncio.get_running_loop().time() + self.SECONDS
        row = await self._store.next_unfinished()
        try:
            while row is not None and asyncio.get_running_loop().time() < until:
                await self._advance(row, until)
                row = await self._store.next_unfinished()
        finally:
            if row is None:
                self.close()

    def close(self) -> None:
        """Let the processes go."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _advance(self, row: Document, until: float) -> None:
        """Go on with a run until it is done or the time is over."""
        loop = asyncio.get_running_loop()
        current = self._programs[row["program"]].definition
        under_way: list[tuple[list[str], asyncio.Future[Changes]]] = []
        after: str | None = row["after"]
        reading = True
        while reading or under_way:
            while reading and len(under_way) <= self._processes and loop.time() < until:
                ledgers = await self._store.ledgers(row["program"], after, CHUNK)
                reading = len(ledgers) == CHUNK
                if ledgers:
                    after = ledgers[-1]["_id"]
                    work = (current, row["definition"], row["as_of"], ledgers)
                    found = loop.run_in_executor(self._open_pool(), compare_ledgers, *work)
                    under_way.append(([ledger["_id"] for ledger in ledgers], found))
            if not under_way:
                break
            ids, found = under_way.pop(0)
            await self._record(row["_id"], ids, await found)
        if not reading:
            await self._store.finish(row["_id"], self._clock.now())
            log.info("dry_run_finished", program=row["program"], version=row["to_version"], count=row["total"])

    def _open_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Not forked: this process has threads and connections that a copy would share.
            context = multiprocessing.get_context("spawn")
            # And they give way: candidates come before a program manager's question.
            self._pool = ProcessPoolExecutor(self._processes, mp_context=context, initializer=os.nice, initargs=(10,))
        return self._pool

    async def _record(self, run_id: str, ids: Sequence[str], changes: Changes) -> None:
        async def work(transaction: Transaction) -> None:
            await self._store.record(
                transaction.session,
                run_id,
                after=ids[-1],
                done=len(ids),
                affected=len({candidate for candidate, _ in changes}),
                counts=Counter((each.certification, each.kind) for _, each in changes),
                rows=[_stored(run_id, candidate, each) for candidate, each in changes],
            )

        await self._unit_of_work.run(work)


def compare_ledgers(before: str, after: str, as_of: datetime, ledgers: Sequence[Document]) -> Changes:
    """Compare two definitions over ledgers; runs in a process of its own.

    Args:
        before: text of the definition in force.
        after: text of the one to try.
        as_of: the moment at which both are evaluated.
        ledgers: documents with `_id`, `facts`, and `kin` where there is any.
    """
    old, new = _loaded(before), _loaded(after)
    changes: Changes = []
    for ledger in ledgers:
        facts = facts_at(ledger, as_of)
        differences = compare(evaluate(old, facts, as_of), evaluate(new, facts, as_of))
        changes += [(ledger["_id"], each) for each in differences]
    return changes


@lru_cache(maxsize=4)
def _loaded(definition: str) -> Program:
    return load_definition(definition, name="definition.yaml")


def _stored(run_id: str, candidate_id: str, difference: Difference) -> Document:
    return {
        "_id": f"{run_id}:{candidate_id}:{difference.certification}",
        "run_id": run_id,
        "candidate_id": candidate_id,
        "certification": difference.certification,
        "kind": difference.kind,
        "before": _stored_side(difference.before),
        "after": _stored_side(difference.after),
        "because": difference.because,
    }


def _stored_side(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    expires_on = side.expires_on.isoformat() if side.expires_on else None
    return {"status": side.status, "earned_on": side.earned_on.isoformat(), "expires_on": expires_on}
