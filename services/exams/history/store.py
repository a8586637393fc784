"""The queries of the history: first the few fields that order and count, then the rest of what a page shows."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pymongo import ASCENDING, DESCENDING

from libs.common.mongo.client import Database, Document
from libs.common.mongo.merges import Merges
from services.exams.store import registrations_of

_BOOKING = ("vendor", "registration_id", "exam_code", "utc_offset", "state")
_RESULT = dict.fromkeys((*_BOOKING, "taken_at", "taken_on", "grade", "score"), 1)
_REGISTRATION = dict.fromkeys((*_BOOKING, "link", "scheduled_at", "reason"), 1)
_ACHIEVEMENT = dict.fromkeys(("vendor", "title", "achieved_at", "withdrawn"), 1)
_BATCH = 1_000
"""Rows in one answer of the database; by itself it sends the first 101, and waits to be asked for the rest."""
_WITHOUT = {"revisions.raw": 0, "revisions.details": 0}
"""Messages as they came may be large, and are never shown."""


class Sketch(NamedTuple):
    """A person's rows, with the few fields that order and count; of registrations only the keys, from their index."""

    results: list[Document]
    registrations: list[str]
    achievements: list[Document]


class HistoryStore:
    """Reads a person's rows, of all accounts that are one."""

    def __init__(self, database: Database) -> None:
        self._merges = Merges(database)
        self._results = database["results"]
        self._registrations = database["registrations"]
        self._achievements = database["achievements"]

    async def sketch(self, program: str, candidate_id: str) -> Sketch:
        """Everything of a person in a program."""
        # Few people have a second account: what there is of this one is read while that is asked.
        accounts, sketch = await asyncio.gather(
            self._merges.family(None, candidate_id), self._sketch(program, [candidate_id])
        )
        return sketch if accounts == [candidate_id] else await self._sketch(program, accounts)

    async def _sketch(self, program: str, accounts: Sequence[str]) -> Sketch:
        persons = _of(program, accounts)
        booked = {"candidate_id": persons["candidate_id"], "_id": registrations_of(program)}
        results, registrations, achievements = await asyncio.gather(
            self._results.find(persons, _RESULT, batch_size=_BATCH).to_list(None),
            self._registrations.find(booked, {"_id": 1}, batch_size=_BATCH).to_list(None),
            self._achievements.find(persons, _ACHIEVEMENT, batch_size=_BATCH).to_list(None),
        )
        return Sketch(results, [row["_id"] for row in registrations], achievements)

    async def bookings(self, keys: Sequence[str]) -> list[Document]:
        """Registrations by key, with the few fields that order and count."""
        rows = await _rows(self._registrations, keys, _REGISTRATION)
        return [row for row in rows.values() if row.get("link") is not None]

    async def appointments(
        self, program: str, candidate_id: str, *, only: Document, after: str | None, limit: int | None
    ) -> list[Document]:
        """A person's registrations, whole, in the order of their keys."""
        query = {**await self._persons(program, candidate_id), "link": {"$ne": None}, **only}
        if after is not None:
            query["_id"] = {"$gt": after}
        return await self._registrations.find(query).sort("_id", ASCENDING).to_list(limit)

    async def achievements(
        self, program: str, candidate_id: str, *, before: tuple[str, str] | None, limit: int
    ) -> list[Document]:
        """A person's achievements, the latest first."""
        query = await self._persons(program, candidate_id)
        if before is not None:
            day, key = before
            query["$or"] = [{"achieved_on": {"$lt": day}}, {"achieved_on": day, "_id": {"$lt": key}}]
        order = [("achieved_on", DESCENDING), ("_id", DESCENDING)]
        return await self._achievements.find(query).sort(order).to_list(limit)

    async def result_rows(self, keys: Sequence[str]) -> dict[str, Document]:
        """Results by key, without the messages they came in."""
        return await _rows(self._results, keys, _WITHOUT)

    async def registration_rows(self, keys: Sequence[str]) -> dict[str, Document]:
        return await _rows(self._registrations, keys, None)

    async def achievement_rows(self, keys: Sequence[str]) -> dict[str, Document]:
        return await _rows(self._achievements, keys, None)

    async def _persons(self, program: str, candidate_id: str) -> Document:
        return _of(program, await self._merges.family(None, candidate_id))


def _of(program: str, accounts: Sequence[str]) -> Document:
    return {"candidate_id": accounts[0] if len(accounts) == 1 else {"$in": list(accounts)}, "program": program}


async def _rows(collection: Any, keys: Iterable[str], fields: dict[str, int] | None) -> dict[str, Document]:
    wanted = list(keys)
    if not wanted:
        return {}
    rows: list[Document] = await collection.find({"_id": {"$in": wanted}}, fields, batch_size=_BATCH).to_list(None)
    return {row["_id"]: row for row in rows}
