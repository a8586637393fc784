"""The shape of a definition file: which keys, of which form. The loader checks what refers to what."""

import re
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from libs.common.events.types import Code, EmailAddress, Line, ProgramId, Url
from libs.common.programs.calendar import Period
from libs.common.programs.model import Entitlement, ExamKind

_LENGTH = re.compile(r"([1-9][0-9]?) (year|years|month|months)")
_MONTHS = {"year": 12, "years": 12, "month": 1, "months": 1}


def _validity(value: object) -> int | None:
    if value == "never expires":
        return None
    match = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    if match is None or not match[2].startswith("year"):
        raise ValueError("must read like '3 years' or 'never expires'")
    return int(match[1])


def _pass_period(value: object) -> Period | None:
    if value == "no limit":
        return None
    if value == "same day":
        return Period(0)
    match = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must read like '3 years', '36 months', 'same day' or 'no limit'")
    return Period(int(match[1]) * _MONTHS[match[2]])


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (LookupError, ValueError, OSError):
        raise ValueError(f"unknown time zone {value!r}") from None
    return value


Validity = Annotated[int | None, BeforeValidator(_validity)]
PassPeriod = Annotated[Period | None, BeforeValidator(_pass_period)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Days = Annotated[int, Field(ge=1, le=3650)]


class Shape(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CandidateIdShape(Shape):
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,6}$")]
    digits: Annotated[int, Field(ge=6, le=12)]


class BrandingShape(Shape):
    sender_name: Line
    sender_email: EmailAddress
    colour: Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")]
    support_url: Url


class PassCountsShape(Shape):
    """Keys left out fall back to the program's defaults, then to no limit."""

    written: PassPeriod = None
    practical: PassPeriod = None


class DefaultsShape(Shape):
    """What holds for every certification that does not say otherwise."""

    validity: Validity = None
    pass_counts: PassCountsShape = PassCountsShape()
    entitlements: list[Entitlement] = []


class ProgramShape(Shape):
    """The top of the file; exams and certifications are read one by one, so that all faults are found."""

    id: ProgramId
    name: Line
    version: Annotated[int, Field(ge=1)]
    time_zone: Annotated[str, AfterValidator(_time_zone)]
    candidate_id: CandidateIdShape
    branding: BrandingShape
    levels: Annotated[list[Word], Field(min_length=1)]
    reminders_days: list[Days]
    result_promise_business_days: Annotated[int, Field(ge=0, le=60)]
    defaults: DefaultsShape = DefaultsShape()
    exams: dict[Code, Any]
    certifications: dict[str, Any]


class ExamShape(Shape):
    title: Line
    kind: ExamKind = "written"
    role: Word | None = None
    track: Line | None = None
    first_day: date | None = None
    last_day: date | None = None
    aliases: list[Code] = []


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
    earlier_validity: list[EarlierValidityShape] = []
    pass_counts: PassCountsShape = PassCountsShape()
    entitlements: list[Entitlement] = []
