"""What a code may become, and what is wrong with a use of it: pure decisions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class State(StrEnum):
    FREE = "free"
    ASSIGNED = "assigned"
    USED = "used"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Flag(StrEnum):
    """Why a use wants a look."""

    ANOTHER = "used_by_another"
    NOBODYS = "was_not_assigned"
    TWICE = "used_twice"
    WITHDRAWN = "was_withdrawn"
    EXPIRED = "was_expired"


@dataclass(frozen=True, slots=True)
class Window:
    """The days on which a code is good, both ends among them; None is without end."""

    first: date | None
    last: date | None

    def holds(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and not self.is_over(day)

    def is_over(self, day: date) -> bool:
        return self.last is not None and self.last < day


def flags(
    before: State,
    window: Window,
    used_on: date,
    *,
    holders: Collection[str],
    used_by: str | None,
    registrations: Sequence[str],
) -> list[Flag]:
    """What is wrong with a use.

    Args:
        before: the state in which the use found the code.
        window: the days on which the code is good.
        used_on: the day of the use.
        holders: the accounts of whoever it was assigned to.
        used_by: whose registration it was; None while that is not known.
        registrations: all that named the code.
    """
    found: list[Flag] = []
    if before is State.WITHDRAWN:
        found.append(Flag.WITHDRAWN)
    if window.is_over(used_on):
        found.append(Flag.EXPIRED)
    if not holders:
        found.append(Flag.NOBODYS)
    elif used_by is not None and used_by not in holders:
        found.append(Flag.ANOTHER)
    if len(set(registrations)) > 1:
        found.append(Flag.TWICE)
    return found
