"""What awards and milestones entitle to: decided by the program, offered while that stands, claimed once."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import inf
from typing import Literal

from libs.common.clock import as_stored
from libs.common.ids import derived_id
from libs.common.programs import Benefit, Program

State = Literal["offered", "withdrawn", "expired", "claimed"]
Word = Literal["awarded", "reinstated", "revoked"]
"""What certs says of a certification, as far as it matters here. A milestone that is reached is as good as awarded."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One benefit that a candidate may claim.

    Attributes:
        id: the same however often the award is told, so that nothing is offered twice.
        certification: what was awarded; of what comes with a milestone the milestone.
        scope: within which one offer of the benefit stands: the certification, `level:<level>` or `ever`.
        earned_on: only of what is offered anew when the certification is earned anew: for which time.
        milestone: whether it comes with a milestone.
    """

    id: str
    candidate_id: str
    certification: str
    benefit: str
    title: str
    scope: str = ""
    earned_on: date | None = None
    milestone: bool = False


def offer_id(program: str, candidate_id: str, certification: str, benefit: str) -> str:
    return derived_id(program, candidate_id, certification, benefit)


def offers_for(
    program: Program, candidate_id: str, certification: str, earned_on: date | None = None
) -> Iterator[Offer]:
    """The benefits of an award. One earned again gives the same offer ids, but of what is then offered again."""
    known = program.certifications.get(certification)
    if known is None:
        return
    for name in known.entitlements:
        benefit = program.benefits[name]
        again = earned_on if benefit.again else None
        key = (program.id, candidate_id, certification, name)
        yield Offer(
            id=derived_id(*key, again.isoformat()) if again else offer_id(*key),
            candidate_id=candidate_id,
            certification=certification,
            benefit=name,
            title=f"{benefit.title}: {known.title}",
            scope=_scope(benefit, certification, known.level),
            earned_on=again,
        )


def offers_for_milestone(program: Program, candidate_id: str, milestone: str) -> Iterator[Offer]:
    """The benefits of a milestone."""
    for benefit in program.benefits.values():
        if benefit.milestone == milestone:
            yield Offer(
                id=derived_id(program.id, candidate_id, "milestone", milestone, benefit.id),
                candidate_id=candidate_id,
                certification=milestone,
                benefit=benefit.id,
                title=benefit.title,
                scope="ever",
                milestone=True,
            )


def _scope(benefit: Benefit, certification: str, level: str) -> str:
    return {"certification": certification, "level": f"level:{level}", "ever": "ever"}[benefit.once]


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What is known of an offer. But for claims, it follows from the set of words alone, whatever their order.

    Attributes:
        version: of the latest word about the certification; the higher one counts.
        stands: whether it was not a revocation.
        awarded: whether an award was ever told.
        told: what the candidate was told last; None where that was nothing.
        told_version: of the event that told it.
        since: when it was first offered.
        claim_until: the end of the last day on which it can be claimed; None without end.
        order_id: what was ordered for it; None where nothing is.
        token: what the claim takes, of a benefit with one; None once it is used.
        history: how it stood from which moment on, as far as it was ever offered.
    """

    program: str
    offer: Offer
    version: int = -1
    stands: bool = False
    awarded: bool = False
    told: State | None = None
    told_version: int | None = None
    since: datetime | None = None
    claim_until: datetime | None = None
    order_id: str | None = None
    token: str | None = None
    history: tuple[tuple[State, datetime], ...] = ()

    def heard(self, word: Word, version: int) -> "Entitlement":
        """The same after a word, which may be older than what is known, or known already."""
        later = version > self.version
        return replace(
            self,
            version=max(version, self.version),
            stands=word != "revoked" if later else self.stands,
            awarded=self.awarded or word == "awarded",
        )

    def now_told(self, state: State, now: datetime) -> "Entitlement":
        """The same once its candidate knows that it stands so."""
        return replace(self, told=state, history=(*self.history, (state, as_stored(now))))

    def is_over(self, now: datetime) -> bool:
        """Whether the last day to claim it has passed."""
        return self.claim_until is not None and self.claim_until <= now


def standing(known: Collection[Entitlement], goes_on: str, now: datetime) -> dict[str, State]:
    """How those of a person's offers stand that are offered or claimed; `known` are those of all their accounts.

    Within one scope, on whichever accounts, what was claimed stands alone; else of those that can still be claimed the
    one offered first. Where the certification is revoked for `goes_on`, the account that the person uses, none can be:
    it speaks for all of them.
    """
    revoked = {_what(one) for one in known if one.offer.candidate_id == goes_on and not one.stands}
    first: dict[tuple[str, str, str, int], Entitlement] = {}
    for one, scope in _scopes(known):
        if one.order_id is None and (not one.awarded or not one.stands or _what(one) in revoked or one.is_over(now)):
            continue
        if scope not in first or _age(one) < _age(first[scope]):
            first[scope] = one
    return {one.offer.id: "claimed" if one.order_id is not None else "offered" for one in first.values()}


def revoked_claims(known: Collection[Entitlement], goes_on: str) -> list[Entitlement]:
    """Those of a person's claimed offers whose certification is revoked."""
    revoked = {_what(one) for one in known if one.offer.candidate_id == goes_on and not one.stands}
    return [one for one in known if one.order_id is not None and (not one.stands or _what(one) in revoked)]


def _scopes(known: Collection[Entitlement]) -> Iterator[tuple[Entitlement, tuple[str, str, str, int]]]:
    """Each with what it is one of: benefit and scope, and the how-manieth time, on its account, it was earned.

    Accounts that are one each tell of the same times, so times are counted by account and never added up.
    """
    times: dict[tuple[str, str, str], set[date]] = defaultdict(set)
    for one in known:
        if one.awarded and one.offer.earned_on is not None:
            times[one.offer.candidate_id, one.offer.benefit, one.offer.scope].add(one.offer.earned_on)
    for one in known:
        offer, earned = one.offer, times[one.offer.candidate_id, one.offer.benefit, one.offer.scope]
        time = sum(1 for day in earned if offer.earned_on is not None and day < offer.earned_on)
        yield one, (one.program, offer.benefit, offer.scope, time)


def _what(one: Entitlement) -> tuple[str, str, date | None]:
    return one.offer.certification, one.offer.benefit, one.offer.earned_on


def _age(one: Entitlement) -> tuple[bool, float, str]:
    """Claimed ones first, then the older; what was never offered is younger than everything."""
    return one.order_id is None, one.since.timestamp() if one.since else inf, one.offer.id


def claimed_together(known: Collection[Entitlement]) -> list[list[Entitlement]]:
    """Claims of a person of which one is enough: each list has those of one scope, two or more."""
    groups: dict[tuple[str, str, str, int], list[Entitlement]] = defaultdict(list)
    for one, scope in _scopes(known):
        if one.order_id is not None:
            groups[scope].append(one)
    return [group for group in groups.values() if len(group) > 1]
