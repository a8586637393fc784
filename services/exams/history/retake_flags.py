"""Attempts that broke a rule about retakes, kept for staff to review, and the job that finds them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Literal

from pymongo import ASCENDING, DESCENDING, IndexModel, InsertOne, ReplaceOne

from libs.common.clock import Clock
from libs.common.events import exams
from libs.common.ids import derived_id
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.jobs import Job
from libs.common.mongo.merges import Merges
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.privacy.pseudonyms import Names, is_pseudonym
from libs.common.programs import Program
from libs.common.programs.retakes import Wait
from libs.common.versions import next_version
from services.exams.history.retakes import JUDGED, judge

COLLECTION = "retake_flags"
INDEXES = [
    IndexModel([("program", ASCENDING), ("taken_on", DESCENDING), ("_id", DESCENDING)], name="program"),
    IndexModel([("candidate_id", ASCENDING)], name="candidate"),
    IndexModel([("because", ASCENDING)], name="because"),
]
DUE = "retakes_due"
"""Which results have changed, a document for each batch: what is only added meets no conflict with anybody."""

ReviewState = Literal["open", "accepted", "reported"]
"""Accepted: it stands. Reported: to the vendor, or to whoever pursues breaches of conduct."""

_FIELDS = dict.fromkeys(("candidate_id", "program", "vendor", "registration_id", *JUDGED), 1)


def under_pseudonym(row: Document, names: Names) -> Document:
    """A flag without whom it was about; what staff wrote of it may name them."""
    reviews = [review | {"reason": None} for review in row["reviews"]]
    return row | {"candidate_id": names[row["candidate_id"]], "reviews": reviews}


def flag_id(result: str) -> str:
    """The id of an attempt's flag, good for a path."""
    return derived_id("retake", result)


class RetakeFlags:
    """The stored flags. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._flags = database[COLLECTION]

    async def listed(
        self,
        program: str,
        *,
        state: ReviewState | None,
        exam_code: str | None,
        candidates: Sequence[str] | None,
        before: tuple[str, str] | None,
        limit: int,
    ) -> list[Document]:
        """Flags of a program whose breach still stands, the latest attempts first."""
        query: Document = {"program": program, "lapsed_at": None}
        if state is not None:
            query["state"] = state
        if exam_code is not None:
            query["exam_code"] = exam_code
        if candidates is not None:
            query["candidate_id"] = {"$in": list(candidates)}
        if before is not None:
            day, key = before
            query["$or"] = [{"taken_on": {"$lt": day}}, {"taken_on": day, "_id": {"$lt": key}}]
        return await self._flags.find(query).sort([("taken_on", DESCENDING), ("_id", DESCENDING)]).to_list(limit)

    async def get(self, session: Session | None, program: str, key: str) -> Document | None:
        return await self._flags.find_one({"_id": key, "program": program}, session=session)

    async def save(self, session: Session, row: Document) -> None:
        await self._flags.replace_one({"_id": row["_id"]}, row, session=session)

    async def around(self, session: Session, candidates: Iterable[str], results: Sequence[str]) -> dict[str, Document]:
        """Flags of these people, and those of these results or that rest on one, by id; nobody's who is erased."""
        either: list[Document] = [{"candidate_id": {"$in": sorted(candidates)}}]
        if results:  # a result may have been another's when it was flagged
            either += [{"because": {"$in": list(results)}}, {"_id": {"$in": [flag_id(one) for one in results]}}]
        rows = await self._flags.find({"$or": either}, session=session).to_list(None)
        return {row["_id"]: row for row in rows if not is_pseudonym(row["candidate_id"])}

    async def write(self, session: Session, rows: Mapping[str, Document], known: Iterable[str]) -> None:
        there = set(known)
        writes: list[Any] = [
            ReplaceOne({"_id": key}, row) if key in there else InsertOne(row) for key, row in rows.items()
        ]
        if writes:
            await self._flags.bulk_write(writes, ordered=False, session=session)


class RetakesDue:
    """Notes of results about whose people the rules may have something else to say."""

    def __init__(self, database: Database) -> None:
        self._due = database[DUE]

    async def note(self, session: Session, results: Sequence[str]) -> None:
        if results:
            await self._due.insert_one({"results": list(results)}, session=session)

    async def oldest(self, session: Session, most: int) -> list[Document]:
        """The oldest notes; more than one only as long as they speak of no more than so many results."""
        found: list[Document] = []
        count = 0
        async for note in self._due.find(session=session).sort("_id", ASCENDING).limit(most):
            count += len(note["results"])
            if found and count > most:
                break
            found.append(note)
        return found

    async def done(self, session: Session, notes: Sequence[Document]) -> None:
        await self._due.delete_many({"_id": {"$in": [note["_id"] for note in notes]}}, session=session)


