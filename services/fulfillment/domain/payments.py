"""A payment: the way to a payment page for one order, and what the page has said since. Pure.

What a page says comes twice, late and in any order. It is kept as a set of facts, and all else is worked out from them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from libs.common.programs import Price
from services.fulfillment.domain.orders import Order

Kind = Literal["confirmed", "refunded"]
State = Literal["open", "expired", "paid", "partly_refunded", "refunded"]
Trouble = Literal["other_amount", "paid_twice", "called_off", "refunded_too_much"]
"""Why money has to go back, or why somebody has to look."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a payment page has said.

    Attributes:
        reference: the page's own number of it.
        at: when it happened, by the page's clock.
    """

    kind: Kind
    reference: str
    amount: Decimal
    currency: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Payment:
    """One way to a payment page.

    Attributes:
        asked: what is to be paid.
        facts: what the page has said, in no order that counts.
        settles: whether it is what the order was waiting for; of several payments for one order, one is.
        version: of the last event about it.
    """

    id: str
    program: str
    page: str
    order_id: str
    candidate_id: str
    title: str
    asked: Price
    made_at: datetime
    expires_at: datetime
    facts: tuple[Fact, ...] = ()
    settles: bool = False
    version: int = 0

    @property
    def paid(self) -> Decimal:
        """In the currency that was asked for."""
        return self._sum("confirmed")

    @property
    def refunded(self) -> Decimal:
        return self._sum("refunded")

    def state(self, now: datetime) -> State:
        if self.paid == 0:
            return "open" if now < self.expires_at else "expired"
        if self.refunded == 0:
            return "paid"
        return "refunded" if self.refunded >= self.paid else "partly_refunded"

    def _sum(self, kind: Kind) -> Decimal:
        said = (one.amount for one in self.facts if one.kind == kind and one.currency == self.asked.currency)
        return sum(said, Decimal(0))


def heard(payment: Payment, fact: Fact) -> Payment | None:
    """The payment once the fact is known; None where it was. A number says one thing: what it said first stays."""
    if any((one.kind, one.reference) == (fact.kind, fact.reference) for one in payment.facts):
        return None
    return replace(payment, facts=(*payment.facts, fact))


def settling(payment: Payment, order: Order | None) -> bool:
    """Whether an order that waits can go on with what was paid: all that was asked, and not paid back again."""
    if order is None or not order.awaits_payment or order.state != "pending":
        return False
    return _is_paid_as_asked(payment) and payment.refunded < payment.paid


def trouble(payment: Payment, order: Order | None) -> Trouble | None:
    """What somebody has to look after; None where the money is where it belongs."""
    if payment.refunded > payment.paid:
        return "refunded_too_much"
    left = payment.paid - payment.refunded
    if _net(one for one in payment.facts if one.currency != payment.asked.currency):
        return "other_amount"
    return _misplaced(payment, order, left) if left else None


def _misplaced(payment: Payment, order: Order | None, left: Decimal) -> Trouble | None:
    if not _is_paid_as_asked(payment):
        return "other_amount"
    if order is None or order.state == "cancelled":
        return "called_off"
    return "paid_twice" if not payment.settles or left > payment.asked.amount else None


def _is_paid_as_asked(payment: Payment) -> bool:
    return any(one.kind == "confirmed" and Price(one.amount, one.currency) == payment.asked for one in payment.facts)


def _net(facts: Iterable[Fact]) -> bool:
    """Whether anything is left of these, by currency."""
    left: dict[str, Decimal] = {}
    for one in facts:
        sign = 1 if one.kind == "confirmed" else -1
        left[one.currency] = left.get(one.currency, Decimal(0)) + sign * one.amount
    return any(left.values())
