"""What an award entitles to: decided by the program, offered once a candidate and certification."""

from collections.abc import Iterator
from dataclasses import dataclass

from libs.common.ids import derived_id
from libs.common.programs import Program

TITLES = {"initial_kit": "Welcome kit"}


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
            title=f"{TITLES[benefit]}: {known.title}",
        )
