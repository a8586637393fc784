"""What is read of identity's answers about exports and erasures."""

from datetime import datetime

from pydantic import BaseModel, Field


class Service(BaseModel):
    service: str
    state: str


class Export(BaseModel):
    export_id: str
    state: str
    requested_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    services: list[Service] = Field(default=[])


class ExportPage(BaseModel):
    items: list[Export]


class Hold(BaseModel):
    reason: str


class Erasure(BaseModel):
    state: str
    due_at: datetime | None = None
    held: Hold | None = None
