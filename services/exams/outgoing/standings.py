"""Where an authorization and a candidate's line stand with a vendor, step by step. Pure.

A step may come late: an answer to an older line never undoes what the vendor has said of a newer one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Of an authorization."""

    PENDING = "pending"
    """To be sent."""
    SENT = "sent"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Type(StrEnum):
    """What a line asks a vendor to do."""

    ADD = "Add"
    UPDATE = "Update"
    DELETE = "Delete"


_OPEN = frozenset({State.PENDING, State.SENT, State.ACCEPTED, State.REFUSED})


class NotNow(Exception):
    """A step that the present state does not allow; the message says why."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an authorization stands.

    Attributes:
        todo: what the next file has to ask for; None where nothing is to be sent.
        known: whether the vendor may have it: from the first line sent on, until that is refused or a deletion taken.
        sent: how many lines were sent.
        heard: the number of the latest line that was answered; 0 before the first.
        text: the warning with which it was accepted, or why it, or its deletion, was refused.
    """

    state: State = State.PENDING
    todo: Type | None = Type.ADD
    known: bool = False
    sent: int = 0
    heard: int = 0
    text: str | None = None


def changed(now: Standing) -> Standing:
    """Staff have changed what it says. Raises `NotNow` where it is over."""
    if now.state not in _OPEN:
        raise NotNow(f"it is {now.state}")
    return replace(now, state=State.PENDING, todo=_next(now), text=None)


def withdrawn(now: Standing) -> Standing:
    """Staff have withdrawn it; the vendor is told where it may know of it. Raises `NotNow` where it is over."""
    if now.state not in _OPEN:
        raise NotNow(f"it is {now.state}")
    return replace(now, state=State.WITHDRAWN, todo=Type.DELETE if now.known else None, text=None)


def again(now: Standing) -> Standing:
    """Send what was refused once more. Raises `NotNow` where nothing was."""
    if now.state is State.REFUSED:
        return replace(now, state=State.PENDING, todo=_next(now), text=None)
    if now.state is State.WITHDRAWN and now.known and now.todo is None and now.heard == now.sent:
        return replace(now, todo=Type.DELETE, text=None)
    raise NotNow("nothing of it was refused")


def claimed(now: Standing) -> Standing:
    """A line of it is in a file. Raises `NotNow` where nothing is to be sent."""
    if now.todo is None:
        raise NotNow("nothing is to be sent")
    state = State.SENT if now.state is State.PENDING else now.state
    return replace(now, state=state, todo=None, known=True, sent=now.sent + 1)


def stopped(now: Standing, text: str) -> Standing:
    """What was to be sent cannot be: it counts as refused, by ourselves."""
    state = State.REFUSED if now.state is State.PENDING else now.state
    return replace(now, state=state, todo=None, text=text)


def answered(now: Standing, number: int, kind: Type, *, accepted: bool, text: str | None) -> Standing:
    """The vendor has answered the line of that number; one of before the latest answer changes nothing."""
    if number < now.heard:
        return now
    after = replace(now, heard=number)
    if kind is Type.ADD and not accepted:
        todo = {Type.UPDATE: Type.ADD, Type.DELETE: None}.get(now.todo, now.todo) if now.todo else None
        after = replace(after, known=False, todo=todo)
    elif kind is Type.DELETE and accepted:
        after = replace(after, known=False)
    elif kind is Type.ADD:
        after = replace(after, known=True)
    if number < now.sent or now.todo is not None or now.state is State.EXPIRED:
        return after
    if now.state is State.WITHDRAWN:
        return replace(after, text=None if accepted else text)
    return replace(after, state=State.ACCEPTED if accepted else State.REFUSED, text=text)


def expired(now: Standing) -> Standing:
    """Its last day is over. Raises `NotNow` where it was over before."""
    if now.state not in _OPEN:
        raise NotNow(f"it is {now.state}")
    return replace(now, state=State.EXPIRED, todo=None)


def _next(now: Standing) -> Type:
    return Type.UPDATE if now.known else Type.ADD


class ProfileState(StrEnum):
    """Of what a vendor is told of a candidate."""

    NONE = "none"
    """Nothing is to be told: the account was merged into another."""
    PROBLEM = "problem"
    """The candidate has something to change first."""
    DUE = "due"
    """In the next file."""
    SENT = "sent"
    ACCEPTED = "accepted"
    REFUSED = "refused"


def profile_state(row: Mapping[str, Any]) -> ProfileState:
    """The state of a row with `wanted`, the digest of what the vendor should see, `problems`, `sent` and `answer`."""
    if row["wanted"] is None:
        return ProfileState.NONE
    if row["problems"]:
        return ProfileState.PROBLEM
    sent, answer = row["sent"], row["answer"]
    if sent is None or sent["digest"] != row["wanted"]:
        return ProfileState.DUE
    if answer is None:
        return ProfileState.SENT
    return ProfileState.ACCEPTED if answer["accepted"] else ProfileState.REFUSED


def is_known(row: Mapping[str, Any]) -> bool:
    """Whether a vendor has, or is about to get, some line of a candidate: then an authorization can follow it."""
    return row["sent"] is not None and (row["answer"] is None or row["answer"]["accepted"])
