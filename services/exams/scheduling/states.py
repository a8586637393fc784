"""What became of a hand-over: a pure view of what we did and of what the vendor has since said of appointments.

No state is made up. That somebody booked, moved or cancelled is known when the vendor's event says so, whatever the
return page was told; so the state is derived anew whenever it is looked at, and the order of arrival does not matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from services.exams.languages import mark, say

Purpose = Literal["schedule", "reschedule", "cancel"]
Change = Literal["scheduled", "rescheduled", "cancelled"]

VISIT = timedelta(hours=24)
"""How long after a hand-over what happens at the vendor can have come of it."""


class State(StrEnum):
    MADE = "made"
    GONE = "gone"
    RETURNED = "returned"
    BOOKED = "booked"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


_STATES: Mapping[Change, State] = {
    "scheduled": State.BOOKED,
    "rescheduled": State.CHANGED,
    "cancelled": State.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Somebody was given the way to a vendor.

    Attributes:
        registration_id: of the appointment to move or cancel; None for a new one.
        tolerance: how far the vendor's clock may be from ours.
        gone_at: when their browser left for the vendor, where it said so.
    """

    hand_over_id: str
    vendor: str
    exam: str
    registration_id: str | None
    made_at: datetime
    expires_at: datetime
    tolerance: timedelta
    gone_at: datetime | None = None
    returned_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A vendor's word on an appointment of the same person."""

    vendor: str
    exam: str
    registration_id: str
    change: Change
    scheduled_at: datetime | None
    said_at: datetime


def settle(hand_overs: Sequence[HandOver], words: Iterable[Word]) -> dict[str, Word]:
    """The last word that came of each hand-over, by its id.

    A word belongs to the latest hand-over that it can have come of: the same vendor and exam, the same appointment
    where one was named, and said within a visit after it.
    """
    settled: dict[str, Word] = {}
    for word in sorted(words, key=_order):
        fitting = [one for one in hand_overs if _fits(one, word)]
        if fitting:
            settled[max(fitting, key=lambda one: (one.made_at, one.hand_over_id)).hand_over_id] = word
    return settled


def _order(word: Word) -> tuple[datetime, str, str]:
    return word.said_at, word.registration_id, word.change


def _fits(one: HandOver, word: Word) -> bool:
    if (one.vendor, one.exam) != (word.vendor, word.exam):
        return False
    if one.registration_id not in {None, word.registration_id}:
        return False
    return one.made_at - one.tolerance <= word.said_at <= one.made_at + VISIT


def state_of(one: HandOver, word: Word | None, now: datetime) -> State:
    """Where a hand-over stands."""
    if word is not None:
        return _STATES[word.change]
    if one.returned_at is not None:
        return State.RETURNED
    if one.gone_at is not None:
        return State.GONE
    return State.EXPIRED if now >= one.expires_at else State.MADE


_WORDS: Mapping[State, str] = {
    State.MADE: mark("You go to {vendor} now, signed in. Changes you make there show here within a minute."),
    State.GONE: mark("You are at {vendor}. Changes you make there show here within a minute."),
    State.RETURNED: mark("You are back from {vendor}. Changes you made there show here within a minute."),
    State.BOOKED: mark("{vendor} says: booked."),
    State.CHANGED: mark("{vendor} says: moved."),
    State.CANCELLED: mark("{vendor} says: cancelled."),
    State.EXPIRED: mark("This way to {vendor} has ended. Start again to go there."),
}


def words(state: State, vendor: str) -> str:
    """The state as a sentence to the candidate."""
    return say(_WORDS[state], vendor=vendor)
