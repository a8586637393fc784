"""Takes a decision of staff: checked, tried on the ledger, and recorded with its fact in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from libs.common.http.problems import KEY_REUSED, NOT_FOUND, Problem, ProblemType, invalid
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program, add_years
from services.certs.decision_store import DecisionStore
from services.certs.domain import flags
from services.certs.domain.comparison import Difference
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import DecisionFact, DecisionKind, EmeritusFact, Fact
from services.certs.domain.rules import CertificationRule, rules_of
from services.certs.domain.whatif import following
from services.certs.ledgers import Ledgers

NO_EFFECT = ProblemType("decision-without-effect", "The decision would change nothing", 409)

EARLIEST, LATEST = date(1980, 1, 1), date(2099, 12, 31)
_IDLE = frozenset({flags.DECISION_IDLE, flags.CERTIFICATION_UNKNOWN, flags.EMERITUS_LATE, flags.EMERITUS_NOT_ELIGIBLE})

Kind = Literal[DecisionKind, "emeritus"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody has decided about one certification of one candidate."""

    kind: Kind
    certification: str
    """The program's own id."""
    on: date
    reason: str
    until: date | None = None
    paid_on: date | None = None

    def stored(self) -> Document:
        """The decision as it is stored; days are ISO text."""
        return {
            "kind": self.kind,
            "certification": self.certification,
            "on": self.on.isoformat(),
            "reason": self.reason,
            "until": self.until.isoformat() if self.until else None,
            "paid_on": self.paid_on.isoformat() if self.paid_on else None,
        }


def checked(
    policy: Program,
    today: date,
    *,
    kind: Kind,
    certification: str,
    reason: str,
    on: date | None,
    until: date | None,
    paid_on: date | None,
) -> Decision:
    """A decision that could be made about somebody; without a day it is of today.

    Raises:
        Problem: `invalid-request`, with the field and what is wrong with it.
    """
    rule = rules_of(policy).by_name.get(certification)
    if rule is None:
        raise invalid("body.certification", "unknown_certification", f"{policy.id} has no such certification")
    day = on or today
    if not EARLIEST <= day <= add_years(today, 1):
        raise invalid("body.on", "day", f"must be from {EARLIEST} to a year from today")
    _check_until(kind, day, until)
    _check_emeritus(kind, rule, today, paid_on)
    return Decision(kind, rule.certification.id, day, reason, until, paid_on)


def _check_until(kind: Kind, on: date, until: date | None) -> None:
    if until is None:
        if kind == "extend":
            raise invalid("body.until", "missing", "an extension needs the new last active day")
        return
    if kind not in ("extend", "grant"):
        raise invalid("body.until", "until", "belongs to a grant or an extension only")
    if not on <= until <= LATEST:
        raise invalid("body.until", "day", f"must be from the day of the decision to {LATEST}")


def _check_emeritus(kind: Kind, rule: CertificationRule, today: date, paid_on: date | None) -> None:
    if kind == "emeritus":
        if rule.emeritus is None:
            raise invalid("body.certification", "emeritus", "the program has no emeritus for it")
        if paid_on is not None and not EARLIEST <= paid_on <= today:
            raise invalid("body.paid_on", "day", f"must be from {EARLIEST} to today")
    elif paid_on is not None:
        raise invalid("body.paid_on", "paid_on", "belongs to a year of emeritus only")


def previewed(
    policy: Program, facts: Sequence[Fact], decision: Decision, now: datetime, today: date
) -> tuple[date, list[Difference]]:
    """What a decision would change, and on which day; nothing is recorded.

    Raises:
        Problem: `decision-without-effect`, as the decision itself would.
    """
    fact = _fact("preview", decision, now)
    as_of = max(today, decision.on)
    _require_effect(policy, facts, fact, now if decision.on <= today else decision.on)
    return as_of, following(policy, facts, fact, as_of, today)


