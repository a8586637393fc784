"""The exams database: links to candidates, registrations, results, rejections."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, InsertOne, ReplaceOne

from libs.common.bus.messages import Received
from libs.common.mongo import links, merges
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.links import Links
from libs.common.mongo.merges import FamilyEvent, Merges
from libs.common.mongo.migrations import COMMON, Migration, declare
from libs.common.mongo.unit_of_work import Transaction
from services.exams.challenges.store import RulingStore
from services.exams.codes_used import CodesUsed, Use
from services.exams.history.achievements import Achievements
from services.exams.history.retake_flags import RetakesDue
from services.exams.onboarding.tally import Tallies
from services.exams.outgoing.store import OutgoingStore
from services.exams.unmatched.store import Unmatched
from services.exams.watch.store import Watches

MIGRATIONS = [
    Migration(
        1,
        "collections and indexes",
        declare(
            {
                **COMMON,
                links.COLLECTION: links.INDEXES,
                "registrations": [
                    IndexModel([("candidate_id", ASCENDING), ("_id", ASCENDING)], name="candidate"),
                    IndexModel([("link", ASCENDING)], name="link"),
                ],
                "results": [
                    IndexModel(
                        [("candidate_id", ASCENDING), ("taken_at", DESCENDING), ("_id", DESCENDING)],
                        name="history",
                    ),
                    IndexModel(
                        [("link", ASCENDING)],
                        name="unmatched",
                        partialFilterExpression={"candidate_id": None},
                    ),
                ],
                "rejections": [IndexModel([("rejected_at", DESCENDING), ("_id", DESCENDING)], name="latest")],
            }
        ),
    ),
    Migration(
        2,
        "merges; results by link",
        declare(
            {
                merges.COLLECTION: merges.INDEXES,
                "results": [IndexModel([("link", ASCENDING)], name="link")],
            }
        ),
    ),
    Migration(
        5,
        "rejections by program",
        declare(
            {
                "rejections": [
                    IndexModel(
                        [("program", ASCENDING), ("rejected_at", DESCENDING), ("_id", DESCENDING)], name="program"
                    )
                ],
            }
        ),
    ),
]


def result_key(program: str, vendor: str, result_id: str) -> str:
    return f"{program}:{vendor}:{result_id}"


def attempt_key(program: str, vendor: str, registration_id: str) -> str:
    """The key of a result that has no id of its own yet; no vendor's name holds a slash, so it is nobody else's."""
    return f"{program}:{vendor}/{registration_id}"


def registration_key(program: str, vendor: str, registration_id: str) -> str:
    return f"{program}:{vendor}:{registration_id}"


def registrations_of(program: str) -> Document:
    """The range of all keys of a program's registrations."""
    return {"$gte": f"{program}:", "$lt": f"{program};"}  # the sign after the colon


