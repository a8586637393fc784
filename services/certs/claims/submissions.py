"""What happens to submissions: each change is stored, becomes a fact in its candidate's ledger, and is told."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from libs.common.bus.messages import Received
from libs.common.casework.owner import give
from libs.common.events import EventData, certs
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.certs.claims.evidence import EvidenceStore
from services.certs.claims.store import SubmissionStore, submission_of
from services.certs.domain.submissions import Origin, SubmissionKind, SubmissionState, fact_of
from services.certs.ledger import Ledger
from services.certs.ledgers import Ledgers

Told = tuple[Document, Received[Any] | None]
"""A submission, and the event that led to it."""


class Submissions:
    """The one way in which submissions are made and changed; everything is part of a transaction."""

    def __init__(self, store: SubmissionStore, evidence: EvidenceStore, ledgers: Ledgers) -> None:
        self.store = store
        self.evidence = evidence
        self._ledgers = ledgers

    async def add(self, transaction: Transaction, submissions: Sequence[Told]) -> None:
        """Take new ones in."""
        await self._tell(transaction, submissions)
        await self.store.save(transaction.session, [row for row, _ in submissions], new=True)

    async def change(self, transaction: Transaction, submissions: Sequence[Told]) -> None:
        """Take in what has become of known ones."""
        await self._tell(transaction, submissions)
        await self.store.save(transaction.session, [row for row, _ in submissions], new=False)

    async def take(self, transaction: Transaction, row: Document, *, to: str | None) -> None:
        """Let somebody of staff be on it, or nobody; the candidate is told nothing of it."""
        if give(row, to, transaction.now):
            await self.store.save(transaction.session, [row], new=False)

    async def decide(
        self, transaction: Transaction, row: Document, *, accept: bool, by: str, reason: str | None, today: date
    ) -> None:
        """Decide what waits for a reviewer, and tell the candidate."""
        row.update(
            state="accepted" if accept else "rejected",
            decided_on=today.isoformat(),
            decided_at=transaction.now,
            decided_by=by,
            reason=reason,
        )
        await self.change(transaction, [(row, None)])
        await self.evidence.release(transaction.session, row["evidence"], transaction.now)

    async def _tell(self, transaction: Transaction, submissions: Sequence[Told]) -> None:
        mine = [(row, cause) for row, cause in submissions if row["candidate_id"] is not None]
        opened = await self._ledgers.open(transaction, [(row["program"], row["candidate_id"]) for row, _ in mine])
        for row, cause in mine:
            _tell_one(opened[row["program"], row["candidate_id"]], row, transaction, cause)
        await self._ledgers.save(transaction, opened.values())


def _tell_one(ledger: Ledger, row: Document, transaction: Transaction, cause: Received[Any] | None) -> None:
    fact = fact_of(submission_of(row), ledger.next_moment(transaction.now))
    if fact is not None:
        ledger.add(fact, transaction, cause)
    for event in _events(row):
        ledger.say(event, transaction, cause)
    row["announced"] = row["state"]


def _events(row: Document) -> list[EventData]:
    """What is to be told of a submission's state, once."""
    state: SubmissionState = row["state"]
    if row["announced"] == state:
        return []
    said: list[EventData] = []
    about = {
        "candidate_id": row["candidate_id"],
        "submission_id": row["_id"],
        "item": row["item"],
        "title": row["title"],
        "completed_on": date.fromisoformat(row["completed_on"]),
    }
    if state == "accepted" and row["kind"] == "credits":
        said.append(certs.CreditsRecorded(**about, credits=row["credits"], origin=row["origin"]))
    if row["decided_by"] is not None and state in {"accepted", "rejected"}:
        said.append(certs.CourseSubmissionDecided(**about, decision=state, reason=row["reason"]))
    return said


def new_submission(
    submission_id: str,
    policy: Program,
    now: datetime,
    *,
    kind: SubmissionKind,
    origin: Origin,
    state: SubmissionState,
    item: str,
    title: str,
    completed_on: date,
    candidate_id: str | None,
    **more: Any,
) -> Document:
    """A submission's document; `more` are fields of it that most do not have."""
    today = policy.day_of(now)
    return {
        "_id": submission_id,
        "program": policy.id,
        "candidate_id": candidate_id,
        "kind": kind,
        "origin": origin,
        "state": state,
        "item": item,
        "title": title,
        "completed_on": completed_on.isoformat(),
        "submitted_on": today.isoformat(),
        "submitted_at": now,
        "due_on": policy.calendar.add(today, _promise(policy, kind)).isoformat(),
        "credits": None,
        "level": None,
        "track": None,
        "delivery": None,
        "held_until": None,
        "evidence": [],
        "note": None,
        "vendor": None,
        "reference": None,
        "link": None,
        "decided_on": None,
        "decided_at": None,
        "decided_by": None,
        "reason": None,
        "assignee": None,
        "assignee_since": None,
        "announced": None,
        **more,
    }


def _promise(policy: Program, kind: SubmissionKind) -> int:
    """Business days within which a submission is decided."""
    rules = policy.policy.credits if kind == "credits" else policy.policy.courses
    return 0 if rules is None else rules.review_promise
