"""What is missing for each certification that is not held, and when a pass in hand stops counting."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from libs.common.languages.days import spoken
from libs.common.programs import (
    AllNode,
    CertificationNode,
    ExamNode,
    NOfNode,
    Program,
    Requirement,
    add_months,
    leaves,
)
from services.certs.domain import accounts
from services.certs.domain.evaluate import moment, run
from services.certs.domain.facts import ExamFact, Fact, Known
from services.certs.domain.replay import Replay
from services.certs.domain.rules import CertificationRule, ProgramRules, rules_of
from services.certs.languages import both, say, say_many


@dataclass(frozen=True, slots=True)
class PassInHand:
    """A pass that counts towards a certification that is not held."""

    fact: str
    code: str
    passed_on: date
    counts_through: date | None
    """Last day on which it can complete the requirement; None where it has none."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing still needed: as many as `n` of the exams or certifications named."""

    n: int
    exams: tuple[str, ...]
    certifications: tuple[str, ...]

    @property
    def text(self) -> str:
        names = [*self.exams, *self.certifications]
        if len(names) == 1:
            return names[0]
        return say_many("one of {names}", "{count} of {names}", self.n, names=say(", ").join(names))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a candidate is on the way to one certification."""

    certification: str
    in_hand: tuple[PassInHand, ...]
    missing: tuple[Missing, ...]
    clause: str

    @property
    def waits(self) -> bool:
        """Whether every exam is there, and only certifications are missing."""
        return bool(self.in_hand) and all(not one.exams for one in self.missing)

    @property
    def sentence(self) -> str:
        """What is missing, and until when what is there counts, as one plain sentence."""
        missing = both([one.text for one in self.missing])
        parts = [say("{certification} needs {missing}", certification=self.certification, missing=missing)]
        parts += [_in_hand(one) for one in self.in_hand]
        return say("; ").join(parts) + "."


def _in_hand(one: PassInHand) -> str:
    if one.counts_through is None:
        return say("{exam} passed on {day}, waits without limit", exam=one.code, day=spoken(one.passed_on))
    return say(
        "{exam} passed on {day}, counts through {last}",
        exam=one.code,
        day=spoken(one.passed_on),
        last=spoken(one.counts_through),
    )


def progress(policy: Program, facts: Iterable[Fact], as_of: date | datetime) -> list[Progress]:
    """Every certification not held, in dependence order: those with a pass in hand, and all others."""
    rules = rules_of(policy)
    today, known_until = moment(as_of, rules.zone)
    found: dict[tuple[str | None, str], Progress] = {}
    for account, known in accounts.split(Known(facts, known_until)):
        replay, _ = run(rules, known, today)
        for rule in rules.ordered:
            one = _progress(rule, rules, replay, today)
            if one is not None:
                found[account, one.certification] = one
    return list(found.values())


def waiting(policy: Program, facts: Sequence[Fact], as_of: date | datetime) -> list[dict[str, Any]]:
    """Passes that wait for a prerequisite, each with the certifications it waits for."""
    return [
        {"cert": one.certification, "missing": [name for part in one.missing for name in part.certifications]}
        for one in progress(policy, facts, as_of)
        if one.waits
    ]


def _progress(rule: CertificationRule, rules: ProgramRules, replay: Replay, today: date) -> Progress | None:
    held = replay.held_by.get(rule.certification.id)
    if (held is not None and held.active(today)) or today >= rules.retired.get(rule.certification.id, date.max):
        return None
    look = _Look(rule, rules, replay, today, held.cycle_from if held else date.min)
    missing = tuple(look.missing(rule.certification.requires))
    if not missing:
        return None
    return Progress(rule.certification.id, tuple(look.in_hand()), missing, rule.requires_clause)


@dataclass(frozen=True, slots=True)
class _Look:
    """A requirement as it stands at the end of a replay."""

    rule: CertificationRule
    rules: ProgramRules
    replay: Replay
    today: date
    floor: date

    def _counts(self, code: str, until: date | None) -> tuple[ExamFact, date | None] | None:
        """The pass of a code that still counts, and its last day."""
        fact = self.replay.passes.get(code)
        if fact is None or fact.taken_on <= self.floor:
            return None
        counts = self.rule.certification.pass_counts
        period = counts.practical if self.rules.exams[code].kind == "practical" else counts.written
        if period is not None and not period.months:
            return None  # what counts on its own day only is never in hand
        last = None if period is None else add_months(fact.taken_on, period.months)
        if until is not None:
            last = until if last is None else min(last, until)
        return None if last is not None and last < self.today else (fact, last)

    def in_hand(self) -> Iterable[PassInHand]:
        for leaf in leaves(self.rule.certification.requires):
            if isinstance(leaf, ExamNode):
                found = self._counts(leaf.exam, leaf.until)
                if found is not None:
                    yield PassInHand(found[0].result_id, leaf.exam, found[0].taken_on, found[1])

    def _met(self, node: Requirement) -> bool:
        if isinstance(node, ExamNode):
            return self._counts(node.exam, node.until) is not None
        if isinstance(node, CertificationNode):
            held = self.replay.held_by.get(node.certification)
            return held is not None and held.active(self.today) and not held.suspended
        met = sum(self._met(part) for part in node.parts)
        return met >= _needed(node)

    def missing(self, node: Requirement) -> Iterable[Missing]:
        """What of a requirement is not met, each choice as one thing."""
        if self._met(node):
            return
        if isinstance(node, ExamNode):
            yield Missing(1, (node.exam,), ())
        elif isinstance(node, CertificationNode):
            yield Missing(1, (), (node.certification,))
        elif isinstance(node, AllNode):
            for part in node.parts:
                yield from self.missing(part)
        else:
            lacking = _needed(node) - sum(self._met(part) for part in node.parts)
            names = [leaf for part in node.parts if not self._met(part) for leaf in leaves(part)]
            exams = tuple(
                leaf.exam for leaf in names if isinstance(leaf, ExamNode) and self._offered(leaf.exam, leaf.until)
            )
            yield Missing(
                lacking, exams, tuple(leaf.certification for leaf in names if isinstance(leaf, CertificationNode))
            )

    def _offered(self, code: str, until: date | None) -> bool:
        last_day = self.rules.exams[code].last_day
        return (until is None or self.today <= until) and (last_day is None or self.today <= last_day)


def _needed(node: Requirement) -> int:
    """How many parts of a requirement must be met."""
    if isinstance(node, AllNode):
        return len(node.parts)
    return node.n if isinstance(node, NOfNode) else 1