class RetakeWatch:
    """Judges the people about whom something has changed, and keeps their flags as the rules now have them.

    A breach that later words undo (the fail before it turns out void) lapses, and comes back if they do.
    """

    EVERY: ClassVar = timedelta(seconds=2)
    SLICE: ClassVar = 200

    def __init__(
        self, database: Database, programs: Mapping[str, Program], unit_of_work: UnitOfWork, clock: Clock
    ) -> None:
        self._results = database["results"]
        self._merges = Merges(database)
        self._flags = RetakeFlags(database)
        self._due = RetakesDue(database)
        self._programs = programs
        self._unit_of_work = unit_of_work
        self._clock = clock

    def job(self) -> Job:
        return Job("retakes", self.EVERY, self.run)

    async def run(self) -> None:
        while await self._unit_of_work.run(self._slice):
            pass

    async def _slice(self, transaction: Transaction) -> bool:
        session = transaction.session
        notes = await self._due.oldest(session, self.SLICE)
        keys = sorted({key for note in notes for key in note["results"]})
        if not keys:
            return False
        due = await self._results.find({"_id": {"$in": keys}}, {"candidate_id": 1}, session=session).to_list(None)
        resting = await self._flags.around(session, (), keys)
        people = {row["candidate_id"] for row in (*due, *resting.values()) if row["candidate_id"] is not None}
        families = await self._families(session, {one for one in people if not is_pseudonym(one)})
        known = resting | await self._flags.around(session, families, ())
        found: dict[str, Document] = {}
        for (program, _), rows in (await self._by_person(session, families)).items():
            found |= self._judged(program, rows)
        await self._flags.write(session, _changes(transaction, known, found), known)
        await self._due.done(session, notes)
        return True

    async def _families(self, session: Session, people: set[str]) -> dict[str, str]:
        """Every account of these people, each with the account that goes on."""
        goes_on = {one: one for one in people}
        for one in sorted(await self._merges.joined(session, people)):
            family = await self._merges.family(session, one)
            goes_on |= dict.fromkeys(family, family[0])
        return goes_on

    async def _by_person(
        self, session: Session, families: Mapping[str, str]
    ) -> Mapping[tuple[str, str], list[Document]]:
        rows = await self._results.find(
            {"candidate_id": {"$in": sorted(families)}, "state": {"$ne": None}}, _FIELDS, session=session
        ).to_list(None)
        by_person: defaultdict[tuple[str, str], list[Document]] = defaultdict(list)
        for row in rows:
            by_person[row["program"], families[row["candidate_id"]]].append(row)
        return by_person

    def _judged(self, program: str, rows: Sequence[Document]) -> dict[str, Document]:
        """The flags of one person in one program, without what staff say of them."""
        definition = self._programs.get(program)
        if definition is None:
            return {}
        broken = judge(definition, rows, definition.day_of(self._clock.now())).broken
        return {flag_id(row["_id"]): _flag(definition, row, broken[row["_id"]]) for row in rows if row["_id"] in broken}


def _flag(program: Program, row: Document, waits: Sequence[Wait]) -> Document:
    exam = program.find_exam(row["exam_code"])
    return {
        "program": row["program"],
        "candidate_id": row["candidate_id"],
        "result": row["_id"],
        "registration_id": row["registration_id"],
        "vendor": row["vendor"],
        "exam_code": exam.code if exam else row["exam_code"],
        "taken_on": row["taken_on"],
        "policy_version": program.version,
        "breaches": [
            {
                "rule": wait.rule,
                "clause": wait.clause,
                "wording": program.clause(wait.clause).wording,
                "allowed_from": wait.allowed_from.isoformat(),
                "because": list(wait.because),
            }
            for wait in waits
        ],
        "because": sorted({key for wait in waits for key in wait.because}),
    }


def _changes(
    transaction: Transaction, known: Mapping[str, Document], found: Mapping[str, Document]
) -> dict[str, Document]:
    """The flags to write. A breach that was not there before, or is there again, is told."""
    changed: dict[str, Document] = {}
    for key, flag in found.items():
        before = known.get(key)
        if before is None:
            changed[key] = _told(transaction, {"_id": key, **flag, **_new(transaction.now), "version": None})
        elif before["candidate_id"] != flag["candidate_id"]:  # what staff said was of another
            changed[key] = _told(transaction, {**before, **flag, **_new(transaction.now)})
        elif before["lapsed_at"] is not None:
            changed[key] = _told(transaction, {**before, **flag, "lapsed_at": None})
        elif any(before[name] != value for name, value in flag.items() if name != "policy_version"):
            changed[key] = {**before, **flag}
    for key in known.keys() - found.keys():
        if known[key]["lapsed_at"] is None:
            changed[key] = {**known[key], "lapsed_at": transaction.now}
    return changed


def _new(now: datetime) -> Document:
    return {"flagged_at": now, "lapsed_at": None, "state": "open", "reviews": []}


def _told(transaction: Transaction, row: Document) -> Document:
    row["version"] = next_version(row["version"], transaction.now)
    event = exams.ExamRetakeFlagged(
        candidate_id=row["candidate_id"],
        result_id=row["result"],
        registration_id=row["registration_id"],
        exam_code=row["exam_code"],
        taken_on=date.fromisoformat(row["taken_on"]),
        breaches=tuple(
            exams.RetakeBreach(
                rule=breach["rule"], clause=breach["clause"], allowed_from=date.fromisoformat(breach["allowed_from"])
            )
            for breach in row["breaches"]
        ),
    )
    transaction.emit(event, program=row["program"], subject=row["candidate_id"], version=row["version"])
    return row
