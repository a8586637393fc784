"""What an award entitles to: decided by the program, offered once a candidate and certification while that stands."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf
from typing import Literal

from libs.common.ids import derived_id
from libs.common.programs import Program

State = Literal["offered", "withdrawn"]
Word = Literal["awarded", "reinstated", "revoked"]
"""What certs says of a certification, as far as it matters here."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One benefit that a candidate may claim.

    Attributes:
        id: the same however often the award is told, so that nothing is offered twice.
    """

    id: str
    candidate_id: str
    certification: str
    benefit: str
    title: str


def offer_id(program: str, candidate_id: str, certification: str, benefit: str) -> str:
    return derived_id(program, candidate_id, certification, benefit)


def offers_for(program: Program, candidate_id: str, certification: str) -> Iterator[Offer]:
    """The benefits of an award. A certification earned again after a lapse gives the same offer ids."""
    known = program.certifications.get(certification)
    if known is None:
        return
    for benefit in known.entitlements:
        yield Offer(
            id=offer_id(program.id, candidate_id, certification, benefit),
            candidate_id=candidate_id,
            certification=certification,
            benefit=benefit,
            title=f"{program.benefits[benefit].title}: {known.title}",
        )


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What is known of an offer. It follows from the set of words alone, whatever their order.

    Attributes:
        version: of the latest word about the certification; the higher one counts.
        stands: whether it was not a revocation.
        awarded: whether an award was ever told.
        told: what the candidate was told last; None where that was nothing.
        told_version: of the event that told it.
        since: when it was first offered.
    """

    program: str
    offer: Offer
    version: int = -1
    stands: bool = False
    awarded: bool = False
    told: State | None = None
    told_version: int | None = None
    since: datetime | None = None

    def heard(self, word: Word, version: int) -> "Entitlement":
        """The same after a word, which may be older than what is known, or known already."""
        later = version > self.version
        return replace(
            self,
            version=max(version, self.version),
            stands=word != "revoked" if later else self.stands,
            awarded=self.awarded or word == "awarded",
        )


def standing(known: Collection[Entitlement], goes_on: str) -> set[str]:
    """The ids of a person's offers that stand; `known` are those of all their accounts, `goes_on` is the one they use.

    Of one benefit on several accounts the one offered first stands. Where the certification is revoked for the account
    that goes on, none does: it speaks for all of them.
    """
    revoked = {(one.offer.certification, one.offer.benefit) for one in known if _gone(one, goes_on)}
    first: dict[tuple[str, str], Entitlement] = {}
    for one in known:
        what = one.offer.certification, one.offer.benefit
        if one.awarded and one.stands and what not in revoked and (what not in first or _age(one) < _age(first[what])):
            first[what] = one
    return {one.offer.id for one in first.values()}


def _gone(one: Entitlement, goes_on: str) -> bool:
    return one.offer.candidate_id == goes_on and not one.stands


def _age(one: Entitlement) -> tuple[float, str]:
    """Older first; what was never offered is younger than everything."""
    return one.since.timestamp() if one.since else inf, one.offer.id
