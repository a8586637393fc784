"""What pages of exams read of the services' answers."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from services.portal.backend.shapes import Document, ThreadMessage


class Wait(BaseModel):
    """A rule about retakes, and the day from which it allows the exam again."""

    text: str
    allowed_from: date


class Section(BaseModel):
    name: str
    percent: float
    passed: bool | None = None


class Revision(BaseModel):
    """What the vendor, or staff, said of a result at one time."""

    text: str
    effective_on: date
    known_at: datetime


class Attempt(BaseModel):
    """An exam that was sat, is waited for or was missed; or another achievement."""

    id: str
    kind: str | None
    state: str
    text: str
    title: str | None
    exam_code: str | None
    taken_on: date
    attempt: int | None
    vendor: str
    registration_id: str | None = None
    result_id: str | None = None
    delivery: str | None = None
    site: str | None = None
    grade: str | None
    score: float | None
    passing_score: float | None = None
    sections: list[Section] = Field(default=[])
    score_report_url: str | None = None
    receipt_url: str | None = None
    revisions: list[Revision] = Field(default=[])
    issuer: str | None = None
    url: str | None = None

    @property
    def result(self) -> str | None:
        """The name by which its result is challenged; `result_id` is the vendor's own, and says that there is one."""
        return self.id if self.result_id is not None else None


class Attempts(BaseModel):
    items: list[Attempt]
    next: str | None = None


class Appointment(BaseModel):
    appointment_id: str
    registration_id: str
    vendor: str
    exam_code: str
    title: str | None
    delivery: str
    site: str | None
    scheduled_at: datetime | None
    local_time: datetime | None
    retake: list[Wait] = Field(default=[])


class Appointments(BaseModel):
    items: list[Appointment]


class Right(BaseModel):
    """A right to sit an exam with a vendor."""

    vendor: str
    exam_code: str
    first: date
    last: date
    state: str


class Rights(BaseModel):
    items: list[Right]


class Voucher(BaseModel):
    voucher_id: str
    vendor: str
    kind: str
    code: str
    """Masked."""
    exams: list[str]
    value: str | None
    valid_until: date | None
    state: str


class Vouchers(BaseModel):
    items: list[Voucher]


class ShownVoucher(BaseModel):
    full_code: str
    vendor: str
    exams: list[str]
    valid_until: date | None


class Retake(BaseModel):
    """Whether an exam may be taken now."""

    allowed: bool
    allowed_from: date | None
    waits: list[Wait]


class ChallengeSummary(BaseModel):
    challenge_id: str
    state: str
    opened_at: datetime
    due_on: date


class Terms(BaseModel):
    """What a candidate may do about a result."""

    may_challenge: bool
    why_not: str | None
    until: date | None
    takes_evidence: bool
    challenges: list[ChallengeSummary]


class Challenge(ChallengeSummary):
    """A challenge with its thread."""

    result_id: str
    exam_code: str
    ground: str
    messages: list[ThreadMessage]
    evidence: list[Document]
    reason: str | None


class TicketFor(BaseModel):
    """The client that a ticket of identity's has to go along for."""

    client_id: str


class Ticket(BaseModel):
    login_hint: str


class VendorForm(BaseModel):
    """What the browser takes along to a vendor."""

    method: str
    action: str
    fields: dict[str, str]
    ticket: TicketFor | None = None


class HandOver(BaseModel):
    hand_over_id: str
    vendor: str
    exam_code: str
    form: VendorForm


class Answer(BaseModel):
    """Where a result is."""

    code: str
    text: str
    exam_code: str | None
    due_on: date | None
    case_opened: bool
    result_id: str | None


class Where(BaseModel):
    answers: list[Answer]


class Line(BaseModel):
    """Something that happened to a certification."""

    on: date
    certification: str
    text: str


class Happenings(BaseModel):
    lines: list[Line]
