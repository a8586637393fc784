"""What is read of identity's cases."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from services.portal.backend.shapes import Document, ThreadMessage


class CaseLine(BaseModel):
    """A case in a list."""

    case_id: str
    reference: str
    kind: str
    state: str
    candidate_id: str
    opened_at: datetime
    due_on: date
    by_itself: bool = False
    assignee: str | None = None
    overdue: bool = False
    four_eyes: bool = False
    details: dict[str, Any]
    """By kind, what it was asked with."""
    documents: int = 0
    first_by: str | None = None


class CasePage(BaseModel):
    items: list[CaseLine]
    next: str | None = None


class Opinion(BaseModel):
    decision: str
    by: str
    other_candidate_id: str | None = None


class Step(BaseModel):
    what: str
    by: str
    at: datetime
    note: str | None = None


class Case(CaseLine):
    """A case as staff see it."""

    messages: list[ThreadMessage]
    evidence: list[Document]
    reason: str | None = None
    decided_at: datetime | None = None
    held_by: str | None = None
    first_opinion: Opinion | None = None
    history: list[Step] = Field(default=[])
    merge_id: str | None = None


class Person(BaseModel):
    """Whom a case is about."""

    candidate_id: str
    given_name: str
    family_name: str
    email: str

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()
