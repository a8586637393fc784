"""What is stored of vendors' files: each file, its pieces, its bad rows, and how each way in stands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument, UpdateOne

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare
from libs.common.privacy.retention import Period

FILES, CHUNKS, BAD_ROWS = "feed_files", "feed_chunks", "feed_bad_rows"
SOURCES, LEFT_FILES = "feed_sources", "feed_left_files"

MIGRATION = Migration(
    7,
    "vendors' files",
    declare(
        {
            FILES: [
                IndexModel([("vendor", ASCENDING), ("received_at", DESCENDING), ("_id", DESCENDING)], name="latest"),
                IndexModel([("state", ASCENDING), ("lease_until", ASCENDING)], name="open"),
            ],
            CHUNKS: [
                IndexModel([("upload", ASCENDING), ("n", ASCENDING)], name="upload"),
                IndexModel([("written_at", ASCENDING)], name="age"),
            ],
            BAD_ROWS: [
                IndexModel([("file_id", ASCENDING), ("_id", ASCENDING)], name="file"),
                IndexModel([("at", ASCENDING)], name="age"),
            ],
            SOURCES: [],
            LEFT_FILES: [IndexModel([("source", ASCENDING)], name="source")],
        }
    ),
)

KEPT = timedelta(days=90)
PERIODS = (Period(CHUNKS, "written_at", KEPT), Period(BAD_ROWS, "at", KEPT))
"""Files and the rows that were not taken hold partners' ids of people. By then the vendor has answered."""

APART = {
    FILES: "names, sizes and counts of vendors' files",
    CHUNKS: "vendors' files as they came, for 90 days",
    BAD_ROWS: "which rows of vendors' files were not taken and why, by the vendor's number of the appointment; 90 days",
    SOURCES: "how the folders and servers stand that vendors' files come from",
    LEFT_FILES: "names of files that were read and left where they lie",
}

FILE_LEASE = timedelta(seconds=30)
"""An import that has not moved for so long is another process's to go on with."""
SOURCE_LEASE = timedelta(seconds=60)

OPEN = {"state": {"$in": ["waiting", "importing"]}}


class LostError(Exception):
    """Another process has the file now."""


