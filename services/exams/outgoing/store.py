"""What exams keeps for files to vendors, and all queries about it. Methods with a session are part of its transaction.

- `people`: what a vendor may have to know of a candidate; `looked` says with which rules they were compared last.
- `vendor_profiles`: for a vendor and a candidate, what it should see, what it was sent, what it answered.
- `authorizations`: rights to sit an exam; `waits` until the vendor knows the candidate.
- `outgoing_files`, `outgoing_lines`: what was sent, byte for byte until it is answered.
- `exchanges`: for a program and a vendor, the last numbers, when the next file may go, and what keeps us from it.
- `confirmations`: which answers were read, and what in them fits nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, ReplaceOne, ReturnDocument, UpdateMany, UpdateOne

from libs.common.mongo.client import Database, Document, Session
from services.exams.outgoing.standings import ProfileState

COLLECTIONS: Mapping[str, Sequence[IndexModel]] = {
    "people": [IndexModel([("program", ASCENDING), ("looked", ASCENDING)], name="unlooked")],
    "vendor_profiles": [
        IndexModel([("candidate_id", ASCENDING)], name="candidate"),
        IndexModel([("program", ASCENDING), ("_id", ASCENDING)], name="program"),
        IndexModel([("program", ASCENDING), ("state", ASCENDING), ("_id", ASCENDING)], name="state"),
    ],
    "authorizations": [
        IndexModel([("candidate_id", ASCENDING), ("_id", ASCENDING)], name="candidate"),
        IndexModel([("program", ASCENDING), ("_id", ASCENDING)], name="program"),
        IndexModel([("program", ASCENDING), ("state", ASCENDING), ("_id", ASCENDING)], name="state"),
        IndexModel(
            [("program", ASCENDING), ("vendor", ASCENDING), ("changed_at", ASCENDING)],
            name="todo",
            partialFilterExpression={"todo": {"$type": "string"}, "waits": False},
        ),
        IndexModel([("vendor", ASCENDING), ("state", ASCENDING), ("last", ASCENDING)], name="over"),
    ],
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


def profile_key(vendor: str, candidate_id: str) -> str:
    return f"{vendor}:{candidate_id}"


def line_key(file_id: str, record: str) -> str:
    return f"{file_id}/{record}"


class OutgoingStore:
    def __init__(self, database: Database) -> None:
        self._people = database["people"]
        self._profiles = database["vendor_profiles"]
        self._authorizations = database["authorizations"]
        self._files = database["outgoing_files"]
        self._lines = database["outgoing_lines"]
        self._exchanges = database["exchanges"]
        self._confirmations = database["confirmations"]

    # People

    async def people_versions(self, session: Session, candidates: Iterable[str]) -> dict[str, int]:
        wanted = list(candidates)
        if not wanted:
            return {}
        found = self._people.find({"_id": {"$in": wanted}}, {"version": 1}, session=session)
        return {row["_id"]: row["version"] async for row in found}

    async def save_people(self, session: Session, rows: Sequence[Document]) -> None:
        if rows:
            writes = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows]
            await self._people.bulk_write(writes, ordered=False, session=session)

    async def look_again(self, session: Session, candidates: Collection[str]) -> None:
        """Have the job compare these with what vendors know."""
        if candidates:
            known = {"_id": {"$in": list(candidates)}}
            await self._people.update_many(known, {"$set": {"looked": None}}, session=session)

    async def unlooked(self, session: Session, program: str, rules: str, limit: int) -> list[Document]:
        """People who were not compared by these rules, or have changed since."""
        return (
            await self._people.find({"program": program, "looked": {"$ne": rules}}, session=session)
            .limit(limit)
            .to_list(None)
        )

    async def looked(self, session: Session, candidates: Sequence[str], rules: str) -> None:
        mine = {"_id": {"$in": list(candidates)}}
        await self._people.update_many(mine, {"$set": {"looked": rules}}, session=session)

    async def person(self, session: Session | None, program: str, candidate_id: str) -> Document | None:
        return await self._people.find_one({"_id": candidate_id, "program": program}, session=session)

    # What vendors know of them

    async def profiles(self, session: Session, keys: Iterable[str]) -> dict[str, Document]:
        found = self._profiles.find({"_id": {"$in": list(set(keys))}}, session=session)
        return {row["_id"]: row async for row in found}

    async def save_profiles(self, session: Session, rows: Iterable[Document]) -> None:
        writes = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows]
        if writes:
            await self._profiles.bulk_write(writes, ordered=False, session=session)

    async def note_profile(self, session: Session, row: Document) -> Document:
        """A vendor's row of a candidate, made where there is none, so that whoever sends it meets a conflict."""
        found = await self._profiles.find_one_and_update(
            {"_id": row["_id"]},
            {"$inc": {"noted": 1}, "$setOnInsert": row},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if found is None:
            raise LookupError(row["_id"])
        return found

    async def due_profiles(self, session: Session, program: str, vendor: str, rules: str, limit: int) -> list[Document]:
        """Rows to be sent that were checked by these very rules."""
        due = {"program": program, "vendor": vendor, "state": ProfileState.DUE, "rules": rules}
        return await self._profiles.find(due, session=session).sort("_id", ASCENDING).limit(limit).to_list(None)

    async def profiles_sent(self, session: Session, keys: Sequence[str], file_id: str, now: datetime) -> None:
        """Note that these are in a file."""
        sent = {"digest": "$wanted", "file_id": file_id, "at": now}
        await self._profiles.update_many(
            {"_id": {"$in": list(keys)}},
            [{"$set": {"sent": sent, "answer": None, "state": ProfileState.SENT}}],
            session=session,
        )

    async def profiles_of(self, accounts: Sequence[str]) -> list[Document]:
        return await self._profiles.find({"candidate_id": {"$in": list(accounts)}}).sort("_id").to_list(None)

    async def profile_page(self, query: Document, *, after: str | None, limit: int) -> list[Document]:
        return await _page(self._profiles, query, after, limit)

    # Authorizations

    async def authorization(self, session: Session | None, key: str) -> Document | None:
        return await self._authorizations.find_one({"_id": key}, session=session)

    async def authorizations(self, session: Session, keys: Iterable[str]) -> dict[str, Document]:
        found = self._authorizations.find({"_id": {"$in": list(set(keys))}}, session=session)
        return {row["_id"]: row async for row in found}

    async def save_authorizations(self, session: Session, rows: Iterable[Document]) -> None:
        writes = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows]
        if writes:
            await self._authorizations.bulk_write(writes, ordered=False, session=session)

    async def let_follow(self, session: Session, vendor: str, candidates: Sequence[str], *, waits: bool) -> None:
        """Say whether the authorizations of these candidates wait for their demographics."""
        theirs = {"vendor": vendor, "candidate_id": {"$in": list(candidates)}, "waits": not waits}
        await self._authorizations.update_many(theirs, {"$set": {"waits": waits}}, session=session)

    async def hand_over(self, session: Session, vendor: str, merged: str, goes_on: str, *, waits: bool) -> None:
        """Give authorizations that the vendor knows nothing of to the account that goes on after a merge."""
        unsent = {"candidate_id": merged, "vendor": vendor, "known": False, "todo": {"$type": "string"}}
        change = {"candidate_id": goes_on, "waits": waits}
        await self._authorizations.update_many(unsent, {"$set": change}, session=session)

    async def due_authorizations(self, session: Session, program: str, vendor: str, limit: int) -> list[Document]:
        due = {"program": program, "vendor": vendor, "todo": {"$type": "string"}, "waits": False}
        return (
            await self._authorizations.find(due, session=session)
            .sort("changed_at", ASCENDING)
            .limit(limit)
            .to_list(None)
        )

    async def over(self, session: Session, vendor: str, states: Sequence[str], day: str, limit: int) -> list[Document]:
        """Authorizations whose last day is before `day`."""
        query = {"vendor": vendor, "state": {"$in": list(states)}, "last": {"$lt": day}}
        return await self._authorizations.find(query, session=session).limit(limit).to_list(None)

    async def authorization_page(self, query: Document, *, after: str | None, limit: int) -> list[Document]:
        return await _page(self._authorizations, query, after, limit)

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


async def _page(collection: Any, query: Document, after: str | None, limit: int) -> list[Document]:
    found = {**query, "_id": {"$gt": after}} if after is not None else query
    rows: list[Document] = await collection.find(found).sort("_id", ASCENDING).limit(limit).to_list(None)
    return rows
