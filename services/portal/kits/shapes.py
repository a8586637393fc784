"""What the pages of kits read of fulfillment's answers, and of the profile."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel

from services.portal.addresses.shapes import Address, Label
from services.portal.backend.shapes import Profile


class Choice(BaseModel):
    name: str
    values: list[str]


class Price(BaseModel):
    amount: str
    currency: str


class Offer(BaseModel):
    """What the candidate may claim, has claimed, or has let pass."""

    offer_id: str
    certification: str
    benefit: str
    title: str
    state: Literal["offered", "claimed", "expired"]
    claim_until: datetime | None
    choices: list[Choice]
    ships: bool
    promise_weeks: list[int]
    """The usual and the most."""
    price: Price | None
    token: str | None
    """Of what takes one, until it is used."""
    order_id: str | None


class OfferPage(BaseModel):
    items: list[Offer]
    next: str | None = None


class Entry(BaseModel):
    state: str
    at: datetime
    by: str
    note: str | None


class Order(BaseModel):
    """One parcel."""

    order_id: str
    offer_id: str
    benefit: str
    title: str
    choices: dict[str, str]
    state: Literal["pending", "ordered", "in_production", "shipped", "delivered", "returned", "cancelled"]
    placed_at: datetime
    promised_by: date | None
    late: bool
    awaits_payment: bool
    ship_to: Label | None
    carrier: str | None
    tracking_number: str | None
    tracking_url: str | None
    replaces: str | None
    replaced_by: str | None
    history: list[Entry]


class OrderPage(BaseModel):
    items: list[Order]
    next: str | None = None


class Addressee(Profile):
    """Whom a parcel goes to, as the profile has it."""

    country: str = ""
    address: Address | None = None


class AddressProblem(BaseModel):
    path: str
    code: str
    message: str


class AddressCheck(BaseModel):
    problems: list[AddressProblem]
    lines: list[str]
    country: str


class PaymentForm(BaseModel):
    """What the browser takes to the payment page."""

    action: str
    fields: dict[str, str]


class Payment(BaseModel):
    order_id: str
    amount: str
    currency: str
    state: Literal["open", "expired", "paid", "partly_refunded", "refunded"]
    refunded: str
    made_at: datetime


class PaymentMade(Payment):
    form: PaymentForm


class Payments(BaseModel):
    items: list[Payment]
