"""How what is held can be renewed: every way that the program knows, what of it is left, and what it costs.

Nothing here decides anything: the same `evaluate` judges the facts with each pass or credit added.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import inf

from libs.common.programs import Exam, ExamNode, Program, leaves
from libs.common.programs.policy import Way
from services.certs.domain import accounts
from services.certs.domain.evaluate import evaluate, moment, run
from services.certs.domain.facts import Fact, Known
from services.certs.domain.rules import rules_of
from services.certs.domain.standing import CertificationStanding
from services.certs.domain.whatif import Assumption, assumed_fact, expires, longer
from services.certs.languages import both, say_many

MOST_CREDITS = 1_000
"""More are not looked for: no program asks for so many."""


@dataclass(frozen=True, slots=True)
class ExamOption:
    """One exam that alone renews a certification if it is passed today."""

    exam: str
    title: str
    expires_on: date | None
    also_renews: tuple[str, ...]
    fee: int | None
    """In the program's currency; None where it is not known."""


@dataclass(frozen=True, slots=True)
class WayLeft:
    """One of the program's ways to renew, as far as it is left to go."""

    exams: tuple[tuple[str, ...], ...]
    """Exams still needed, a different one from each list; those on offer, the cheapest first."""
    credits: int
    """Credits still needed."""
    fee: int | None
    """What the cheapest of these exams cost together; None where one is not known."""
    clause: str
    text: str


@dataclass(frozen=True, slots=True)
class Renewal:
    """How a certification that expires can be renewed."""

    certification: str
    expires_on: date
    exams: tuple[ExamOption, ...]
    """Exams that alone renew it, the cheapest first; of the same fee, or of none known, the least demanding."""
    credits: int | None
    """Credits that alone would renew it, claimed today; None where credits do not."""
    ways: tuple[WayLeft, ...]
    """The cheapest first."""


def renewals(policy: Program, facts: Sequence[Fact], today: date) -> list[Renewal]:
    """How each active certification that expires can be renewed, the first to expire first."""
    now = evaluate(policy, facts, today)
    expiring = {name: entry for name, entry in now.certifications.items() if expires(entry)}
    if not expiring:
        return []
    options = _options(policy, facts, today, expiring)
    ways = _ways(policy, facts, today)
    found = [
        Renewal(
            name,
            entry.expires_on or date.max,
            options[name],
            _credits(policy, facts, today, name, entry),
            ways.get(name, ()),
        )
        for name, entry in expiring.items()
    ]
    return sorted(found, key=lambda each: (each.expires_on, each.certification))


def _options(
    policy: Program, facts: Sequence[Fact], today: date, expiring: Mapping[str, CertificationStanding]
) -> dict[str, tuple[ExamOption, ...]]:
    """By certification the exams that alone renew it: each is tried."""
    options: dict[str, list[ExamOption]] = {name: [] for name in expiring}
    for exam in policy.exams.values():
        if not _offered(exam, today):
            continue
        after = evaluate(policy, [*facts, assumed_fact(policy, Assumption(today, exam=exam.code), 0)], today)
        renewed = [name for name, entry in expiring.items() if longer(entry, after.certifications.get(name))]
        for name in renewed:
            others = tuple(other for other in renewed if other != name)
            until = after.certifications[name].expires_on
            options[name].append(ExamOption(exam.code, exam.title, until, others, _fee(policy, exam.code)))
    return {name: tuple(sorted(found, key=lambda each: _cost(policy, each.exam))) for name, found in options.items()}


def _ways(policy: Program, facts: Sequence[Fact], today: date) -> dict[str, tuple[WayLeft, ...]]:
    """By certification the ways of the definition, less what the present cycle has of them already."""
    rules = rules_of(policy)
    _, known_until = moment(today, rules.zone)
    found = {}
    for _, part in accounts.split(Known(facts, known_until)):
        replay, _ = run(rules, part, today)
        highest = max((held.rule.rank for held in replay.held_by.values() if held.active(today)), default=0)
        for name, held in replay.held_by.items():
            if not held.renewable(today):
                continue
            passed = frozenset(replay.passed_since(held.cycle_from))
            claims = replay.credits.of_cycle(held.rule.rank, held.cycle_from) if replay.credits else []
            counting = sum(claim.credits for claim in claims)
            left = [
                _left(policy, way, passed, counting, today)
                for way in held.rule.certification.renewal
                # Credits serve the highest level held and no other.
                if not way.credits or (held.rule.on_ladder and held.rule.rank == highest)
            ]
            ways = [way for way in left if way is not None]
            found[name] = tuple(sorted(ways, key=_effort))
    return found


def _left(policy: Program, way: Way, passed: frozenset[str], counting: int, today: date) -> WayLeft | None:
    """What is left of a way; None where an exam that it needs is offered no more."""
    exams = []
    for slot in unfilled(way.slots, passed):
        offered = [code for code in slot - passed if _offered(policy.exams[code], today)]
        if not offered:
            return None
        exams.append(tuple(sorted(offered, key=lambda code: _cost(policy, code))))
    missing = max(0, way.credits - counting)
    fees = [_fee(policy, choice[0]) for choice in exams]
    fee = sum(fee for fee in fees if fee is not None) if None not in fees else None
    return WayLeft(tuple(exams), missing, fee, way.clause, _spoken(policy, len(exams), missing, fee))


def _effort(way: WayLeft) -> tuple[int, bool, int, int, str]:
    """What a way asks for: its fees, then one exam before several, and exams before credits alone."""
    return way.fee or 0, not way.exams, len(way.exams), way.credits, way.clause


def _spoken(policy: Program, exams: int, missing: int, fee: int | None) -> str:
    parts = []
    if exams and fee is not None and policy.policy.fees:
        cost = f"{fee} {policy.policy.fees.currency}"
        parts.append(say_many("pass one exam ({cost})", "pass {count} different exams ({cost})", exams, cost=cost))
    elif exams:
        parts.append(say_many("pass one exam", "pass {count} different exams", exams))
    if missing:
        parts.append(say_many("earn {count} credit", "earn {count} credits", missing))
    text = both(parts)
    return f"{text[:1].upper()}{text[1:]}."


def unfilled(slots: tuple[frozenset[str], ...], passed: frozenset[str]) -> tuple[frozenset[str], ...]:
    """The fewest slots that are left once passes, each used for one slot, fill as many as they can."""
    if not slots:
        return ()
    first, rest = slots[0], slots[1:]
    fewest = (first, *unfilled(rest, passed))
    for code in sorted(first & passed):
        left = unfilled(rest, passed - {code})
        if len(left) < len(fewest):
            fewest = left
    return fewest


def _fee(policy: Program, code: str) -> int | None:
    fees = policy.policy.fees
    return None if fees is None else fees.by_exam.get(code)


def _cost(policy: Program, code: str) -> tuple[float, int, str]:
    """What is asked of those who sit an exam: its fee, then its level; an unknown fee comes last."""
    fee = _fee(policy, code)
    return (inf if fee is None else fee), _demand(policy, code), code


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
        assumed = [*facts, assumed_fact(policy, Assumption(today, credits=count), 0)]
        return longer(entry, evaluate(policy, assumed, today).certifications.get(name))

    return _least(enough, MOST_CREDITS)


def _least(enough: Callable[[int], bool], most: int) -> int | None:
    if not enough(most):
        return None
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low
