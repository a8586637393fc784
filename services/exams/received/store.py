"""Looks for vendors' words by an id: the message's, its chain's, the result's or the registration's."""

from collections.abc import Collection, Sequence
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.mongo.client import Database, Document
from libs.common.mongo.merges import Merges
from libs.common.mongo.migrations import Migration, declare

MOST = 100
"""Rows of a kind in an answer. An id that so many share follows nobody in particular."""

MIGRATION = Migration(
    14,
    "rejections by message",
    declare({"rejections": [IndexModel([("message_id", ASCENDING)], name="message")]}),
)


class ReceivedStore:
    """Queries only. They look among a person's, or among what waits for its person: both are few and have an index."""

    def __init__(self, database: Database) -> None:
        self._merges = Merges(database)
        self._results = database["results"]
        self._registrations = database["registrations"]
        self._rejections = database["rejections"]

    async def results(
        self, names: Collection[str], candidate_id: str | None, programs: Sequence[str]
    ) -> list[Document]:
        """Results that go by one of these ids, or of which a message or chain of that id speaks."""
        wanted = _named(names, "revisions", ("_id", "result_id", "registration_id"))
        return await self._found(self._results, wanted, candidate_id, programs)

    async def registrations(
        self, names: Collection[str], candidate_id: str | None, programs: Sequence[str]
    ) -> list[Document]:
        """Registrations that go by one of these ids, or of which a message or chain of that id speaks."""
        wanted = _named(names, "history", ("_id", "registration_id"))
        return await self._found(self._registrations, wanted, candidate_id, programs)

    async def rejections(self, names: Collection[str], programs: Sequence[str] | None) -> list[Document]:
        """Messages of these ids that were refused, latest first; of all programs and of none where that is None."""
        query: Document = {"message_id": {"$in": list(names)}}
        if programs is not None:
            query["program"] = {"$in": list(programs)}
        return await self._rejections.find(query).sort("rejected_at", DESCENDING).to_list(MOST)

    async def _found(
        self, collection: Any, wanted: Document, candidate_id: str | None, programs: Sequence[str]
    ) -> list[Document]:
        whose: Any = None if candidate_id is None else {"$in": await self._merges.family(None, candidate_id)}
        query = {**wanted, "candidate_id": whose, "program": {"$in": list(programs)}}
        found: list[Document] = await collection.find(query).to_list(MOST)
        return found


def _named(names: Collection[str], words: str, keys: Sequence[str]) -> Document:
    fields = (*keys, f"{words}.source.ref", f"{words}.correlation_id")
    return {"$or": [{field: {"$in": list(names)}} for field in fields]}
