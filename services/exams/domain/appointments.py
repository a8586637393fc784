"""The state of an appointment from vendors' messages, whatever order they arrive in."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """What a vendor says of an appointment. That it was delivered is said by its result."""

    SCHEDULED = "scheduled"
    RESCHEDULED = "rescheduled"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


@dataclass(frozen=True, slots=True)
class Appointment:
    """What is known of it.

    Attributes:
        said_at: when the vendor said what the state is; an earlier word changes it no more.
        scheduled_at: None while only a change has arrived and the registration itself has not.
        moved_at: when the vendor said the day; None where it stands as registered. Apart from `said_at`, because
            the last word on the state need not be the last word on the day.
        reason: why the state is what it is, where the vendor says so.
    """

    state: State
    said_at: datetime
    scheduled_at: datetime | None = None
    moved_at: datetime | None = None
    reason: str | None = None


def register(known: Appointment | None, scheduled_at: datetime, said_at: datetime) -> Appointment:
    """A registration arrives, possibly after messages that changed it."""
    if known is None:
        return Appointment(State.SCHEDULED, said_at, scheduled_at)
    if known.scheduled_at is None:
        return replace(known, scheduled_at=scheduled_at)
    return known


def change(
    known: Appointment | None,
    state: State,
    scheduled_at: datetime | None,
    said_at: datetime,
    reason: str | None = None,
) -> Appointment:
    """A change arrives, possibly before the registration or after a later change.

    Whatever a registration's own time, every change comes after it. Of two changes said at the same moment one
    wins by its name, so that it is the same one in any order.
    """
    if known is None:
        return Appointment(state, said_at, scheduled_at, said_at if scheduled_at else None, reason)
    after = known
    later = (said_at, state, reason or "") > (known.said_at, known.state, known.reason or "")
    if known.state is State.SCHEDULED or later:
        after = replace(after, state=state, said_at=said_at, reason=reason)
    if scheduled_at is not None and _moves(known, scheduled_at, said_at):
        after = replace(after, scheduled_at=scheduled_at, moved_at=said_at)
    return after


def _moves(known: Appointment, scheduled_at: datetime, said_at: datetime) -> bool:
    if known.moved_at is None or known.scheduled_at is None:
        return True
    return (said_at, scheduled_at) > (known.moved_at, known.scheduled_at)
