"""What identity keeps of sessions: one document each, and the hash of every refresh token for a while."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.mongo.client import Database, Document, Session
from services.identity.store import token_key

_EXPIRY = IndexModel([("expires_at", ASCENDING)], name="expiry", expireAfterSeconds=0)

COLLECTIONS = {
    "sessions": [IndexModel([("candidate_id", ASCENDING), ("used_at", DESCENDING)], name="candidate"), _EXPIRY],
    "refresh_tokens": [IndexModel([("session_id", ASCENDING)], name="session"), _EXPIRY],
}
MOST_LISTED = 100


class SessionStore:
    """Sessions and refresh tokens. Methods with a session of the database are part of its transaction.

    Args:
        database: identity's.
        prefix: of the collections; those of staff lie apart from those of candidates.
    """

    def __init__(self, database: Database, prefix: str = "") -> None:
        self._sessions = database[f"{prefix}sessions"]
        self._tokens = database[f"{prefix}refresh_tokens"]

    async def add(self, session: Session, row: Document) -> None:
        await self._sessions.insert_one(row, session=session)

    async def add_token(self, session: Session, token: str, session_id: str, expires_at: datetime) -> None:
        row = {"_id": token_key(token), "session_id": session_id, "used_at": None, "expires_at": expires_at}
        await self._tokens.insert_one(row, session=session)

    async def use_token(self, session: Session, token: str, now: datetime) -> Document | None:
        """Mark a refresh token as used, and return it as it was before; None where there is none."""
        row: Document | None = await self._tokens.find_one_and_update(
            {"_id": token_key(token)}, {"$set": {"used_at": now}}, session=session
        )
        return row

    async def use(
        self, session: Session, session_id: str, now: datetime, *, idle: timedelta, longest: timedelta
    ) -> Document | None:
        """Note a use of a session, which moves its end, and return it; None where it has ended."""
        latest = {"$add": ["$created_at", int(longest.total_seconds() * 1000)]}
        change = {"used_at": now, "expires_at": {"$min": [now + idle, latest]}}
        going_on = {"_id": session_id, "expires_at": {"$gt": now}}
        row: Document | None = await self._sessions.find_one_and_update(
            going_on, [{"$set": change}], session=session, return_document=True
        )
        return row

    async def change(self, session: Session, session_id: str, change: Mapping[str, Any]) -> Document | None:
        """Write fields of a session and return it; None where it has ended."""
        row: Document | None = await self._sessions.find_one_and_update(
            {"_id": session_id}, {"$set": change}, session=session, return_document=True
        )
        return row

    async def find(self, candidate_id: str, session_id: str, now: datetime) -> Document | None:
        query = {"_id": session_id, "candidate_id": candidate_id, "expires_at": {"$gt": now}}
        row: Document | None = await self._sessions.find_one(query)
        return row

    async def of(self, candidate_id: str, now: datetime) -> list[Document]:
        """The sessions of an account, the last used first."""
        query = {"candidate_id": candidate_id, "expires_at": {"$gt": now}}
        return await self._sessions.find(query).sort("used_at", DESCENDING).to_list(MOST_LISTED)

    async def end(self, session: Session, candidate_id: str, session_id: str) -> bool:
        """End a session of an account; False where it has none of this id."""
        query = {"_id": session_id, "candidate_id": candidate_id}
        result = await self._sessions.delete_one(query, session=session)
        if result.deleted_count:
            await self._tokens.delete_many({"session_id": session_id}, session=session)
        return bool(result.deleted_count)

    async def end_by_id(self, session: Session, session_id: str) -> Document | None:
        """End a session whosever it is, and return it; None where it had ended before."""
        row: Document | None = await self._sessions.find_one_and_delete({"_id": session_id}, session=session)
        await self._tokens.delete_many({"session_id": session_id}, session=session)
        return row

    async def end_all(self, session: Session, candidate_id: str, *, but: str | None = None) -> None:
        """End every session of an account, except one where that is wanted."""
        await self.end_where(session, {"candidate_id": candidate_id, "_id": {"$ne": but}})

    async def end_where(self, session: Session, query: Document) -> None:
        """End every session that fits."""
        ids = await self._sessions.distinct("_id", query, session=session)
        await self._sessions.delete_many({"_id": {"$in": ids}}, session=session)
        await self._tokens.delete_many({"session_id": {"$in": ids}}, session=session)
