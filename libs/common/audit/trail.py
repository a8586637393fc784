"""The audit log in MongoDB: one chain a program, in a database whose records the service may add and not change.

Records that wait at the same time are written together. Several processes write the same chain: the number is the key,
so one of two that take the same number meets the other's record, and goes on behind it.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import BulkWriteError, PyMongoError

from libs.common.audit.chain import Head, linked
from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.http.audit import Access
from libs.common.mongo.client import Database, Document

COLLECTION: Final = "records"
MOST_AT_ONCE: Final = 200
_DUPLICATE_KEY: Final = 11000

INDEXES: Final = [
    IndexModel([("program", ASCENDING), ("n", ASCENDING)], name="chain"),
    IndexModel([("program", ASCENDING), ("candidates", ASCENDING), ("n", ASCENDING)], name="candidate"),
    IndexModel([("program", ASCENDING), ("actor", ASCENDING), ("n", ASCENDING)], name="actor"),
]

_Waiting = tuple[Access, "asyncio.Future[None]"]


def audit_name(database_name: str) -> str:
    """The name of the audit log's database beside a service's own."""
    return f"{database_name}_audit"


def audit_database(database: Database) -> Database:
    """The database beside a service's own that its account may read and append to, and nothing else."""
    return database.client[audit_name(database.name)]


async def prepare(database: Database) -> None:
    """Make the collection and its indexes where they are missing."""
    await audit_database(database)[COLLECTION].create_indexes(INDEXES)


class AuditTrail:
    """The log of one service.

    Args:
        database: the service's own.
        service: its name.
        programs: those that have a chain.
        clock: tells when something was done.
    """

    def __init__(self, database: Database, service: str, programs: Collection[str], clock: Clock) -> None:
        self._records = audit_database(database)[COLLECTION]
        self._service = service
        self._clock = clock
        self._chains: dict[str, _Chain] = {}
        self.programs = programs

    async def write(self, program: str, access: Access) -> None:
        """Return once the record is on a majority. Raises `Unavailable`; then it may have been kept all the same."""
        chain = self._chains.get(program)
        if chain is None:
            chain = self._chains[program] = _Chain(self, program)
        await chain.add(access)

    async def read(
        self, program: str, *, after: int, limit: int, candidate: str | None = None, actor: str | None = None
    ) -> list[Document]:
        """Records behind number `after`, in their order, without their key."""
        query: Document = {"program": program, "n": {"$gt": after}}
        query |= {"candidates": candidate} if candidate is not None else {}
        query |= {"actor": actor} if actor is not None else {}
        return await self._records.find(query, {"_id": 0}).sort("n", ASCENDING).to_list(limit)

    async def heads(self) -> dict[str, Head]:
        """The last record of each program that has any."""
        programs = await self._records.distinct("program")
        return {program: await self.head(program) for program in programs}

    async def head(self, program: str) -> Head:
        row = await self._records.find_one({"program": program}, {"n": 1, "hash": 1}, sort=[("n", DESCENDING)])
        return Head(row["n"], row["hash"]) if row else Head()

    async def append(self, program: str, head: Head, accesses: Sequence[Access]) -> Sequence[Head]:
        """Write records behind `head`; returns the heads after each that found its place, in their order."""
        at = self._clock.now().astimezone(UTC).isoformat(timespec="milliseconds")
        whose = {"service": self._service, "program": program, "at": at}
        rows = linked(head, [{**whose, **asdict(access)} for access in accesses])
        kept = len(rows)
        try:
            await self._records.insert_many([{"_id": f"{program}:{row['n']}", **row} for row in rows])
        except BulkWriteError as error:
            details: Mapping[str, Any] = error.details or {}
            faults = details.get("writeErrors", [])
            taken = bool(faults) and all(fault["code"] == _DUPLICATE_KEY for fault in faults)
            if not taken or details.get("writeConcernErrors"):
                raise
            kept = details["nInserted"]
        return [Head(row["n"], row["hash"]) for row in rows[:kept]]


class _Chain:
    """One program's chain, as this process writes it."""

    def __init__(self, trail: AuditTrail, program: str) -> None:
        self._trail = trail
        self._program = program
        self._waiting: list[_Waiting] = []
        self._head: Head | None = None
        """As this process left it; None where it must be looked up."""
        self._writing: asyncio.Task[None] | None = None

    async def add(self, access: Access) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((access, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await asyncio.shield(done)  # one caller who gives up takes nothing from the others

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[:MOST_AT_ONCE]
                del self._waiting[:MOST_AT_ONCE]
                await self._keep(batch)
        finally:
            self._writing = None

    async def _keep(self, batch: Sequence[_Waiting]) -> None:
        while batch:
            try:
                head = self._head or await self._trail.head(self._program)
                self._head = None
                heads = await self._trail.append(self._program, head, [access for access, _ in batch])
            except Exception as error:  # noqa: BLE001 it is raised again for each who waits
                for _, done in batch:
                    done.set_exception(Unavailable(str(error)) if isinstance(error, PyMongoError) else error)
                return
            for _, done in batch[: len(heads)]:
                done.set_result(None)
            batch = batch[len(heads) :]
            self._head = None if batch else heads[-1]
