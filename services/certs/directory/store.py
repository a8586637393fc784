"""What the directory is searched by. It only finds: what is shown of anybody is read from where it is kept.

So whoever no longer holds, or no longer wants to be seen, is gone at once, though the index learns of it a bit later.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pymongo import ASCENDING, DeleteOne, IndexModel, ReplaceOne

from libs.common.mongo.client import Database, Document, Session

COLLECTION: Final = "directory"
INDEXES: Final = [
    IndexModel([("program", ASCENDING), ("order", ASCENDING), ("listing", ASCENDING)], name="order"),
    IndexModel(
        [("program", ASCENDING), ("certifications", ASCENDING), ("order", ASCENDING), ("listing", ASCENDING)],
        name="certification",
    ),
    IndexModel([("program", ASCENDING), ("keys", ASCENDING)], name="name"),
]
_LAST: Final = "\U0010ffff"
"""Sorts behind whatever may follow a beginning."""
_HELD: Final = {"certifications": 1}

Place = tuple[str, str]
"""Where somebody stands in the order: the key of their name, and an id of their listing that says nothing else."""


class Search(NamedTuple):
    """What is looked for; None and nothing are no condition."""

    words: Sequence[str] = ()
    """Keys of names (`name_keys`); each begins a word of the name, and one of a single letter is a word."""
    country: str | None = None
    certification: str | None = None


class DirectoryStore:
    """All queries of the directory. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._rows = database[COLLECTION]
        self._ledgers = database["candidates"]

    async def find(self, program: str, search: Search, *, after: Place | None, limit: int) -> list[Document]:
        """Listings in the order of names."""
        query: Document = {"program": program}
        if search.country is not None:
            query["country"] = search.country
        if search.certification is not None:
            query["certifications"] = search.certification
        every: list[Document] = [{"keys": _begun(word)} for word in search.words]
        if after is not None:
            order, listing = after
            every.append({"$or": [{"order": {"$gt": order}}, {"order": order, "listing": {"$gt": listing}}]})
        if every:
            query["$and"] = every
        found = self._rows.find(query).sort([("order", ASCENDING), ("listing", ASCENDING)]).limit(limit)
        if search.words:  # the planner would as soon walk through the whole program in its order
            found = found.hint("name")
        return await found.to_list(None)

    async def held(self, candidates: Iterable[str], session: Session | None = None) -> dict[str, Document]:
        """What these candidates hold and have held; of accounts for which another one stands that is nothing."""
        found = self._ledgers.find({"_id": {"$in": list(candidates)}}, _HELD, session=session)
        return {row["_id"]: row async for row in found}

    async def listed(self, session: Session, candidates: Iterable[str]) -> dict[str, Document]:
        found = self._rows.find({"_id": {"$in": list(candidates)}}, session=session)
        return {row["_id"]: row async for row in found}

    async def save(self, session: Session, before: Mapping[str, Document], after: Mapping[str, Document]) -> None:
        """Make the listings of some candidates what they are to be."""
        writes: list[Any] = [
            ReplaceOne({"_id": key}, row, upsert=True) for key, row in after.items() if row != before.get(key)
        ]
        writes += [DeleteOne({"_id": key}) for key in before.keys() - after.keys()]
        if writes:
            await self._rows.bulk_write(writes, ordered=False, session=session)


def _begun(word: str) -> Document | str:
    """A range rather than a pattern: of a pattern among others the index makes no use."""
    return {"$elemMatch": {"$gte": word, "$lt": word + _LAST}} if len(word) > 1 else word
