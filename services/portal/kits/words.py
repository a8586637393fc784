"""What the pages of kits say: how a parcel stands, what is next, and when. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from babel.numbers import format_currency

from libs.common.languages import READER
from libs.common.programs import Program
from services.portal.kits.shapes import Offer, Order, Payment, Price
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import day_there, spoken
from services.portal.web.chips import Chip

STEPS: Final = (mark("Claimed"), mark("Ordered"), mark("In production"), mark("Shipped"), mark("Delivered"))
_AT: Final[Mapping[str, int]] = {
    "pending": 1,
    "ordered": 2,
    "in_production": 3,
    "shipped": 4,
    "returned": 4,
    "delivered": 5,
}
_CHIPS: Final[Mapping[str, Chip]] = {
    "pending": Chip("wait", mark("Claimed")),
    "ordered": Chip("wait", mark("Ordered")),
    "in_production": Chip("wait", mark("In production")),
    "shipped": Chip("wait", mark("Shipped")),
    "delivered": Chip("ok", mark("Delivered")),
    "returned": Chip("bad", mark("Came back")),
    "cancelled": Chip("off", mark("Called off")),
}
_SENT_AGAIN: Final = Chip("off", mark("Sent again"))
_TO_PAY: Final = Chip("warn", mark("Waiting for payment"))
_LATE: Final = Chip("warn", mark("Late"))
PENDING: Final = Chip("wait", mark("Pending"))
MISSED: Final = Chip("off", mark("Not claimed in time"))
_PAYMENTS: Final[Mapping[str, Chip]] = {
    "open": Chip("wait", mark("Begun")),
    "expired": Chip("off", mark("Not finished")),
    "paid": Chip("ok", mark("Paid")),
    "partly_refunded": Chip("off", mark("Partly paid back")),
    "refunded": Chip("off", mark("Paid back")),
}


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    lead: str


def step_of(order: Order) -> int | None:
    """How far a parcel is, as a step from 1; None where it goes nowhere any more."""
    return _AT.get(order.state)


def is_over(order: Order) -> bool:
    """Whether nothing more happens to an order."""
    return order.state in ("delivered", "cancelled") or (order.state == "returned" and order.replaced_by is not None)


def chip_of(order: Order) -> Chip:
    """The state of an order; what matters to its candidate goes before how far it is."""
    if order.state == "returned" and order.replaced_by is not None:
        return _SENT_AGAIN
    if order.awaits_payment and order.state == "pending":
        return _TO_PAY
    return _LATE if order.late else _CHIPS[order.state]


def payment_chip(payment: Payment) -> Chip:
    return _PAYMENTS[payment.state]


def order_words(order: Order) -> str:
    """How an order stands, in a sentence or two."""
    match order.state:
        case "returned":
            return _returned(order)
        case "cancelled":
            return say("It was called off on {day}.", day=_since(order))
        case "delivered":
            return say("It was delivered on {day}.", day=_since(order))
        case "shipped" if order.carrier and order.tracking_number:
            return say(
                "{carrier} {number}, on its way since {day}.",
                carrier=order.carrier,
                number=order.tracking_number,
                day=_since(order),
            )
        case "shipped":
            return say("It is on its way since {day}.", day=_since(order))
        case _:
            return _to_come(order)


def _returned(order: Order) -> str:
    if order.replaced_by is not None:
        return say("It came back, and we sent it again.")
    reason = next((entry.note for entry in reversed(order.history) if entry.state == "returned" and entry.note), None)
    again = say("Give us an address and we send it again, free of charge.")
    if reason is None:
        return f"{say('It came back.')} {again}"
    return f"{say('It came back: {reason}.', reason=reason.rstrip('.'))} {again}"


def _to_come(order: Order) -> str:
    if order.awaits_payment:
        return say("It is made as soon as it is paid.")
    if order.promised_by is None:
        return say("We write to you when it ships.")
    if order.late:
        return say(
            "It was promised by {day}. We know that it is late, and look after it; you don't need to ask.",
            day=spoken(order.promised_by),
        )
    return say("Promised by {day}. We write to you when it ships.", day=spoken(order.promised_by))


def _since(order: Order) -> str:
    """The day of the latest entry of the order's state."""
    at = max((entry.at for entry in order.history if entry.state == order.state), default=order.placed_at)
    return spoken(day_there(at))


