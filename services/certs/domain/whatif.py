"""What would follow if something more were true: for candidates who plan.

Nothing here decides anything: the same `evaluate` judges the facts with and without the assumption.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from libs.common.languages.days import spoken
from libs.common.programs import Program
from services.certs.domain.comparison import Difference, compare
from services.certs.domain.evaluate import evaluate, moment
from services.certs.domain.facts import CreditFact, ExamFact, Fact
from services.certs.domain.standing import CertificationStanding, Standing
from services.certs.languages import say_many


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something that may come true on a day; one of `exam`, `credits` and `claim` is given."""

    on: date
    exam: str | None = None
    """A pass of the exam."""
    credits: int | None = None
    """So many credits completed, claimed and validated."""
    claim: str | None = None
    """Id of a claim that is there: it is validated, if it is not yet."""
    held_until: date | None = None
    """Of credits and claims: the day from which they may renew something."""

    @property
    def acts_on(self) -> date:
        """The day of its effect."""
        return self.on if self.held_until is None else max(self.on, self.held_until)


@dataclass(frozen=True, slots=True)
class Warned:
    """A certification that would be renewed earlier than it need be."""

    certification: str
    days_given_up: int
    text: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What assumptions would change, judged on the day of the last of them."""

    as_of: date
    differences: tuple[Difference, ...]
    warnings: tuple[Warned, ...]
    after: Standing


def what_if(policy: Program, facts: Sequence[Fact], assumptions: Sequence[Assumption], today: date) -> WhatIf:
    """The consequences of assumptions.

    Raises:
        ValueError: without an assumption, or with one of a claim that is not there.
    """
    as_of = max(today, *(each.acts_on for each in assumptions)) if assumptions else None
    if as_of is None:
        raise ValueError("there is nothing to assume")
    known_until = moment(today, ZoneInfo(policy.time_zone))[1]
    facts = [fact for fact in facts if not _undisclosed(fact, today, known_until)]
    assumed = _assumed(policy, facts, assumptions)
    after = evaluate(policy, assumed, as_of)
    differences = compare(evaluate(policy, facts, as_of), after)
    warnings = [warned for each in assumptions for warned in _given_up(policy, facts, assumed, each.acts_on)]
    return WhatIf(as_of, tuple(differences), tuple(warnings), after)


def following(policy: Program, facts: Sequence[Fact], fact: Fact, as_of: date, today: date) -> list[Difference]:
    """What one more fact changes, judged on `as_of`: a decision or an acceptance, before it is made."""
    known_until = moment(today, ZoneInfo(policy.time_zone))[1]
    known = [each for each in facts if not _undisclosed(each, today, known_until)]
    return compare(evaluate(policy, known, as_of), evaluate(policy, [*known, fact], as_of))


def _undisclosed(fact: Fact, today: date, known_until: datetime) -> bool:
    """Whether nobody may know of a result today: it is held, or under an embargo.

    A plan looks at days to come, on which it may be released; it must not tell before.
    """
    if not isinstance(fact, ExamFact):
        return False
    held = fact.held_on is not None and fact.held_on <= today and (fact.released_on or date.max) > today
    return held or fact.known_at > known_until


def _assumed(policy: Program, facts: Iterable[Fact], assumptions: Iterable[Assumption]) -> list[Fact]:
    claims = {fact.claim_id: fact for fact in sorted(facts, key=_told) if isinstance(fact, CreditFact)}
    changed: dict[str, Fact] = {}
    added: list[Fact] = []
    for number, each in enumerate(assumptions):
        if each.claim is None:
            added.append(assumed_fact(policy, each, number))
            continue
        claim = claims.get(each.claim)
        if claim is None:
            raise ValueError(f"there is no claim {each.claim!r}")
        decided = claim.validated_on if claim.status == "validated" else each.on
        changed[each.claim] = replace(claim, status="validated", validated_on=decided, held_until=each.held_until)
    kept = (fact for fact in facts if not (isinstance(fact, CreditFact) and fact.claim_id in changed))
    return [*kept, *changed.values(), *added]


def _told(fact: Fact) -> datetime:
    return fact.known_at


def assumed_fact(policy: Program, assumption: Assumption, number: int) -> Fact:
    """The fact that an assumption would be."""
    known_at = datetime.combine(assumption.on, time.min, ZoneInfo(policy.time_zone))
    if assumption.exam is not None:
        exam = policy.find_exam(assumption.exam)
        code = exam.code if exam else assumption.exam
        return ExamFact(f"assumption {number + 1}", 1, code, assumption.on, "pass", known_at)
    return CreditFact(
        f"assumption {number + 1}",
        assumption.credits or 0,
        assumption.on,
        "validated",
        known_at,
        submitted_on=assumption.on,
        validated_on=assumption.on,
        held_until=assumption.held_until,
    )


def _given_up(policy: Program, facts: Iterable[Fact], assumed: Iterable[Fact], day: date) -> Iterable[Warned]:
    """Certifications that the day's assumption renews although they had time left."""
    before, after = evaluate(policy, facts, day), evaluate(policy, assumed, day)
    for name, entry in before.certifications.items():
        later = after.certifications.get(name)
        if not expires(entry) or entry.expires_on is None or not longer(entry, later):
            continue
        left = (entry.expires_on - day).days
        if left > 0:
            text = say_many(
                "{certification} is active through {last}. Renewed on {day} it counts anew from that day; renewed on "
                "its last active day it would last {count} day longer.",
                "{certification} is active through {last}. Renewed on {day} it counts anew from that day; renewed on "
                "its last active day it would last {count} days longer.",
                left,
                certification=name,
                last=spoken(entry.expires_on),
                day=spoken(day),
            )
            yield Warned(name, left, text)


def expires(entry: CertificationStanding) -> bool:
    """Whether it is active and will end."""
    return entry.status == "active" and entry.expires_on is not None


def longer(entry: CertificationStanding, later: CertificationStanding | None) -> bool:
    """Whether `later` is the same one, active for longer."""
    if later is None or later.status != "active":
        return False
    return later.expires_on is None or (entry.expires_on is not None and later.expires_on > entry.expires_on)
