"""The credits that a candidate has in hand: what can renew something, now or on a day to come. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from services.portal.credits.shapes import Credits, Submission

InHand = Literal["counting", "held", "pending"]
_IN_HAND: Final[frozenset[str]] = frozenset({"counting", "held", "pending"})


@dataclass(frozen=True, slots=True)
class Claim:
    """Credits that are not used up.

    Attributes:
        pending: whether somebody still has to accept them.
        held_until: the day from which they may renew something, where the candidate has chosen one.
    """

    id: str
    credits: int
    completed_on: date
    title: str
    pending: bool = False
    held_until: date | None = None

    @property
    def acts_on(self) -> date:
        """The day of its effect."""
        return self.completed_on if self.held_until is None else max(self.completed_on, self.held_until)


def in_hand(ledger: Credits, submissions: Iterable[Submission]) -> tuple[Claim, ...]:
    """All of them, the earliest completed first."""
    known = {one.submission_id: one for one in submissions}
    found = []
    for entry in ledger.entries:
        if entry.state not in _IN_HAND:
            continue
        about = known.get(entry.submission_id)
        held = about.held_until if about else None
        found.append(
            Claim(
                entry.submission_id,
                entry.credits,
                entry.completed_on,
                about.title if about else entry.item or "",
                pending=entry.state == "pending",
                held_until=held if held is not None and held > ledger.as_of else None,
            )
        )
    return tuple(sorted(found, key=lambda claim: (claim.completed_on, claim.id)))


def total(claims: Iterable[Claim]) -> int:
    return sum(claim.credits for claim in claims)