def entry_word(state: str) -> Chip:
    return _CHIPS[state]


def heading_of(orders: Sequence[Order], offers: Sequence[Offer]) -> Heading:
    """The first that fits: something needs its candidate, is on its way, can be claimed, or there is nothing."""
    for one in sorted((each for each in orders if not is_over(each)), key=_urgency):
        return Heading(_title(one), order_words(one))
    claimable = [one for one in offers if one.state == "offered"]
    if len(claimable) == 1:
        return Heading(say("{title} is yours to claim", title=claimable[0].title), offer_words(claimable[0]))
    if claimable:
        return Heading(
            say_many("{count} thing is yours to claim", "{count} things are yours to claim", len(claimable)),
            say("Each once, for as long as it says."),
        )
    if orders or offers:
        return Heading(say("Nothing is on its way"), say("What you had before is below."))
    return Heading(say("No kits"), "")


def _urgency(order: Order) -> tuple[int, date]:
    if order.state == "returned":
        return 0, order.placed_at.date()
    if order.awaits_payment:
        return 1, order.placed_at.date()
    return 2, order.promised_by or date.max


def _title(order: Order) -> str:
    if order.state == "returned":
        return say("{title} came back", title=order.title)
    if order.awaits_payment:
        return say("{title} waits for payment", title=order.title)
    if order.late:
        return say("{title} is late", title=order.title)
    if order.state == "shipped":
        return say("{title} is on its way", title=order.title)
    if order.state == "in_production":
        return say("{title} is being made", title=order.title)
    return say("{title} is ordered", title=order.title)


def offer_words(offer: Offer) -> str:
    """Until when something can be claimed, and what it costs."""
    until = last_day(offer.claim_until)
    if offer.price is not None and until is not None:
        return say("{price}. Claim it by {day}.", price=money(offer.price), day=spoken(until))
    if offer.price is not None:
        return say("{price}.", price=money(offer.price))
    if until is not None:
        return say("Free of charge, once. Claim it by {day}.", day=spoken(until))
    return say("Free of charge, once.")


def last_day(claim_until: datetime | None) -> date | None:
    """The last day on which something can be claimed; `claim_until` is its end."""
    if claim_until is None:
        return None
    return day_there(claim_until - timedelta.resolution)  # the end of a day is told as the beginning of the next


def money(price: Price | Payment) -> str:
    return str(format_currency(price.amount, price.currency, locale=READER.get().locale))


def weeks(offer: Offer) -> str:
    """How long it takes."""
    usual, most = offer.promise_weeks
    if usual == most:
        return say_many("It takes {count} week.", "It takes up to {count} weeks.", most)
    return say("It takes {usual} to {most} weeks.", usual=usual, most=most)


def had_words(offer: Offer, order: Order | None, *, token: bool) -> str:
    """Why something cannot be claimed again."""
    if offer.state == "expired":
        return say("The last day to claim it has passed.")
    if token and order is not None:
        return say("This token was used on {day}.", day=spoken(day_there(order.placed_at)))
    if order is not None and order.state == "delivered":
        return say("You had it; it was delivered on {day}. There is one of each.", day=_since(order))
    if order is not None:
        return say("You claimed it on {day}. There is one of each.", day=spoken(day_there(order.placed_at)))
    return say("You claimed it already. There is one of each.")


def first_kit(program: Program) -> str | None:
    """The lowest level whose certifications come with something; None where none does."""
    giving = {one.level for one in program.certifications.values() if one.entitlements}
    return next((level for level in program.levels if level in giving), None)


def open_ones(orders: Iterable[Order]) -> list[Order]:
    return sorted((one for one in orders if not is_over(one)), key=_urgency)
