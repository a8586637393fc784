"""Registrations as the watch reads them: by when to look next, by what is awaited, by whose they are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel, UpdateOne

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare
from services.exams.domain.watch import PAST_PROMISE, Stage

LOOKED_BACK = timedelta(days=30)
"""How old an appointment may be for the watch to begin with it where there was none before."""

AWAITED: Document = {"watch.awaited": True}
INDEXES = {
    "registrations": [
        IndexModel([("watch.next_at", ASCENDING)], name="watch", sparse=True),
        IndexModel(
            [
                ("program", ASCENDING),
                ("watch.stage", ASCENDING),
                ("watch.due_on", ASCENDING),
                ("_id", ASCENDING),
            ],
            name="awaited",
            partialFilterExpression=AWAITED,
        ),
        IndexModel(
            [("program", ASCENDING), ("vendor", ASCENDING), ("exam_code", ASCENDING), ("scheduled_at", ASCENDING)],
            name="sittings",
            partialFilterExpression=AWAITED,
        ),
    ],
    "results": [
        IndexModel(
            [("program", ASCENDING), ("received_at", ASCENDING), ("_id", ASCENDING)],
            name="unmatched_by_age",
            partialFilterExpression={"candidate_id": None},
        ),
    ],
}


async def _apply(database: Database) -> None:
    await declare(INDEXES)(database)
    age = {"$subtract": ["$$NOW", int(LOOKED_BACK.total_seconds()) * 1000]}
    recent = {"watch": {"$exists": False}, "$expr": {"$gte": ["$scheduled_at", age]}}
    begun = {"watch": {"heard_at": "$$NOW", "next_at": "$scheduled_at"}}
    await database["registrations"].update_many(recent, [{"$set": begun}])


MIGRATION = Migration(10, "the results watch; unmatched results by age", _apply)

_PAST = sorted(stage.value for stage in PAST_PROMISE)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which late results; None is any."""

    stage: Stage | None = None
    vendor: str | None = None
    exam_code: str | None = None
    due_before: str | None = None
    to_ask_on: str | None = None
    """Only those of which the vendor is to be asked on this day: not asked yet, or long enough ago."""


class Watches:
    """All queries of the watch. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._registrations = database["registrations"]
        self._results = database["results"]

    async def due(self, session: Session, now: datetime, limit: int) -> list[Document]:
        """Registrations to be looked at by now, the longest due first."""
        query = {"watch.next_at": {"$lte": now}}
        return await self._registrations.find(query, session=session).sort("watch.next_at", ASCENDING).to_list(limit)

    async def save(self, session: Session, rows: Sequence[Document]) -> None:
        """Keep what looks have found. Whatever else is heard of the same rows meanwhile conflicts, and follows."""
        writes = [
            UpdateOne({"_id": row["_id"]}, {"$set": {"watch": row["watch"], "version": row["version"]}}) for row in rows
        ]
        if writes:
            await self._registrations.bulk_write(writes, ordered=False, session=session)

    async def wake_late(self, session: Session, keys: Iterable[str], now: datetime) -> None:
        """Have those of the registrations looked at whose result was late: it may have come."""
        wanted = sorted(set(keys))
        if wanted:
            await self._wake(session, {"_id": {"$in": wanted}, "watch.stage": {"$in": _PAST}}, now)

    async def wake(self, session: Session, keys: Iterable[str], now: datetime) -> None:
        """Have registrations looked at whose result has changed hands."""
        wanted = sorted(set(keys))
        if wanted:
            await self._wake(session, {"_id": {"$in": wanted}, "watch.stage": {"$exists": True}}, now)

    async def wake_of(self, session: Session, candidates: Iterable[str], now: datetime) -> None:
        """Have the registrations of candidates looked at who were joined or parted."""
        wanted = sorted(set(candidates))
        if wanted:
            await self._wake(session, {"candidate_id": {"$in": wanted}, "watch.stage": {"$exists": True}}, now)

    async def _wake(self, session: Session, query: Document, now: datetime) -> None:
        await self._registrations.update_many(query, {"$set": {"watch.next_at": now}}, session=session)

    async def of_persons(self, program: str, accounts: Sequence[str], **more: Any) -> list[Document]:
        """The registrations of a person's accounts, of which the registration itself has come."""
        query = {"candidate_id": {"$in": list(accounts)}, "program": program, "link": {"$ne": None}, **more}
        return (
            await self._registrations.find(query).sort([("scheduled_at", ASCENDING), ("_id", ASCENDING)]).to_list(None)
        )

    async def results_of(
        self, program: str, accounts: Sequence[str], registration_id: str | None, codes: Sequence[str]
    ) -> list[Document]:
        """A person's results of a registration, or else of exams by their codes."""
        query: Document = {"candidate_id": {"$in": list(accounts)}, "program": program}
        query |= (
            {"exam_code": {"$in": list(codes)}} if registration_id is None else {"registration_id": registration_id}
        )
        return await self._results.find(query).sort([("taken_at", ASCENDING), ("_id", ASCENDING)]).to_list(None)

    async def late(
        self, program: str, filters: Filters, *, after: tuple[str, str] | None, limit: int
    ) -> list[Document]:
        """Late and overdue results of a program, what is due longest first, from the position `after` on."""
        query = _late(program, filters)
        if after is not None:
            day, key = after
            query["$or"] = [{"watch.due_on": {"$gt": day}}, {"watch.due_on": day, "_id": {"$gt": key}}]
        order = [("watch.due_on", ASCENDING), ("_id", ASCENDING)]
        return await self._registrations.find(query).sort(order).to_list(limit)

    async def count_late(self, program: str, filters: Filters) -> int:
        return await self._registrations.count_documents(_late(program, filters))

    async def figures(self, programs: Iterable[str]) -> list[Document]:
        """How many results are awaited by program, vendor, stage and due day."""
        parts = {"program": "$program", "vendor": "$vendor", "stage": "$watch.stage", "due_on": "$watch.due_on"}
        match = AWAITED | {"program": {"$in": sorted(programs)}}
        stages: list[Mapping[str, Any]] = [{"$match": match}, {"$group": {"_id": parts, "count": {"$sum": 1}}}]
        found = self._registrations.aggregate(stages)
        return [{**row["_id"], "count": row["count"]} async for row in found]

    async def sittings(
        self, program: str, vendor: str, exam_codes: Iterable[str], *, since: datetime, until: datetime, limit: int
    ) -> list[Document]:
        """Appointments of candidates for one of the codes from `since` until before `until` whose result is awaited."""
        query = AWAITED | {
            "program": program,
            "vendor": vendor,
            "exam_code": {"$in": sorted(set(exam_codes))},
            "scheduled_at": {"$gte": since, "$lt": until},
            "candidate_id": {"$ne": None},
        }
        return await self._registrations.find(query).sort("scheduled_at", ASCENDING).to_list(limit)


def is_late(program: str, stage: Stage | None = None) -> Document:
    """What is true of registrations of a program whose result is past its promise."""
    return AWAITED | {"program": program, "watch.stage": {"$in": _PAST if stage is None else [stage.value]}}


def _late(program: str, filters: Filters) -> Document:
    query = is_late(program, filters.stage)
    if filters.to_ask_on is not None:
        query["$nor"] = [{"ask_again_on": {"$gt": filters.to_ask_on}}]
    if filters.vendor is not None:
        query["vendor"] = filters.vendor
    if filters.exam_code is not None:
        query["exam_code"] = filters.exam_code
    if filters.due_before is not None:
        query["watch.due_on"] = {"$lt": filters.due_before}
    return query
