"""What is read of the services' answers about cases."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field

from services.portal.backend.shapes import Document, ThreadMessage


class CaseRow(BaseModel):
    """A case in a list."""

    case_id: str
    reference: str
    kind: str
    state: str
    opened_at: datetime
    due_on: date
    by_itself: bool = Field(default=False)


class CaseList(BaseModel):
    items: list[CaseRow]
    next: str | None


class Case(CaseRow):
    """A case with everything that was said."""

    details: dict[str, Any]
    messages: list[ThreadMessage]
    evidence: list[Document]
    reason: str | None
    decided_at: datetime | None


class ChallengeRow(BaseModel):
    """A challenge of a result: it has pages of its own beside the exam, and is listed here as well."""

    challenge_id: str
    exam_code: str
    taken_on: date
    state: str
    opened_at: datetime
    due_on: date


class ChallengeList(BaseModel):
    items: list[ChallengeRow]


class OrderRow(BaseModel):
    order_id: str
    title: str
    state: str


class OrderList(BaseModel):
    items: list[OrderRow]


class Named(BaseModel):
    """The name that a change of it starts from."""

    given_name: str
    family_name: str
    email: str | None = Field(default=None)