class FeedStore:
    """All queries about files. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._files = database[FILES]
        self._bad_rows = database[BAD_ROWS]
        self._sources = database[SOURCES]
        self._left = database[LEFT_FILES]

    # --- Imports

    async def claim(self, owner: str, now: datetime) -> Document | None:
        """The file that has waited longest for somebody to import it, or to go on with it."""
        row: Document | None = await self._files.find_one_and_update(
            {**OPEN, "lease_until": {"$lte": now}},
            {"$set": {"state": "importing", "owner": owner, "lease_until": now + FILE_LEASE}, "$inc": {"tries": 1}},
            sort=[("lease_until", ASCENDING)],
            return_document=ReturnDocument.AFTER,
        )
        return row

    async def change(
        self, key: str, owner: str, change: Mapping[str, Any], *, session: Session | None = None, **where: Any
    ) -> None:
        """Change a file that `owner` has claimed. Raises `LostError` where it is another's now."""
        result = await self._files.update_one({"_id": key, "owner": owner, **where}, {"$set": change}, session=session)
        if result.matched_count == 0:
            raise LostError

    async def advance(
        self, session: Session, key: str, where: Document, change: Document, counts: Mapping[str, int]
    ) -> None:
        """Move an import on from where it was. Raises `LostError` where it is not there any more.

        It is part of the transaction that records the rows, so that no two processes record the same ones.
        """
        update: Document = {"$set": change}
        if counts:
            update["$inc"] = {f"counts.{name}": count for name, count in counts.items()}
        result = await self._files.update_one({"_id": key, **where}, update, session=session)
        if result.matched_count == 0:
            raise LostError

    async def add_bad_rows(self, session: Session, rows: Sequence[Document]) -> None:
        if rows:
            await self._bad_rows.insert_many(rows, ordered=False, session=session)

    async def forget_bad_rows(self, session: Session, key: str) -> None:
        await self._bad_rows.delete_many({"file_id": key}, session=session)

    # --- What staff see

    async def file(self, key: str, session: Session | None = None) -> Document | None:
        row: Document | None = await self._files.find_one({"_id": key}, session=session)
        return row

    async def files(
        self, vendors: Sequence[str], state: str | None, *, before: tuple[datetime, str] | None, limit: int
    ) -> list[Document]:
        """Files of these vendors, latest first."""
        query: Document = {"vendor": {"$in": list(vendors)}}
        if state is not None:
            query["state"] = state
        if before is not None:
            at, key = before
            query["$or"] = [{"received_at": {"$lt": at}}, {"received_at": at, "_id": {"$lt": key}}]
        order = [("received_at", DESCENDING), ("_id", DESCENDING)]
        return await self._files.find(query).sort(order).to_list(limit)

    async def bad_rows(self, key: str, *, after: str | None, limit: int) -> list[Document]:
        """A file's bad rows in its own order."""
        query: Document = {"file_id": key}
        if after is not None:
            query["_id"] = {"$gt": after}
        return await self._bad_rows.find(query).sort("_id", ASCENDING).to_list(limit)

    async def reopen(self, session: Session, key: str, now: datetime) -> bool:
        """Let a refused file be tried again from its beginning. Returns False where it is not refused."""
        anew = {
            "state": "waiting",
            "refusal": None,
            "tries": 0,
            "owner": None,
            "lease_until": now,
            "members": None,
            "position": {"member": 0, "line": 0, "offset": 0},
            "counts": {},
            "lines": {"done": 0, "all": 0},
            "finished_at": None,
        }
        result = await self._files.update_one({"_id": key, "state": "refused"}, {"$set": anew}, session=session)
        return result.matched_count == 1

    # --- Where files come from

    async def claim_source(self, key: str, vendor: str, owner: str, now: datetime) -> bool:
        """Whether it is this process's turn to look there."""
        await self._sources.update_one(
            {"_id": key},
            {
                "$setOnInsert": {
                    "vendor": vendor,
                    "owner": None,
                    "lease_until": now,
                    "next_look_at": now,
                    "failures": 0,
                    "taken": 0,
                    "fault": None,
                    "looked_at": None,
                    "last_file_at": None,
                }
            },
            upsert=True,
        )
        mine = {"$or": [{"owner": owner}, {"lease_until": {"$lte": now}}]}
        claim = {"$set": {"owner": owner, "lease_until": now + SOURCE_LEASE}}
        result = await self._sources.update_one({"_id": key, "next_look_at": {"$lte": now}, **mine}, claim)
        return result.matched_count == 1

    async def source(self, key: str) -> Document | None:
        row: Document | None = await self._sources.find_one({"_id": key})
        return row

    async def sources(self, vendors: Sequence[str]) -> list[Document]:
        return await self._sources.find({"vendor": {"$in": list(vendors)}}).sort("_id", ASCENDING).to_list(None)

    async def change_source(self, key: str, owner: str, change: Document) -> None:
        """Note how it stands there; nothing where another process looks by now."""
        await self._sources.update_one({"_id": key, "owner": owner}, change)

    async def left_files(self, source: str) -> set[str]:
        """What was read there and left."""
        return {row["_id"] async for row in self._left.find({"source": source}, {"_id": 1})}

    async def leave(self, source: str, key: str, now: datetime) -> None:
        await self._left.bulk_write([UpdateOne({"_id": key}, {"$set": {"source": source, "at": now}}, upsert=True)])

    async def forget_left(self, keys: Iterable[str]) -> None:
        """Forget what lies there no more."""
        await self._left.delete_many({"_id": {"$in": list(keys)}})
