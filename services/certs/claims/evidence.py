"""Evidence of claims: files that a candidate uploads, checked, kept apart, and deleted when they have served."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from libs.common.field_keys import FieldKeys
from libs.common.http.evidence import EvidenceFile, EvidenceUpload, evidence_file
from libs.common.http.problems import invalid
from libs.common.mongo.client import Database, Document, Session

UNUSED = timedelta(days=1)
"""A file that no claim names is deleted after so long."""

AFTER_DECISION = timedelta(days=90)
"""Evidence is deleted so long after its claim is decided: time to object, and no longer."""

MOST_FILES = 20
"""Files of one candidate that no claim names, or whose claim is open."""

PLACE = "evidence.content"
"""The field that is sealed."""


class EvidenceStore:
    """All queries about evidence. Methods with a session are part of its transaction."""

    def __init__(self, database: Database, keys: FieldKeys) -> None:
        self._evidence = database["evidence"]
        self._keys = keys

    async def add(self, program: str, candidate_id: str, upload: EvidenceUpload, now: datetime) -> Document:
        """Keep a file. The same file again is the same evidence. Raises a problem where there are too many."""
        digest = hashlib.sha256(upload.content).hexdigest()
        key = f"{program}:{candidate_id}:{digest[:32]}"
        known: Document | None = await self._evidence.find_one({"_id": key}, {"content": 0})
        if known is not None:
            return known
        if await self._evidence.count_documents({"candidate_id": candidate_id}) >= MOST_FILES:
            raise invalid("body", "too_many", f"{MOST_FILES} files are kept already; a day later there is room again")
        row: Document = {
            "program": program,
            "candidate_id": candidate_id,
            "media_type": upload.media_type,
            "bytes": len(upload.content),
            "sha256": digest,
            "uploaded_at": now,
            "expires_at": now + UNUSED,
        }
        content = {"content": await asyncio.to_thread(self._keys.seal, PLACE, upload.content)}
        await self._evidence.update_one({"_id": key}, {"$setOnInsert": row | content}, upsert=True)
        return {"_id": key, **row}

    async def attach(self, session: Session, candidate_id: str, keys: Iterable[str]) -> set[str]:
        """Keep these files of the candidate until their claim is decided. Returns those that are not there."""
        wanted = set(keys)
        query = {"_id": {"$in": list(wanted)}, "candidate_id": candidate_id}
        found = {row["_id"] async for row in self._evidence.find(query, {"_id": 1}, session=session)}
        await self._evidence.update_many({"_id": {"$in": list(found)}}, {"$unset": {"expires_at": 1}}, session=session)
        return wanted - found

    async def release(self, session: Session, keys: Iterable[str], now: datetime) -> None:
        """These have served; they are deleted in time."""
        change = {"$set": {"expires_at": now + AFTER_DECISION}}
        await self._evidence.update_many({"_id": {"$in": list(keys)}}, change, session=session)

    async def pictures(self, keys: Sequence[str]) -> list[str]:
        """Which of these files are images, in their order; of what was deleted nothing is."""
        query = {"_id": {"$in": list(keys)}, "media_type": {"$in": ["image/png", "image/jpeg"]}}
        found = {row["_id"] async for row in self._evidence.find(query, {"_id": 1})}
        return [key for key in keys if key in found]

    async def file(self, program: str, candidate_id: str, key: str) -> EvidenceFile | None:
        row = await self._evidence.find_one({"_id": key, "program": program, "candidate_id": candidate_id})
        if row is None:
            return None
        row["content"] = await asyncio.to_thread(self._keys.open, PLACE, row["content"])
        return evidence_file(row, row["sha256"][:8])
