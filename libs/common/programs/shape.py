"""The shape of a definition file: which keys, of which form. The loader checks what refers to what."""

from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints

from libs.common.events.types import Code, EmailAddress, Line, ProgramId, Url
from libs.common.programs.badges import BadgesShape
from libs.common.programs.benefits import BenefitShape
from libs.common.programs.calendar_shape import CalendarShape
from libs.common.programs.cases import CaseKind, CaseRuleShape
from libs.common.programs.certificate_texts import CertificateShape
from libs.common.programs.challenges import ChallengesShape
from libs.common.programs.directory import DirectoryShape
from libs.common.programs.model import ExamKind, ProfileField
from libs.common.programs.policy_shape import (
    AgreementShape,
    CoursesShape,
    CreditsShape,
    DesignationShape,
    EmeritusShape,
    ExtensionShape,
    FeesShape,
    FormerNameShape,
    LadderShape,
    LegacyValidityShape,
    MilestoneShape,
    RetakeShape,
    WayShape,
)
from libs.common.programs.sign_in_shape import SignInShape
from libs.common.programs.written import PassPeriod, Shape, Validity, Word


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"unknown time zone {value!r}") from None
    return value


TimeZone = Annotated[str, AfterValidator(_time_zone)]
"""An IANA name."""

Days = Annotated[int, Field(ge=1, le=3650)]


class CandidateIdShape(Shape):
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,6}$")]
    digits: Annotated[int, Field(ge=6, le=12)]


class BrandingShape(Shape):
    sender_name: Line
    sender_email: EmailAddress
    colour: Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
    support_url: Url
    artwork: Annotated[str | None, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}\.svg$")] = None
    """A file in the folder of the definition."""


class NewsShape(Shape):
    """What candidates agree to who want news by mail."""

    version: Line
    text: Line


class ProfileShape(Shape):
    """What candidates are asked for before anything else."""

    required: list[ProfileField] = Field(default=[])
    confirm_days: Annotated[int | None, Field(ge=30, le=3_660)] = None
    """So long after a confirmation candidates are asked again whether it is right."""
    employers: list[Line] = Field(default=[], max_length=5_000)
    news: NewsShape | None = None


class PassCountsShape(Shape):
    """Keys left out fall back to the program's defaults, then to no limit."""

    written: PassPeriod = None
    practical: PassPeriod = None


class DefaultsShape(Shape):
    """What holds for every certification that does not say otherwise."""

    validity: Validity = None
    pass_counts: PassCountsShape = PassCountsShape()
    entitlements: list[Code] = Field(default=[])


class ProgramShape(Shape):
    """The top of the file; exams and certifications are read one by one, so that all faults are found."""

    id: ProgramId
    name: Line
    version: Annotated[int, Field(ge=1)]
    time_zone: TimeZone
    candidate_id: CandidateIdShape
    branding: BrandingShape
    levels: Annotated[list[Word], Field(min_length=1)]
    reminders_days: list[Days]
    result_promise_business_days: Annotated[int, Field(ge=0, le=60)]
    result_overdue_business_days: Annotated[int | None, Field(ge=0, le=250)] = None
    defaults: DefaultsShape = DefaultsShape()
    renewal: dict[Word, list[WayShape]] = Field(default={})
    ladder: LadderShape | None = None
    credits: CreditsShape | None = None
    courses: CoursesShape | None = None
    retake: RetakeShape | None = None
    emeritus: EmeritusShape | None = None
    designations: list[DesignationShape] = Field(default=[])
    milestones: list[MilestoneShape] = Field(default=[])
    legacy_validity: dict[str, LegacyValidityShape] = Field(default={})
    extensions: list[ExtensionShape] = Field(default=[])
    agreement: AgreementShape | None = None
    profile: ProfileShape = ProfileShape()
    sign_in: SignInShape = SignInShape()
    cases: dict[CaseKind, CaseRuleShape] = Field(default={})
    calendar: CalendarShape = CalendarShape()
    challenges: ChallengesShape | None = None
    badges: BadgesShape = BadgesShape()
    directory: DirectoryShape | None = None
    benefits: dict[Code, BenefitShape] = Field(default={})
    fees: FeesShape | None = None
    certificate: CertificateShape = CertificateShape()
    exams: dict[Code, Any]
    certifications: dict[str, Any]


class ExamShape(Shape):
    title: Line
    kind: ExamKind = "written"
    role: Word | None = None
    track: Line | None = None
    first_day: date | None = None
    last_day: date | None = None
    aliases: list[Code] = Field(default=[])
    replaced_by: Code | None = None


class EachExamShape(Shape):
    """Which exams a template makes a certification of."""

    role: Annotated[list[Word], Field(min_length=1)]


class EarlierValidityShape(Shape):
    earned_before: date
    validity: Validity


class CertificationShape(Shape):
    """A certification, or with `each_exam` one for each exam of the named roles."""

    title: Line
    level: Word
    track: Line
    requires: Any
    each_exam: EachExamShape | None = None
    validity: Validity = None
    earlier_validity: list[EarlierValidityShape] = Field(default=[])
    pass_counts: PassCountsShape = PassCountsShape()
    entitlements: list[Code] = Field(default=[])
    also_tracks: list[Line] = Field(default=[])
    renewal: list[WayShape] | None = None
    """In place of the level's ways."""
    also_renewed_by: list[WayShape] = Field(default=[])
    """Beside them."""
    retired: date | None = None
    formerly: list[FormerNameShape] = Field(default=[])
