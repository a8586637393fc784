"""A program prepared for replay: which exam can touch which certification, and requirements ready to be met.

Prepared once for each `Program` object and kept as long as the program is.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple, Protocol
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from libs.common.programs import (
    AllNode,
    Certification,
    CertificationNode,
    Exam,
    ExamNode,
    NOfNode,
    Program,
    Requirement,
    add_months,
    in_dependence_order,
    leaves,
)
from libs.common.programs.policy import Designation, EmeritusRules, Way
from services.certs.domain.facts import ExamFact, ExtensionFact


class Prerequisite(NamedTuple):
    """A certification that was held on the day."""

    certification: str
    earned_on: date


class Met(NamedTuple):
    """A requirement is met: by what, and the day of the newest of it."""

    newest: date
    evidence: tuple[ExamFact | Prerequisite, ...]


class Look(Protocol):
    """What a requirement can see on the day of the replay."""

    day: date
    floor: date
    """What is not newer has been used up by the last award or renewal."""
    renewing: bool
    passes: dict[str, ExamFact]
    """Newest pass of each exam code up to the day."""

    def held(self, certification: str) -> tuple[date, date] | None:
        """Earned day and last award or renewal day of a certification active on the day."""
        ...


class Part(Protocol):
    """A prepared requirement."""

    def meet(self, look: Look) -> Met | None:
        """By what the requirement is met on the day; None where it is not."""
        ...


_ALWAYS = datetime.min.replace(tzinfo=UTC)
_NOTHING_NEW = Met(date.min, ())


@dataclass(frozen=True, slots=True)
class ExamPart:
    """A pass that is new enough and not used up."""

    code: str
    months: int | None
    until: date | None

    def meet(self, look: Look) -> Met | None:
        fact = look.passes.get(self.code)
        if fact is None or fact.taken_on <= look.floor:
            return None
        if self.until is not None and look.day > self.until:
            return None
        taken_on = fact.taken_on
        # Every limit includes its day: a pass of three years ago to the day still counts.
        if self.months is not None and taken_on != look.day and add_months(taken_on, self.months) < look.day:
            return None
        return Met(taken_on, (fact,))


@dataclass(frozen=True, slots=True)
class CertificationPart:
    """A prerequisite, active on the day of the award. A renewal does not ask for it again."""

    certification: str

    def meet(self, look: Look) -> Met | None:
        held = look.held(self.certification)
        if held is not None:
            earned_on, renewed_on = held
            return Met(renewed_on, (Prerequisite(self.certification, earned_on),))
        return _NOTHING_NEW if look.renewing else None


@dataclass(frozen=True, slots=True)
class AllPart:
    """Every part."""

    parts: tuple[Part, ...]

    def meet(self, look: Look) -> Met | None:
        newest = date.min
        evidence: tuple[ExamFact | Prerequisite, ...] = ()
        for part in self.parts:
            met = part.meet(look)
            if met is None:
                return None
            newest = max(newest, met.newest)
            evidence += met.evidence
        return Met(newest, evidence)


@dataclass(frozen=True, slots=True)
class SomePart:
    """So many of the parts; where more are met, those with the newest evidence, then those written first."""

    n: int
    parts: tuple[Part, ...]

    def meet(self, look: Look) -> Met | None:
        found = [met for part in self.parts if (met := part.meet(look)) is not None]
        if len(found) < self.n:
            return None
        if len(found) > self.n:
            found.sort(key=lambda met: met.newest, reverse=True)
        if self.n == 1:
            return found[0]
        chosen = found[: self.n]
        return Met(max(met.newest for met in chosen), tuple(item for met in chosen for item in met.evidence))


@dataclass(frozen=True, slots=True, eq=False)
class CertificationRule:
    """One certification, ready to be earned and renewed."""

    certification: Certification
    part: Part
    requires_clause: str
    rank: int
    """Position of its level, lowest first."""
    tracks: frozenset[str]
    """In lower case."""
    names: frozenset[str]
    """Every exam and certification its requirement names."""
    needs_certifications: bool
    alone: dict[str, Way]
    """Exam codes that renew it by themselves."""
    together: tuple[Way, ...]
    """Ways of several exams."""
    mixed: tuple[Way, ...]
    """Ways with credits."""
    on_ladder: bool
    """Whether it renews what is below it and is renewed by what is above it."""
    designation: Designation | None
    emeritus: EmeritusRules | None


@dataclass(frozen=True, slots=True, eq=False)
class ProgramRules:
    """A whole program, ready for replay."""

    program: Program
    zone: ZoneInfo
    exams: dict[str, Exam]
    """By code and by other code."""
    touched: dict[str, tuple[int, ...]]
    """Exam code to the positions of the certifications it can change, directly or through prerequisites."""
    ordered: tuple[CertificationRule, ...]
    """Every prerequisite before what needs it."""
    by_name: dict[str, CertificationRule]
    """By id and by former id."""
    waiting: dict[str, CertificationRule]
    """Exams whose pass waits for a prerequisite, and the certification it waits for."""
    practicals: dict[str, tuple[CertificationRule, ...]]
    """Practical exams, and what they earn."""
    counts_together: frozenset[str]
    """Exams that renew something together with others or with credits."""
    ranks: dict[str, int]
    tracks: frozenset[str]
    """Every track of a certification, in lower case."""
    retired: dict[str, date]
    """First day without awards and renewals, by certification."""
    extensions: tuple[tuple[ExtensionFact, str], ...]
    """Extensions the definition states, each with its clause."""


_prepared: WeakKeyDictionary[Program, ProgramRules] = WeakKeyDictionary()


def rules_of(program: Program) -> ProgramRules:
    """The program's rules, prepared at the first call."""
    rules = _prepared.get(program)
    if rules is None:
        rules = _prepared[program] = _prepare(program)
    return rules