class Deciding:
    """Records decisions."""

    def __init__(self, store: DecisionStore, ledgers: Ledgers, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._ledgers = ledgers
        self._unit_of_work = unit_of_work

    async def decide(
        self, decision_id: str, decision: Decision, *, policy: Program, today: date, candidate_id: str, by: str
    ) -> None:
        """Record a decision and tell what it changes. The same id again is the same decision.

        Args:
            decision_id: unique among all decisions.
            decision: as `checked` gives it.
            policy: in force.
            today: the program's day.
            candidate_id: whom it is about.
            by: the subject of who decides.

        Raises:
            Problem: `not-found` for somebody of whom nothing is known, unless it is a grant;
                `decision-without-effect`; `idempotency-key-reused` where the id is another decision's.
            Unprocessable: the candidate is another program's.
        """
        row = {"_id": decision_id, "program": policy.id, "candidate_id": candidate_id, **decision.stored()}

        async def work(transaction: Transaction) -> None:
            known = await self._store.get(decision_id, transaction.session)
            if known is not None:
                if any(known[name] != value for name, value in row.items()):
                    raise Problem(KEY_REUSED)
                return
            whose = policy.id, candidate_id
            ledger = (await self._ledgers.open(transaction, [whose]))[whose].standing_one
            if ledger.is_new and not (decision.kind == "grant" and _may_be_a_candidate(candidate_id, policy)):
                raise Problem(NOT_FOUND)
            fact = _fact(decision_id, decision, ledger.next_moment(transaction.now))
            _require_effect(policy, ledger.facts, fact, fact.known_at if decision.on <= today else decision.on)
            ledger.add(fact, transaction, None)
            await self._ledgers.save(transaction, [ledger])
            await self._store.add(transaction.session, {**row, "decided_by": by, "decided_at": transaction.now})

        await self._unit_of_work.run(work)


def _may_be_a_candidate(candidate_id: str, policy: Program) -> bool:
    """Whether an id nothing is known of has the form of the program's: no mistyped one gets a ledger."""
    digits = candidate_id.removeprefix(policy.candidate_id_prefix)
    whole = candidate_id.startswith(policy.candidate_id_prefix) and len(digits) == policy.candidate_id_digits
    return whole and digits.isascii() and digits.isdigit()


def _fact(decision_id: str, decision: Decision, now: datetime) -> DecisionFact | EmeritusFact:
    if decision.kind == "emeritus":
        return EmeritusFact(decision.certification, decision.on, now, decision.paid_on)
    return DecisionFact(
        decision_id=decision_id,
        decision=decision.kind,
        certification=decision.certification,
        on=decision.on,
        known_at=now,
        reason=decision.reason,
        until=decision.until,
    )


def _require_effect(
    policy: Program, facts: Sequence[Fact], fact: DecisionFact | EmeritusFact, as_of: date | datetime
) -> None:
    """Tries a decision, one dated ahead on its day. Raises `decision-without-effect` with the reason."""
    if isinstance(fact, EmeritusFact):
        _require_news(facts, fact)
    subject = fact.decision_id if isinstance(fact, DecisionFact) else ":".join(fact.key)
    for flag in evaluate(policy, [*facts, fact], as_of).flags:
        if flag.fact == subject and flag.code in _IDLE:
            raise Problem(NO_EFFECT, flag.text)


def _require_news(facts: Sequence[Fact], fact: EmeritusFact) -> None:
    """A year granted before may be told again only to say that it is paid."""
    before = max((one for one in facts if one.key == fact.key), key=lambda one: one.known_at, default=None)
    if not isinstance(before, EmeritusFact):
        return
    if before.paid_on is not None:
        raise Problem(NO_EFFECT, f"the year granted on {fact.on} was paid on {before.paid_on} already")
    if fact.paid_on is None:
        raise Problem(NO_EFFECT, f"the year granted on {fact.on} waits for its payment already")
