"""Events that vendors publish. The type on the wire begins with the vendor's name: `vue.ExamRegistered.v1`."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from libs.common.events.registry import VENDOR, EventData
from libs.common.events.types import (
    PERSONAL,
    Address,
    Code,
    Country,
    EmailAddress,
    Language,
    Line,
    Moment,
    PartnerId,
    PersonName,
    Url,
)


class VendorCandidate(BaseModel):
    """The person as the vendor knows them."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    given_name: PersonName
    family_name: PersonName
    email: EmailAddress
    country: Country


VoucherCode = Annotated[Line | None, Field(json_schema_extra=PERSONAL)]
"""A voucher or a private access code that an exam was paid with. Worth money until then, so it is in no log."""


class ExamRegistered(EventData, publisher=VENDOR):
    """A person has booked an exam."""

    vendor_candidate_id: PartnerId
    registration_id: PartnerId
    exam_code: Code
    delivery: Literal["test_center", "online"]
    scheduled_at: Moment
    candidate: VendorCandidate
    address: Annotated[Address | None, Field(json_schema_extra=PERSONAL)] = None
    language: Language | None = None
    site: Line | None = None
    voucher: VoucherCode = None


class ExamAppointmentChanged(EventData, publisher=VENDOR):
    """A booked exam was moved, cancelled, or the person did not come."""

    registration_id: PartnerId
    change: Literal["rescheduled", "cancelled", "no_show"]
    scheduled_at: Moment | None = None
    reason: Literal["nda_refused"] | None = None
    """Of a `no_show`: the person came and did not agree to the rules of the exam."""

    @model_validator(mode="after")
    def _rescheduled_says_when(self) -> "ExamAppointmentChanged":
        if self.change == "rescheduled" and self.scheduled_at is None:
            raise ValueError("scheduled_at is required when change is 'rescheduled'")
        return self


class Section(BaseModel):
    """One section of a score report."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: Line
    percent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
    passed: bool | None = None
    """Of a practical exam's module that is graded by itself."""


Score = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False)]


class ExamResultReported(EventData, publisher=VENDOR):
    """The outcome of one attempt. The same `result_id` with a higher `revision` replaces the earlier one."""

    result_id: PartnerId
    revision: Annotated[int, Field(ge=1, le=1_000_000)]
    vendor_candidate_id: PartnerId
    registration_id: PartnerId
    exam_code: Code
    taken_at: Moment
    grade: Literal["pass", "fail", "pending", "invalidated"]
    form: Line | None = None
    score: Score | None = None
    passing_score: Score | None = None
    scale_min: Score | None = None
    scale_max: Score | None = None
    sections: Annotated[tuple[Section, ...], Field(max_length=100, strict=False)] = ()
    score_report_url: Url | None = None
    receipt_url: Url | None = None
    status: Literal["provisional", "final", "on_hold"] | None = None
    """How far the grade may be relied upon; left out: final, and provisional where the grade is pending."""
    effective_at: Moment | None = None
    """From when this word holds; left out: from the day on which the exam was taken."""
    attempt: Annotated[int, Field(ge=1, le=1000)] | None = None
    """The vendor's count of attempts at this exam."""
    site: Line | None = None
    language: Language | None = None
    voucher: VoucherCode = None


class CandidateReference(BaseModel):
    """How a course provider names a person."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    kind: Line
    value: Annotated[Line, Field(json_schema_extra=PERSONAL)]


class CourseCompleted(EventData, publisher=VENDOR):
    """A person has finished a course."""

    completion_id: PartnerId
    candidate_ref: CandidateReference
    course_code: Code
    title: Line
    completed_on: date
    credits: Annotated[int, Field(ge=0, le=1000)] | None = None


class KnownCandidate(CandidateReference):
    """A person by an id that can be matched without anybody's help."""

    kind: Literal["vendor_candidate_id", "candidate_id"]


class AchievementReported(EventData, publisher=VENDOR):
    """A person has achieved something that is no exam: a hands-on lab, say.

    The same `achievement_id` with a higher `revision` replaces the earlier one.
    """

    achievement_id: PartnerId
    revision: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    candidate_ref: KnownCandidate
    title: Line
    achieved_on: date
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    """In the vendor's words: `hands-on`, `lab`."""
    issuer: Line
    url: Url | None = None
    withdrawn: bool = False


class ShipmentReported(EventData, publisher=VENDOR):
    """What the fulfilment house did with an order."""

    order_id: PartnerId
    status: Literal["accepted", "in_production", "dispatched", "delivered", "returned"]
    at: Moment
    carrier: Line | None = None
    tracking_number: Annotated[Line | None, Field(json_schema_extra=PERSONAL)] = None
    tracking_url: Annotated[Url | None, Field(json_schema_extra=PERSONAL)] = None
    reason: Line | None = None
    """Why a parcel came back, for the candidate and staff."""


class OrderRefused(EventData, publisher=VENDOR):
    """The fulfilment house cannot make an order as it is."""

    order_id: PartnerId
    at: Moment
    reason: Line
    """For staff, who mend it and send it again under its number."""


class StockReported(EventData, publisher=VENDOR):
    """How much of an item the fulfilment house has; the latest `at` counts."""

    item: Code
    on_hand: Annotated[int, Field(ge=0, le=100_000_000)]
    at: Moment


class BadgeReported(EventData, publisher=VENDOR):
    """What the badge provider says of a badge."""

    badge_id: PartnerId
    state: Literal["issued", "accepted", "rejected", "revoked"]
    at: Moment
    public_url: Url | None = None
