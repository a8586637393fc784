"""Compares a vendor's registrations with ours, and says what taking the vendor's word would do. Pure.

- Both an appointment that was moved and one that was not are open. One that was delivered is open here too: whether its
  result has come is another question.
- What is cancelled here and not in the list is no difference: neither side expects anybody.
- Of an appointment that both call cancelled the moment does not matter. Moments are compared to the minute.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from services.exams.reconciliation.rows import State, Theirs


class Kind(StrEnum):
    """What a comparison finds."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    DIFFERENT = "different"
    UNREADABLE = "unreadable"
    """A line of the list that cannot be read."""


@dataclass(frozen=True, slots=True)
class Ours:
    """A registration as we have it.

    Attributes:
        registered: whether the registration itself has come; without it only changes of it are known.
        scheduled_at: None where nobody has said it.
    """

    registration_id: str
    candidate_id: str | None
    vendor_candidate_id: str | None
    exam_code: str | None
    state: Literal["open", "cancelled", "no_show"]
    scheduled_at: datetime | None
    registered: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that the two sides have differently, each as text; None for nothing."""

    field: Literal["candidate_id", "vendor_candidate_id", "exam_code", "state", "scheduled_at"]
    theirs: str | None
    ours: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A registration about which the two sides do not say the same."""

    kind: Kind
    registration_id: str
    theirs: Theirs | None
    ours: Ours | None
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Registration:
    """What to record: the vendor has this registration."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to record: the appointment was changed."""

    change: Literal["rescheduled", "cancelled", "no_show"]
    scheduled_at: datetime | None


Word = Registration | Step


def compare(
    theirs: Mapping[str, Theirs], ours: Mapping[str, Ours], first: datetime, end: datetime
) -> Iterator[Finding | None]:
    """Compare registrations by id, in the order of ids; None stands for one that is the same on both sides.

    Of ours without a counterpart only those count that are scheduled from `first` on and before `end`.
    """
    for key in sorted({*theirs, *ours}):
        their, our = theirs.get(key), ours.get(key)
        if our is None:
            yield Finding(Kind.MISSING_HERE, key, their, None)
        elif their is None:
            inside = our.scheduled_at is not None and first <= our.scheduled_at < end
            if inside and our.state != "cancelled":
                yield Finding(Kind.MISSING_THERE, key, None, our)
        else:
            found = tuple(_differences(their, our))
            yield Finding(Kind.DIFFERENT, key, their, our, found) if found else None


def words(finding: Finding) -> tuple[Word, ...]:
    """What to record so that ours says what the vendor's list says; empty where that cannot be by its word alone.

    Whose a registration is and what exam it is for are never changed by a list: a person decides about that.
    """
    theirs, ours = finding.theirs, finding.ours
    if theirs is None:
        return ()
    if ours is not None and ours.registered and any(one.field in _IDENTITY for one in finding.differences):
        return ()
    first: tuple[Word, ...] = () if ours is not None and ours.registered else (Registration(),)
    state: Literal["open", "cancelled", "no_show"] = "open" if ours is None else ours.state
    wanted = _here(theirs.state)
    if wanted != "open":
        moves = wanted == "no_show"
        return (*first, Step(wanted, theirs.scheduled_at if moves else None))
    moved = ours is not None and _minute(ours.scheduled_at) != _minute(theirs.scheduled_at)
    return (*first, Step("rescheduled", theirs.scheduled_at)) if state != "open" or moved else first


_IDENTITY = frozenset({"candidate_id", "vendor_candidate_id", "exam_code"})


def _differences(theirs: Theirs, ours: Ours) -> Iterator[Difference]:
    if theirs.candidate_id is not None and theirs.candidate_id != ours.candidate_id:
        yield Difference("candidate_id", theirs.candidate_id, ours.candidate_id)
    if theirs.vendor_candidate_id is not None and theirs.vendor_candidate_id != ours.vendor_candidate_id:
        yield Difference("vendor_candidate_id", theirs.vendor_candidate_id, ours.vendor_candidate_id)
    if theirs.exam_code != ours.exam_code:
        yield Difference("exam_code", theirs.exam_code, ours.exam_code)
    if _here(theirs.state) != ours.state:
        yield Difference("state", theirs.state, ours.state)
    if _here(theirs.state) != "cancelled" and _minute(theirs.scheduled_at) != _minute(ours.scheduled_at):
        at = ours.scheduled_at
        yield Difference("scheduled_at", theirs.scheduled_at.isoformat(), at.isoformat() if at else None)


def _here(state: State) -> Literal["open", "cancelled", "no_show"]:
    return "open" if state == "delivered" else state


def _minute(moment: datetime | None) -> datetime | None:
    return moment.replace(second=0, microsecond=0) if moment else None
