"""What is read of services' answers for a candidate's view. An empty list stands for a service that knows nobody."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from services.portal.backend.shapes import Certification, Expected, Line


class Native(BaseModel):
    given_name: str
    family_name: str


class FormerName(BaseModel):
    given_name: str
    family_name: str
    until: datetime


class Access(BaseModel):
    activated_at: datetime | None
    locked_until: datetime | None
    second_factor_since: datetime | None
    open_sessions: int


class ExternalId(BaseModel):
    system: str
    external_id: str
    verified_by: str
    since: datetime


class CaseLine(BaseModel):
    case_id: str
    reference: str | None = None
    kind: str
    state: str
    opened_at: datetime


class Merge(BaseModel):
    merge_id: str
    state: str
    merged_id: str
    candidate_id: str
    reason: str
    by: str
    requested_at: datetime
    done_at: datetime | None = None
    reversed_at: datetime | None = None


class Overview(BaseModel):
    """A candidate at a glance."""

    candidate_id: str
    asked_for: str
    given_name: str
    family_name: str
    native_name: Native | None = None
    former_names: list[FormerName]
    email: str
    mail_trouble: dict[str, Any] | None
    country: str
    language: str | None = None
    time_zone: str | None = None
    employer: str | None = None
    job_title: str | None = None
    created_at: datetime
    access: Access
    external_ids: list[ExternalId]
    merges: list[Merge]
    cases: list[CaseLine]

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class Held(BaseModel):
    certifications: list[Certification] = Field(default=[])


class Waiting(BaseModel):
    items: list[Expected] = Field(default=[])


class Lines(BaseModel):
    lines: list[Line] = Field(default=[])


class Decision(BaseModel):
    kind: str
    certification: str
    on: date
    until: date | None
    reason: str
    decided_by: str
    decided_at: datetime


class Decisions(BaseModel):
    items: list[Decision] = Field(default=[])


class Attempt(BaseModel):
    state: str
    text: str
    title: str | None
    exam_code: str | None
    taken_on: date
    attempt: int | None
    vendor: str
    registration_id: str | None
    grade: str | None
    score: float | None
    received_at: datetime | None


class Attempts(BaseModel):
    items: list[Attempt] = Field(default=[])
    next: str | None = None


class Appointment(BaseModel):
    registration_id: str
    vendor: str
    exam_code: str
    title: str | None
    scheduled_at: datetime | None
    state: str


class Appointments(BaseModel):
    items: list[Appointment] = Field(default=[])


class CreditEntry(BaseModel):
    item: str | None
    credits: int
    completed_on: date
    state: str
    text: str


class Credits(BaseModel):
    entries: list[CreditEntry] = Field(default=[])


class Order(BaseModel):
    order_id: str
    title: str
    state: str
    placed_at: datetime
    promised_by: date | None
    late: bool
    carrier: str | None
    tracking_number: str | None


class Orders(BaseModel):
    items: list[Order] = Field(default=[])


class Offer(BaseModel):
    title: str
    state: str
    offered_at: datetime
    claim_until: datetime | None


class Offers(BaseModel):
    items: list[Offer] = Field(default=[])


class Transcript(BaseModel):
    label: str
    kind: str
    state: str
    valid_through: date
    created_at: datetime
    views: int


class Transcripts(BaseModel):
    items: list[Transcript] = Field(default=[])


class Badge(BaseModel):
    title: str
    available: bool
    reason: str | None


class Badges(BaseModel):
    badges: list[Badge] = Field(default=[])


class Mail(BaseModel):
    message_id: str
    number: str
    subject: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    error: str | None = None


class Mails(BaseModel):
    items: list[Mail] = Field(default=[])
    next: str | None = None


class Name(BaseModel):
    given_name: str
    family_name: str
    since: datetime
    until: datetime | None
    by: str | None = None


class NameList(BaseModel):
    items: list[Name] = Field(default=[])


class Similar(BaseModel):
    candidate_id: str
    given_name: str
    family_name: str
    score: float
    reasons: list[str] = Field(default=[])


class Similars(BaseModel):
    items: list[Similar] = Field(default=[])
