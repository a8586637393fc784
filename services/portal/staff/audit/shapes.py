"""What is read of the audit logs."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """One record, whole: whatever was added to it is kept, so that its hash no longer fits."""

    model_config = ConfigDict(extra="allow")

    n: int
    at: datetime
    actor: str
    operation: str
    method: str
    about: dict[str, str]
    candidates: list[str]
    step: str
    status: int


class Records(BaseModel):
    """Records in their order, as they came."""

    items: list[dict[str, Any]]
    next: int | None = None


class Seal(BaseModel):
    n: int
    hash: str
    sealed_at: datetime


class Seals(BaseModel):
    """The latest first."""

    items: list[Seal] = Field(default=[])
