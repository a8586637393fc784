"""What fulfillment tells: gifts for many years, parcels, and what was paid for them.

Of the kit the mail about the award tells, and nobody is written to about what they could buy.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from libs.common.events import EventData, fulfillment
from libs.common.programs import Program
from services.notify.domain.mails import Mail, Template


def _gift(data: fulfillment.GiftOffered, program: Program) -> Mail:
    last_day = program.day_of(data.claim_until - timedelta(seconds=1)).isoformat() if data.claim_until else None
    return Mail(Template.GIFT_OFFERED, data.candidate_id, {"title": data.title, "claim_until": last_day})


def _placed(data: fulfillment.OrderPlaced, _program: Program) -> Mail:
    again = {"again": data.replaces is not None}
    return Mail(Template.ORDER_PLACED, data.candidate_id, _promised(data) | again)


def _shipped(data: fulfillment.OrderShipped, _program: Program) -> Mail:
    parcel = {"carrier": data.carrier, "tracking_number": data.tracking_number}
    return Mail(Template.ORDER_SHIPPED, data.candidate_id, {"title": data.title} | parcel)


def _late(data: fulfillment.OrderLate, _program: Program) -> Mail:
    return Mail(Template.ORDER_LATE, data.candidate_id, _promised(data))


def _promised(data: fulfillment.OrderPlaced | fulfillment.OrderLate) -> dict[str, Any]:
    return {"title": data.title, "promised_by": data.promised_by.isoformat()}


def _ended(template: Template) -> Callable[[Any, Program], Mail]:
    def write(data: fulfillment.OrderReturned | fulfillment.OrderCancelled, _program: Program) -> Mail:
        return Mail(template, data.candidate_id, {"title": data.title, "reason": data.reason})

    return write


def _payment(template: Template) -> Callable[[Any, Program], Mail]:
    def write(data: fulfillment.PaymentConfirmed | fulfillment.PaymentRefunded, _program: Program) -> Mail:
        paid = {"amount": data.amount, "currency": data.currency}
        return Mail(template, data.candidate_id, {"title": data.title} | paid)

    return write


WRITERS: Mapping[type[EventData], Callable[[Any, Program], Mail | None]] = {
    fulfillment.GiftOffered: _gift,
    fulfillment.OrderPlaced: _placed,
    fulfillment.OrderShipped: _shipped,
    fulfillment.OrderReturned: _ended(Template.ORDER_RETURNED),
    fulfillment.OrderCancelled: _ended(Template.ORDER_CANCELLED),
    fulfillment.OrderLate: _late,
    fulfillment.PaymentConfirmed: _payment(Template.PAYMENT_CONFIRMED),
    fulfillment.PaymentRefunded: _payment(Template.PAYMENT_REFUNDED),
}
