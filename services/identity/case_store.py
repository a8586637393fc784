"""Cases that staff decide, and the registrations that prove whose an id is."""

from collections.abc import Iterable
from datetime import datetime

from pymongo import ASCENDING, IndexModel, UpdateOne

from libs.common.mongo.client import Database, Document, Session

OPEN = "open"

INDEXES = {
    "cases": [
        IndexModel([("program", ASCENDING), ("state", ASCENDING), ("opened_at", ASCENDING), ("_id", ASCENDING)]),
        # An account has one open case an id, however often and at how many places it is claimed.
        IndexModel(
            [("candidate_id", ASCENDING), ("link", ASCENDING)],
            name="one_open",
            unique=True,
            partialFilterExpression={"state": OPEN},
        ),
    ],
    "registrations": [],
}


class CaseStore:
    """All queries about cases. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._cases = database["cases"]
        self._registrations = database["registrations"]

    async def get(self, session: Session, case_id: str) -> Document | None:
        row: Document | None = await self._cases.find_one({"_id": case_id}, session=session)
        return row

    async def open_of(self, session: Session, candidate_id: str) -> list[Document]:
        query = {"candidate_id": candidate_id, "state": OPEN}
        return await self._cases.find(query, session=session).to_list(None)

    async def add(self, session: Session, row: Document) -> None:
        await self._cases.insert_one(row, session=session)

    async def save(self, session: Session, row: Document) -> None:
        await self._cases.replace_one({"_id": row["_id"]}, row, session=session)

    async def of_state(
        self, program: str, state: str, *, after: tuple[datetime, str] | None, limit: int
    ) -> list[Document]:
        """A program's cases in a state, the oldest first, from the position `after` on."""
        query: Document = {"program": program, "state": state}
        if after is not None:
            at, key = after
            query["$or"] = [{"opened_at": {"$gt": at}}, {"opened_at": at, "_id": {"$gt": key}}]
        return await self._cases.find(query).sort([("opened_at", ASCENDING), ("_id", ASCENDING)]).to_list(limit)

    async def registration(self, session: Session, key: str) -> Document | None:
        row: Document | None = await self._registrations.find_one({"_id": key}, session=session)
        return row

    async def keep_registrations(self, session: Session, rows: Iterable[Document]) -> None:
        """Remember registrations; of one that comes again with other words the first stays."""
        writes = [
            UpdateOne({"_id": row["_id"]}, {"$setOnInsert": {k: v for k, v in row.items() if k != "_id"}}, upsert=True)
            for row in rows
        ]
        if writes:
            await self._registrations.bulk_write(writes, ordered=False, session=session)
