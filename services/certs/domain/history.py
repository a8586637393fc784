"""Everything that ever happened to a candidate's certifications: when it took effect, and when it was known.

What was known at each moment is evaluated under the policy of that moment. A line that a later moment no longer shows,
because the past was corrected, is kept as withdrawn: it was true for whoever looked in between.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from libs.common.languages.days import spoken
from libs.common.programs import Program
from libs.common.programs.calendar import add_days
from services.certs.domain import flags
from services.certs.domain.changes import next_transition
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import DecisionFact, DecisionKind, Fact
from services.certs.domain.standing import CertificationStanding, Standing, StepKind
from services.certs.languages import say

HistoryKind = StepKind | Literal["expired"] | DecisionKind

_NEVER_TOLD = frozenset({"pending_agreement"})


class Happening(NamedTuple):
    """Something that took effect on a day."""

    on: date
    certification: str
    kind: HistoryKind
    expires_on: date | None
    """Last active day from then on; None where it never expires, and for decisions."""


@dataclass(frozen=True, slots=True)
class Line:
    """A happening, since when it is known, and when it was withdrawn."""

    happening: Happening
    text: str
    known_at: datetime
    withdrawn_at: datetime | None = None


def history(
    facts: Sequence[Fact],
    known: Callable[[datetime], Sequence[Fact]],
    policies: Sequence[tuple[datetime, Program]],
    now: datetime,
) -> list[Line]:
    """All lines as of `now`, newest effect first.

    Args:
        facts: everything stored; its moments of knowledge are looked at one after the other.
        known: the facts that count for the candidate at a moment.
        policies: the policies ever in force with their first moments, oldest first; never empty.
        now: no later moment is looked at.
    """
    lines: dict[Happening, Line] = {}
    gone: list[Line] = []
    for moment, standing, counted in _moments(facts, known, policies, now):
        shown = dict(_happenings(standing, (fact for fact in counted if fact.known_at <= moment)))
        gone += [replace(lines.pop(old), withdrawn_at=moment) for old in lines.keys() - shown.keys()]
        for happening, text in shown.items():
            if happening not in lines:
                lines[happening] = Line(happening, text, moment)
    found = [*lines.values(), *gone]
    return sorted(
        found, key=lambda line: (line.happening.on, line.known_at, line.happening.certification), reverse=True
    )


def _moments(
    facts: Iterable[Fact],
    known: Callable[[datetime], Sequence[Fact]],
    policies: Sequence[tuple[datetime, Program]],
    now: datetime,
) -> Iterator[tuple[datetime, Standing, Sequence[Fact]]]:
    """The standing at every moment at which it may have changed: something became known, or a day came."""
    learned = sorted({fact.known_at for fact in facts if fact.known_at <= now})
    if not learned:
        return
    changed = (since for since, _ in policies if learned[0] < since <= now)
    coming = sorted({*learned, *changed, now})
    position = 0
    moment = coming[0]
    while True:
        policy = _policy(policies, moment)
        counted = known(moment)
        standing = evaluate(policy, counted, moment)
        yield moment, standing, counted
        while position < len(coming) and coming[position] <= moment:
            position += 1
        if position == len(coming):
            return
        day = next_transition(standing)
        due = datetime.combine(day, time.min, ZoneInfo(policy.time_zone)) if day else None
        moment = coming[position] if due is None or not moment < due < coming[position] else due


def _policy(policies: Sequence[tuple[datetime, Program]], moment: datetime) -> Program:
    """The policy in force; of a moment before any was, the first."""
    found = policies[0][1]
    for since, policy in policies:
        if since <= moment:
            found = policy
    return found


def _happenings(standing: Standing, facts: Iterable[Fact]) -> Iterator[tuple[Happening, str]]:
    for entry in standing.certifications.values():
        if entry.status not in _NEVER_TOLD:
            yield from _of_entry(entry, standing.as_of)
    idle = {flag.fact for flag in standing.flags if flag.code in (flags.DECISION_IDLE, flags.DATED_AHEAD)}
    for fact in facts:
        if isinstance(fact, DecisionFact) and fact.decision_id not in idle and fact.on <= standing.as_of:
            yield Happening(fact.on, fact.certification, fact.decision, None), fact.reason


def _of_entry(entry: CertificationStanding, as_of: date) -> Iterator[tuple[Happening, str]]:
    for holding in entry.holdings:
        for step in holding.steps:
            yield Happening(step.on, entry.certification, step.kind, step.expires_on), step.sentence()
        last = holding.expires_on
        if last is not None and last < as_of and holding.ended is None:
            end = Happening(add_days(last, 1), entry.certification, "expired", last)
            yield end, say("active through {day}", day=spoken(last))
