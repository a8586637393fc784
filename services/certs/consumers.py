"""What each event does in certs: a fact goes into its candidate's ledger."""

from collections.abc import Sequence
from typing import Any

from libs.common.bus.messages import Received
from libs.common.events import exams, identity
from libs.common.mongo.unit_of_work import Transaction
from services.certs.claims.reports import Links
from services.certs.domain.facts import ExamFact, Outcome
from services.certs.ledgers import Ledgers

ResultEvent = exams.ExamPassed | exams.ExamFailed | exams.ExamResultRevised | exams.ExamResultInvalidated


class ServiceEvents:
    """Takes in what exams says of results, and identity of partners' ids.

    The ledger itself tells a fact it has from one it has not (by result and revision), so a repetition changes
    nothing and no inbox is needed. Facts are taken in one by one, so that the events that follow do not depend
    on how arrivals were batched.
    """

    def __init__(self, ledgers: Ledgers, links: Links) -> None:
        self._ledgers = ledgers
        self._links = links

    async def handle(self, transaction: Transaction, items: Sequence[Received[Any]]) -> None:
        links = [item for item in items if isinstance(item.data, identity.ExternalIdLinked)]
        if links:
            await self._links.handle(transaction, links)
        results = [item for item in items if not isinstance(item.data, identity.ExternalIdLinked)]
        if results:
            await self._record(transaction, results)

    async def _record(self, transaction: Transaction, items: Sequence[Received[ResultEvent]]) -> None:
        opened = await self._ledgers.open(transaction, [(item.event.program, item.data.candidate_id) for item in items])
        for item in items:
            opened[item.event.program, item.data.candidate_id].add(_fact(item.data), transaction, item)
        await self._ledgers.save(transaction, opened.values())


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
