"""What identity keeps of systems: one document each, with hashes of the secrets that work."""

from collections.abc import Sequence
from datetime import date, datetime

from pymongo import ASCENDING, IndexModel

from libs.common.mongo.client import Database, Document

COLLECTIONS = {
    "clients": [IndexModel([("program", ASCENDING), ("created_at", ASCENDING)], name="program")],
}
_MOST_LISTED = 500


class ClientStore:
    """All queries about systems."""

    def __init__(self, database: Database) -> None:
        self._rows = database["clients"]

    async def add(self, row: Document) -> None:
        await self._rows.insert_one(row)

    async def find(self, client_id: str) -> Document | None:
        row: Document | None = await self._rows.find_one({"_id": client_id})
        return row

    async def of_program(self, program: str) -> list[Document]:
        """The oldest first."""
        return await self._rows.find({"program": program}).sort("created_at", ASCENDING).to_list(_MOST_LISTED)

    async def set_secrets(self, known: Document, secrets: Sequence[Document]) -> bool:
        """Write a system's secrets; False where they or its state have changed since it was read."""
        unchanged = {"_id": known["_id"], "secrets": known["secrets"], "disabled_at": None}
        return bool((await self._rows.update_one(unchanged, {"$set": {"secrets": list(secrets)}})).modified_count)

    async def disable(self, program: str, client_id: str, now: datetime) -> bool:
        """Take a system's secrets away for good; False where the program has no such system."""
        query = {"_id": client_id, "program": program}
        change = {"secrets": [], "disabled_at": {"$ifNull": ["$disabled_at", now]}}
        return bool((await self._rows.update_one(query, [{"$set": change}])).matched_count)

    async def note_use(self, client_id: str, day: date) -> None:
        """Written once a day, so that a busy system costs no write a token."""
        text = day.isoformat()
        await self._rows.update_one({"_id": client_id, "last_used_on": {"$ne": text}}, {"$set": {"last_used_on": text}})
