"""What waits to become part of a mail. A row outlasts its mail, so that its event changes nothing when told again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from pymongo import ASCENDING, IndexModel, UpdateOne

from libs.common.clock import as_stored
from libs.common.mongo.client import Database, Document, Session

COLLECTION = "gathered"
INDEXES = [
    IndexModel([("due_at", ASCENDING)], name="due", partialFilterExpression={"due_at": {"$exists": True}}),
    IndexModel([("candidate_id", ASCENDING)], name="candidate"),
    IndexModel([("created_at", ASCENDING)], name="created"),
]


class Gathered:
    """All queries about it. A row is what would be a mail of its own, with `bundle`, and `due_at` while it waits."""

    def __init__(self, database: Database) -> None:
        self._rows = database[COLLECTION]

    async def known(self, session: Session, ids: Collection[str]) -> set[str]:
        found = self._rows.find({"_id": {"$in": list(ids)}}, {"_id": 1}, session=session)
        return {row["_id"] async for row in found}

    async def add(self, session: Session, rows: Sequence[Document]) -> None:
        await self._rows.insert_many(rows, session=session, ordered=False)

    async def due(self, session: Session, now: datetime, limit: int) -> list[Document]:
        """Rows whose time has come, the longest waiting first, with no more than whose they are."""
        found = self._rows.find({"due_at": {"$lte": now}}, {"candidate_id": 1}, session=session)
        return await found.sort("due_at", ASCENDING).to_list(limit)

    async def waiting(self, session: Session, candidates: Iterable[str]) -> list[Document]:
        """All that waits of these candidates, due or not, in the order of their coming."""
        query = {"candidate_id": {"$in": sorted(set(candidates))}, "due_at": {"$exists": True}}
        return await self._rows.find(query, session=session).sort([("created_at", 1), ("_id", 1)]).to_list(None)

    async def settle(self, session: Session, mails: Mapping[str, str | None]) -> None:
        """Note which mail each row went into; None for one that was overtaken."""
        writes = [
            UpdateOne({"_id": key}, {"$set": {"mail": mail}, "$unset": {"due_at": ""}}) for key, mail in mails.items()
        ]
        if writes:
            await self._rows.bulk_write(writes, ordered=False, session=session)

    async def postpone(self, session: Session, moments: Mapping[str, datetime]) -> None:
        """Let rows wait until another moment."""
        writes = [UpdateOne({"_id": key}, {"$set": {"due_at": as_stored(at)}}) for key, at in moments.items()]
        if writes:
            await self._rows.bulk_write(writes, ordered=False, session=session)

    async def hasten(self, session: Session, candidates: Iterable[str], bundle: str, now: datetime) -> None:
        """Let what waits for these candidates be due now."""
        query = {"candidate_id": {"$in": sorted(set(candidates))}, "bundle": bundle, "due_at": {"$gt": now}}
        await self._rows.update_many(query, {"$set": {"due_at": as_stored(now)}}, session=session)
