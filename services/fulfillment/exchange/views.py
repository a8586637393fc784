"""What staff see of the exchange with fulfilment houses."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from libs.common.http.models import View
from services.fulfillment.exchange.comparing import Kind, ListState
from services.fulfillment.exchange.reports import Status
from services.fulfillment.exchange.standing import State


class HouseView(View):
    """How it goes with a house."""

    house: str
    name: str
    channel: Literal["queue", "files"]
    waiting: int
    """Orders that are to be sent."""
    sent: int
    """Orders sent and not answered."""
    acknowledged: int
    refused: int
    last_heard_at: datetime | None
    silent_since: datetime | None
    """Since when a house with open orders has said nothing; null while that is not too long."""
    failing_since: datetime | None
    """Since when its folders cannot be had."""
    error: str | None


class DispatchView(View):
    """Where an order stands between us and its house."""

    order_id: str
    house: str
    candidate_id: str
    state: State
    todo: Literal["request", "withdraw"] | None
    """What the house is told next."""
    sendings: int
    reason: str | None
    """Why the house has refused it, or why it cannot be written as the house reads."""
    item: str | None
    file_id: str | None
    """Of the last file that it was in."""
    first_sent_at: datetime | None
    sent_at: datetime | None
    answered_at: datetime | None
    changed_at: datetime


class ShipmentReportView(View):
    """A word of a house about an order."""

    report_id: str
    house: str
    order_id: str
    known: bool
    """Whether the house was ever sent such an order."""
    status: Status
    at: datetime
    carrier: str | None
    tracking_number: str | None
    tracking_url: str | None
    reason: str | None
    received_at: datetime


class HouseFileView(View):
    """A file of orders."""

    file_id: str
    house: str
    name: str
    state: Literal["made", "delivered"]
    lines: int
    unanswered: int
    made_at: datetime
    delivered_at: datetime | None
    tries: int
    error: str | None
    silent: bool
    """Whether the house has not answered all of it in time."""


class AnswerFaultView(View):
    line: int
    """0 for the file as a whole."""
    record: str | None
    code: Literal["unreadable", "no_record", "unknown_status", "unknown_record"]


class AnswerFileView(View):
    """A house's answer to a file, and what in it fits nothing of ours."""

    name: str
    house: str
    read_at: datetime
    accepted: int
    warned: int
    refused: int
    repeated: int
    faults: list[AnswerFaultView]
    """The first thousand."""
    faults_total: int


class StockView(View):
    """What a house has of an item."""

    house: str
    item: str
    on_hand: int
    at: datetime
    needed: int
    """Orders of it that have not left the house."""
    low: bool
    """Whether less is on hand than the house's definition asks for, or than is needed."""


class OrderListView(View):
    """A list of a house that was taken in."""

    list_id: str
    house: str
    kind: Literal["orders", "stock"]
    name: str
    by: str
    made_at: datetime
    state: Literal["done", "refused"]
    reason: str | None
    lines: int
    counts: dict[str, int]
    """What was found, by kind."""


class ListedView(View):
    order_id: str
    status: ListState
    at: datetime | None
    carrier: str | None
    tracking_number: str | None


class OwnView(View):
    order_id: str
    state: str
    tracking_number: str | None


class FindingActionView(View):
    """What was decided about a finding."""

    kind: Literal["send_again", "ask_house", "dismiss"]
    by: str
    at: datetime
    reason: str | None


class OrderFindingView(View):
    """An order about which the two sides do not say the same, or a line that could not be read."""

    finding_id: str
    kind: Kind
    order_id: str | None
    candidate_id: str | None
    line: int | None
    reason: str | None
    theirs: ListedView | None
    ours: OwnView | None
    differences: Annotated[list[Literal["state", "tracking_number"]], Field(description="What differs")]
    action: FindingActionView | None