class ExamsStore:
    """All queries of the service. Methods with a session are part of its transaction."""

    def __init__(self, database: Database, codes_used: CodesUsed | None = None) -> None:
        self.links = Links(database)
        self.merges = Merges(database)
        self.codes_used = codes_used
        self.outgoing = OutgoingStore(database)
        self.watches = Watches(database)
        self.unmatched_results = Unmatched(database)
        self.tallies = Tallies(database)
        self.achievements = Achievements(database)
        self.rulings = RulingStore(database)
        self.retakes_due = RetakesDue(database)
        self._registrations = database["registrations"]
        self._results = database["results"]
        self._rejections = database["rejections"]

    async def note_codes(self, transaction: Transaction, uses: Sequence[Use]) -> None:
        """Tell of codes that were used, once the registrations and results that name them are saved."""
        if uses and self.codes_used is not None:
            await self.codes_used.record(transaction, uses)

    async def results(self, session: Session | None, keys: Iterable[str]) -> dict[str, Document]:
        found = self._results.find({"_id": {"$in": list(set(keys))}}, session=session)
        return {row["_id"]: row async for row in found}

    async def results_of_registrations(
        self, session: Session | None, program: str, vendor: str, registration_ids: Iterable[str]
    ) -> dict[str, Document]:
        """Results of these registrations of a vendor's, by their own keys."""
        query = {"registration_id": {"$in": list(set(registration_ids))}, "vendor": vendor, "program": program}
        found = self._results.find(query, session=session)
        return {row["_id"]: row async for row in found}

    async def results_named_later(
        self, session: Session | None, program: str, vendor: str, result_ids: Iterable[str]
    ) -> dict[str, Document]:
        """Results that go by their registration, by the ids that their vendor has told since."""
        query = {"result_id": {"$in": list(set(result_ids))}, "named_later": True, "vendor": vendor, "program": program}
        found = self._results.find(query, session=session)
        return {row["_id"]: row async for row in found}

    async def unreported_results(self, session: Session, *, after: str, limit: int) -> list[Document]:
        """Results that something is said of by their registration and that nobody has reported yet."""
        query = {"state": None, "result_id": None, "registration_id": {"$ne": None}, "_id": {"$gt": after}}
        return await self._results.find(query, session=session).sort("_id", ASCENDING).to_list(limit)

    async def registrations(self, session: Session | None, keys: Iterable[str]) -> dict[str, Document]:
        found = self._registrations.find({"_id": {"$in": list(set(keys))}}, session=session)
        return {row["_id"]: row async for row in found}

    async def linked_results(self, session: Session, links: Iterable[str]) -> list[Document]:
        """Results that belong to these links, in the order taken."""
        found = self._results.find({"link": {"$in": list(links)}}, session=session)
        return sorted([row async for row in found], key=lambda row: (row["taken_at"], row["_id"]))

    async def linked_registrations(self, session: Session, links: Iterable[str]) -> list[Document]:
        found = self._registrations.find({"link": {"$in": list(links)}}, session=session)
        return [row async for row in found]

    async def save_results(self, session: Session, rows: Mapping[str, Document], known: Iterable[str]) -> None:
        await _save(self._results, session, rows, set(known))
        # One that nobody has been told of can have moved no rule of retakes.
        told = [key for key, row in rows.items() if row["candidate_id"] is not None or row["told_revision"] is not None]
        await self.retakes_due.note(session, told)

    async def delete_results(self, session: Session, keys: Iterable[str]) -> None:
        gone = list(keys)
        if gone:
            await self._results.delete_many({"_id": {"$in": gone}}, session=session)

    async def judge_again(self, session: Session, families: Sequence[Received[FamilyEvent]]) -> None:
        """Note that the rules of retakes now see other attempts together."""
        accounts = sorted({one for item in families for one in (item.data.candidate_id, item.data.merged_id)})
        if accounts:
            query = {"candidate_id": {"$in": accounts}}
            await self.retakes_due.note(session, await self._results.distinct("_id", query, session=session))

    async def save_registrations(self, session: Session, rows: Mapping[str, Document], known: Iterable[str]) -> None:
        await _save(self._registrations, session, rows, set(known))

    async def add_rejections(self, session: Session, rows: Mapping[str, Document]) -> set[str]:
        """Record refusals. Returns the ids of those not recorded before."""
        found = self._rejections.find({"_id": {"$in": list(rows)}}, {"_id": 1}, session=session)
        known = {row["_id"] async for row in found}
        fresh = [row for key, row in rows.items() if key not in known]
        if fresh:
            await self._rejections.insert_many(fresh, session=session, ordered=False)
        return {row["_id"] for row in fresh}

    async def history(
        self, program: str, candidate_id: str, *, before: tuple[datetime, str] | None, limit: int
    ) -> list[Document]:
        """A person's results, of all accounts that are one with this, latest first, from the position `before` on."""
        query = await self._persons(program, candidate_id)
        if before is not None:
            taken_at, key = before
            query["$or"] = [{"taken_at": {"$lt": taken_at}}, {"taken_at": taken_at, "_id": {"$lt": key}}]
        order = [("taken_at", DESCENDING), ("_id", DESCENDING)]
        return await self._results.find(query).sort(order).to_list(limit)

    async def _persons(self, program: str, candidate_id: str) -> Document:
        return {"candidate_id": {"$in": await self.merges.family(None, candidate_id)}, "program": program}

    async def unmatched(self, programs: Sequence[str] | None, *, after: str | None, limit: int) -> list[Document]:
        """Results that wait for their candidate. `programs` None means all."""
        query: Document = {"candidate_id": None, "link": {"$ne": None}}
        if programs is not None:
            query["program"] = {"$in": list(programs)}
        if after is not None:
            query["_id"] = {"$gt": after}
        return await self._results.find(query).sort("_id", ASCENDING).to_list(limit)

    async def rejections(
        self,
        programs: Sequence[str] | None,
        vendor: str | None,
        *,
        before: tuple[datetime, str] | None,
        limit: int,
    ) -> list[Document]:
        """Refused messages, latest first. None means every vendor; of `programs`, also those that name none of ours."""
        query = _of(programs)
        if vendor is not None:
            query["vendor"] = vendor
        if before is not None:
            at, key = before
            query["$or"] = [{"rejected_at": {"$lt": at}}, {"rejected_at": at, "_id": {"$lt": key}}]
        order = [("rejected_at", DESCENDING), ("_id", DESCENDING)]
        return await self._rejections.find(query).sort(order).to_list(limit)

    async def overdue_unmatched(self, session: Session, since: datetime, limit: int) -> list[Document]:
        """Results without a candidate that arrived before `since` and that nobody has been told of."""
        query = {
            "candidate_id": None,
            "link": {"$ne": None},
            "received_at": {"$lt": since},
            "unmatched_told": {"$ne": True},
        }
        return await self._results.find(query, session=session).to_list(limit)

    async def mark_unmatched_told(self, session: Session, keys: Sequence[str]) -> None:
        await self._results.update_many(
            {"_id": {"$in": list(keys)}}, {"$set": {"unmatched_told": True}}, session=session
        )

    async def totals(self, programs: Sequence[str] | None) -> dict[str, int]:
        """Counts for the account of a run; of all programs where `programs` is None."""
        own = _of(programs)
        return {
            "results": await self._results.count_documents({**own, "link": {"$ne": None}}),
            "unmatched": await self._results.count_documents({**own, "candidate_id": None, "link": {"$ne": None}}),
            "registrations": await self._registrations.count_documents(own),
            "rejections": await self._rejections.count_documents(own),
        }


def _of(programs: Sequence[str] | None) -> Document:
    return {} if programs is None else {"program": {"$in": list(programs)}}


async def _save(collection: Any, session: Session, rows: Mapping[str, Document], known: set[str]) -> None:
    writes: list[Any] = [ReplaceOne({"_id": key}, row) if key in known else InsertOne(row) for key, row in rows.items()]
    if writes:
        await collection.bulk_write(writes, ordered=False, session=session)
