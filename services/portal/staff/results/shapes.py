"""What is read of exams about results that wait for staff."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from services.portal.backend.shapes import Document, ThreadMessage


class Registration(BaseModel):
    """What is known of the registration that a result names."""

    registration_id: str
    candidate_id: str | None = None
    exam_code: str
    scheduled_at: datetime | None = None


class Unmatched(BaseModel):
    """A result whose candidate is not known, in a list."""

    item_id: str
    vendor: str
    result_id: str
    vendor_candidate_id: str
    exam_code: str
    taken_on: date
    registration_id: str
    registration: Registration | None = None
    received_at: datetime
    age_days: int
    asked_vendor_at: datetime | None = None
    assignee: str | None = None
    assignee_since: datetime | None = None


class UnmatchedPage(BaseModel):
    items: list[Unmatched]
    next: str | None = None
    count: int


class Reason(BaseModel):
    code: str
    text: str


class Suggestion(BaseModel):
    candidate_id: str
    score: int
    reasons: list[Reason]


class Assignment(BaseModel):
    candidate_id: str
    by: str
    at: datetime
    reason: str


class SameId(BaseModel):
    system: str
    external_id: str
    to: str


class Handling(BaseModel):
    what: str
    by: str
    at: datetime
    text: str
    candidate_id: str | None = None


class UnmatchedDetail(Unmatched):
    suggestions: list[Suggestion]
    assignment: Assignment | None = None
    same_id_from_now_on: SameId | None = None
    handling: list[Handling]


class PartnersId(BaseModel):
    system: str
    external_id: str


class Person(BaseModel):
    """A candidate who may be meant."""

    candidate_id: str
    given_name: str
    family_name: str
    email: str
    country: str
    external_ids: list[PartnersId] = Field(default=[])

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class Change(BaseModel):
    text: str


class WhatIf(BaseModel):
    """What a pass would change."""

    changes: list[Change]


class VendorFigures(BaseModel):
    vendor: str
    expected: int
    late: int
    overdue: int
    unmatched: int


class Figures(BaseModel):
    """A program's numbers of results that are awaited."""

    expected: int
    late: int
    overdue: int
    unmatched: int
    oldest_due_on: date | None = None
    oldest_unmatched_days: int | None = None
    vendors: list[VendorFigures] = Field(default=[])


class Question(BaseModel):
    """One time that a vendor was asked about a late result."""

    asked_on: date
    how: str
    note: str
    by: str
    at: datetime


class Late(BaseModel):
    """A result that is past its promise."""

    late_id: str
    registration_id: str
    candidate_id: str | None = None
    vendor: str
    exam_code: str
    scheduled_at: datetime
    stage: str
    due_on: date
    overdue_on: date
    business_days_late: int
    told: bool
    unmatched_items: list[str]
    questions: list[Question] = Field(default=[])
    ask_again_on: date | None = None


class LatePage(BaseModel):
    items: list[Late]
    next: str | None = None
    count: int
    to_ask: int


class Noted(BaseModel):
    noted: int
    left_out: int


class Outcome(BaseModel):
    grade: str
    score: float | None = None


class Opinion(BaseModel):
    decision: str
    by: str
    grade: str | None = None
    score: float | None = None


class Step(BaseModel):
    what: str
    by: str
    at: datetime
    note: str | None = None


class Since(BaseModel):
    """What the vendor has said since a challenge was decided."""

    said_at: datetime
    grade: str
    score: float | None = None
    counts: bool


class ChallengeLine(BaseModel):
    challenge_id: str
    candidate_id: str
    result_id: str
    exam_code: str
    taken_on: date
    ground: str
    state: str
    opened_at: datetime
    due_on: date
    assignee: str | None = None
    overdue: bool
    four_eyes: bool
    overtaken: bool


class ChallengePage(BaseModel):
    items: list[ChallengeLine]
    next: str | None = None


class Challenge(ChallengeLine):
    challenged: Outcome
    messages: list[ThreadMessage]
    evidence: list[Document]
    reason: str | None = None
    decided: Outcome | None = None
    first_opinion: Opinion | None = None
    history: list[Step]
    result: Outcome | None = None
    vendor_since: list[Since]
