"""What identity keeps for the way in: requests for it and the single-use links that answer them."""

from datetime import datetime, timedelta

from pymongo import ASCENDING, IndexModel

from libs.common.ids import new_id
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare
from services.identity.login import addresses, second_factor_store, session_store

REQUESTS_KEPT = timedelta(days=1)
"""A request that nobody could work off by then is forgotten: it holds what a person typed."""

MIGRATION = Migration(
    3,
    "the way in",
    declare(
        {
            "access_requests": [
                IndexModel(
                    [("asked_at", ASCENDING)], name="expiry", expireAfterSeconds=int(REQUESTS_KEPT.total_seconds())
                )
            ],
            "links": [IndexModel([("candidate_id", ASCENDING)], name="candidate")],
            **session_store.COLLECTIONS,
            **addresses.COLLECTIONS,
            **second_factor_store.COLLECTIONS,
        }
    ),
)


class AccessRequestStore:
    """Requests for a way in, and links. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._requests = database["access_requests"]
        self._candidates = database["candidates"]
        self._links = database["links"]

    async def ask(self, program: str, login: str, now: datetime) -> None:
        await self._requests.insert_one({"_id": new_id(), "program": program, "login": login, "asked_at": now})

    async def waiting(self, limit: int) -> list[Document]:
        """The oldest requests."""
        return await self._requests.find().sort("_id", ASCENDING).to_list(limit)

    async def take(self, session: Session, request_id: str) -> bool:
        """Take a request out; False where another process has."""
        result = await self._requests.delete_one({"_id": request_id}, session=session)
        return bool(result.deleted_count)

    async def links_since(self, session: Session, candidate_id: str, since: datetime) -> int:
        """How many links of the account have been made since a moment and not been used."""
        query = {"candidate_id": candidate_id, "made_at": {"$gt": since}}
        return await self._links.count_documents(query, session=session)

    async def add_link(self, session: Session, candidate_id: str, link: Document, *, version: int) -> None:
        """Store a link, and the version of the event that tells it.

        Writing the account makes two transactions that count the same account's links conflict.
        """
        await self._candidates.update_one({"_id": candidate_id}, {"$set": {"version": version}}, session=session)
        await self._links.insert_one(link, session=session)
