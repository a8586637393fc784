"""A candidate's ledger: facts go in, certifications are derived, changes come out as events."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from libs.common.bus.messages import Received
from libs.common.events import certs
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.certs.domain.changes import Change, ChangeKind, diff, next_transition
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import ExamFact, Fact, Key
from services.certs.domain.reminders import Reminder, due_reminders, next_reminder
from services.certs.domain.standing import CertificationStanding, Standing
from services.certs.stored_facts import loaded
from services.certs.stored_facts import stored as stored_fact

_Change = (
    certs.CertificationAwarded
    | certs.CertificationRenewed
    | certs.CertificationExpired
    | certs.CertificationRevoked
    | certs.CertificationSuspended
    | certs.CertificationReinstated
)

EVENTS: dict[ChangeKind, type[_Change]] = {
    "awarded": certs.CertificationAwarded,
    "renewed": certs.CertificationRenewed,
    "expired": certs.CertificationExpired,
    "revoked": certs.CertificationRevoked,
    "suspended": certs.CertificationSuspended,
    "reinstated": certs.CertificationReinstated,
}

_LONGEST = 2_000
"""Characters of a reason in an event; the API says all of it."""


class Ledger:
    """One candidate's document, opened for changes."""

    def __init__(
        self, candidate_id: str, policy: Program, stored: Document | None, *, told_under: Program | None = None
    ) -> None:
        """`told_under` is the policy it was last evaluated with, where that was another version."""
        self.candidate_id = candidate_id
        self._policy = policy
        self._told_under = told_under or policy
        self._version: int = stored["version"] if stored else 0
        self._facts = stored_facts(stored) if stored else []
        self._known = {_telling(fact) for fact in self._facts}
        self.is_new = stored is None
        """Whether nothing is stored of the candidate yet."""
        self.changed = False
        """Whether it must be saved."""
        self._evaluated_at: datetime | None = stored["evaluated_at"] if stored else None
        self._standing: Standing | None = None

    @property
    def facts(self) -> Sequence[Fact]:
        """Everything known of the candidate, in no order."""
        return self._facts

    def add(self, fact: Fact, transaction: Transaction, cause: Received[Any] | None) -> bool:
        """Take a fact in and tell what it changes. Returns False where it was known already."""
        telling = _telling(fact)
        if telling in self._known:
            return False
        before = self._told()
        self._facts.append(fact)
        self._known.add(telling)
        # A publisher's clock may be ahead of ours; what it knows we know now.
        self._tell(before, max(transaction.now, fact.known_at), transaction, cause)
        return True

    def pass_time(self, transaction: Transaction) -> None:
        """Tell what has changed by time, or by a new version of the policy."""
        self._tell(self._told(), transaction.now, transaction, None)

    def _told(self) -> Standing | None:
        """The standing as it was last told: what was known then, as of then."""
        if self._standing is None and self._evaluated_at is not None:
            self._standing = evaluate(self._told_under, self._facts, self._evaluated_at)
        return self._standing

    def _tell(
        self, before: Standing | None, as_of: datetime, transaction: Transaction, cause: Received[Any] | None
    ) -> None:
        after = evaluate(self._policy, self._facts, as_of)
        earlier = before or evaluate(self._policy, (), as_of)
        for change in diff(earlier, after):
            self._version += 1
            transaction.emit(
                _event(self.candidate_id, change),
                program=self._policy.id,
                subject=self.candidate_id,
                version=self._version,
                cause=cause,
            )
        for reminder in due_reminders(self._policy.reminders, earlier, after):
            self._version += 1
            transaction.emit(
                _reminder_event(self.candidate_id, reminder),
                program=self._policy.id,
                subject=self.candidate_id,
                version=self._version,
            )
        self._standing, self._evaluated_at = after, as_of
        self.changed = True

    def document(self) -> Document:
        """The ledger as it is stored."""
        standing = self._standing
        if standing is None or self._evaluated_at is None:
            raise ValueError("a ledger is saved after something was added to it")
        return {
            "_id": self.candidate_id,
            "version": self._version,
            "facts": [stored_fact(fact) for fact in self._facts],
            "evaluated_at": self._evaluated_at,
            **_derived(self._policy, standing),
        }


def _derived(policy: Program, standing: Standing) -> Document:
    days = [next_transition(standing), next_reminder(policy.reminders, standing)]
    due = min((day for day in days if day is not None), default=None)
    return {
        "program": standing.program,
        "policy_version": standing.policy_version,
        "certifications": [_stored(entry) for entry in standing.certifications.values()],
        "next_transition_on": due.isoformat() if due else None,
        "flags": [flag._asdict() for flag in standing.flags],
    }


def stored_ledger(candidate_id: str, policy: Program, facts: Sequence[Fact], as_of: datetime) -> Document:
    """The document of a candidate of whom these facts are known and nothing was told yet: an opening balance."""
    return {
        "_id": candidate_id,
        "version": 0,
        "facts": [stored_fact(fact) for fact in facts],
        "evaluated_at": as_of,
        **_derived(policy, evaluate(policy, facts, as_of)),
    }


def _event(candidate_id: str, change: Change) -> _Change:
    entry = change.subject
    return EVENTS[change.kind](
        candidate_id=candidate_id,
        certification=entry.certification,
        title=entry.title,
        earned_on=entry.earned_on,
        expires_on=entry.expires_on,
        because=_shortened(change.sentence),
    )


def _reminder_event(candidate_id: str, reminder: Reminder) -> certs.CertificationExpiring:
    entry = reminder.certification
    return certs.CertificationExpiring(
        candidate_id=candidate_id,
        certification=entry.certification,
        title=entry.title,
        earned_on=entry.earned_on,
        expires_on=entry.expires_on,
        because=_shortened(entry.sentence),
        days_left=reminder.days_left,
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def stored_facts(ledger: Document) -> list[Fact]:
    """The facts in a stored ledger."""
    return [loaded(row) for row in ledger["facts"]]


def _stored(entry: CertificationStanding) -> Document:
    return {
        "certification": entry.certification,
        "title": entry.title,
        "status": entry.status,
        "earned_on": entry.earned_on.isoformat(),
        "expires_on": entry.expires_on.isoformat() if entry.expires_on else None,
        "text": entry.sentence,
        "because": [{"fact": reason.fact, "clause": reason.clause, "text": reason.text} for reason in entry.because],
        "holdings": [_stored_holding(holding.earned_on, holding.expires_on) for holding in entry.holdings],
        **({"designations": list(entry.designations)} if entry.designations else {}),
    }


def _stored_holding(earned_on: date, expires_on: date | None) -> Document:
    return {"earned_on": earned_on.isoformat(), "expires_on": expires_on.isoformat() if expires_on else None}


def _telling(fact: Fact) -> Key | tuple[Key, datetime]:
    """What tells a fact that comes again from one that is new.

    An exam's revision is the same whenever it is told. Of the others a later telling is a new one: a claim is
    pending first and validated then, and what was known in between stays known.
    """
    return fact.key if type(fact) is ExamFact else (fact.key, fact.known_at)
