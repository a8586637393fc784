"""What is read of certs' answers about credits."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field


class Use(BaseModel):
    certification: str
    on: date


class Entry(BaseModel):
    """A claim or a report in the ledger, and what has become of it."""

    submission_id: str
    item: str | None
    credits: int
    completed_on: date
    state: str
    used_by: Use | None = None
    text: str


class Credits(BaseModel):
    as_of: date
    level: str | None
    cycle_until: date | None
    counting: int
    may_be_held: bool
    entries: list[Entry]


class Submission(BaseModel):
    """A claim of the candidate's, or what a provider has reported."""

    submission_id: str
    kind: Literal["credits", "course"]
    origin: Literal["claim", "report"]
    state: str
    item: str
    title: str
    completed_on: date
    submitted_at: datetime
    due_on: date
    credits: int | None
    held_until: date | None
    evidence: list[str] = Field(default=[])
    note: str | None = None
    reason: str | None = None


class SubmissionPage(BaseModel):
    items: list[Submission]
    next: str | None = None


class Evidence(BaseModel):
    evidence_id: str


class Claimed(BaseModel):
    submission_id: str
    due_on: date
