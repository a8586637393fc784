"""Where an order stands between us and its house: what is to be said, what was said, what came back. Pure.

The order's own state is another matter: it follows from what the house reports of the parcel.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

MOST_SENDINGS = 5
"""Without an answer an order is sent so often; then people have to ask the house."""


class State(StrEnum):
    """What the house has said of an order."""

    WAITING = "waiting"
    """Never sent."""
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    ENDED = "ended"
    """Nothing more is to come: the parcel has arrived or come back, or nothing is sent."""


Todo = Literal["request", "withdraw"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an order stands.

    Attributes:
        todo: what is to be said to the house next.
        sendings: how often it was asked for.
        reason: why the house, or we, refused it.
    """

    state: State = State.WAITING
    todo: Todo | None = "request"
    sendings: int = 0
    reason: str | None = None


def sent(one: Standing) -> Standing:
    """What was to be said is said."""
    if one.todo == "withdraw":
        return replace(one, state=State.ENDED, todo=None)
    return replace(one, state=State.SENT, todo=None, sendings=one.sendings + 1, reason=None)


def acknowledged(one: Standing) -> Standing:
    """The house has it, so it need not be told again; of what has ended nothing changes."""
    if one.state is State.ENDED or one.todo == "withdraw":
        return one
    return replace(one, state=State.ACKNOWLEDGED, todo=None, reason=None)


def refused(one: Standing, reason: str, sending: int) -> Standing:
    """The house cannot make it. A refusal of an earlier sending than the last undoes nothing."""
    if one.state in {State.ENDED, State.WAITING} or one.todo is not None or sending < one.sendings:
        return one
    return replace(one, state=State.REFUSED, todo=None, reason=reason)


def stopped(one: Standing, reason: str) -> Standing:
    """We ourselves cannot write it as the house reads."""
    return replace(one, state=State.REFUSED, todo=None, reason=reason)


def again(one: Standing) -> Standing:
    """Ask for it once more under its number; what has ended or is being withdrawn stays so."""
    if one.state is State.ENDED or one.todo == "withdraw":
        return one
    return replace(one, todo="request")


def withdrawn(one: Standing) -> Standing:
    """Nothing is to be sent. A house that never heard of it need not be told."""
    if one.state is State.ENDED:
        return one
    if one.sendings == 0:
        return replace(one, state=State.ENDED, todo=None)
    return replace(one, todo="withdraw")


def over(one: Standing) -> Standing:
    """The parcel has arrived or come back."""
    return replace(one, state=State.ENDED, todo=None)
