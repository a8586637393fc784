"""What states are called on the tabs of a candidate's view, and what happened to a certification."""

from collections.abc import Mapping
from typing import Final

from services.portal.languages import mark
from services.portal.staff.kit import NONE, Cell
from services.portal.web.chips import Chip

CERTIFICATIONS: Final = {
    "active": Chip("ok", mark("Active")),
    "expired": Chip("bad", mark("Expired")),
    "revoked": Chip("bad", mark("Revoked")),
    "suspended": Chip("wait", mark("Suspended")),
    "pending_agreement": Chip("wait", mark("Waiting for the agreement")),
    "emeritus": Chip("ok", mark("Emeritus")),
    "lifetime_emeritus": Chip("ok", mark("For life")),
    "inactive": Chip("off", mark("Not active")),
}
ATTEMPTS: Final = {
    "waiting": Chip("wait", mark("Expected")),
    "provisional": Chip("wait", mark("Provisional")),
    "invalidated": Chip("bad", mark("Invalidated")),
    "no_show": Chip("off", mark("Not taken")),
    "nda_refused": Chip("off", mark("Terms refused")),
    "achieved": Chip("ok", mark("Achieved")),
    "withdrawn": Chip("off", mark("Withdrawn")),
}
GRADES: Final = {
    "pass": Chip("ok", mark("Passed")),
    "fail": Chip("bad", mark("Not passed")),
    "pending": Chip("wait", mark("Expected")),
    "invalidated": Chip("bad", mark("Invalidated")),
}
EXPECTED: Final = {
    "expected": Chip("wait", mark("Expected")),
    "late": Chip("warn", mark("Late")),
    "overdue": Chip("warn", mark("Late")),
    "being_checked": Chip("wait", mark("Being checked")),
}
CREDITS: Final = {
    "pending": Chip("wait", mark("In review")),
    "rejected": Chip("bad", mark("Rejected")),
    "late": Chip("bad", mark("Claimed too late")),
    "held": Chip("wait", mark("On hold")),
    "counting": Chip("ok", mark("Counts")),
    "repeated": Chip("off", mark("Counted before")),
    "used": Chip("ok", mark("Used")),
    "lapsed": Chip("off", mark("Lapsed")),
    "unusable": Chip("off", mark("Doesn't count")),
    "ahead": Chip("wait", mark("Not yet")),
}
ORDERS: Final = {
    "pending": Chip("wait", mark("Claimed")),
    "ordered": Chip("wait", mark("Ordered")),
    "in_production": Chip("wait", mark("In production")),
    "shipped": Chip("ok", mark("Shipped")),
    "delivered": Chip("ok", mark("Delivered")),
    "returned": Chip("warn", mark("Came back")),
    "cancelled": Chip("off", mark("Called off")),
}
OFFERS: Final = {
    "offered": Chip("wait", mark("Can be claimed")),
    "claimed": Chip("ok", mark("Claimed")),
    "expired": Chip("off", mark("Ended")),
}
SHARES: Final = {
    "open": Chip("ok", mark("Open")),
    "ended": Chip("off", mark("Ended")),
    "withdrawn": Chip("off", mark("Withdrawn")),
}
MAILS: Final = {
    "sent": Chip("ok", mark("Sent")),
    "delivered": Chip("ok", mark("Delivered")),
    "bounced": Chip("bad", mark("Came back")),
    "refused": Chip("bad", mark("Came back")),
    "complained": Chip("warn", mark("Reported as unwanted")),
    "withheld": Chip("off", mark("Not sent")),
    "suppressed": Chip("off", mark("Not sent")),
    "waiting": Chip("wait", mark("Waiting")),
    "queued": Chip("wait", mark("Waiting")),
    "sending": Chip("wait", mark("Waiting")),
}
MERGES: Final = {
    "requested": Chip("wait", mark("Being applied")),
    "announced": Chip("wait", mark("Being applied")),
    "done": Chip("ok", mark("Merged")),
    "reversed": Chip("off", mark("Undone")),
}
HAPPENED: Final = {
    "awarded": mark("Awarded"),
    "renewed": mark("Renewed"),
    "extended": mark("Extended"),
    "imported": mark("Taken over from an earlier system"),
    "reactivated": mark("Active again"),
    "expired": mark("Expired"),
    "grant": mark("Granted by staff"),
    "revoke": mark("Revoked by staff"),
    "suspend": mark("Suspended by staff"),
    "reinstate": mark("Reinstated by staff"),
    "extend": mark("Extended by staff"),
    "emeritus": mark("Year of emeritus by staff"),
}
LIKE: Final = {
    "email": mark("e-mail address"),
    "name": mark("name"),
    "address": mark("address"),
    "country": mark("country"),
}


def chip_of(chips: Mapping[str, Chip], state: str | None) -> Cell:
    return Cell(chip=chips.get(state or "", Chip("off", state or NONE)))
