"""The rules of a program beyond award and validity: renewal, credits, courses, retakes, emeritus, dated exceptions.

Every rule is optional; a program that leaves one out does without it. Each rule that can decide something carries
its clause: the path at which the definition states it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from libs.common.programs.calendar import Period


@dataclass(frozen=True, slots=True)
class Way:
    """One way to renew: so many different exams, one out of each slot, and so many credits."""

    slots: tuple[frozenset[str], ...]
    """Exam codes; each slot takes a code of its own."""
    credits: int
    clause: str


LADDER_CLAUSE = "ladder"
"""Where a definition says what an award or a renewal renews below."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The certifications that stand above one another.

    To earn or renew at a level renews all active ones at or below it, and credits serve the highest level held.
    """

    levels: frozenset[str]
    without: frozenset[str]
    """Certifications of these levels that stand apart all the same."""


@dataclass(frozen=True, slots=True)
class CreditItem:
    """Something known to give credits."""

    code: str
    title: str
    credits: int


@dataclass(frozen=True, slots=True)
class CreditRules:
    """Which claims of credits count."""

    claim_within_days: int
    """After completion, that day included."""
    once_per_cycle: bool
    """Whether an item counts once in each cycle of a certification."""
    may_be_held: bool = False
    """Whether a candidate may choose a later day from which credits count."""
    review_promise: int = 3
    """Business days within which a claim is decided."""
    items: Mapping[str, CreditItem] = field(default_factory=dict)
    """What is known to give credits, by code."""
    clause: str = "credits"


@dataclass(frozen=True, slots=True)
class CourseRule:
    """What courses do, for those that end within the dates."""

    name: str
    clause: str
    starts_on: date = date.min
    until: date = date.max
    in_a_row: bool = True
    """Whether a renewal by course may follow another one."""


@dataclass(frozen=True, slots=True)
class CourseItem:
    """A course, with the level and the track that it renews."""

    code: str
    title: str
    level: str
    track: str


@dataclass(frozen=True, slots=True)
class CourseRules:
    """Courses renew what is active, at their level or below in their track."""

    claimed: frozenset[str]
    """Deliveries that count once a claim is approved; the others count by themselves."""
    rules: tuple[CourseRule, ...]
    """By date, without gaps; the last one is the present rule."""
    review_promise: int = 3
    """Business days within which a claim is decided."""
    items: Mapping[str, CourseItem] = field(default_factory=dict)
    """Known courses by code."""

    def on(self, day: date) -> CourseRule:
        """The rule in force on a course's last day."""
        return next(rule for rule in self.rules if rule.starts_on <= day <= rule.until)

    @property
    def present(self) -> CourseRule:
        return self.rules[-1]


@dataclass(frozen=True, slots=True)
class AttemptLimit:
    """So many attempts of a code at most, within any such period; it begins with the first one's day."""

    count: int
    within: Period


@dataclass(frozen=True, slots=True)
class RetakeRules:
    """When the same code may be taken again."""

    free_after_fail_days: int | None
    """The first free day is so many days after the fail; None where there is no wait."""
    from_fail: int
    """Number of the fail of a code from which on there is a wait; fails are never forgotten."""
    blocked_after_pass: Period | None
    limit: AttemptLimit | None = None
    clause: str = "retake"


@dataclass(frozen=True, slots=True)
class EmeritusRules:
    """Years of honour after the last active day, granted one by one; for life after long enough without a gap."""

    level: str
    years_per_grant: int
    eligible_after_years: int
    lifetime_after_years: int | None
    clause: str = "emeritus"


@dataclass(frozen=True, slots=True)
class Designation:
    """A title that comes by itself so many years after a certification is earned, and stays."""

    name: str
    level: str
    after_years: int
    reactivates_track: bool
    """Whether one renewal brings an expired holder's certifications of the track back."""
    clause: str


@dataclass(frozen=True, slots=True)
class Milestone:
    """So many years in which, without a gap, at least one certification of the program was held."""

    id: str
    title: str
    years: int
    clause: str


@dataclass(frozen=True, slots=True)
class LegacyValidity:
    """An older division of a holding's time, carried by imports: so long active, then so long inactive."""

    name: str
    active_years: int
    inactive_years: int
    until: date
    """First day from which the inactive time counts as active."""
    clause: str


@dataclass(frozen=True, slots=True)
class Extension:
    """The program moved expiries: those inside the window, or without one of all that was active on the day."""

    on: date
    months: int
    window: tuple[date, date] | None
    clause: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """What candidates accept before they are certified."""

    version: str
    title: str
    text: str
    required: bool
    """Whether an award waits for it; else it waits only where a history says that it was asked for."""
    clause: str = "agreement"


@dataclass(frozen=True, slots=True)
class Fees:
    """What exams cost, in whole units of a currency."""

    currency: str
    """ISO 4217."""
    by_exam: Mapping[str, int]
    """By code; exams whose fee is not known are not there."""


@dataclass(frozen=True, slots=True)
class Policy:
    """All of these rules of one program."""

    ladder: Ladder | None = None
    credits: CreditRules | None = None
    courses: CourseRules | None = None
    retake: RetakeRules | None = None
    emeritus: EmeritusRules | None = None
    designations: tuple[Designation, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    """Fewest years first."""
    legacy_validity: Mapping[str, LegacyValidity] | None = None
    extensions: tuple[Extension, ...] = ()
    agreement: Agreement | None = None
    fees: Fees | None = None

    @property
    def agreement_required(self) -> bool:
        """Whether an award waits for the agreement even where nothing of it is recorded."""
        return self.agreement is not None and self.agreement.required
