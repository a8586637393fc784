"""The fulfillment database: offers."""

from collections.abc import Iterable, Sequence

from pymongo import ASCENDING, IndexModel

from libs.common.mongo import merges
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.merges import Merges
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
    ),
    Migration(2, "merges", declare({merges.COLLECTION: merges.INDEXES})),
]


class FulfillmentStore:
    """All queries of the service. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self.merges = Merges(database)
        self._offers = database["offers"]

    async def offered(self, session: Session, ids: Iterable[str]) -> set[str]:
        """Which of these offers have been made."""
        found = self._offers.find({"_id": {"$in": list(ids)}}, {"_id": 1}, session=session)
        return {row["_id"] async for row in found}

    async def add(self, session: Session, rows: Sequence[Document]) -> None:
        await self._offers.insert_many(rows, session=session, ordered=False)

    async def offers(self, program: str, candidate_id: str, *, after: str | None, limit: int) -> list[Document]:
        """What a person was offered on all accounts that are one with this.

        Both may have been offered the same before they were known to be one; then the first of the two stands.
        """
        accounts = await self.merges.family(None, candidate_id)
        query = {"candidate_id": {"$in": accounts}, "program": program}
        rows = await self._offers.find(query).sort([("offered_at", ASCENDING), ("_id", ASCENDING)]).to_list(None)
        first: dict[tuple[str, str], Document] = {}
        for row in rows:
            first.setdefault((row["certification"], row["benefit"]), row)
        later = [row for row in first.values() if after is None or row["_id"] > after]
        return sorted(later, key=lambda row: str(row["_id"]))[:limit]

    async def totals(self, programs: Sequence[str]) -> dict[str, int]:
        return {"offers": await self._offers.count_documents({"program": {"$in": list(programs)}})}
