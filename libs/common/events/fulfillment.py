"""Events of the fulfillment service: what a candidate may have, and what was sent."""

from datetime import date
from typing import Literal

from libs.common.events.audit import Seal
from libs.common.events.personal_data import Part
from libs.common.events.registry import EventData
from libs.common.events.types import Code, Identifier, Line, Moment, Url


class BenefitOffered(EventData, publisher="fulfillment"):
    """A candidate may claim something: offered once, or again after it was withdrawn."""

    candidate_id: Identifier
    offer_id: Identifier
    benefit: Code
    title: Line
    certification: Code
    offered_at: Moment
    claim_until: Moment | None = None
    """The end of the last day on which it can be claimed; None without end."""


class GiftOffered(EventData, publisher="fulfillment"):
    """A candidate may claim what comes with a milestone, with a token that they see where they claim it."""

    candidate_id: Identifier
    offer_id: Identifier
    benefit: Code
    title: Line
    milestone: Code
    offered_at: Moment
    claim_until: Moment | None = None
    """The end of the last day on which it can be claimed; None without end."""


class BenefitWithdrawn(EventData, publisher="fulfillment"):
    """What a candidate could have claimed, and has not, is no longer offered: what entitled to it was revoked."""

    candidate_id: Identifier
    offer_id: Identifier
    benefit: Code
    title: Line
    certification: Code
    """Of what comes with a milestone, the milestone."""
    withdrawn_at: Moment


class BenefitExpired(EventData, publisher="fulfillment"):
    """The last day to claim something is over, and nobody has claimed it."""

    candidate_id: Identifier
    offer_id: Identifier
    benefit: Code
    title: Line
    certification: Code
    """Of what comes with a milestone, the milestone."""
    expired_at: Moment


class BenefitClaimed(EventData, publisher="fulfillment"):
    """A candidate has claimed what was offered to them; what is sent for it is the order."""

    candidate_id: Identifier
    offer_id: Identifier
    order_id: Identifier
    benefit: Code
    title: Line
    claimed_at: Moment


class _Order(EventData):
    """An order: one parcel to one address, which is fixed from the order on and not told here."""

    candidate_id: Identifier
    order_id: Identifier
    """Also the number under which the fulfilment house knows it."""
    benefit: Code
    title: Line


class OrderPlaced(_Order, publisher="fulfillment"):
    """An order stands and goes to the fulfilment house."""

    placed_at: Moment
    promised_by: date
    """The last day of what the program promises."""
    replaces: Identifier | None = None
    """The order that it sends again."""


class OrderShipped(_Order, publisher="fulfillment"):
    """The parcel is on its way."""

    shipped_at: Moment
    promised_by: date
    carrier: Line | None = None
    tracking_number: Line | None = None
    tracking_url: Url | None = None


class OrderDelivered(_Order, publisher="fulfillment"):
    """The parcel has arrived."""

    delivered_at: Moment


class OrderReturned(_Order, publisher="fulfillment"):
    """The parcel came back."""

    returned_at: Moment
    reason: Line | None = None
    """In the words of the fulfilment house or the carrier."""


class OrderCancelled(_Order, publisher="fulfillment"):
    """Nothing is sent for this order."""

    cancelled_at: Moment
    reason: Line


class OrderLate(_Order, publisher="fulfillment"):
    """The promised day is over, and the parcel has not been delivered."""

    promised_by: date
    state: Literal["pending", "ordered", "in_production", "shipped"]
    late_at: Moment


class PaymentConfirmed(EventData, publisher="fulfillment"):
    """What was asked for an item is paid; no card data ever reaches us."""

    candidate_id: Identifier
    order_id: Identifier
    payment_id: Identifier
    title: Line
    amount: Line
    """Decimal number in the currency's main unit, as `49.00`."""
    currency: Line
    """ISO 4217."""
    paid_at: Moment


class PaymentRefunded(EventData, publisher="fulfillment"):
    """What was paid for an item was paid back."""

    candidate_id: Identifier
    order_id: Identifier
    payment_id: Identifier
    refund_id: Identifier | None = None
    """The payment page's own number of it; what was paid may go back in parts."""
    title: Line
    amount: Line
    currency: Line
    refunded_at: Moment


class PersonalDataPart(Part, publisher="fulfillment"):
    """A part of what fulfillment holds about the person of an export."""


class AuditSealed(Seal, publisher="fulfillment"):
    """How far the audit log of fulfillment has come, and the hash of its last record."""
