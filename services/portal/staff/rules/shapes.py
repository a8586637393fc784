"""What is read of policies and dry runs."""

from datetime import datetime

from pydantic import BaseModel

from services.portal.staff.consequences import Side


class Policy(BaseModel):
    version: int
    candidates: int
    outdated: int


class Counts(BaseModel):
    certification: str
    gained: int
    lost: int
    moved: int
    changed: int


class DryRun(BaseModel):
    """A new definition tried on every candidate."""

    run_id: str
    from_version: int
    to_version: int
    state: str
    total: int
    done: int
    affected: int
    counts: list[Counts]
    created_by: str
    created_at: datetime
    finished_at: datetime | None = None


class DryRunPage(BaseModel):
    items: list[DryRun]
    next: str | None = None


class Changed(BaseModel):
    candidate_id: str
    certification: str
    kind: str
    before: Side | None = None
    after: Side | None = None
    because: str


class ChangedPage(BaseModel):
    items: list[Changed]
    next: str | None = None
