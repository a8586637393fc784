"""The shape of the sections that state a program's policy: renewal, credits, courses, retakes, emeritus."""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from libs.common.events.types import Code, Line
from libs.common.programs.calendar import Period
from libs.common.programs.policy import AttemptLimit
from libs.common.programs.written import LENGTH, Length, Shape, Word, Written, length

_LIMIT = re.compile(f"([1-9][0-9]?) in ({LENGTH.pattern})")
_WAIT = re.compile(r"([1-9][0-9]{0,2}) (full )?(day|days)")


def _wait(value: object) -> int:
    match = _WAIT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must read like '5 days' or '14 full days'")
    # Full days begin the day after: a fail on the 2nd and 14 full days make the 17th the first free day.
    return int(match[1]) + (1 if match[2] else 0)


def _days(value: object) -> int:
    match = _WAIT.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2]:
        raise ValueError("must read like '90 days'")
    return int(match[1])


def _years(value: object) -> int:
    match = re.fullmatch(r"([1-9][0-9]?) (year|years)", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must read like '9 years'")
    return int(match[1])


def _limit(value: object) -> AttemptLimit:
    match = _LIMIT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must read like '3 in 12 months'")
    return AttemptLimit(int(match[1]), length(match[2]))


Wait = Annotated[int, BeforeValidator(_wait), Written(_WAIT.pattern)]
DayCount = Annotated[int, BeforeValidator(_days), Written("([1-9][0-9]{0,2}) (day|days)")]
Years = Annotated[int, BeforeValidator(_years), Written("([1-9][0-9]?) (year|years)")]
Limit = Annotated[AttemptLimit, BeforeValidator(_limit), Written(_LIMIT.pattern)]
Slot = Annotated[str, Field(min_length=1)] | Annotated[list[str], Field(min_length=1)]
"""An exam code or a role, or a list of them of which one is taken."""


class WayShape(Shape):
    """One way to renew."""

    exams: Annotated[list[Slot], Field(max_length=5)] = Field(default=[])
    credits: Annotated[int, Field(ge=1, le=10_000)] | None = None
    own_track: bool = False
    """Whether only exams of the certification's own tracks count."""


class LadderShape(Shape):
    levels: Annotated[list[Word], Field(min_length=1)]
    without: list[str] = Field(default=[])


BusinessDays = Annotated[int, Field(ge=0, le=60)]


class CreditItemShape(Shape):
    title: Line
    credits: Annotated[int, Field(ge=1, le=1000)]


class CreditsShape(Shape):
    claim_within: DayCount
    item_counts: Literal["once per cycle", "every time"] = "once per cycle"
    may_be_held: bool = False
    """Whether candidates may keep validated credits from renewing anything until a day they choose."""
    review_promise_business_days: BusinessDays = 3
    items: dict[Code, CreditItemShape] = Field(default={})
    """What is known to give credits, and how many; other items can be claimed too."""


class CourseRuleShape(Shape):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
    starts_on: date = Field(default=date.min, alias="from")
    until: date = date.max
    in_a_row: bool = True


class CourseItemShape(Shape):
    title: Line
    level: Word
    track: Line


class CoursesShape(Shape):
    claimed: list[Word] = Field(default=[])
    review_promise_business_days: BusinessDays = 3
    items: dict[Code, CourseItemShape] = Field(default={})
    """Courses by code: what level and track they renew. Those of other codes are looked at by a reviewer."""
    rules: Annotated[list[CourseRuleShape], Field(min_length=1)]


class AfterFailShape(Shape):
    wait: Wait
    from_fail: Annotated[int, Field(ge=1, le=20)] = 1


class AfterPassShape(Shape):
    blocked: Length


class RetakeShape(Shape):
    after_fail: AfterFailShape | None = None
    after_pass: AfterPassShape | None = None
    limit: Limit | None = None


class EmeritusShape(Shape):
    level: Word
    grant: Years
    eligible_after: Years
    lifetime_after: Years | None = None


class DesignationShape(Shape):
    name: Word
    level: Word
    after: Years
    reactivates: Literal["track", "nothing"] = "nothing"


class MilestoneShape(Shape):
    id: Code
    title: Line
    years: Annotated[int, Field(ge=1, le=100)]


class LegacyValidityShape(Shape):
    active: Years
    inactive: Years
    until: date


class ExtensionShape(Shape):
    on: date = Field(alias="date")
    months: Annotated[int, Field(ge=1, le=60)]
    window: Annotated[list[date], Field(min_length=2, max_length=2)] | None = None


class AgreementShape(Shape):
    """The certification agreement: what candidates accept, and whether awards wait for it."""

    version: Code
    title: Line
    text: Annotated[str, Field(min_length=1, max_length=100_000)]
    award: Literal["where recorded", "required"] = "where recorded"


class FeesShape(Shape):
    """What exams cost, by role or by code; a code's own fee goes before its role's."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    exams: dict[str, Annotated[int, Field(ge=0, le=1_000_000)]]


class FormerNameShape(Shape):
    title: Line
    until: date
    id: Code | None = None


def blocked(shape: AfterPassShape | None) -> Period | None:
    return None if shape is None else shape.blocked
