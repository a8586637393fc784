"""What is read of hooks."""

from datetime import datetime

from pydantic import BaseModel


class Secret(BaseModel):
    made_at: datetime
    valid_until: datetime | None


class Hook(BaseModel):
    """Where messages go, and how it does."""

    hook_id: str
    url: str
    events: list[str]
    description: str
    personal_data: bool
    state: str
    off_because: str | None
    secrets: list[Secret]
    created_at: datetime
    created_by: str
    failures: int
    failing_since: datetime | None
    last_error: str | None


class Hooks(BaseModel):
    items: list[Hook]


class NewSecret(Hook):
    """A hook with a secret that is shown this once."""

    secret: str


class Event(BaseModel):
    event: str
    summary: str
    personal_data: list[str]


class Events(BaseModel):
    items: list[Event]


class Try(BaseModel):
    at: datetime
    status: int | None
    error: str | None


class Delivery(BaseModel):
    """A message to a hook."""

    delivery_id: str
    event: str
    state: str
    created_at: datetime
    delivered_at: datetime | None
    due_at: datetime | None
    attempts: int
    tries: list[Try]


class Log(BaseModel):
    items: list[Delivery]
    next: str | None = None


class Replayed(BaseModel):
    count: int
