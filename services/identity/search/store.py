"""What is looked up for a search, and the index of names that it rests on."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.errors import OperationFailure

from libs.common.mongo.client import Database, Document
from libs.common.mongo.links import link_id
from libs.common.mongo.migrations import Migration, declare
from services.identity.domain.name_keys import FIELDS, keys_of
from services.identity.overview import store as overview
from services.identity.seals import store as seals
from services.identity.store import email_key

FILL_EVERY: Final = timedelta(hours=1)
"""How often accounts are looked for that a process of an earlier version has made during an update."""
MOST_FOUND: Final = 100
_SLICE: Final = 1_000
NAMES: Final = "name_keys"
"""The index of names. It is named in queries: the planner would as soon walk through a whole program."""
_LAST: Final = "\U0010ffff"
"""Sorts behind whatever may follow a beginning."""
_NO_SUCH_INDEX: Final = 27
_SHOWN: Final = dict.fromkeys(("program", *FIELDS, "name_keys", "email", "activated_at", "merged_into"), 1)


@dataclass(frozen=True, slots=True)
class Word:
    """What a key may be: one of some, or any with a beginning."""

    keys: Collection[str] = ()
    begin: str | None = None

    def query(self) -> Document:
        """A range rather than a pattern: of a pattern among others the index makes no use."""
        if self.begin is None:
            return {"$in": sorted(self.keys)}
        return {"$elemMatch": {"$gte": self.begin, "$lt": self.begin + _LAST}}


FORMER_INDEXES = ("family_name", "given_name")


async def prepare(database: Database) -> None:
    """Give every account its keys, and put their index in the place of the two of single names."""
    candidates = database["candidates"]
    await candidates.create_indexes([IndexModel([("program", ASCENDING), ("name_keys", ASCENDING)], name=NAMES)])
    await fill(database, await candidates.distinct("program"))
    for name in FORMER_INDEXES:
        try:
            await candidates.drop_index(name)
        except OperationFailure as error:
            if error.code != _NO_SUCH_INDEX:
                raise


async def fill(database: Database, programs: Iterable[str]) -> None:
    """Give keys to accounts that have none: those of before, and those that a process of before has made since."""
    candidates = database["candidates"]
    for program in programs:
        without = {"program": program, "name_keys": None}
        while rows := await candidates.find(without, dict.fromkeys(FIELDS, 1)).hint(NAMES).to_list(_SLICE):
            writes = [UpdateOne({"_id": row["_id"]}, {"$set": {"name_keys": keys_of(row)}}) for row in rows]
            await candidates.bulk_write(writes, ordered=False)


async def _apply(database: Database) -> None:
    await seals.prepare(database)
    await declare(overview.INDEXES)(database)
    await prepare(database)


MIGRATION = Migration(8, "search by name, and seals of audit logs", _apply, removes={"candidates": FORMER_INDEXES})


class SearchStore:
    """All queries of a search. Each finds accounts of one program only."""

    def __init__(self, database: Database) -> None:
        self._candidates = database["candidates"]
        self._external_ids = database["external_ids"]
        self._registrations = database["registrations"]
        self._cases = database["cases"]

    async def by_ids(self, program: str, ids: Collection[str]) -> list[Document]:
        return await self._found({"_id": {"$in": list(ids)}, "program": program})

    async def by_email(self, program: str, typed: str) -> list[Document]:
        """Accounts whose address begins with what was typed; without an `@` that must be all before it."""
        begin = email_key(typed)
        begin += "" if "@" in begin else "@"
        return await self._found({"program": program, "email_key": {"$gte": begin, "$lt": begin + _LAST}})

    async def by_partners_id(self, program: str, typed: str) -> list[Document]:
        """The accounts that a partner's id belongs to, at any partner."""
        keys = [link_id(program, system, typed) async for system in _systems(self._external_ids, program)]
        return await self._owners(program, keys)

    async def by_registration(self, program: str, typed: str) -> list[Document]:
        """The accounts that a partner's registration was for."""
        keys = [link_id(program, system, typed) async for system in _systems(self._registrations, program)]
        found = await self._registrations.find({"_id": {"$in": keys}}, {"link": 1}).to_list(MOST_FOUND)
        return await self._owners(program, [row["link"] for row in found])

    async def by_case(self, program: str, typed: str) -> list[Document]:
        """The account of a case, by its id or by the reference that people read out."""
        either = [{"_id": typed}, {"reference": typed.upper()}]
        row = await self._cases.find_one({"program": program, "$or": either}, {"candidate_id": 1})
        return await self.by_ids(program, [row["candidate_id"]]) if row else []

    async def named(self, program: str, words: Sequence[Word], *, limit: int = MOST_FOUND) -> list[Document]:
        """Accounts that have a key for each of the words."""
        query = {"program": program, "$and": [{"name_keys": word.query()} for word in words]}
        return await self._candidates.find(query, _SHOWN).hint(NAMES).to_list(limit)

    async def _owners(self, program: str, keys: Collection[str]) -> list[Document]:
        found = await self._external_ids.find({"_id": {"$in": list(keys)}}, {"candidate_id": 1}).to_list(MOST_FOUND)
        return await self.by_ids(program, [row["candidate_id"] for row in found if row["candidate_id"]])

    async def _found(self, query: Document) -> list[Document]:
        return await self._candidates.find(query, _SHOWN).to_list(MOST_FOUND)


async def _systems(collection: Any, program: str) -> AsyncIterator[str]:
    """The partners of a program that a collection has ids of: a seek each, whatever the number of ids."""
    after = f"{program}:"
    while True:
        following = {"_id": {"$gt": after, "$lt": f"{program};"}}
        row = await collection.find_one(following, {"_id": 1}, sort=[("_id", ASCENDING)])
        if row is None:
            return
        system = row["_id"].split(":")[1]
        yield system
        after = f"{program}:{system};"  # the character behind the colon
