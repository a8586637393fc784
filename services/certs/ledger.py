"""A candidate's ledger: facts go in, certifications are derived, changes come out as events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from libs.common.accounts import survivor
from libs.common.bus.messages import Received
from libs.common.events import EventData
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from libs.common.spoken import spoken
from services.certs.domain.changes import diff, next_transition
from services.certs.domain.evaluate import evaluate, moment
from services.certs.domain.facts import ExamFact, Fact, Key, SeparationFact
from services.certs.domain.merges import LINKS, Link, counted, ends, lineage
from services.certs.domain.milestones import Anniversary, next_anniversary, reached
from services.certs.domain.reminders import due_reminders, next_reminder
from services.certs.domain.standing import CertificationStanding, Standing
from services.certs.ledger_events import event_of, milestone_event, reminder_event
from services.certs.stored_facts import loaded
from services.certs.stored_facts import stored as stored_fact

Told = tuple[str | None, str]
"""An account, None for the candidate's own, and a milestone that was told to it."""


_ALL_TIME = datetime.max.replace(tzinfo=UTC)
_TICK = timedelta(milliseconds=1)


class Ledger:
    """One candidate's document, opened for changes."""

    def __init__(
        self, candidate_id: str, policy: Program, stored: Document | None, *, told_under: Program | None = None
    ) -> None:
        """`told_under` is the policy it was last evaluated with, where that was another version."""
        self.candidate_id = candidate_id
        self.policy = policy
        self._told_under = told_under or policy
        self._version: int = stored["version"] if stored else 0
        self._facts = stored_facts(stored) if stored else []
        self._known = {_telling(fact) for fact in self._facts}
        self._links = [fact for fact in self._facts if isinstance(fact, LINKS)] if stored and "kin" in stored else []
        self._told_facts: int | None = stored["told"]["facts"] if stored and "told" in stored else None
        self._milestones: list[Told] = [_told_milestone(row) for row in stored.get("milestones", ())] if stored else []
        self.family: Mapping[str, Ledger] = {}
        """The ledgers of all accounts it was ever merged with, and its own; empty for most."""
        self.is_new = stored is None
        """Whether nothing is stored of the candidate yet."""
        self.changed = False
        """Whether it must be saved."""
        self.told_before: list[Document] = stored["certifications"] if stored else []
        self._evaluated_at: datetime | None = stored["evaluated_at"] if stored else None
        self._standing: Standing | None = None

    @property
    def facts(self) -> list[Fact]:
        """What counts for the candidate as far as is known, what was just added too."""
        return counted(self.candidate_id, self._facts, _ALL_TIME) if self._links else list(self._facts)

    def add(self, fact: Fact, transaction: Transaction, cause: Received[Any] | None) -> bool:
        """Take a fact in and tell what it changes. Returns False where it was known already."""
        telling = _telling(fact)
        if telling in self._known:
            return False
        if self._links:
            self.take((fact,), transaction, cause)
            for account in lineage(self.candidate_id, ends(self._links)):
                self.family[account].take((replace(fact, account=self.candidate_id),), transaction, cause)
            return True
        before = self._told()
        self._facts.append(fact)
        self._known.add(telling)
        # A publisher's clock may be ahead of ours; what it knows we know now.
        self._tell(before, max(transaction.now, fact.known_at), transaction, cause)
        return True

    def say(self, data: EventData, transaction: Transaction, cause: Received[Any] | None) -> None:
        """Tell something about the candidate that is no change of a certification; of a merged one, to the other."""
        other = self.standing_one
        if other is not self:
            other.say(data.model_copy(update={"candidate_id": other.candidate_id}), transaction, cause)
            return
        if self._standing is None:
            self._tell(self._told(), transaction.now, transaction, cause)
        self._emit(data, transaction, cause)

    def take(self, facts: Iterable[Fact], transaction: Transaction, cause: Received[Any] | None) -> bool:
        """Take facts in as one, other accounts' too, and tell what they change together. Returns whether any is new."""
        fresh = {telling: fact for fact in facts if (telling := _telling(fact)) not in self._known}
        if not fresh:
            return False
        before, told = self._told(), len(self._facts)
        self._facts += fresh.values()
        self._known |= fresh.keys()
        self._links += (fact for fact in fresh.values() if isinstance(fact, LINKS))
        as_of = max(transaction.now, *(fact.known_at for fact in fresh.values()))
        if self._links and self.merged_into is not None:
            # From here on the other one tells; what was told so far is kept for the day on which they are separated.
            self._told_facts = told if self._told_facts is None else self._told_facts
            self._evaluated_at = self._evaluated_at or as_of
            self.changed = True
        else:
            self._tell(before, as_of, transaction, cause, why=self._separated(fresh.values()))
        return True

    def next_moment(self, now: datetime) -> datetime:
        """When something that is decided now is known: after all that was decided before, to the stored clock's tick.

        Of two tellings of one fact the later counts, so no two may be of one moment.
        """
        decided = (fact.known_at + _TICK for fact in self._facts if type(fact) is not ExamFact)
        return max([now, *decided])

    @property
    def kin(self) -> list[str]:
        """The other accounts that this one was ever merged with, through others too."""
        named = {account for link in self._links for account in (link.source, link.into)}
        return sorted(named - {self.candidate_id})

    @property
    def merged_into(self) -> str | None:
        """The account that stands for this one; None where it stands for itself."""
        into = ends(self._links)
        return survivor(self.candidate_id, into) if self.candidate_id in into else None

    @property
    def standing_one(self) -> "Ledger":
        """The ledger that stands for this account: its own, or that of the account it has gone into."""
        return self if self.merged_into is None else self.family[self.merged_into]

    @property
    def links(self) -> Sequence[Link]:
        """What is known of its merges and theirs."""
        return self._links

    @property
    def own(self) -> list[Fact]:
        """What is known of this account itself."""
        return [fact for fact in self._facts if fact.account is None and not isinstance(fact, LINKS)]

    @property
    def told_milestones(self) -> list[str]:
        """Those that were told to this account itself."""
        return [milestone for account, milestone in self._milestones if account is None]

    def hear_of(self, account: str, milestones: Iterable[str]) -> None:
        """Keep in mind which were told to an account that goes into this one."""
        known = set(self._milestones)
        self._milestones += ((account, name) for name in milestones if (account, name) not in known)

    def _separated(self, fresh: Iterable[Fact]) -> str | None:
        """Why something is lost, where that is because another account has left this one."""
        left = [fact.on for fact in fresh if isinstance(fact, SeparationFact) and fact.source != self.candidate_id]
        if not left:
            return None
        return (
            f"It rested on what belongs to another account, which was separated from this one on {spoken(max(left))}."
        )

    def pass_time(self, transaction: Transaction) -> None:
        """Tell what has changed by time, or by a new version of the policy."""
        self._tell(self._told(), transaction.now, transaction, None)

    def _told(self) -> Standing | None:
        """The standing as it was last told: what was known then, as of then."""
        if self._standing is None and self._evaluated_at is not None:
            facts = self._facts if self._told_facts is None else self._facts[: self._told_facts]
            self._standing = self._evaluate(self._told_under, facts, self._evaluated_at)
        return self._standing

    def _evaluate(self, policy: Program, facts: Sequence[Fact], as_of: datetime) -> Standing:
        return evaluate(policy, counted(self.candidate_id, facts, as_of) if self._links else facts, as_of)

    def _tell(
        self,
        before: Standing | None,
        as_of: datetime,
        transaction: Transaction,
        cause: Received[Any] | None,
        *,
        why: str | None = None,
    ) -> None:
        # What was known once stays known, though the clock that said so may have been ahead.
        as_of = max(as_of, self._evaluated_at or as_of)
        after = self._evaluate(self.policy, self._facts, as_of)
        earlier = before or Standing(after.program, after.policy_version, after.as_of, {})
        for change in diff(earlier, after):
            self._emit(event_of(self.candidate_id, change, why), transaction, cause)
        for reminder in due_reminders(self.policy.reminders, earlier, after):
            self._emit(reminder_event(self.candidate_id, reminder), transaction, None)
        for each in self._untold(reached(self.policy.policy.milestones, after)):
            self._milestones.append((None, each.milestone.id))
            self._emit(milestone_event(self.candidate_id, each), transaction, cause)
        self._standing, self._evaluated_at, self._told_under = after, as_of, self.policy
        self._told_facts = None
        self.changed = True

    def _emit(self, data: EventData, transaction: Transaction, cause: Received[Any] | None) -> None:
        self._version += 1
        transaction.emit(data, program=self.policy.id, subject=self.candidate_id, version=self._version, cause=cause)

    def _untold(self, found: list[Anniversary]) -> list[Anniversary]:
        """Milestones that were never told: neither to this account nor to one that has gone into it."""
        if not found:
            return found
        into = ends(self._links)
        told = {
            name
            for account, name in self._milestones
            if account is None or survivor(account, into) == self.candidate_id
        }
        return [each for each in found if each.milestone.id not in told]

    def document(self) -> Document:
        """The ledger as it is stored."""
        row: Document = {
            "_id": self.candidate_id,
            "version": self._version,
            "facts": [stored_fact(fact) for fact in self._facts],
            "evaluated_at": self._evaluated_at,
        }
        if self._milestones:
            row["milestones"] = [{"milestone": name, "account": account} for account, name in self._milestones]
        if self._links:
            row["kin"] = self.kin
            if self.merged_into is not None:
                return row | self._merged_away()
        if self._standing is None:
            raise ValueError("a ledger is saved after something was added to it")
        return row | _derived(self.policy, self._standing)

    def _merged_away(self) -> Document:
        """What is stored beside the facts while another account stands for this one: nothing that is ever due.

        `told` is how many of the facts were told of before, and under which policy.
        """
        return {
            "program": self.policy.id,
            "certifications": [],
            "next_transition_on": None,
            "flags": [],
            "merged_into": self.merged_into,
            "told": {"facts": self._told_facts, "policy_version": self._told_under.version},
        }


