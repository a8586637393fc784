"""What is read of staff."""

from datetime import datetime

from pydantic import BaseModel


class Member(BaseModel):
    """Somebody who works for the program."""

    staff_id: str
    email: str
    name: str
    roles: list[str]
    created_at: datetime
    activated_at: datetime | None


class Members(BaseModel):
    items: list[Member]
