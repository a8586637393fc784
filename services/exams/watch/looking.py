"""The job that looks at appointments when something of their results is due, and tells what has become late."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from libs.common.events import exams
from libs.common.mongo.client import Document
from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from libs.common.versions import next_version
from services.exams.domain.watch import End, Promise, Stage, Told, look
from services.exams.places import place_day
from services.exams.store import ExamsStore, registration_key
from services.exams.watch.notes import (
    after,
    belongs,
    is_reported,
    is_watched,
    known_of,
    promise_of,
    stage_before,
    told_of,
    unwatched,
)

Telling = exams.ExamResultLate | exams.ExamResultOverdue | exams.ExamResultArrived | exams.ExamResultNotAwaited


class ResultsWatch:
    """Costs what is due in a minute, however many appointments there are. Each slice is a transaction."""

    EVERY: ClassVar = timedelta(minutes=1)
    SLICE: ClassVar = 200

    def __init__(self, store: ExamsStore, programs: Mapping[str, Program], unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._programs = programs
        self._unit_of_work = unit_of_work

    def job(self) -> Job:
        return Job("results-watch", self.EVERY, self.run)

    async def run(self) -> None:
        while await self._unit_of_work.run(self._slice) == self.SLICE:
            pass

    async def _slice(self, transaction: Transaction) -> int:
        rows = await self._store.watches.due(transaction.session, transaction.now, self.SLICE)
        come = await arrivals(self._store, rows, transaction)
        for row in rows:
            program = self._programs.get(row["program"])
            if program is None or not is_watched(row):
                row["watch"] = unwatched(row)
            else:
                _look(transaction, row, program, arrived=row["_id"] in come)
        await self._store.watches.save(transaction.session, rows)
        return len(rows)


async def arrivals(
    store: ExamsStore, rows: Sequence[Document], transaction: Transaction | None = None
) -> dict[str, list[Document]]:
    """The results that have come of registrations for whom they are, by the registrations' keys."""
    found = await reported(store, rows, transaction)
    session = transaction.session if transaction else None
    people = {each["candidate_id"] for results in found.values() for each in results}
    people |= {row["candidate_id"] for row in rows if row["_id"] in found}
    survivors = await store.merges.survivors(session, people - {None})
    own = {row["_id"]: [each for each in found.get(row["_id"], ()) if belongs(each, row, survivors)] for row in rows}
    return {key: results for key, results in own.items() if results}


async def reported(
    store: ExamsStore, rows: Sequence[Document], transaction: Transaction | None = None
) -> dict[str, list[Document]]:
    """The results that vendors have reported of registrations, whoever they are for."""
    session = transaction.session if transaction else None
    ids: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        ids.setdefault((row["program"], row["vendor"]), []).append(row["registration_id"])
    found: dict[str, list[Document]] = {}
    for (program, vendor), numbers in ids.items():
        results = await store.results_of_registrations(session, program, vendor, numbers)
        for each in filter(is_reported, results.values()):
            found.setdefault(registration_key(program, vendor, each["registration_id"]), []).append(each)
    return found


def _look(transaction: Transaction, row: Document, program: Program, *, arrived: bool) -> None:
    due = promise_of(row, program)
    step = look(known_of(row, arrived=arrived), told_of(row), due, transaction.now, was=stage_before(row))
    if step.takes_back:
        end, before = step.takes_back
        _tell(transaction, row, _taken_back(end, row, before))
    if due is not None:
        for stage in step.tells:
            _tell(transaction, row, _late(stage, row, step.told, due))
    row["watch"] = after(row, step, due)


def _tell(transaction: Transaction, row: Document, event: Telling) -> None:
    row["version"] = next_version(row["version"], transaction.now)
    transaction.emit(event, program=row["program"], subject=event.candidate_id, version=row["version"])


def _taken_back(end: End, row: Document, before: Told) -> Telling:
    if end is End.ARRIVED:
        return exams.ExamResultArrived(**_about(row, before))
    reason: Any = end.value
    return exams.ExamResultNotAwaited(**_about(row, before), reason=reason)


def _late(stage: Stage, row: Document, told: Told, due: Promise) -> Telling:
    if stage is Stage.LATE:
        return exams.ExamResultLate(**_about(row, told), taken_on=place_day(row), due_on=due.due_on)
    return exams.ExamResultOverdue(**_about(row, told), due_on=due.due_on, overdue_on=due.overdue_on)


def _about(row: Document, told: Told) -> dict[str, Any]:
    return {
        "candidate_id": told.to,
        "vendor": row["vendor"],
        "registration_id": row["registration_id"],
        "exam_code": row["exam_code"],
        "scheduled_at": row["scheduled_at"],
        "times": told.times,
    }
