"""Merges of accounts as they were asked for, and how far each has come."""

from datetime import datetime

from libs.common.mongo.client import Database, Document, Session


class MergeStore:
    """All queries about merges. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._merges = database["merges"]

    async def get(self, session: Session | None, merge_id: str) -> Document | None:
        row: Document | None = await self._merges.find_one({"_id": merge_id}, session=session)
        return row

    async def add(self, session: Session, row: Document) -> None:
        await self._merges.insert_one(row, session=session)

    async def save(self, session: Session, row: Document) -> None:
        await self._merges.replace_one({"_id": row["_id"]}, row, session=session)

    async def begun_before(self, moment: datetime, limit: int) -> list[str]:
        """Merges that stopped half-way."""
        query = {"state": {"$in": ["requested", "announced"]}, "requested_at": {"$lte": moment}}
        return [row["_id"] for row in await self._merges.find(query, {"_id": 1}).to_list(limit)]
