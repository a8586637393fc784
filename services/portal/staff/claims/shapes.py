"""What is read of reviews of claims."""

from datetime import date, datetime

from pydantic import BaseModel


class Review(BaseModel):
    """A claim of a candidate, or what a provider reported."""

    submission_id: str
    kind: str
    origin: str
    state: str
    item: str
    title: str
    completed_on: date
    submitted_at: datetime
    due_on: date
    credits: int | None = None
    level: str | None = None
    track: str | None = None
    delivery: str | None = None
    held_until: date | None = None
    evidence: list[str]
    pictures: list[str] | None = None
    note: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    assignee: str | None = None
    assignee_since: datetime | None = None
    reason: str | None = None
    candidate_id: str | None = None
    vendor: str | None = None
    overdue: bool = False


class ReviewPage(BaseModel):
    items: list[Review]
    next: str | None = None
