"""What exams keeps of comparisons with vendors' lists. Methods with a session are part of its transaction.

- `reconciliations`: a list that came in, how far it is, and what was found in numbers.
- `reconciliation_chunks`: the list as it came, cut at line ends; gone once it is read.
- `reconciliation_rows`: its lines as they were read; gone once it is compared.
- `reconciliation_findings`: what the two sides do not say alike, and what was done about each.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.mongo.client import Database, Document, Session

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    "reconciliations": [
        IndexModel([("program", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="latest"),
        IndexModel([("state", ASCENDING), ("created_at", ASCENDING)], name="state"),
    ],
    "reconciliation_chunks": [IndexModel([("run_id", ASCENDING), ("number", ASCENDING)], name="run", unique=True)],
    "reconciliation_rows": [
        IndexModel([("run_id", ASCENDING), ("registration_id", ASCENDING)], name="run", unique=True)
    ],
    "reconciliation_findings": [
        IndexModel([("run_id", ASCENDING), ("key", ASCENDING)], name="run", unique=True),
        IndexModel([("candidate_id", ASCENDING)], name="candidate"),
        IndexModel([("theirs.candidate_id", ASCENDING)], name="theirs"),
    ],
}
REGISTRATIONS: Mapping[str, Sequence[IndexModel]] = {
    "registrations": [
        IndexModel([("program", ASCENDING), ("vendor", ASCENDING), ("registration_id", ASCENDING)], name="number"),
    ],
}
OPEN = ("reading", "comparing")
"""The states of a run that is not done."""


class ReconciliationStore:
    def __init__(self, database: Database) -> None:
        self._runs = database["reconciliations"]
        self._chunks = database["reconciliation_chunks"]
        self._rows = database["reconciliation_rows"]
        self._findings = database["reconciliation_findings"]
        self._registrations = database["registrations"]

    # Runs

    async def add_chunk(self, row: Document) -> None:
        await self._chunks.replace_one({"_id": row["_id"]}, row, upsert=True)

    async def add_run(self, row: Document) -> Document:
        """Add a run, or find it where it was added before."""
        found = await self._runs.find_one_and_update(
            {"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True, return_document=True
        )
        if found is None:
            raise LookupError(row["_id"])
        return found

    async def next_open(self) -> Document | None:
        """The oldest run that is not done."""
        return await self._runs.find_one({"state": {"$in": list(OPEN)}}, sort=[("created_at", ASCENDING)])

    async def run(self, session: Session | None, key: str) -> Document | None:
        return await self._runs.find_one({"_id": key}, session=session)

    async def save_run(self, session: Session, row: Document) -> None:
        await self._runs.replace_one({"_id": row["_id"]}, row, session=session)

    async def run_page(self, query: Document, *, before: tuple[datetime, str] | None, limit: int) -> list[Document]:
        """The latest first."""
        found = dict(query)
        if before is not None:
            at, key = before
            found["$or"] = [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": key}}]
        order = [("created_at", DESCENDING), ("_id", DESCENDING)]
        return await self._runs.find(found).sort(order).limit(limit).to_list(None)

    # The list

    async def chunk(self, session: Session, run_id: str, number: int) -> Document | None:
        return await self._chunks.find_one({"run_id": run_id, "number": number}, session=session)

    async def drop_chunk(self, session: Session, run_id: str, number: int) -> None:
        await self._chunks.delete_one({"run_id": run_id, "number": number}, session=session)

    async def add_rows(self, session: Session, run_id: str, rows: Sequence[Document]) -> set[str]:
        """Add lines. Returns the registrations that the list has had before, whose lines are left out."""
        ids = [row["registration_id"] for row in rows]
        query = {"run_id": run_id, "registration_id": {"$in": ids}}
        known = set(await self._rows.distinct("registration_id", query, session=session))
        fresh = [row for row in rows if row["registration_id"] not in known]
        if fresh:
            await self._rows.insert_many(fresh, session=session, ordered=False)
        return known

    async def theirs(self, session: Session, run_id: str, after: str, limit: int) -> list[Document]:
        query = {"run_id": run_id, "registration_id": {"$gt": after}}
        found = self._rows.find(query, session=session).sort("registration_id", ASCENDING)
        return await found.limit(limit).to_list(None)

    async def drop_rows(self, run_id: str, limit: int) -> int:
        found = await self._rows.find({"run_id": run_id}, {"_id": 1}).limit(limit).to_list(None)
        result = await self._rows.delete_many({"_id": {"$in": [row["_id"] for row in found]}})
        return result.deleted_count

    # Ours

    async def ours(self, session: Session, run: Document, after: str, last: str | None, limit: int) -> list[Document]:
        """Our registrations by number, beyond `after` up to `last`: those of the period, in the order of numbers."""
        number: Document = {"$gt": after} | ({"$lte": last} if last is not None else {})
        query = {
            "program": run["program"],
            "vendor": run["vendor"],
            "registration_id": number,
            "scheduled_at": {"$gte": run["first"], "$lt": run["end"]},
        }
        found = self._registrations.find(query, session=session).sort("registration_id", ASCENDING)
        return await found.hint("number").limit(limit).to_list(None)

    async def named(self, session: Session, run: Document, numbers: Sequence[str]) -> list[Document]:
        """Our registrations of these numbers, whenever they are."""
        query = {"program": run["program"], "vendor": run["vendor"], "registration_id": {"$in": list(numbers)}}
        return await self._registrations.find(query, session=session).to_list(None)

    # Findings

    async def add_findings(self, session: Session, rows: Sequence[Document]) -> None:
        if rows:
            await self._findings.insert_many(rows, session=session, ordered=False)

    async def finding(self, session: Session | None, key: str) -> Document | None:
        return await self._findings.find_one({"_id": key}, session=session)

    async def save_finding(self, session: Session, row: Document) -> None:
        await self._findings.replace_one({"_id": row["_id"]}, row, session=session)

    async def finding_page(self, query: Document, *, after: str | None, limit: int) -> list[Document]:
        """In the order of registrations; lines that could not be read come last."""
        found = {**query, "key": {"$gt": after}} if after is not None else query
        return await self._findings.find(found).sort("key", ASCENDING).limit(limit).to_list(None)