def _prepare(program: Program) -> ProgramRules:
    order = in_dependence_order(program.certifications)
    exams = dict(program.exams)
    exams.update({alias: program.exams[code] for alias, code in program.aliases.items()})
    ordered = tuple(_rule(program.certifications[name], program) for name in order)
    by_name = {former.id: rule for rule in ordered for former in rule.certification.formerly if former.id}
    by_name.update({rule.certification.id: rule for rule in ordered})
    earned_by: defaultdict[str, list[CertificationRule]] = defaultdict(list)
    for rule in ordered:
        for leaf in leaves(rule.certification.requires):
            if isinstance(leaf, ExamNode):
                earned_by[leaf.exam].append(rule)
    return ProgramRules(
        program=program,
        zone=ZoneInfo(program.time_zone),
        exams=exams,
        touched=_touched(program, order),
        ordered=ordered,
        by_name=by_name,
        waiting={code: rules[0] for code, rules in earned_by.items() if all(one.needs_certifications for one in rules)},
        practicals={code: tuple(rules) for code, rules in earned_by.items() if program.exams[code].kind == "practical"},
        counts_together=frozenset(
            code for rule in ordered for way in (*rule.together, *rule.mixed) for slot in way.slots for code in slot
        ),
        ranks={level: rank for rank, level in enumerate(program.levels)},
        tracks=frozenset(track for rule in ordered for track in rule.tracks),
        retired={
            rule.certification.id: rule.certification.retired_on
            for rule in ordered
            if rule.certification.retired_on is not None
        },
        extensions=tuple(
            (ExtensionFact(one.months, one.on, _ALWAYS, one.window), one.clause) for one in program.policy.extensions
        ),
    )


def _touched(program: Program, order: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    reached_by: dict[str, set[str]] = {}  # certification to the exams that can change it
    touched: defaultdict[str, list[int]] = defaultdict(list)
    for position, name in enumerate(order):
        codes: set[str] = set()
        for leaf in leaves(program.certifications[name].requires):
            codes |= {leaf.exam} if isinstance(leaf, ExamNode) else reached_by[leaf.certification]
        reached_by[name] = codes
        for code in codes:
            touched[code].append(position)
    return {code: tuple(positions) for code, positions in touched.items()}


def _rule(certification: Certification, program: Program) -> CertificationRule:
    policy, ladder = program.policy, program.policy.ladder
    alone: dict[str, Way] = {}
    for way in certification.renewal:
        if len(way.slots) == 1 and not way.credits:
            alone = dict.fromkeys(way.slots[0], way) | alone
    return CertificationRule(
        certification=certification,
        part=_part(certification.requires, certification, program),
        requires_clause=f"{certification.path}.requires",
        rank=program.levels.index(certification.level),
        tracks=frozenset(track.casefold() for track in (certification.track, *certification.also_tracks)),
        names=frozenset(
            leaf.exam if isinstance(leaf, ExamNode) else leaf.certification for leaf in leaves(certification.requires)
        ),
        needs_certifications=any(isinstance(leaf, CertificationNode) for leaf in leaves(certification.requires)),
        alone=alone,
        together=tuple(way for way in certification.renewal if len(way.slots) > 1 and not way.credits),
        mixed=tuple(way for way in certification.renewal if way.credits),
        on_ladder=ladder is not None
        and certification.level in ladder.levels
        and certification.id not in ladder.without,
        designation=next((one for one in policy.designations if one.level == certification.level), None),
        emeritus=policy.emeritus if policy.emeritus and policy.emeritus.level == certification.level else None,
    )


def _part(node: Requirement, certification: Certification, program: Program) -> Part:
    if isinstance(node, ExamNode):
        counts = certification.pass_counts
        period = counts.practical if program.exams[node.exam].kind == "practical" else counts.written
        return ExamPart(node.exam, None if period is None else period.months, node.until)
    if isinstance(node, CertificationNode):
        return CertificationPart(node.certification)
    parts = tuple(_part(part, certification, program) for part in node.parts)
    if isinstance(node, AllNode):
        return AllPart(parts)
    return SomePart(node.n if isinstance(node, NOfNode) else 1, parts)
