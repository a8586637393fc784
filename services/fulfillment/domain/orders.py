"""An order: one parcel for what a candidate has claimed, from the claim until it has arrived. Pure.

Reports of a fulfilment house come twice, late and in any order, so the state is worked out from the set of all that is
known, and never from what came last.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal

from libs.common.clock import as_stored
from libs.common.programs import Benefit

State = Literal["pending", "ordered", "in_production", "shipped", "delivered", "returned", "cancelled"]
"""`pending`: claimed, and not yet taken by the fulfilment house; `ordered`: taken by it."""

OPEN: Final[frozenset[State]] = frozenset({"pending", "ordered", "in_production", "shipped"})
"""Something is still to happen."""
RECALLABLE: Final[frozenset[State]] = frozenset({"pending", "ordered", "in_production"})
"""Nothing has left the house, so it can still be called off."""
PERSONAL: Final[Mapping[str, Any]] = MappingProxyType({"note": None, "tracking_number": None, "tracking_url": None})
"""What is not kept of an entry once its candidate is erased, nor taken in any more."""
_STEPS: Final[Mapping[State, int]] = {"pending": 0, "ordered": 1, "in_production": 2, "shipped": 3}
_MOST_ENTRIES = 200
"""A house that says ever new things of one order is at fault; what it has said first stays."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to an order, or that a report says of it.

    Attributes:
        by: `candidate`, `system`, `vendor:<name>`, or the subject of the token of whoever it was.
        note: in the words of whoever it was, where there were any.
    """

    state: State
    at: datetime
    by: str
    note: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


@dataclass(frozen=True, slots=True)
class ShipTo:
    """Whom a parcel goes to, frozen with the order.

    Attributes:
        name: as it is printed.
        lines: below the name, as they are printed, the country not among them.
        country: ISO 3166-1 alpha-2.
        given: the address as it was given, field by field, in its own script where it was given so.
        native_name: the name in its own script.
    """

    name: str
    lines: tuple[str, ...]
    country: str
    given: Mapping[str, Any] = field(default_factory=dict)
    native_name: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One parcel.

    Attributes:
        id: also the number under which the fulfilment house knows it, so that sending it twice orders once.
        certification: what it was awarded for; of what comes with a milestone the milestone.
        choices: as the candidate made them, a size perhaps.
        ship_to: None where nothing is shipped, and after its candidate was erased.
        vendor: the fulfilment house.
        history: everything that happened, in order of time.
        placed_at: when it was claimed.
        promised_by: the last day of the program's promise; None until it is paid.
        awaits_payment: whether it goes nowhere until it is paid.
        replaces: the order that it sends again.
        replaced_by: the order that sends this one again.
        late_at: when the candidate was told that it is late.
        version: of the last event about it; grows with every change.
    """

    id: str
    program: str
    candidate_id: str
    offer_id: str
    benefit: str
    certification: str
    title: str
    vendor: str
    placed_at: datetime
    ship_to: ShipTo | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    state: State = "pending"
    history: tuple[Entry, ...] = ()
    promised_by: date | None = None
    awaits_payment: bool = False
    replaces: str | None = None
    replaced_by: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    late_at: datetime | None = None
    version: int = 0

    def is_late(self, today: date) -> bool:
        """Whether the promise is broken on this day of the program's calendar."""
        return self.state in OPEN and self.promised_by is not None and today > self.promised_by


def kind_of(by: str) -> Literal["candidate", "staff", "vendor", "system"]:
    """What kind of somebody an entry is by."""
    match by.partition(":")[0]:
        case "candidate":
            return "candidate"
        case "system":
            return "system"
        case "vendor":
            return "vendor"
        case _:
            return "staff"


def promise(benefit: Benefit, placed_on: date) -> date:
    """The last day on which the parcel is promised."""
    return placed_on + timedelta(weeks=benefit.promise[1])


def advance(order: Order, report: Entry) -> Order | None:
    """The order once the report is known; None where it says nothing new.

    The result depends on the set of reports alone, so they may come twice and in any order. The farthest step counts;
    of a delivery and a return the later one; an order that was called off and shipped all the same is shipped. What
    is known of the parcel is what was said last.
    """
    report = replace(report, at=as_stored(report.at))
    if report in order.history or len(order.history) >= _MOST_ENTRIES:
        return None
    history = tuple(sorted((*order.history, report), key=_in_order))
    return replace(
        order,
        history=history,
        state=_state(history),
        **{name: _last(history, name) for name in ("carrier", "tracking_number", "tracking_url")},
    )


def _last(history: Iterable[Entry], name: str) -> Any:
    said = [getattr(one, name) for one in history]
    return next((value for value in reversed(said) if value is not None), None)


def _state(history: Iterable[Entry]) -> State:
    said = list(history)
    ends = [one for one in said if one.state in {"delivered", "returned"}]
    if ends:
        return max(ends, key=lambda one: (one.at, one.state)).state
    steps = [one.state for one in said if one.state in _STEPS]
    farthest: State = max(steps, key=_STEPS.__getitem__, default="pending")
    if farthest != "shipped" and any(one.state == "cancelled" for one in said):
        return "cancelled"
    return farthest


def _in_order(entry: Entry) -> tuple[Any, ...]:
    """In order of time; of one moment in order of the steps, and then in some order that is always the same."""
    words = (entry.state, entry.by, entry.note, entry.carrier, entry.tracking_number, entry.tracking_url)
    return entry.at, _STEPS.get(entry.state, len(_STEPS)), *(word or "" for word in words)
