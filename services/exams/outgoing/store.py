"""What exams keeps for files to vendors, and all queries about it. Methods with a session are part of its transaction.

- `people`: what a vendor may have to know of a candidate; `looked` says with which rules they were compared last.
- `vendor_profiles`: for a vendor and a candidate, what it should see, what it was sent, what it answered.
- `authorizations`: rights to sit an exam; `waits` until the vendor knows the candidate.
- the files themselves, as `FileStore` has them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel, ReplaceOne, ReturnDocument

from libs.common.mongo.client import Database, Document, Session
from libs.common.vendor_files import store as file_store
from libs.common.vendor_files.store import FileStore
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
    **file_store.COLLECTIONS,
}


def profile_key(vendor: str, candidate_id: str) -> str:
    return f"{vendor}:{candidate_id}"


class OutgoingStore(FileStore):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._people = database["people"]
        self._profiles = database["vendor_profiles"]
        self._authorizations = database["authorizations"]

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


async def _page(collection: Any, query: Document, after: str | None, limit: int) -> list[Document]:
    found = {**query, "_id": {"$gt": after}} if after is not None else query
    rows: list[Document] = await collection.find(found).sort("_id", ASCENDING).limit(limit).to_list(None)
    return rows
