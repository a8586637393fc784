"""What vendors were asked about results that are late: by whom, when and how, and from when on to ask again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from libs.common.http.problems import invalid
from libs.common.mongo.client import Database, Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.exams.watch.store import is_late

How = Literal["mail", "phone", "portal", "other"]

ANSWERED_WITHIN: Final = 3
"""Business days that a vendor is given for its answer; without one it is to be asked again."""
MOST_QUESTIONS: Final = 50
"""Of one result; of more the latest are kept."""


@dataclass(frozen=True, slots=True)
class Question:
    """One time that a vendor was asked.

    Attributes:
        question_id: the same again is the same question.
        asked_on: the day, in the program's calendar.
        note: what was asked, or what the vendor said; empty where nothing was noted.
    """

    question_id: str
    asked_on: date
    how: How
    note: str
    by: str
    at: datetime


class Questions:
    """Notes questions beside the appointments that they are about."""

    def __init__(self, database: Database, unit_of_work: UnitOfWork) -> None:
        self._registrations = database["registrations"]
        self._unit_of_work = unit_of_work

    async def note(self, program: Program, keys: Sequence[str], asked: Question) -> int:
        """Note that the vendor was asked about these results. Returns of how many it is noted now.

        Left out are results that have come meanwhile, and those that were not sat yet on the day.

        Raises:
            Problem: `invalid-request` for a day that lies ahead.
        """
        if asked.asked_on > program.day_of(asked.at):
            raise invalid("body.asked_on", "ahead", "lies ahead")

        async def work(transaction: Transaction) -> int:
            # An appointment whose new day is not known yet has no result to ask for.
            query = {"_id": {"$in": sorted(set(keys))}, "scheduled_at": {"$ne": None}, **is_late(program.id)}
            rows = await self._registrations.find(query, session=transaction.session).to_list(None)
            meant = [row["_id"] for row in rows if program.day_of(row["scheduled_at"]) <= asked.asked_on]
            await self._registrations.update_many(
                {"_id": {"$in": meant}, "questions.question_id": {"$ne": asked.question_id}},
                {
                    "$push": {"questions": {"$each": [_stored(asked)], "$slice": -MOST_QUESTIONS}},
                    "$max": {"ask_again_on": _ask_again_on(program, asked).isoformat()},
                },
                session=transaction.session,
            )
            return len(meant)

        return await self._unit_of_work.run(work)


def questions_of(row: Document, program: Program) -> list[Document]:
    """What was asked about the result of an appointment as it stands now, the latest first."""
    if row.get("scheduled_at") is None:
        return []
    sat = program.day_of(row["scheduled_at"])
    found = [
        {**one, "asked_on": date.fromisoformat(one["asked_on"])}
        for one in row.get("questions", ())
        if date.fromisoformat(one["asked_on"]) >= sat
    ]
    return sorted(found, key=lambda one: (one["asked_on"], one["at"]), reverse=True)


def last_asked_on(row: Document, program: Program) -> date | None:
    return next((one["asked_on"] for one in questions_of(row, program)), None)


def ask_again_on(row: Document, program: Program) -> date | None:
    """From when on a vendor that has been asked is to be asked again; None where it was not asked."""
    return date.fromisoformat(row["ask_again_on"]) if questions_of(row, program) else None


def _ask_again_on(program: Program, asked: Question) -> date:
    return program.calendar.add(asked.asked_on, ANSWERED_WITHIN + 1)


def _stored(asked: Question) -> Document:
    return {
        "question_id": asked.question_id,
        "asked_on": asked.asked_on.isoformat(),
        "how": asked.how,
        "note": asked.note,
        "by": asked.by,
        "at": asked.at,
    }
