"""Exports, the parts that services say of them, and the archives that are made of those."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from bson.binary import Binary
from pymongo import ASCENDING, DESCENDING, UpdateOne

from libs.common.mongo.client import Database, Document, Session

COLLECTING, READY = "collecting", "ready"


class ExportStore:
    """All queries about exports. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._exports = database["exports"]
        self._parts = database["export_parts"]
        self._archives = database["export_archives"]

    async def of(self, session: Session, candidate_id: str) -> list[Document]:
        return await self._exports.find({"candidate_id": candidate_id}, session=session).to_list(None)

    async def add(self, session: Session, row: Document) -> None:
        await self._exports.insert_one(row, session=session)

    async def get(self, export_id: str, session: Session | None = None) -> Document | None:
        row: Document | None = await self._exports.find_one({"_id": export_id}, session=session)
        return row

    async def change(self, session: Session, export_id: str, change: Mapping[str, Any]) -> None:
        await self._exports.update_one({"_id": export_id}, change, session=session)

    async def collecting(self, limit: int) -> list[Document]:
        rows = self._exports.find({"state": COLLECTING}).sort("requested_at", ASCENDING)
        return await rows.to_list(limit)

    async def some(self, session: Session, ids: Iterable[str]) -> dict[str, Document]:
        """Those of the exports that are being collected."""
        query = {"_id": {"$in": list(ids)}, "state": COLLECTING}
        return {row["_id"]: row async for row in self._exports.find(query, session=session)}

    async def add_parts(self, session: Session, rows: Sequence[Document]) -> None:
        """Keep parts; one that comes again is there already."""
        writes = [UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True) for row in rows]
        if writes:
            await self._parts.bulk_write(writes, ordered=False, session=session)

    async def arrived(self, export_id: str) -> list[Document]:
        """The parts that are here, without what is sealed in them."""
        return await self._parts.find({"export_id": export_id}, {"sealed": 0}).to_list(None)

    async def sealed(self, export_id: str, service: str, attempt: int) -> AsyncIterator[str]:
        """What a service has said in one of its answers, in order."""
        query = {"export_id": export_id, "service": service, "attempt": attempt, "sealed": {"$ne": None}}
        async for row in self._parts.find(query).sort("number", ASCENDING):
            yield row["sealed"]

    async def forget_answer(self, export_id: str, service: str, attempt: int) -> None:
        """Let an answer not have been given."""
        await self._parts.delete_many({"export_id": export_id, "service": service, "attempt": attempt})

    async def forget_parts(self, session: Session, export_id: str) -> None:
        await self._parts.delete_many({"export_id": export_id}, session=session)

    async def keep_chunk(self, export: Document, archive_id: str, number: int, content: bytes) -> None:
        row = {
            "_id": f"{archive_id}:{number}",
            "archive_id": archive_id,
            "candidate_id": export["candidate_id"],
            "number": number,
            "content": Binary(content),
            "expires_at": export["expires_at"],
        }
        await self._archives.insert_one(row)

    async def forget_archive(self, archive_id: str) -> None:
        await self._archives.delete_many({"archive_id": archive_id})

    async def archive(self, archive_id: str) -> AsyncIterator[bytes]:
        async for row in self._archives.find({"archive_id": archive_id}).sort("number", ASCENDING):
            yield bytes(row["content"])

    async def latest(self, candidates: Sequence[str], limit: int) -> list[Document]:
        query = {"candidate_id": {"$in": list(candidates)}}
        return await self._exports.find(query).sort("requested_at", DESCENDING).to_list(limit)
