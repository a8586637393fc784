"""What only the first page reads of the services' answers."""

from datetime import date, datetime

from pydantic import BaseModel, Field


class Announced(BaseModel):
    """What the program announces, in the language that it was written in."""

    language: str
    title: str
    paragraphs: list[str]
    severity: str


class Announcements(BaseModel):
    items: list[Announced]


class OfferRow(BaseModel):
    """Something to claim."""

    offer_id: str
    certification: str
    title: str
    state: str
    claim_until: datetime | None = Field(default=None)
    ships: bool = Field(default=True)
    price: "Price | None" = Field(default=None)


class Price(BaseModel):
    amount: str
    currency: str


class OfferRows(BaseModel):
    items: list[OfferRow]


class Step(BaseModel):
    state: str
    at: datetime


class ParcelRow(BaseModel):
    order_id: str
    title: str
    state: str
    replaced_by: str | None
    history: list[Step]


class ParcelRows(BaseModel):
    items: list[ParcelRow]


class Appointment(BaseModel):
    exam_code: str
    title: str | None
    site: str | None
    scheduled_at: datetime | None


class Appointments(BaseModel):
    items: list[Appointment]


class InHand(BaseModel):
    exam: str
    counts_through: date | None


class Goal(BaseModel):
    certification: str
    in_hand: list[InHand]
    text: str


class Goals(BaseModel):
    goals: list[Goal]


class Chosen(BaseModel):
    """The certifications that the candidate aims at."""

    certifications: list[str]


class Claim(BaseModel):
    title: str
    state: str
    credits: int | None
    submitted_at: datetime
    decided_at: datetime | None


class Claims(BaseModel):
    items: list[Claim]


class Shared(BaseModel):
    transcript_id: str
    label: str
    created_at: datetime
    views: int


class SharedRows(BaseModel):
    items: list[Shared]
