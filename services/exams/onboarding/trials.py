"""Dry runs: what a vendor's message would do, by doing it and undoing it, told on the vendor's queue of rejections."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from libs.common.bus.ingress import Refusal, Trial
from libs.common.bus.messages import Outgoing, Received
from libs.common.bus.topology import REJECTIONS
from libs.common.events import vendors
from libs.common.ids import derived_id, new_id
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.exams.consumers import ELSEWHERE, VendorMessages, about, contradiction, refused, rejection
from services.exams.domain.results import Verdict
from services.exams.onboarding.tally import KEPT, Channel, Judged
from services.exams.registrations import RegistrationIntake
from services.exams.reports import change_of, report_of, vendor_name
from services.exams.results import ResultIntake
from services.exams.store import ExamsStore

MESSAGE_TYPE = "certrail.DryRunJudged.v1"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a message would do.

    Attributes:
        would: of a result what it would be; `new`, `changed` or `duplicate` of an appointment; `kept` of a course.
        candidate_known: whether it would have a candidate at once; None where exams does not say.
        refusal: why it would be refused.
    """

    would: str | None
    candidate_known: bool | None = None
    refusal: Refusal | None = None


class _Undone(Exception):
    def __init__(self, outcome: _Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class Trials:
    """Judges dry runs, and hands everything else on.

    A dry run goes the way that the message itself would, in a transaction of its own which never commits: no second set
    of rules could come to differ from the first. Each is judged against what is real, not against the other dry runs.
    """

    def __init__(self, messages: VendorMessages, store: ExamsStore, unit_of_work: UnitOfWork) -> None:
        self._messages = messages
        self._store = store
        self._unit_of_work = unit_of_work

    async def handle(self, transaction: Transaction, items: Sequence[Any]) -> None:
        # Before anything is written: what a dry run locks, this very transaction could wait for.
        judged = [await self._judge(transaction, item) for item in items if _is_dry_run(item)]
        await self._messages.handle(transaction, [item for item in items if not _is_dry_run(item)])
        await self._store.tallies.note(transaction, judged)

    async def _judge(self, transaction: Transaction, item: Trial | Refusal) -> Judged:
        if isinstance(item, Refusal):
            return _refuse(transaction, item)
        received = item.received
        vendor, outcome = vendor_name(received), await self._tried(received)
        if outcome.refusal is not None:
            return _refuse(transaction, outcome.refusal)
        transaction.send(_answer(rejection(Refusal(vendor, (), item.delivery), transaction), outcome))
        judged = Judged(vendor, received.event.program, Channel.DRY_RUN, str(outcome.would))
        return replace(judged, message=received.event.id, about=about(received))

    async def _tried(self, received: Received[Any]) -> _Outcome:
        async def work(transaction: Transaction) -> None:
            raise _Undone(await self._outcome(transaction, received))

        if isinstance(received.data, ELSEWHERE):
            return _Outcome(KEPT)  # certs takes it in, by the same border
        try:
            await self._unit_of_work.run(work)
        except _Undone as undone:
            return undone.outcome
        raise AssertionError("a dry run has been committed")

    async def _outcome(self, transaction: Transaction, received: Received[Any]) -> _Outcome:
        session, key = transaction.session, about(received) or ""
        if isinstance(received.data, vendors.ExamResultReported):
            (verdict,) = await ResultIntake(self._store, transaction).record([report_of(received)])
            if verdict is Verdict.CONFLICT:
                return _Outcome(None, refusal=contradiction(received))
            report = report_of(received)
            known = await self._store.links.candidates_of(session, [report.link or ""])
            return _Outcome(verdict, bool(known))
        if isinstance(received.data, vendors.AchievementReported):
            (verdict,) = await self._store.achievements.record(transaction, [received])
            if verdict is Verdict.CONFLICT:
                return _Outcome(None, refusal=contradiction(received))
            return _Outcome(verdict, await self._store.achievements.has_candidate(session, key))
        before = await self._store.registrations(session, [key])
        await RegistrationIntake(self._store, transaction).record([change_of(received)])
        after = (await self._store.registrations(session, [key]))[key]
        would = "new" if not before else "duplicate" if before[key] == after else "changed"
        return _Outcome(would, after["candidate_id"] is not None)


def _is_dry_run(item: Any) -> bool:
    return isinstance(item, Trial) or (isinstance(item, Refusal) and item.dryrun)


def _refuse(transaction: Transaction, refusal: Refusal) -> Judged:
    row = rejection(refusal, transaction)
    transaction.send(_answer(row, _Outcome(None, refusal=refusal)))
    return refused(row, Channel.DRY_RUN)


def _answer(row: Document, outcome: _Outcome) -> Outgoing:
    """The answer goes out each time; its `id` is the same for the same message."""
    names = ("vendor", "routing_key", "message_id", "content_type", "reasons", "original", "truncated")
    content = {
        "id": derived_id("dryrun", row["_id"]),
        "dryrun": True,
        "judged_at": row["rejected_at"],
        "verdict": "accepted" if outcome.refusal is None else "refused",
        "would": outcome.would,
        "candidate_known": outcome.candidate_known,
        **{name: row[name] for name in names},
    }
    return Outgoing(
        id=new_id(),
        exchange=REJECTIONS,
        routing_key=row["vendor"],
        type=MESSAGE_TYPE,
        content_type="application/json",
        body=orjson.dumps(content),
    )
