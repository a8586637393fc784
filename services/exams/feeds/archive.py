"""Every file as it came, in the service's own database, before anything is made of it."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from libs.common.clock import Clock, as_stored
from libs.common.ids import derived_id, new_id
from libs.common.mongo.client import Database, Document
from services.exams.feeds.store import CHUNKS, FILES

CHUNK_BYTES = 1_048_576


class TooLargeError(Exception):
    """A file has more bytes than are taken."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the file has more than {most} bytes")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that is about to be kept.

    Attributes:
        name: as its sender calls it.
        via: the way it came.
        by: who uploaded it; None where it was fetched.
        written_at: when it was last written, as far as the way tells.
    """

    vendor: str
    name: str
    via: Literal["folder", "sftp", "upload"]
    by: str | None = None
    written_at: datetime | None = None


class Archive:
    """Keeps files, each known by its vendor and its content, so that the same one again is no second file.

    A process that dies half-way leaves pieces that belong to no file; they go with the period of all pieces.
    """

    def __init__(self, database: Database, clock: Clock, most_bytes: int) -> None:
        self._files = database[FILES]
        self._chunks = database[CHUNKS]
        self._clock = clock
        self.most_bytes = most_bytes

    async def keep(self, arrival: Arrival, blocks: AsyncIterator[bytes]) -> tuple[Document, bool]:
        """Keep a file. Returns its row, and whether it is new.

        What `blocks` raises, because the file turns out not to be whole perhaps, goes through, and nothing is kept.

        Raises:
            TooLargeError: it has more than `most_bytes`.
        """
        upload = new_id()
        try:
            digest, size = await self._write(upload, blocks)
        except BaseException:
            await self._forget(upload)
            raise
        row = self._row(arrival, upload, digest, size)
        try:
            await self._files.insert_one(row)
        except DuplicateKeyError:
            return await self._seen_again(row["_id"], upload), False
        return row, True

    async def blocks(self, row: Document) -> AsyncIterator[bytes]:
        """A kept file, piece by piece. Nothing where it has been kept long enough and is gone."""
        async for chunk in self._chunks.find({"upload": row["upload"]}).sort("n"):
            yield chunk["data"]

    async def has(self, row: Document) -> bool:
        """Whether the file's content is still there."""
        return await self._chunks.find_one({"upload": row["upload"]}, {"_id": 1}) is not None

    async def _write(self, upload: str, blocks: AsyncIterator[bytes]) -> tuple[str, int]:
        digest, size, n, waiting = hashlib.sha256(), 0, 0, bytearray()
        async for block in blocks:
            size += len(block)
            if size > self.most_bytes:
                raise TooLargeError(self.most_bytes)
            digest.update(block)
            waiting += block
            while len(waiting) >= CHUNK_BYTES:
                await self._add(upload, n, bytes(waiting[:CHUNK_BYTES]))
                del waiting[:CHUNK_BYTES]
                n += 1
        if waiting or n == 0:
            await self._add(upload, n, bytes(waiting))
        return digest.hexdigest(), size

    async def _add(self, upload: str, n: int, data: bytes) -> None:
        await self._chunks.insert_one(
            {"_id": f"{upload}:{n:06d}", "upload": upload, "n": n, "data": data, "written_at": self._clock.now()}
        )

    def _row(self, arrival: Arrival, upload: str, digest: str, size: int) -> Document:
        now = as_stored(self._clock.now())
        return {
            "_id": derived_id("feed", arrival.vendor, digest),
            "vendor": arrival.vendor,
            "name": arrival.name,
            "via": arrival.via,
            "by": arrival.by,
            "sha256": digest,
            "size": size,
            "upload": upload,
            "written_at": as_stored(arrival.written_at) if arrival.written_at else None,
            "received_at": now,
            "seen": 1,
            "last_seen_at": now,
            "state": "waiting",
            "refusal": None,
            "owner": None,
            "lease_until": now,
            "tries": 0,
            "members": None,
            "position": {"member": 0, "line": 0, "offset": 0},
            "counts": {},
            "lines": {"done": 0, "all": 0},
            "pace": None,
            "started_at": None,
            "finished_at": None,
        }

    async def _seen_again(self, key: str, upload: str) -> Document:
        """Note that a known file came again; its content takes the place of one that is kept no longer."""
        known = await self._files.find_one({"_id": key})
        if known is None:
            raise AssertionError("what made the key a duplicate is there")
        change: Document = {"last_seen_at": as_stored(self._clock.now())}
        if await self.has(known):
            await self._forget(upload)
        else:
            change["upload"] = upload
        row: Document = await self._files.find_one_and_update(
            {"_id": key}, {"$inc": {"seen": 1}, "$set": change}, return_document=ReturnDocument.AFTER
        )
        return row

    async def _forget(self, upload: str) -> None:
        await self._chunks.delete_many({"upload": upload})
