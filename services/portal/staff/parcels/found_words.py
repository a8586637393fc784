"""What is said of houses' lists of orders and of what was found in them. Pure."""

from typing import Any, Final

from services.portal.languages import mark, say
from services.portal.languages.days import minute
from services.portal.staff.kit import NONE, Cell, Fact, Number, Row
from services.portal.staff.parcels.shapes import Finding, OrderList
from services.portal.staff.people import Names
from services.portal.web.chips import Chip
from services.portal.web.vendor_names import vendor_name

KINDS: Final = {
    "missing_here": mark("Only they have it"),
    "missing_there": mark("Only we have it"),
    "different": mark("We differ"),
    "unreadable": mark("A line that can't be read"),
}
_ACTIONS: Final = {
    "send_again": mark("It was sent to the house again"),
    "ask_house": mark("The house is to be asked"),
    "dismiss": mark("Left as it is"),
}
_STATES: Final = {
    "accepted": mark("Ordered"),
    "ordered": mark("Ordered"),
    "in_production": mark("In production"),
    "dispatched": mark("Shipped"),
    "shipped": mark("Shipped"),
    "delivered": mark("Delivered"),
    "returned": mark("Came back"),
    "cancelled": mark("Cancelled"),
}


def list_chip(one: OrderList) -> Chip:
    if one.state == "refused":
        return Chip("bad", mark("Refused"))
    if one.kind == "stock":
        return Chip("off", mark("Figures of stock"))
    return Chip("warn", mark("Differences")) if _differences(one) else Chip("ok", mark("All equal"))


def _differences(one: OrderList) -> int:
    return sum(one.counts.get(kind, 0) for kind in KINDS)


def list_row(one: OrderList, address: str) -> Row:
    return Row(
        one.list_id,
        (
            Cell(minute(one.made_at), href=f"{address}/lists/{one.list_id}"),
            Cell(vendor_name(one.house), second=one.name, own=True),
            Cell(str(one.lines)),
            Cell(str(_differences(one))),
            Cell(chip=list_chip(one)),
        ),
    )


def numbers_of(one: OrderList) -> list[Number]:
    return [Number(one.lines, say("lines")), Number(_differences(one), say("differences"))]


def titles() -> list[str]:
    return [say("Order"), say("Difference"), say("They have"), say("We have"), say("State")]


def finding_row(one: Finding) -> Row:
    state = Chip("off", _ACTIONS.get(one.action.kind, one.action.kind)) if one.action else Chip("warn", mark("Open"))
    return Row(
        one.finding_id,
        (
            Cell(_name(one), link=True, own=one.order_id is not None),
            Cell(say(KINDS.get(one.kind, one.kind)), second=one.reason or ""),
            Cell(_state(one.theirs.status if one.theirs else None)),
            Cell(_state(one.ours.state if one.ours else None)),
            Cell(chip=state),
        ),
    )


def _name(one: Finding) -> str:
    return one.order_id or say("Line {number}", number=one.line)


def _state(state: str | None) -> str:
    return say("nothing") if state is None else say(_STATES.get(state, state))


def facts_of(one: Finding) -> list[Fact]:
    """What they have beside what we have."""
    if one.theirs is None and one.ours is None:
        return []
    both = one.theirs is not None and one.ours is not None
    theirs, ours = one.theirs, one.ours
    track = (theirs.tracking_number if theirs else None, ours.tracking_number if ours else None)
    return [
        Fact(
            say("State"),
            _state(theirs.status if theirs else None),
            _state(ours.state if ours else None),
            "state" not in one.differences if both else None,
        ),
        Fact(
            say("Tracking number"),
            track[0] or NONE,
            track[1] or NONE,
            "tracking_number" not in one.differences if both and any(track) else None,
        ),
    ]


def choices_of(one: Finding) -> list[tuple[str, str, str]]:
    """What can be done about it, and what that does."""
    found = [
        ("ask_house", say("Ask the house"), say("It is noted that the house is to be asked. Nothing else changes.")),
        ("dismiss", say("Leave it as it is"), say("Nothing changes, and your reason is kept. A reason is needed.")),
    ]
    if one.kind != "missing_there":
        return found
    again = say("The house gets the order once more, under its number, so that it is never two parcels.")
    return [("send_again", say("Send it to the house again"), again), *found]


def done_said(action: str) -> str:
    """What was just done."""
    return {
        "send_again": say("the house gets the order once more"),
        "ask_house": say("it is noted that the house is to be asked"),
    }.get(action, say("it is left as it is, and your reason is kept"))


def shown(one: Finding, names: Names) -> dict[str, Any]:
    """The open finding."""
    done = None
    if one.action is not None:
        done = say(
            "{what}. {who} decided it on {time}.",
            what=say(_ACTIONS.get(one.action.kind, one.action.kind)),
            who=names.of(one.action.by),
            time=str(minute(one.action.at).striptags()),
        )
    return {
        "one": one,
        "label": _name(one),
        "kind": say(KINDS.get(one.kind, one.kind)),
        "facts": facts_of(one),
        "choices": choices_of(one),
        "done": done,
    }
