"""One certification during the replay: how long it is held, in which cycle, and what became of its time."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from libs.common.languages.days import spoken
from libs.common.programs import add_years
from libs.common.programs.calendar import add_days
from libs.common.programs.policy import LegacyValidity
from services.certs.domain.facts import EmeritusFact, ImportFact
from services.certs.domain.rules import CertificationRule
from services.certs.domain.standing import Ground, Holding, Step, StepKind
from services.certs.languages import say

_ONE_DAY = timedelta(days=1)

By = str
"""What the last award or renewal was made by: exam, credits, course."""


@dataclass(slots=True, eq=False)
class Held:
    """A certification from its award on; a new award after a lapse makes a new one."""

    rule: CertificationRule
    earned_on: date
    cycle_from: date
    """Day of the last award or renewal: what is not newer is used up."""
    expires_on: date | None
    """Last active day."""
    steps: list[Step]
    past: tuple[Holding, ...] = ()
    by: By = "exam"
    number: str | None = None
    continuous_since: date | None = None
    known_as: str | None = None
    """The former id under which it was imported."""
    dormant: tuple[date, date, str] | None = None
    """First day of an inactive time, the day it ends, and the clause."""
    emeritus_until: date | None = None
    grants: tuple[Ground, ...] = ()
    retired_on: date = date.max
    suspended: bool = False
    """Whether it is no prerequisite meanwhile; its dates run on."""
    revoked: tuple[date, date | None] | None = None
    """While it is revoked: the start of its cycle and its last active day as they were before."""
    decisions: tuple[Ground, ...] = ()
    """Suspensions, reinstatements and a revocation, the newest last."""
    years: int | None = field(init=False)
    """How long it lasts from each award or renewal; None where it never expires."""
    years_clause: str = field(init=False)

    def __post_init__(self) -> None:
        self.years = self.rule.certification.validity_years_of(self.earned_on)
        self.years_clause = validity_clause(self.rule, self.earned_on)

    def active(self, day: date) -> bool:
        """Whether a day lies within its dates, which run on while it is suspended."""
        if self.expires_on is not None and day > self.expires_on:
            return False
        return self.dormant is None or not self.dormant[0] <= day < self.dormant[1]

    def renewable(self, day: date) -> bool:
        """Whether a renewal can move its expiry: active, and not retired."""
        return self.active(day) and day < self.retired_on

    def designated(self, day: date) -> bool:
        """Whether it carries its designation on a day."""
        designation = self.rule.designation
        return designation is not None and add_years(self.earned_on, designation.after_years) <= day

    def reactivatable(self, day: date) -> bool:
        """Whether one renewal brings it back: expired, and its holder designated."""
        designation = self.rule.designation
        return (
            designation is not None
            and designation.reactivates_track
            and not self.active(day)
            and self.revoked is None
            and day < self.retired_on
            and self.designated(day)
        )

    def renew(self, day: date, grounds: tuple[Ground, ...], by: By, kind: StepKind = "renewed") -> None:
        """Begins a new cycle; each certification by its own validity, and never to an earlier day."""
        years = self.years
        self.cycle_from, self.by, self.dormant = day, by, None
        if self.expires_on is None:  # what never expires stays so
            return
        until = None if years is None else add_years(day, years)
        kept = until is not None and until <= self.expires_on
        if not kept:
            self.expires_on = until
        self.steps.append(Step(kind, day, self.expires_on, grounds, None if kept else years, self.years_clause))

    def extend(self, day: date, until: date, ground: Ground) -> None:
        self.expires_on = until
        self.steps.append(Step("extended", day, until, (ground,), None, ground.clause))

    def suspend(self, ground: Ground) -> None:
        self.suspended = True
        self.decisions += (ground,)

    def revoke(self, day: date, ground: Ground) -> None:
        """Ends it with the day before; what was in hand until the day is used up. A suspension ends with it."""
        self.revoked = self.cycle_from, self.expires_on
        eve = max(day, date.min + _ONE_DAY) - _ONE_DAY
        self.expires_on = eve if self.expires_on is None else min(self.expires_on, eve)
        self.cycle_from, self.suspended = day, False
        self.decisions += (ground,)

    def reinstate(self, ground: Ground) -> None:
        """Ends a suspension, or gives back the dates that a revocation took."""
        if self.revoked is not None:
            self.cycle_from, self.expires_on = self.revoked
        self.suspended, self.revoked = False, None
        self.decisions += (ground,)

    def grant(self, fact: EmeritusFact, years: int, clause: str) -> bool:
        """Adds a granted year to the last active or emeritus day it precedes; False where it came after."""
        end = self.expires_on
        if end is None:
            return False
        if self.emeritus_until is not None:
            end = max(end, self.emeritus_until)
        if fact.on > end:
            return False
        self.emeritus_until = add_years(end, years)
        words = say("a year of emeritus granted on {day}", day=spoken(fact.on))
        self.grants += (Ground(":".join(fact.key), clause, words, fact.on),)
        return True

    def take_over(self, fact: ImportFact) -> None:
        """An opening balance of what is held already: its number, and its last active day where that is later."""
        self.number = fact.number or self.number
        if self.expires_on is not None and fact.expires_on is not None and fact.expires_on > self.expires_on:
            ground = _taken_over(fact, self.rule)
            self.extend(fact.earned_on, fact.expires_on, ground)

    def divide(self, legacy: LegacyValidity, *, stated: bool) -> None:
        """Divides an import's time as its older rule did: some years active, then some inactive."""
        whole = legacy.active_years + legacy.inactive_years
        if not stated or self.expires_on is None:
            self.expires_on = add_years(self.earned_on, whole)
            self.steps[0] = self.steps[0]._replace(expires_on=self.expires_on, years=whole, clause=legacy.clause)
            self.cycle_from = self.earned_on
        inactive_from = add_days(add_years(self.expires_on, -legacy.inactive_years), 1)
        self.dormant = (inactive_from, legacy.until, legacy.clause)

    @property
    def holding(self) -> Holding:
        """The time of holding it, as it is told; a revocation ends it earlier than its steps say."""
        if self.revoked is None:
            return Holding(tuple(self.steps), self.continuous_since, self.emeritus_until)
        return Holding(tuple(self.steps), self.continuous_since, ended=self.expires_on)

    @property
    def since(self) -> date:
        """Start of the years without a gap."""
        return self.continuous_since or self.earned_on

    @property
    def end(self) -> date | None:
        """Last active or emeritus day."""
        if self.expires_on is None or self.emeritus_until is None:
            return self.expires_on
        return max(self.expires_on, self.emeritus_until)


