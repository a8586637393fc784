"""What a service keeps of files to vendors. Methods with a session are part of its transaction.

- `outgoing_files`, `outgoing_lines`: what was sent, byte for byte until it is answered.
- `exchanges`: for a program and a vendor, the last numbers, when the next file may go, and what keeps us from it.
- `confirmations`: which answers were read, and what in them fits nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument, UpdateMany, UpdateOne

from libs.common.mongo.client import Database, Document, Session

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    "outgoing_files": [
        IndexModel([("program", ASCENDING), ("vendor", ASCENDING), ("sequence", ASCENDING)], name="order", unique=True),
        IndexModel([("program", ASCENDING), ("_id", DESCENDING)], name="latest"),
        IndexModel(
            [("program", ASCENDING), ("vendor", ASCENDING), ("state", ASCENDING), ("sequence", ASCENDING)], name="state"
        ),
        IndexModel(
            [("program", ASCENDING), ("vendor", ASCENDING), ("kind", ASCENDING), ("delivered_at", ASCENDING)],
            name="unanswered",
            partialFilterExpression={"unanswered": {"$gt": 0}, "silent": False},
        ),
        IndexModel(
            [("delivered_at", ASCENDING)], name="kept", partialFilterExpression={"content": {"$type": "binData"}}
        ),
    ],
    "outgoing_lines": [
        IndexModel([("file_id", ASCENDING), ("number", ASCENDING)], name="file"),
        IndexModel([("record", ASCENDING), ("_id", DESCENDING)], name="record"),
        IndexModel([("candidate_id", ASCENDING)], name="candidate"),
    ],
    "exchanges": [],
    "confirmations": [
        IndexModel([("program", ASCENDING), ("read_at", DESCENDING), ("_id", DESCENDING)], name="latest")
    ],
}

CONTENT_KEPT = timedelta(days=30)
"""How long the bytes of a file stay after it was delivered."""


def file_key(program: str, vendor: str, kind: str, number: int) -> str:
    return f"{program}:{vendor}:{kind}:{number:06}"


def line_key(file_id: str, record: str) -> str:
    return f"{file_id}/{record}"


class FileStore:
    """Queries about files to vendors, their lines, and vendors' answers."""

    def __init__(self, database: Database) -> None:
        self._files = database["outgoing_files"]
        self._lines = database["outgoing_lines"]
        self._exchanges = database["exchanges"]
        self._confirmations = database["confirmations"]

    # Exchanges

    async def enter_exchange(self, session: Session, program: str, vendor: str) -> Document:
        """The state of an exchange; of two transactions that enter it one meets a conflict and looks again."""
        found = await self._exchanges.find_one_and_update(
            {"_id": f"{program}:{vendor}"},
            {
                "$inc": {"entered": 1},
                "$setOnInsert": {"program": program, "vendor": vendor, "sequence": 0, "numbers": {}, "next_at": {}},
            },
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if found is None:
            raise LookupError(f"{program}:{vendor}")
        return found

    async def change_exchange(self, session: Session | None, program: str, vendor: str, change: Document) -> None:
        start = {"program": program, "vendor": vendor, "sequence": 0, "numbers": {}, "next_at": {}}
        begun = {name: value for name, value in start.items() if not any(key.startswith(name) for key in change)}
        await self._exchanges.update_one(
            {"_id": f"{program}:{vendor}"}, {"$set": change, "$setOnInsert": begun}, upsert=True, session=session
        )

    async def exchanges(self, program: str) -> list[Document]:
        return await self._exchanges.find({"program": program}).sort("_id").to_list(None)

    async def exchange(self, program: str, vendor: str) -> Document | None:
        return await self._exchanges.find_one({"_id": f"{program}:{vendor}"})

    # Files

    async def add_file(self, session: Session, file: Document, lines: Sequence[Document]) -> None:
        await self._files.insert_one(file, session=session)
        await self._lines.insert_many(lines, session=session, ordered=False)

    async def next_undelivered(self, program: str, vendor: str) -> Document | None:
        """The oldest file that is not with the vendor yet."""
        query = {"program": program, "vendor": vendor, "state": "made"}
        return await self._files.find_one(query, sort=[("sequence", ASCENDING)])

    async def undelivered(self, program: str, vendor: str) -> int:
        return await self._files.count_documents({"program": program, "vendor": vendor, "state": "made"})

    async def tried(self, file_id: str, error: str) -> None:
        await self._files.update_one({"_id": file_id}, {"$inc": {"tries": 1}, "$set": {"error": error}})

    async def delivered(self, file_id: str, now: datetime) -> None:
        """Note that a file is with the vendor; the bytes of one that held somebody erased go at once."""
        change = {
            "$inc": {"tries": 1},
            "$set": {"state": "delivered", "delivered_at": now, "error": None},
        }
        await self._files.update_one({"_id": file_id, "state": "made"}, change)
        await self._files.update_one(
            {"_id": file_id, "state": "delivered", "forget": True}, {"$set": {"content": None}}
        )

    async def forget_contents(self, before: datetime) -> int:
        """Drop the bytes of files delivered before that moment."""
        old = {"content": {"$type": "binData"}, "delivered_at": {"$lt": before}}
        return (await self._files.update_many(old, {"$set": {"content": None}})).modified_count

    async def forget_people(self, session: Session, candidates: Sequence[str]) -> None:
        """Drop these people's lines, and the bytes of files that hold them; of one under way when it is delivered."""
        theirs = {"candidate_id": {"$in": list(candidates)}}
        files = await self._lines.distinct("file_id", theirs, session=session)
        delivered = {"_id": {"$in": files}, "delivered_at": {"$ne": None}}
        under_way = {"_id": {"$in": files}, "delivered_at": None}
        writes = [
            UpdateMany(delivered, {"$set": {"content": None}}),
            UpdateMany(under_way, {"$set": {"forget": True}}),
        ]
        await self._files.bulk_write(writes, session=session)
        await self._lines.delete_many(theirs, session=session)

    async def file(self, session: Session | None, key: str) -> Document | None:
        return await self._files.find_one({"_id": key}, {"content": 0}, session=session)

    async def answered(self, session: Session, file_id: str, lines: int) -> None:
        """Note that so many more lines of a file were answered."""
        await self._files.update_one(
            {"_id": file_id},
            [
                {"$set": {"unanswered": {"$subtract": ["$unanswered", lines]}}},
                {"$set": {"silent": {"$and": ["$silent", {"$gt": ["$unanswered", 0]}]}}},
            ],
            session=session,
        )

    async def newly_silent(self, program: str, vendor: str, kind: str, since: datetime) -> list[Document]:
        """Files delivered before that moment and not wholly answered, that nobody has flagged."""
        query = {
            "program": program,
            "vendor": vendor,
            "kind": kind,
            "delivered_at": {"$lt": since},
            "unanswered": {"$gt": 0},
            "silent": False,
        }
        return await self._files.find(query, {"content": 0}).limit(1000).to_list(None)

    async def flag_silent(self, file_id: str) -> bool:
        """Whether it was this call that flagged it."""
        unflagged = {"_id": file_id, "silent": False}
        return bool((await self._files.update_one(unflagged, {"$set": {"silent": True}})).modified_count)

    async def file_page(self, query: Document, *, before: str | None, limit: int) -> list[Document]:
        """The latest first."""
        found = {**query, "_id": {"$lt": before}} if before is not None else query
        return await self._files.find(found, {"content": 0}).sort("_id", DESCENDING).limit(limit).to_list(None)

    # Lines

    async def lines(self, session: Session, keys: Iterable[str]) -> dict[str, Document]:
        found = self._lines.find({"_id": {"$in": list(set(keys))}}, session=session)
        return {row["_id"]: row async for row in found}

    async def latest_lines(
        self, session: Session, kind: str, vendor: str, records: Iterable[str]
    ) -> dict[str, Document]:
        """The latest line of each record."""
        query = {"record": {"$in": list(set(records))}, "kind": kind, "vendor": vendor}
        found = self._lines.find(query, session=session).sort("_id", ASCENDING)
        return {row["record"]: row async for row in found}

    async def save_answers(self, session: Session, rows: Iterable[Document]) -> None:
        fields = ("state", "text", "answered_at")
        writes = [UpdateOne({"_id": row["_id"]}, {"$set": {name: row[name] for name in fields}}) for row in rows]
        if writes:
            await self._lines.bulk_write(writes, ordered=False, session=session)

    async def line_page(self, query: Document, *, after: int, limit: int) -> list[Document]:
        found = {**query, "number": {"$gt": after}}
        return await self._lines.find(found).sort("number", ASCENDING).limit(limit).to_list(None)

    # Confirmations

    async def known_confirmations(self, keys: Iterable[str]) -> set[str]:
        found = self._confirmations.find({"_id": {"$in": list(keys)}}, {"_id": 1})
        return {row["_id"] async for row in found}

    async def add_confirmation(self, session: Session, row: Document) -> None:
        await self._confirmations.replace_one({"_id": row["_id"]}, row, upsert=True, session=session)

    async def confirmation_page(
        self, query: Document, *, before: tuple[datetime, str] | None, limit: int
    ) -> list[Document]:
        found: dict[str, Any] = dict(query)
        if before is not None:
            at, key = before
            found["$or"] = [{"read_at": {"$lt": at}}, {"read_at": at, "_id": {"$lt": key}}]
        order = [("read_at", DESCENDING), ("_id", DESCENDING)]
        return await self._confirmations.find(found).sort(order).limit(limit).to_list(None)
