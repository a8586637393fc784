"""What is read of badges at a provider."""

from datetime import datetime

from pydantic import BaseModel


class Provider(BaseModel):
    """How the program's badge provider is doing."""

    on: bool
    failing_since: datetime | None
    failures: int
    silent_until: datetime | None
    error: str | None
    waiting: int
    trouble: int
    compared_at: datetime | None


class Trouble(BaseModel):
    """A badge that waits for a person."""

    trouble_id: str
    kind: str
    candidate_id: str
    certification: str
    credential_id: str | None
    badge_id: str | None
    state: str | None
    text: str
    since: datetime


class Troubles(BaseModel):
    items: list[Trouble]
    next: str | None = None


class Stray(BaseModel):
    """A standing badge there under a key of ours that we know nothing of."""

    badge_id: str
    key: str
    state: str
    seen_at: datetime


class Strays(BaseModel):
    items: list[Stray]
    next: str | None = None
