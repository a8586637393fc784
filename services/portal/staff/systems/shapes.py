"""What is read of systems."""

from datetime import date, datetime

from pydantic import BaseModel


class Secret(BaseModel):
    made_at: datetime
    valid_until: datetime | None


class System(BaseModel):
    """A system of the program's, with what it may."""

    client_id: str
    description: str
    scopes: list[str]
    secrets: list[Secret]
    created_at: datetime
    created_by: str
    last_used_on: date | None
    disabled_at: datetime | None


class Systems(BaseModel):
    items: list[System]


class NewSecret(System):
    """A system with a secret that is shown this once."""

    client_secret: str
