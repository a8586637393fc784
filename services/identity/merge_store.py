"""Merges of accounts, the marks they leave on the accounts, and what accounts say of themselves."""

from datetime import datetime

from libs.common.mongo.client import Database, Document, Session


class MergeStore:
    """All queries about merges. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._merges = database["merges"]
        self._candidates = database["candidates"]

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

    async def account(self, session: Session, program: str, candidate_id: str) -> Document | None:
        row: Document | None = await self._candidates.find_one(
            {"_id": candidate_id, "program": program}, session=session
        )
        return row

    async def standing(self, session: Session, program: str, candidate_id: str) -> Document | None:
        """The account that an ID opens: itself, or the one it was merged into."""
        row = await self.account(session, program, candidate_id)
        return await self.account(session, program, row["merged_into"]) if row and row.get("merged_into") else row

    async def change(self, session: Session, candidate_id: str, changes: Document) -> None:
        await self._candidates.update_one({"_id": candidate_id}, {"$set": changes}, session=session)

    async def join(self, session: Session, source: str, into: str) -> None:
        """Mark both accounts. Of two merges at the same moment that share an account one meets a conflict here."""
        await self._candidates.update_one({"_id": source}, {"$set": {"merged_into": into}}, session=session)
        await self._candidates.update_one({"_id": into}, {"$push": {"merged_from": source}}, session=session)

    async def part(self, session: Session, source: str, into: str) -> None:
        await self._candidates.update_one({"_id": source}, {"$unset": {"merged_into": ""}}, session=session)
        await self._candidates.update_one({"_id": into}, {"$pull": {"merged_from": source}}, session=session)
