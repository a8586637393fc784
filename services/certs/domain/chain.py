"""The reasons of an entry apart: what happened, since when it is known, and the rules that made of it what it is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from services.certs.domain.facts import (
    CourseFact,
    CreditFact,
    DecisionFact,
    DecisionKind,
    EmeritusFact,
    ExamFact,
    ExtensionFact,
    Fact,
    ImportFact,
)
from services.certs.domain.standing import CertificationStanding, Ground

FactKind = Literal["exam", "credits", "course", "import", "extension", "emeritus", "decision", "derived"]
Act = Literal["import"] | DecisionKind
"""What may be done to any certification, and no definition states."""

_KINDS: Final[dict[type, FactKind]] = {
    ExamFact: "exam",
    CreditFact: "credits",
    CourseFact: "course",
    ImportFact: "import",
    ExtensionFact: "extension",
    EmeritusFact: "emeritus",
    DecisionFact: "decision",
}


@dataclass(frozen=True, slots=True)
class ChainFact:
    """Something that happened.

    Attributes:
        kind: derived, where it follows from another certification or from the dates.
        known_at: when it was first known; None of what is derived.
        corrected_at: when something else was said of it later, if ever.
    """

    fact: str
    kind: FactKind
    on: date
    text: str
    known_at: datetime | None = None
    corrected_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChainRule:
    """A clause that gave something effect, and what it made of it; None where that is told by the facts alone.

    Attributes:
        acts: what was done under the clause that no definition states.
    """

    clause: str
    text: str | None
    acts: frozenset[Act] = frozenset()


@dataclass(frozen=True, slots=True)
class Chain:
    """Facts in the order of their days, each once; rules in the order in which they were used, each once."""

    facts: tuple[ChainFact, ...]
    rules: tuple[ChainRule, ...]


def chain(entry: CertificationStanding, known: Sequence[Fact]) -> Chain:
    """The chain of an entry.

    Args:
        entry: as it stands.
        known: what it was derived from.
    """
    facts: dict[tuple[str, str], ChainFact] = {}
    rules: dict[str, str | None] = {}
    acts: dict[str, set[Act]] = {}
    by_name = _by_name(known)

    def follow(ground: Ground) -> None:
        facts.setdefault((ground.fact, ground.text), _fact(ground, by_name))
        rules.setdefault(ground.clause, None)
        acts.setdefault(ground.clause, set()).update(_acts(by_name.get(ground.fact, [])))

    for step in entry.holdings[-1].steps:
        for ground in step.grounds:
            follow(ground)
        # What a later step says of the same clause is what holds.
        rules.pop(step.clause, None)
        rules[step.clause] = step.because[-1].text
    for ground in (*entry.decisions, *entry.grounds):
        follow(ground)
    ordered = sorted(facts.values(), key=lambda fact: fact.on)
    used = [ChainRule(clause, text, frozenset(acts.get(clause, ()))) for clause, text in rules.items()]
    return Chain(tuple(ordered), tuple(used))


def _acts(told: Iterable[Fact]) -> Iterator[Act]:
    for fact in told:
        if isinstance(fact, DecisionFact):
            yield fact.decision
        elif isinstance(fact, ImportFact):
            yield "import"


def _fact(ground: Ground, by_name: dict[str, list[Fact]]) -> ChainFact:
    told = by_name.get(ground.fact, [])
    if not told:
        return ChainFact(ground.fact, "derived", ground.day, ground.text)
    moments = sorted(fact.known_at for fact in told)
    corrected = moments[-1] if moments[-1] != moments[0] and isinstance(told[0], ExamFact) else None
    return ChainFact(ground.fact, _KINDS[type(told[0])], ground.day, ground.text, moments[0], corrected)


def _by_name(known: Iterable[Fact]) -> dict[str, list[Fact]]:
    """Facts by the name under which grounds tell of them."""
    found: dict[str, list[Fact]] = {}
    for fact in known:
        if type(fact) in _KINDS:
            found.setdefault(_name(fact), []).append(fact)
    return found


def _name(fact: Fact) -> str:
    match fact:
        case ExamFact():
            return fact.result_id
        case CreditFact():
            return fact.claim_id
        case CourseFact():
            return fact.course_id
        case DecisionFact():
            return fact.decision_id
        case _:
            return ":".join(str(part) for part in fact.key)
