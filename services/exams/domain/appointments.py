"""The state of an appointment from vendors' messages, whatever order they arrive in."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    SCHEDULED = "scheduled"
    RESCHEDULED = "rescheduled"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


@dataclass(frozen=True, slots=True)
class Appointment:
    """What is known of it.

    Attributes:
        said_at: when the vendor said what stands here; a message from before it changes nothing.
        scheduled_at: None while only a change has arrived and the registration itself has not.
    """

    state: State
    said_at: datetime
    scheduled_at: datetime | None = None


def register(known: Appointment | None, scheduled_at: datetime, said_at: datetime) -> Appointment:
    """A registration arrives, possibly after messages that changed it."""
    if known is None:
        return Appointment(State.SCHEDULED, said_at, scheduled_at)
    if known.scheduled_at is None:
        return replace(known, scheduled_at=scheduled_at)
    return known


def change(known: Appointment | None, state: State, scheduled_at: datetime | None, said_at: datetime) -> Appointment:
    """A change arrives, possibly before the registration or after a later change."""
    if known is None:
        return Appointment(state, said_at, scheduled_at)
    if said_at <= known.said_at and known.state is not State.SCHEDULED:
        return known
    return Appointment(state, max(said_at, known.said_at), scheduled_at or known.scheduled_at)
