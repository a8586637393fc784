"""Orders in words. Pure."""

from typing import Final

from services.portal.languages import mark, say
from services.portal.languages.days import day_there, short_day, spoken
from services.portal.staff.kit import NONE, PAST_PROMISE, Cell, Fact, Row
from services.portal.staff.parcels.shapes import Entry, House, Order
from services.portal.web.chips import Chip

STATES: Final = {
    "returned": Chip("warn", mark("Came back")),
    "pending": Chip("wait", mark("Claimed")),
    "ordered": Chip("wait", mark("Ordered")),
    "in_production": Chip("wait", mark("In production")),
    "shipped": Chip("wait", mark("Shipped")),
    "delivered": Chip("ok", mark("Delivered")),
    "cancelled": Chip("off", mark("Cancelled")),
}
_BY: Final = {
    "candidate": mark("the candidate"),
    "staff": mark("staff"),
    "vendor": mark("the fulfilment house"),
    "system": mark("by itself"),
}
_AT_HOME: Final = frozenset({"pending", "ordered", "in_production"})
_AGAIN: Final = frozenset({"returned", "shipped"})


def chip_of(order: Order) -> Chip:
    return PAST_PROMISE if order.late else STATES.get(order.state, Chip("off", order.state))


def may_cancel(order: Order) -> bool:
    """Whether it has not left its house."""
    return order.state in _AT_HOME


def may_resend(order: Order) -> bool:
    """Whether it came back, or is on a way that it may have been lost on; once."""
    return order.state in _AGAIN and order.replaced_by is None


def last_of(order: Order) -> Entry | None:
    return order.history[-1] if order.history else None


def row_of(order: Order) -> Row:
    last = last_of(order)
    return Row(
        order.order_id,
        (
            Cell(short_day(day_there(last.at if last else order.placed_at))),
            Cell(order.title, second=order.certification, link=True, own=True),
            Cell(order.candidate_id, own=True),
            Cell((last.note if last else None) or NONE),
            Cell(say("Sent again") if order.replaced_by else NONE),
            Cell(chip=chip_of(order)),
        ),
    )


def facts_of(order: Order) -> list[Fact]:
    ship_to = order.ship_to
    address = say(", ").join((ship_to.name, *ship_to.lines, ship_to.country)) if ship_to else None
    found = [
        (say("Order"), order.order_id),
        (say("Certification"), order.certification),
        (say("Ordered on"), spoken(day_there(order.placed_at))),
        (say("Promised by"), spoken(order.promised_by) if order.promised_by else None),
        (say("Sent to"), address),
        (say("Carrier"), order.carrier),
        (say("Parcel number"), order.tracking_number),
        (say("Sent again as"), order.replaced_by),
        (say("Sent instead of"), order.replaces),
    ]
    return [Fact(name, value) for name, value in found if value]


def steps_of(order: Order) -> list[tuple[object, str, str]]:
    """What happened, the latest first."""
    return [
        (
            step.at,
            say(
                "{state}, said {who}",
                state=say(STATES[step.state].word) if step.state in STATES else step.state,
                who=say(_BY.get(step.by, step.by)),
            ),
            step.note or "",
        )
        for step in reversed(order.history)
    ]


def house_chip(house: House) -> Chip:
    """How it goes with a house."""
    if house.failing_since is not None:
        return Chip("bad", mark("Doesn't take our orders"))
    if house.silent_since is not None:
        return Chip("warn", mark("Silent"))
    if house.refused:
        return Chip("warn", mark("Refuses orders"))
    return Chip("ok", mark("Works"))
