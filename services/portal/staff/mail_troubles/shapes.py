"""What is read of suppressed addresses."""

from datetime import datetime

from pydantic import BaseModel


class Suppression(BaseModel):
    """Why nothing is sent to a candidate's address."""

    candidate_id: str
    address: str
    reason: str
    since: datetime
    message_id: str
    number: str


class SuppressionPage(BaseModel):
    items: list[Suppression]
    next: str | None = None


class AddressState(BaseModel):
    candidate_id: str
    suppression: Suppression | None
