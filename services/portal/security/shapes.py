"""What is read of identity's answers about the security of an account."""

from datetime import datetime

from pydantic import BaseModel, Field


class Place(BaseModel):
    """Where the account is signed in."""

    session_id: str
    user_agent: str
    created_at: datetime
    used_at: datetime
    current: bool


class Places(BaseModel):
    items: list[Place]


class Factor(BaseModel):
    on: bool
    since: datetime | None
    recovery_codes_left: int


class Enrolment(BaseModel):
    """What an authenticator app needs; shown once."""

    secret: str
    otpauth_uri: str


class RecoveryCodes(BaseModel):
    recovery_codes: list[str]


class Mailbox(BaseModel):
    email: str | None = Field(default=None)
