"""What each event does in certs: a fact goes into its candidate's ledger."""

from collections.abc import Sequence

from libs.common.bus.messages import Received
from libs.common.events import exams
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from services.certs.domain.facts import ExamFact, Outcome
from services.certs.ledger import Ledger, changed
from services.certs.policies import Policies
from services.certs.store import CertsStore

ResultEvent = exams.ExamPassed | exams.ExamFailed | exams.ExamResultRevised | exams.ExamResultInvalidated


class ServiceEvents:
    """Takes in what exams says of results.

    The ledger itself tells a fact it has from one it has not (by result and revision), so a repetition changes
    nothing and no inbox is needed. Facts are taken in one by one, so that the events that follow do not depend
    on how arrivals were batched.
    """

    def __init__(self, store: CertsStore, policies: Policies) -> None:
        self._store = store
        self._policies = policies

    async def handle(self, transaction: Transaction, items: Sequence[Received[ResultEvent]]) -> None:
        stored = await self._store.ledgers(transaction.session, [item.data.candidate_id for item in items])
        ledgers: dict[str, Ledger] = {}
        touched: dict[str, Ledger] = {}
        for item in items:
            candidate_id = item.data.candidate_id
            ledger = ledgers.get(candidate_id)
            if ledger is None:
                ledger = await self._open(item, stored.get(candidate_id))
                ledgers[candidate_id] = ledger
            if ledger.add(_fact(item.data), transaction, item):
                touched[candidate_id] = ledger
        await self._store.save(transaction.session, changed(touched.values()), stored)

    async def _open(self, item: Received[ResultEvent], stored: Document | None) -> Ledger:
        policy = await self._policies.current(item.event.program)
        told_under = await self._policies.told_under(stored, policy)
        return Ledger(item.data.candidate_id, policy, stored, told_under=told_under)


def _fact(data: ResultEvent) -> ExamFact:
    return ExamFact(
        result_id=data.result_id,
        revision=data.revision,
        code=data.exam_code,
        taken_on=data.taken_on,
        outcome=_outcome(data),
        known_at=data.known_at,
    )


def _outcome(data: ResultEvent) -> Outcome:
    match data:
        case exams.ExamPassed():
            return "pass"
        case exams.ExamFailed():
            return "fail"
        case exams.ExamResultInvalidated():
            return "invalidated"
        case exams.ExamResultRevised():
            return data.grade
