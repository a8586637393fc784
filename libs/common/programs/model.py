"""A program as the services use it: complete, checked and frozen.

The file leaves out what has a default and writes many certifications as one; here nothing is left to resolve.
New rules are new fields with a default, so that a program that does not use them stays as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from libs.common.programs.badges import BadgeProvider
from libs.common.programs.benefits import DEFAULT_BENEFITS, Benefit
from libs.common.programs.business_calendar import WEEKDAYS, BusinessCalendar
from libs.common.programs.calendar import Period
from libs.common.programs.cases import DEFAULT_RULES, CaseKind, CaseRule
from libs.common.programs.certificate_texts import DEFAULT_TEXTS, CertificateTexts
from libs.common.programs.challenges import ChallengeRules
from libs.common.programs.clauses import Clause, Clauses
from libs.common.programs.directory import Directory
from libs.common.programs.policy import Policy, Way
from libs.common.programs.sign_in import BY_PASSWORD, SignIn

ExamKind = Literal["written", "practical"]


@dataclass(frozen=True, slots=True)
class ExamNode:
    """Met by a pass of the exam."""

    exam: str
    until: date | None = None
    """Last day on which a pass of it can complete the requirement; None where it always can."""


@dataclass(frozen=True, slots=True)
class CertificationNode:
    """Met while the certification is active: a prerequisite."""

    certification: str


@dataclass(frozen=True, slots=True)
class AllNode:
    """Met when every part is."""

    parts: tuple["Requirement", ...]


@dataclass(frozen=True, slots=True)
class AnyNode:
    """Met when one part is."""

    parts: tuple["Requirement", ...]


@dataclass(frozen=True, slots=True)
class NOfNode:
    """Met when `n` of the parts are."""

    n: int
    parts: tuple["Requirement", ...]


Requirement = ExamNode | CertificationNode | AllNode | AnyNode | NOfNode


def leaves(requirement: Requirement) -> Iterator[ExamNode | CertificationNode]:
    """The exams and certifications a requirement names, in the order written."""
    if isinstance(requirement, ExamNode | CertificationNode):
        yield requirement
        return
    for part in requirement.parts:
        yield from leaves(part)


@dataclass(frozen=True, slots=True)
class Exam:
    """An exam code and when it is offered. A result dated after `last_day` has no effect.

    `first_day` informs candidates; it voids nothing, because trial deliveries come before it.
    """

    code: str
    title: str
    kind: ExamKind = "written"
    first_day: date | None = None
    last_day: date | None = None
    role: str | None = None
    track: str | None = None
    aliases: tuple[str, ...] = ()
    """Other codes under which results of this exam arrive."""
    replaced_by: str | None = None


@dataclass(frozen=True, slots=True)
class PassCounts:
    """How long after its day a pass can still complete a requirement; None is without limit."""

    written: Period | None = None
    practical: Period | None = None


@dataclass(frozen=True, slots=True)
class EarlierValidity:
    """The validity of what was earned before a day on which the rule changed."""

    earned_before: date
    validity_years: int | None


@dataclass(frozen=True, slots=True)
class FormerName:
    """What a certification was called before a day."""

    title: str
    until: date
    """The first day of the next name."""
    id: str | None = None
    """The id it had, under which older systems still name it."""


@dataclass(frozen=True, slots=True)
class Certification:
    """A certification: what it takes, and how long it lasts."""

    id: str
    title: str
    level: str
    track: str
    requires: Requirement
    validity_years: int | None
    """None where it never expires."""
    earlier_validity: tuple[EarlierValidity, ...] = ()
    """Oldest first."""
    pass_counts: PassCounts = PassCounts()
    entitlements: tuple[str, ...] = ()
    """Benefits that come with its award."""
    also_tracks: tuple[str, ...] = ()
    """Further tracks it is the foundation of."""
    renewal: tuple[Way, ...] = ()
    """Any one of these renews it while it is active; without any, it renews by being earned again."""
    retired_on: date | None = None
    """First day without awards and renewals."""
    formerly: tuple[FormerName, ...] = ()
    """Oldest first."""
    path: str = ""
    """Where the definition has it: of one made from a template, the template."""
    validity_clause: str = ""

    def title_on(self, day: date) -> str:
        """Its name on a day."""
        return next((former.title for former in self.formerly if day < former.until), self.title)

    def validity_years_of(self, earned_on: date) -> int | None:
        """How many years a holding that began on `earned_on` lasts from each award or renewal."""
        for earlier in self.earlier_validity:
            if earned_on < earlier.earned_before:
                return earlier.validity_years
        return self.validity_years


ProfileField = Literal["address", "native_name", "employer", "job_title", "time_zone", "language", "news"]
"""`news`: that the candidate has said yes or no to news by mail."""


@dataclass(frozen=True, slots=True)
class NewsText:
    """What candidates agree to who want news by mail.

    Attributes:
        version: kept with each consent and each refusal.
    """

    version: str
    text: str


GENERAL_NEWS: Final = NewsText("general-1", "You may send me news and offers about your certifications by e-mail.")
"""Of programs whose definition says nothing of it."""


@dataclass(frozen=True, slots=True)
class Branding:
    """How the program presents itself in mails and pages."""

    sender_name: str
    sender_email: str
    colour: str
    """`#rrggbb`."""
    support_url: str
    artwork: str | None = None
    """Its mark: an `<svg>` element of plain shapes, checked on loading; None where the definition names none."""


@dataclass(frozen=True, slots=True, eq=False, repr=False, weakref_slot=True)
class Program:
    """A certification program. Compared by identity: one object is one loaded definition."""

    id: str
    name: str
    version: int
    time_zone: str
    """IANA name; the calendar of expiries and of `as_of`."""
    candidate_id_prefix: str
    candidate_id_digits: int
    """Digits after the prefix."""
    branding: Branding
    levels: tuple[str, ...]
    """Lowest first."""
    reminders: tuple[int, ...]
    """Days before an expiry, longest first."""
    result_promise: int
    """Business days within which a result is promised."""
    exams: Mapping[str, Exam]
    certifications: Mapping[str, Certification]
    aliases: Mapping[str, str]
    """Other code to exam code."""
    policy: Policy
    clauses: Clauses

    def __repr__(self) -> str:
        """Its name; a whole definition would fill a screen."""
        return f"<program {self.id} version {self.version}>"

    def clause(self, path: str) -> Clause:
        """Where the definition states something, and in which words."""
        return self.clauses.find(path)

    profile_required: tuple[ProfileField, ...] = ()
    """What candidates are asked for before anything else, in this order."""
    employers: tuple[str, ...] = ()
    """Offered to candidates to choose from; they may write another."""
    profile_confirm_days: int | None = None
    """How long after a confirmation candidates are asked again whether their profile is right; None for never."""
    news: NewsText = GENERAL_NEWS
    sign_in: SignIn = BY_PASSWORD
    cases: Mapping[CaseKind, CaseRule] = field(default_factory=lambda: DEFAULT_RULES)
    """How support cases of each kind are worked on."""
    calendar: BusinessCalendar = WEEKDAYS
    """On which days people work, by which every promise is counted."""
    result_overdue: int = 0
    """Business days after which a late result is overdue; never fewer than the promise."""
    challenges: ChallengeRules | None = None
    """How results are challenged; None where they cannot be."""
    badge_provider: BadgeProvider | None = None
    """Where badges are kept as well; None where they are ours alone."""
    certificate: CertificateTexts = DEFAULT_TEXTS
    directory: Directory | None = None
    """Its public directory; None where it has none."""
    benefits: Mapping[str, Benefit] = field(default_factory=lambda: DEFAULT_BENEFITS)
    definition: str = field(default="", repr=False)
    """The text it was loaded from."""

    def day_of(self, moment: datetime) -> date:
        """The day of the program's calendar at a moment."""
        return moment.astimezone(ZoneInfo(self.time_zone)).date()

    def end_of(self, day: date) -> datetime:
        """The moment at which a day of the program's calendar is over."""
        following = day if day == date.max else day + timedelta(1)
        return datetime.combine(following, time(), ZoneInfo(self.time_zone))

    def find_exam(self, code: str) -> Exam | None:
        """The exam of that code or of that other code; None where the program has none."""
        return self.exams.get(self.aliases.get(code, code))
