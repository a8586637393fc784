"""What the portal reads of the services' answers; everything else in them is left alone."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field


class Tokens(BaseModel):
    access_token: str
    refresh_token: str | None = None
    expires_in: int
    """Seconds."""


class Ways(BaseModel):
    """How a program's candidates sign in."""

    local_passwords: bool = True
    provider: "Provider | None" = None


class Provider(BaseModel):
    name: str


class Profile(BaseModel):
    """What every page for a candidate needs of them."""

    candidate_id: str
    given_name: str
    family_name: str
    language: str | None = None
    time_zone: str | None = None
    missing: list[str] = Field(default=[])
    """What the program wants to know first; empty opens everything."""
    confirmation_due: bool = False
    """Whether the program wants to hear again that the profile is right."""

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class Reason(BaseModel):
    fact: str
    clause: str
    text: str


class Holding(BaseModel):
    """One unbroken time of holding."""

    earned_on: date
    expires_on: date | None


class Certification(BaseModel):
    certification: str
    title: str
    status: str
    earned_on: date
    expires_on: date | None
    """Last active day."""
    text: str
    because: list[Reason]
    holdings: list[Holding]
    designations: list[str] = Field(default=[])


class Certifications(BaseModel):
    as_of: date
    """Today in the program's time zone."""
    certifications: list[Certification]


class Line(BaseModel):
    """Something that happened to a certification."""

    on: date
    certification: str
    kind: str
    expires_on: date | None
    known_at: datetime
    withdrawn_at: datetime | None
    text: str


class History(BaseModel):
    lines: list[Line]


class Way(BaseModel):
    credits: int
    text: str


class Renewal(BaseModel):
    certification: str
    expires_on: date
    ways: list[Way]


class Renewals(BaseModel):
    renewals: list[Renewal]


class Expected(BaseModel):
    """A result that is waited for."""

    registration_id: str
    vendor: str
    exam_code: str
    exam_title: str | None
    scheduled_at: datetime
    state: Literal["expected", "late", "overdue", "being_checked"]
    due_on: date
    case_opened: bool
    asked_on: date | None = None
    """When the vendor was last asked about what is late."""


class ExpectedList(BaseModel):
    items: list[Expected]


class Attempt(BaseModel):
    """An exam that was sat, is waited for or was missed; or another achievement."""

    id: str
    state: str
    text: str
    title: str | None
    exam_code: str | None
    taken_on: date
    attempt: int | None
    vendor: str
    grade: str | None
    score: float | None


class AttemptPage(BaseModel):
    items: list[Attempt]
    next: str | None = None


class Message(BaseModel):
    """A mail that was sent to the candidate."""

    message_id: str
    number: str
    subject: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    error: str | None = None


class MessagePage(BaseModel):
    items: list[Message]
    next: str | None = None


class Return(BaseModel):
    """What was heard of a mail that came back."""

    text: str


class Words(BaseModel):
    """A mail with its text."""

    message_id: str
    number: str
    subject: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    text: str
    returned: Return | None = None


class ThreadMessage(BaseModel):
    """What somebody wrote in a case or about a challenge."""

    by: str
    at: datetime
    text: str


class Document(BaseModel):
    """A file that somebody gave to show something."""

    evidence_id: str
    media_type: str
    bytes: int
    uploaded_at: datetime
