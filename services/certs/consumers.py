"""What each event does in certs: a fact goes into its candidate's ledger, a profile beside it."""

from collections.abc import Iterator, Sequence
from typing import Any

from libs.common.bus.messages import Received
from libs.common.clock import as_stored
from libs.common.events import exams, identity
from libs.common.mongo.links import LINK_EVENTS
from libs.common.mongo.people import PEOPLE_EVENTS, People
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.certs.claims.reports import Links
from services.certs.domain.facts import ExamFact, MergeFact, Outcome, SeparationFact
from services.certs.domain.merges import Link
from services.certs.families import tell_family
from services.certs.ledgers import Ledgers, Whose
from services.certs.store import CertsStore

ResultEvent = exams.ExamPassed | exams.ExamFailed | exams.ExamResultRevised | exams.ExamResultInvalidated
FamilyEvent = identity.CandidatesMerged | identity.CandidatesSeparated


class ServiceEvents:
    """Takes in what exams says of results, and identity of people, accounts that are one and partners' ids.

    The ledger itself tells a fact it has from one it has not (by result and revision), so a repetition changes
    nothing and no inbox is needed. Facts are taken in one by one, so that the events that follow do not depend
    on how arrivals were batched.
    """

    def __init__(self, store: CertsStore, ledgers: Ledgers, links: Links, people: People) -> None:
        self._store = store
        self._ledgers = ledgers
        self._links = links
        self._people = people

    async def handle(self, transaction: Transaction, items: Sequence[Received[Any]]) -> None:
        links = [item for item in items if isinstance(item.data, LINK_EVENTS)]
        if links:
            await self._links.handle(transaction, links)
        people = [item for item in items if isinstance(item.data, PEOPLE_EVENTS)]
        if people:
            changed = await self._people.take(transaction, people)
            holding = await self._store.of_whom(transaction.session, changed)
            await self._store.look_again(transaction, holding)
        others = [item for item in items if not isinstance(item.data, (*LINK_EVENTS, *PEOPLE_EVENTS))]
        if others:
            await self._record(transaction, others)

    async def _record(self, transaction: Transaction, items: Sequence[Received[ResultEvent | FamilyEvent]]) -> None:
        opened = await self._ledgers.open(transaction, [whose for item in items for whose in _whose(item)])
        for item in items:
            program, data = item.event.program, item.data
            ledger = opened[program, data.candidate_id]
            if isinstance(data, identity.CandidatesMerged | identity.CandidatesSeparated):
                link = _link(data, ledger.policy)
                tell_family(opened[program, data.merged_id], ledger, link, transaction, item)
            else:
                ledger.add(_fact(data), transaction, item)
        await self._ledgers.save(transaction, opened.values())


def _whose(item: Received[Any]) -> Iterator[Whose]:
    yield item.event.program, item.data.candidate_id
    if isinstance(item.data, identity.CandidatesMerged | identity.CandidatesSeparated):
        yield item.event.program, item.data.merged_id


def _link(data: FamilyEvent, policy: Program) -> Link:
    kind, moment = (
        (MergeFact, data.merged_at)
        if isinstance(data, identity.CandidatesMerged)
        else (SeparationFact, data.separated_at)
    )
    known_at = as_stored(moment)  # so that the fact is the same when it is told again
    return kind(data.merged_id, data.candidate_id, policy.day_of(known_at), known_at)


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
