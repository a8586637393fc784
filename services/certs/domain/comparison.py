"""What would become different for one candidate under another policy."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.certs.domain.standing import CertificationStanding, Standing

DifferenceKind = Literal["gained", "lost", "moved", "changed"]


@dataclass(frozen=True, slots=True)
class Side:
    """A certification under one of the two policies."""

    status: str
    earned_on: date
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One certification that would not be what it is."""

    kind: DifferenceKind
    """`gained`: held under the new policy only. `lost`: under the old one only. `moved`: held under both, with other
    dates. `changed`: held under neither, and not the same."""
    certification: str
    before: Side | None
    after: Side | None
    because: str
    """The new policy's sentence; the old one's where nothing is left."""


def compare(before: Standing, after: Standing) -> list[Difference]:
    """The differences between two standings of the same facts on the same day, by certification."""
    found = []
    for name in sorted(before.certifications.keys() | after.certifications.keys()):
        old, new = before.certifications.get(name), after.certifications.get(name)
        sides = _side(old), _side(new)
        if sides[0] != sides[1]:
            spoken = new or old
            found.append(Difference(_kind(old, new), name, *sides, spoken.sentence if spoken else ""))
    return found


def _side(entry: CertificationStanding | None) -> Side | None:
    return None if entry is None else Side(entry.status, entry.earned_on, entry.expires_on)


def _kind(before: CertificationStanding | None, after: CertificationStanding | None) -> DifferenceKind:
    held_before = before is not None and before.status == "active"
    held_after = after is not None and after.status == "active"
    if held_before and held_after:
        return "moved"
    if held_after:
        return "gained"
    return "lost" if held_before else "changed"