def validity_clause(rule: CertificationRule, earned_on: date) -> str:
    """What says how long a holding begun on a day lasts."""
    certification = rule.certification
    if not certification.earlier_validity:
        return certification.validity_clause
    for position, earlier in enumerate(certification.earlier_validity):
        if earned_on < earlier.earned_before:
            return f"{certification.path}.earlier_validity[{position}]"
    return certification.validity_clause


def awarded(rule: CertificationRule, day: date, grounds: tuple[Ground, ...], before: Held | None) -> Held:
    """A holding earned on a day, beside those before it."""
    years = rule.certification.validity_years_of(day)
    expires_on = None if years is None else add_years(day, years)
    step = Step("awarded", day, expires_on, grounds, years, validity_clause(rule, day))
    past = () if before is None else (*before.past, before.holding)
    return _following(before, Held(rule, day, day, expires_on, [step], past))


def imported(rule: CertificationRule, fact: ImportFact, before: Held | None) -> Held:
    """An opening balance. Its last renewal is the one that its expiry implies."""
    certification = rule.certification
    day, expires_on = fact.earned_on, fact.expires_on
    years = certification.validity_years_of(day)
    stated = expires_on is not None
    if expires_on is None and years is not None:
        expires_on = add_years(day, years)
    ground = _taken_over(fact, rule)
    clause = certification.path if stated else validity_clause(rule, day)
    step = Step("imported", day, expires_on, (ground,), None if stated else years, clause)
    past = () if before is None else (*before.past, before.holding)
    held = _following(before, Held(rule, day, day, expires_on, [step], past))
    if stated and expires_on is not None and years is not None:
        held.cycle_from = max(day, add_years(expires_on, -years))
    held.by = fact.last_renewal or "exam"
    held.number, held.continuous_since = fact.number, fact.continuous_since
    if fact.certification != certification.id:
        held.known_as = fact.certification
    return held


def _taken_over(fact: ImportFact, rule: CertificationRule) -> Ground:
    words = say("taken over as earned on {day}", day=spoken(fact.earned_on))
    return Ground(":".join(fact.key), rule.certification.path, words, fact.earned_on)


def _following(before: Held | None, held: Held) -> Held:
    """A new holding, suspended where the one before it is: until it is reinstated, whatever is earned meanwhile."""
    if before is not None and before.suspended:
        held.suspended, held.decisions = True, before.decisions[-1:]
    return held
