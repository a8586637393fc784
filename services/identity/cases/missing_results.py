"""Cases that open and end by themselves: exams tells which results are late, and what became of them."""

from collections.abc import Sequence
from typing import Any

from pymongo import ASCENDING, IndexModel

from libs.common.bus.messages import Received
from libs.common.events import exams
from libs.common.ids import derived_id
from libs.common.mongo.client import Database, Document
from libs.common.mongo.migrations import Migration, declare
from libs.common.mongo.unit_of_work import Transaction
from services.identity.cases.casework import Cases
from services.identity.domain.cases import State
from services.identity.store import IdentityStore

COLLECTION = "late_results"
MIGRATION = Migration(
    10,
    "cases of late results",
    declare(
        {
            COLLECTION: [
                IndexModel([("candidate_id", ASCENDING)], name="candidate"),
                IndexModel([("case_id", ASCENDING)], name="case"),
            ]
        }
    ),
)

MissingResultEvent = exams.ExamResultLate | exams.ExamResultArrived | exams.ExamResultNotAwaited

ARRIVED = "The test vendor has reported on this exam. Your exam history shows what it said."
_LAPSED = {
    "cancelled": "The appointment was cancelled, so there is no result to wait for.",
    "no_show": "The test vendor says that the appointment was missed, so there is no result to wait for.",
    "rescheduled": "The appointment was moved to another day. The result is watched for from then on.",
    "reassigned": "The appointment turned out to belong to another account.",
}


class MissingResults:
    """One case for each time that a result became late, whichever is heard of first: that it did, or that it ended."""

    def __init__(self, database: Database, cases: Cases, accounts: IdentityStore) -> None:
        self._rows = database[COLLECTION]
        self._cases = cases
        self._accounts = accounts

    async def handle(self, transaction: Transaction, items: Sequence[Received[MissingResultEvent]]) -> None:
        for item in items:
            key = _key(item)
            row = await self._rows.find_one({"_id": key}, session=transaction.session)
            if isinstance(item.data, exams.ExamResultLate):
                if row is None:
                    await self._open(transaction, item, key)
            elif row is None or not row["ended"]:
                await self._end(transaction, item, key, row)

    async def _open(self, transaction: Transaction, item: Received[Any], key: str) -> None:
        data: exams.ExamResultLate = item.data
        account = await self._account(transaction, item)
        if account is None:
            return
        details: Document = {
            "exam_code": data.exam_code,
            "taken_on": data.taken_on.isoformat(),
            "registration_id": data.registration_id,
            "vendor": data.vendor,
            "promised_on": data.due_on.isoformat(),
        }
        case_id = await self._cases.open_by_itself(
            transaction, account, case_id=key, kind="missing_result", details=details
        )
        await self._save(transaction, _row(key, item, case_id=case_id, ended=False))

    async def _end(self, transaction: Transaction, item: Received[Any], key: str, row: Document | None) -> None:
        data: exams.ExamResultArrived | exams.ExamResultNotAwaited = item.data
        if row is None and await self._account(transaction, item) is None:
            return
        known = row or _row(key, item, case_id=None, ended=True)
        await self._save(transaction, known | {"ended": True})
        others = {"case_id": known["case_id"], "ended": False}
        if known["case_id"] is None or await self._rows.find_one(others, session=transaction.session):
            return  # the same case is also about another time, which has not ended
        if isinstance(data, exams.ExamResultArrived):
            end, reason = State.ARRIVED, ARRIVED
        else:
            end, reason = State.LAPSED, _LAPSED[data.reason]
        await self._cases.settle(transaction, item.event.program, known["case_id"], end, reason)

    async def _account(self, transaction: Transaction, item: Received[Any]) -> Document | None:
        """The account that goes on for the candidate; None for somebody erased, of whom nothing is kept."""
        return await self._accounts.standing(item.event.program, item.data.candidate_id, transaction.session)

    async def _save(self, transaction: Transaction, row: Document) -> None:
        await self._rows.replace_one({"_id": row["_id"]}, row, upsert=True, session=transaction.session)


def _key(item: Received[MissingResultEvent]) -> str:
    data = item.data
    return derived_id(item.event.program, data.vendor, data.registration_id, data.candidate_id, str(data.times))


def _row(key: str, item: Received[Any], *, case_id: str | None, ended: bool) -> Document:
    data = item.data
    return {
        "_id": key,
        "program": item.event.program,
        "candidate_id": data.candidate_id,
        "vendor": data.vendor,
        "registration_id": data.registration_id,
        "times": data.times,
        "case_id": case_id,
        "ended": ended,
    }
