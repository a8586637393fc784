"""What pages of certifications read of the services' answers."""

from datetime import date, datetime

from pydantic import BaseModel, Field


class Fact(BaseModel):
    """Something that happened."""

    fact: str
    kind: str
    on: date
    text: str
    known_at: datetime | None
    corrected_at: datetime | None


class Asked(BaseModel):
    """One thing that a rule asks for, or several of which so many are enough."""

    kind: str
    text: str
    items: list["Asked"]


class Rule(BaseModel):
    clause: str
    text: str | None
    says: str | None = None
    """In words; this and what follows are missing in answers of a service that is not updated yet."""
    lead: str | None = None
    asks: Asked | None = None
    wording: str


class Reasons(BaseModel):
    """Why a certification is what it is."""

    policy_version: int
    text: str
    facts: list[Fact]
    rules: list[Rule]


class Way(BaseModel):
    exams: list[list[str]] = Field(default=[])
    credits: int
    text: str


class Renewal(BaseModel):
    certification: str
    expires_on: date
    credits: int | None = None
    """All that a renewal by credits alone needs."""
    ways: list[Way]


class Renewals(BaseModel):
    renewals: list[Renewal]


class Availability(BaseModel):
    """Whether a file of a certification may be had."""

    available: bool
    reason: str | None = None


class SeenReason(BaseModel):
    text: str
    clause: str
    wording: str


class SeenStanding(BaseModel):
    certification: str
    status: str
    earned_on: date
    expires_on: date | None
    because: list[SeenReason]


class Seen(BaseModel):
    """What a verifier would have seen on a day."""

    as_of: date
    certifications: list[SeenStanding]


class Accepted(BaseModel):
    version: str | None
    accepted_on: date


class Agreement(BaseModel):
    """The agreement in force, and what the candidate has accepted."""

    version: str
    title: str
    text: str
    required: bool
    accepted: bool
    acceptances: list[Accepted]


class Reminder(BaseModel):
    """A mail, as far as it tells whether a reminder was sent."""

    template: str
    state: str
    created_at: datetime


class Reminders(BaseModel):
    items: list[Reminder]


class PassInHand(BaseModel):
    exam: str


class Goal(BaseModel):
    certification: str
    in_hand: list[PassInHand]


class Goals(BaseModel):
    """What is not held; under way is what has a pass in hand."""

    goals: list[Goal]
