"""What would follow if something more were true: for candidates who plan.

Nothing here decides anything: the same `evaluate` judges the facts with and without the assumption.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from libs.common.programs import Exam, ExamNode, Program, leaves
from services.certs.domain.comparison import Difference, compare
from services.certs.domain.evaluate import evaluate, moment
from services.certs.domain.facts import CreditFact, ExamFact, Fact
from services.certs.domain.standing import CertificationStanding, Standing, spoken

MOST_CREDITS = 1_000
"""More are not looked for: no program asks for so many."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """A pass of an exam, or credits claimed and validated, on a day; one of `exam` and `credits` is given."""

    on: date
    exam: str | None = None
    credits: int | None = None


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


@dataclass(frozen=True, slots=True)
class ExamOption:
    """One exam that alone renews a certification if it is passed today."""

    exam: str
    title: str
    expires_on: date | None
    also_renews: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Renewal:
    """How a certification that expires can be renewed: the least demanding exam first."""

    certification: str
    expires_on: date
    exams: tuple[ExamOption, ...]
    credits: int | None
    """Credits that alone would renew it, claimed today; None where credits do not."""


def what_if(policy: Program, facts: Sequence[Fact], assumptions: Sequence[Assumption], today: date) -> WhatIf:
    """The consequences of assumptions.

    Raises:
        ValueError: without an assumption.
    """
    as_of = max(today, *(each.on for each in assumptions)) if assumptions else None
    if as_of is None:
        raise ValueError("there is nothing to assume")
    known_until = moment(today, ZoneInfo(policy.time_zone))[1]
    facts = [fact for fact in facts if not _undisclosed(fact, today, known_until)]
    assumed = [*facts, *(_fact(policy, each, number) for number, each in enumerate(assumptions))]
    after = evaluate(policy, assumed, as_of)
    differences = compare(evaluate(policy, facts, as_of), after)
    warnings = [warned for each in assumptions for warned in _given_up(policy, facts, assumed, each.on)]
    return WhatIf(as_of, tuple(differences), tuple(warnings), after)


def _undisclosed(fact: Fact, today: date, known_until: datetime) -> bool:
    """Whether nobody may know of a result today: it is held, or under an embargo.

    A plan looks at days to come, on which it may be released; it must not tell before.
    """
    if not isinstance(fact, ExamFact):
        return False
    held = fact.held_on is not None and fact.held_on <= today and (fact.released_on or date.max) > today
    return held or fact.known_at > known_until


def renewals(policy: Program, facts: Sequence[Fact], today: date) -> list[Renewal]:
    """How each active certification that expires can be renewed by one thing, the first to expire first."""
    now = evaluate(policy, facts, today)
    expiring = {name: entry for name, entry in now.certifications.items() if _expires(entry)}
    if not expiring:
        return []
    options: dict[str, list[tuple[int, ExamOption]]] = {name: [] for name in expiring}
    for exam in policy.exams.values():
        if not _offered(exam, today):
            continue
        after = evaluate(policy, [*facts, _fact(policy, Assumption(today, exam=exam.code), 0)], today)
        longer = [name for name, entry in expiring.items() if _longer(entry, after.certifications.get(name))]
        for name in longer:
            others = tuple(other for other in longer if other != name)
            option = ExamOption(exam.code, exam.title, after.certifications[name].expires_on, others)
            options[name].append((_demand(policy, exam.code), option))
    found = [
        Renewal(
            name,
            entry.expires_on or date.max,
            tuple(option for _, option in sorted(options[name], key=lambda each: (each[0], each[1].exam))),
            _credits(policy, facts, today, name, entry),
        )
        for name, entry in expiring.items()
    ]
    return sorted(found, key=lambda each: (each.expires_on, each.certification))


def _fact(policy: Program, assumption: Assumption, number: int) -> Fact:
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
    )


def _given_up(policy: Program, facts: Iterable[Fact], assumed: Iterable[Fact], day: date) -> Iterable[Warned]:
    """Certifications that the day's assumption renews although they had time left."""
    before, after = evaluate(policy, facts, day), evaluate(policy, assumed, day)
    for name, entry in before.certifications.items():
        later = after.certifications.get(name)
        if not _expires(entry) or entry.expires_on is None or not _longer(entry, later):
            continue
        left = (entry.expires_on - day).days
        if left > 0:
            text = (
                f"{name} is active through {spoken(entry.expires_on)}. Renewed on {spoken(day)} it counts anew from "
                f"that day; renewed on its last active day it would last {left} day{'' if left == 1 else 's'} longer."
            )
            yield Warned(name, left, text)


def _expires(entry: CertificationStanding) -> bool:
    return entry.status == "active" and entry.expires_on is not None


def _longer(entry: CertificationStanding, later: CertificationStanding | None) -> bool:
    if later is None or later.status != "active":
        return False
    return later.expires_on is None or (entry.expires_on is not None and later.expires_on > entry.expires_on)


def _offered(exam: Exam, day: date) -> bool:
    return (exam.first_day is None or exam.first_day <= day) and (exam.last_day is None or day <= exam.last_day)


def _demand(policy: Program, code: str) -> int:
    """The lowest level of what the exam is required for: what is asked of those who sit it."""
    ranks = {level: rank for rank, level in enumerate(policy.levels)}
    wanted = [
        ranks[each.level]
        for each in policy.certifications.values()
        if any(isinstance(leaf, ExamNode) and leaf.exam == code for leaf in leaves(each.requires))
    ]
    return min(wanted, default=len(ranks))


def _credits(
    policy: Program, facts: Sequence[Fact], today: date, name: str, entry: CertificationStanding
) -> int | None:
    """The fewest credits, claimed today, that renew it; more never do less."""

    def enough(count: int) -> bool:
        assumed = [*facts, _fact(policy, Assumption(today, credits=count), 0)]
        return _longer(entry, evaluate(policy, assumed, today).certifications.get(name))

    return _least(enough, MOST_CREDITS)


def _least(enough: Callable[[int], bool], most: int) -> int | None:
    if not enough(most):
        return None
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low
