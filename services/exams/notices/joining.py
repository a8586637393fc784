"""Words that name a result by its registration and came at the very moment of its first report.

Each of the two transactions saw nothing of the other, so the word waits for a result that is known by another key. Any
other word waits for its report, which finds it.
"""

from datetime import timedelta
from typing import ClassVar

from libs.common.mongo.client import Document
from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.exams.domain.results import Act, Grade
from services.exams.reports import Measure, Report, Source
from services.exams.results import ResultIntake
from services.exams.store import ExamsStore


class Joining:
    """Says such words again, now that their result is known."""

    EVERY: ClassVar = timedelta(minutes=1)
    SLICE: ClassVar = 200

    def __init__(self, store: ExamsStore, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._unit_of_work = unit_of_work

    def job(self) -> Job:
        return Job("waiting-words", self.EVERY, self.run)

    async def run(self) -> None:
        after: str | None = ""
        while after is not None:
            place = after

            async def work(transaction: Transaction, place: str = place) -> str | None:
                return await self._slice(transaction, place)

            after = await self._unit_of_work.run(work)

    async def _slice(self, transaction: Transaction, after: str) -> str | None:
        """Look at those behind that key. Returns the last key, or None at the end."""
        session = transaction.session
        waiting = await self._store.unreported_results(session, after=after, limit=self.SLICE)
        for row in waiting:
            ids = [row["registration_id"]]
            found = await self._store.results_of_registrations(session, row["program"], row["vendor"], ids)
            if len([each for each in found.values() if each["state"] is not None]) == 1:
                await self._store.delete_results(session, [row["_id"]])
                await ResultIntake(self._store, transaction).record([_again(row, word) for word in row["revisions"]])
        return waiting[-1]["_id"] if len(waiting) == self.SLICE else None


def _again(row: Document, word: Document) -> Report:
    return Report(
        program=row["program"],
        vendor=row["vendor"],
        data=Measure(
            Act(word["act"]),
            registration_id=row["registration_id"],
            grade=Grade(word["grade"]) if word["grade"] else None,
            score=word["score"],
        ),
        link=None,
        said_at=word["said_at"],
        source=Source(**word["source"]),
        raw=word["raw"],
        numbered=False,
    )