def _derived(policy: Program, standing: Standing, *, due: date | None = None) -> Document:
    days = [
        due,
        next_transition(standing),
        next_reminder(policy.reminders, standing),
        next_anniversary(policy.policy.milestones, standing),
    ]
    due = min((day for day in days if day is not None), default=None)
    return {
        "program": standing.program,
        "policy_version": standing.policy_version,
        "certifications": [stored_entry(entry) for entry in standing.certifications.values()],
        "next_transition_on": due.isoformat() if due else None,
        "flags": [flag._asdict() for flag in standing.flags],
    }


def stored_ledger(candidate_id: str, policy: Program, facts: Sequence[Fact], as_of: datetime) -> Document:
    """The document of a candidate of whom these facts are known and nothing was told yet: an opening balance."""
    standing = evaluate(policy, facts, as_of)
    return {
        "_id": candidate_id,
        "version": 0,
        "facts": [stored_fact(fact) for fact in facts],
        "evaluated_at": as_of,
        **_derived(policy, standing, due=standing.as_of if reached(policy.policy.milestones, standing) else None),
    }


def facts_at(ledger: Document, known_until: datetime) -> list[Fact]:
    """The facts in a stored ledger that count for its candidate, by the merges known at a moment."""
    facts = stored_facts(ledger)
    return counted(ledger["_id"], facts, known_until) if "kin" in ledger else facts


