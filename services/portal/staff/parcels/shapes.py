"""What is read of orders."""

from datetime import date, datetime

from pydantic import BaseModel

from services.portal.addresses.shapes import Label


class Entry(BaseModel):
    state: str
    at: datetime
    by: str
    note: str | None = None


class Order(BaseModel):
    """A parcel, from its claim to its door."""

    order_id: str
    candidate_id: str
    certification: str
    title: str
    state: str
    placed_at: datetime
    promised_by: date | None = None
    late: bool = False
    awaits_payment: bool = False
    ship_to: Label | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    history: list[Entry]


class OrderPage(BaseModel):
    items: list[Order]
    next: str | None = None


class House(BaseModel):
    """How it goes with a fulfilment house."""

    house: str
    name: str
    waiting: int
    sent: int
    acknowledged: int
    refused: int
    last_heard_at: datetime | None = None
    silent_since: datetime | None = None
    failing_since: datetime | None = None
    error: str | None = None


class HousePage(BaseModel):
    items: list[House]


class Dispatch(BaseModel):
    """An order that a house refused."""

    order_id: str
    house: str
    candidate_id: str
    reason: str | None = None
    changed_at: datetime


class DispatchPage(BaseModel):
    items: list[Dispatch]
    next: str | None = None


class OrderList(BaseModel):
    """A list of a house that was taken in."""

    list_id: str
    house: str
    kind: str
    name: str
    made_at: datetime
    state: str
    reason: str | None = None
    lines: int
    counts: dict[str, int]


class OrderListPage(BaseModel):
    items: list[OrderList]
    next: str | None = None


class Theirs(BaseModel):
    status: str
    tracking_number: str | None = None


class Ours(BaseModel):
    state: str
    tracking_number: str | None = None


class Action(BaseModel):
    kind: str
    by: str
    at: datetime
    reason: str | None = None


class Finding(BaseModel):
    """An order about which the two sides do not say the same, or a line that could not be read."""

    finding_id: str
    kind: str
    order_id: str | None = None
    candidate_id: str | None = None
    line: int | None = None
    reason: str | None = None
    theirs: Theirs | None = None
    ours: Ours | None = None
    differences: list[str]
    action: Action | None = None


class FindingPage(BaseModel):
    items: list[Finding]
    next: str | None = None
