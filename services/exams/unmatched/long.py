"""Watches results that nobody claims: after a while they are told, once each."""

from datetime import timedelta
from typing import ClassVar

from libs.common.clock import Clock
from libs.common.events import exams
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.exams.store import ExamsStore


class UnmatchedWatch:
    """Publishes `ExamResultUnmatched` for results that have waited longer than `AFTER`."""

    AFTER: ClassVar = timedelta(minutes=15)
    """A registration normally comes days before its result; minutes allow for a delayed queue."""
    EVERY: ClassVar = timedelta(minutes=1)
    SLICE: ClassVar = 500

    def __init__(self, store: ExamsStore, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._store = store
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def run(self) -> None:
        while await self._unit_of_work.run(self._tell_slice) == self.SLICE:
            pass

    async def _tell_slice(self, transaction: Transaction) -> int:
        since = self._clock.now() - self.AFTER
        rows = await self._store.overdue_unmatched(transaction.session, since, self.SLICE)
        for row in rows:
            event = exams.ExamResultUnmatched(
                result_id=row["_id"],
                vendor=row["vendor"],
                vendor_candidate_id=row["vendor_candidate_id"],
                exam_code=row["exam_code"],
                received_at=row["received_at"],
            )
            transaction.emit(event, program=row["program"], subject=row["_id"], version=1)
        if rows:
            await self._store.mark_unmatched_told(transaction.session, [row["_id"] for row in rows])
        return len(rows)
