"""The seals that services have told, beside identity's own audit log: they too are added and never changed."""

from collections.abc import Sequence
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.audit.trail import audit_database
from libs.common.mongo.client import Database, Document, Session

COLLECTION: Final = "seals"


async def prepare(database: Database) -> None:
    """Make the collection and its index where they are missing."""
    order = [("program", ASCENDING), ("service", ASCENDING), ("n", ASCENDING), ("_id", ASCENDING)]
    await audit_database(database)[COLLECTION].create_indexes([IndexModel(order, name="chain")])


class SealStore:
    """All queries about seals."""

    def __init__(self, database: Database) -> None:
        self._seals = audit_database(database)[COLLECTION]

    async def add(self, session: Session, rows: Sequence[Document]) -> None:
        """Keep those that are not kept yet."""
        found = self._seals.find({"_id": {"$in": [row["_id"] for row in rows]}}, {"_id": 1}, session=session)
        known = {row["_id"] async for row in found}
        fresh = [row for row in rows if row["_id"] not in known]
        if fresh:
            await self._seals.insert_many(fresh, session=session)

    async def of(
        self,
        program: str,
        service: str,
        *,
        after: tuple[int, str] | None,
        limit: int,
        latest_first: bool = False,
        up_to: int | None = None,
    ) -> list[Document]:
        """A chain's seals in the order of their numbers, or back, from the position `after` on."""
        query: Document = {"program": program, "service": service}
        behind, way = ("$lt", DESCENDING) if latest_first else ("$gt", ASCENDING)
        if up_to is not None:
            query["n"] = {"$lte": up_to}
        if after is not None:
            n, key = after
            query["$or"] = [{"n": {behind: n}}, {"n": n, "_id": {behind: key}}]
        return await self._seals.find(query).sort([("n", way), ("_id", way)]).to_list(limit)
