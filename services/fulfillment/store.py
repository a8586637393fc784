"""The fulfillment database: offers."""

from collections.abc import Iterable, Sequence

from pymongo import ASCENDING, IndexModel

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import COMMON, Migration, declare

MIGRATIONS = [
    Migration(
        1,
        "collections and indexes",
        declare(
            {
                **COMMON,
                "offers": [IndexModel([("candidate_id", ASCENDING), ("_id", ASCENDING)], name="candidate")],
            }
        ),
    )
]


class FulfillmentStore:
    """All queries of the service. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._offers = database["offers"]

    async def offered(self, session: Session, ids: Iterable[str]) -> set[str]:
        """Which of these offers have been made."""
        found = self._offers.find({"_id": {"$in": list(ids)}}, {"_id": 1}, session=session)
        return {row["_id"] async for row in found}

    async def add(self, session: Session, rows: Sequence[Document]) -> None:
        await self._offers.insert_many(rows, session=session, ordered=False)

    async def offers(self, program: str, candidate_id: str, *, after: str | None, limit: int) -> list[Document]:
        query: Document = {"candidate_id": candidate_id, "program": program}
        if after is not None:
            query["_id"] = {"$gt": after}
        return await self._offers.find(query).sort("_id", ASCENDING).to_list(limit)

    async def totals(self, programs: Sequence[str]) -> dict[str, int]:
        return {"offers": await self._offers.count_documents({"program": {"$in": list(programs)}})}