def facts_on(ledger: Document | None, policy: Program, day: date) -> list[Fact]:
    """The facts that count for a ledger's candidate by the merges known on a day; none where nothing is known."""
    return facts_at(ledger, moment(day, ZoneInfo(policy.time_zone))[1]) if ledger else []


def accounts_of(ledger: Document) -> list[str]:
    """The account of a stored ledger, and those that have gone into it."""
    account: str = ledger["_id"]
    if "kin" not in ledger:
        return [account]
    into = ends([fact for fact in stored_facts(ledger) if isinstance(fact, LINKS)])
    return [account, *(other for other in ledger["kin"] if survivor(other, into) == account)]


def stored_facts(ledger: Document) -> list[Fact]:
    """The facts in a stored ledger."""
    return [loaded(row) for row in ledger["facts"]]


def stored_entry(entry: CertificationStanding) -> Document:
    """An entry as ledgers keep it, for reading without a replay."""
    return {
        "certification": entry.certification,
        "title": entry.title,
        "status": entry.status,
        "earned_on": entry.earned_on.isoformat(),
        "expires_on": entry.expires_on.isoformat() if entry.expires_on else None,
        "text": entry.sentence,
        "because": [{"fact": fact, "clause": clause, "text": text} for fact, clause, text in entry.because],
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
    if fact.account is not None:  # what belongs to another account is not the same, whatever its key
        return (fact.account, *fact.key), fact.known_at
    return fact.key if type(fact) is ExamFact else (fact.key, fact.known_at)


def _told_milestone(row: Document) -> Told:
    return row["account"], row["milestone"]
