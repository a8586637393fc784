"""What we hold of a certification of one person, beside what the provider has of it: the chain of its credentials.

A renewal is a new credential, and its badge takes the place of the one before. So what is done next depends on all of
them together, and is done one step at a time. Everything here is pure.

A step is written down as in hand before it is sent. While one is in hand nobody knows whether the provider has done it,
so the only step then is to ask, by the key that the request carried: never to send it again unasked.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

State = Literal["pending", "accepted", "rejected", "revoked", "missing"]
"""In the provider's words; `missing`: it does not have the badge any more."""
Act = Literal["ask", "issue", "replace", "revoke"]
Trouble = Literal["revoked_there", "missing_there"]

STANDING: frozenset[State] = frozenset({"pending", "accepted"})
"""Such a badge is there for everybody, or will be as soon as the person accepts it."""

_KEY = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([1-9][0-9]{0,8})")


def key_of(credential_id: str, edition: int) -> str:
    """What a request carries, so that what it did can be found: the credential, and which of its badges it is."""
    return f"{credential_id}.{edition}"


def credential_of(key: str | None) -> str | None:
    """The credential that a key speaks of; None where it is none of ours."""
    found = _KEY.fullmatch(key or "")
    return found[1] if found else None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the provider says of a badge."""

    badge_id: str
    key: str | None
    state: State
    at: datetime
    """When it was so: of an answer, when the question was put."""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge of a credential, as far as we know it."""

    badge_id: str
    key: str
    state: State
    at: datetime
    url: str | None = None
    said: str | None = None
    """Digest of what it says; None where it was found and not sent."""


@dataclass(frozen=True, slots=True)
class Link:
    """One credential."""

    credential_id: str
    version: int
    valid: bool
    earned_on: date
    ends: date | None
    """Its last day."""
    badge: Badge | None = None
    past: tuple[str, ...] = ()
    """Badges whose place another has taken."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is said to the provider.

    Attributes:
        key: of the badge to be, or of the one that is revoked or asked about.
        badge_id: the one that is replaced or revoked.
        said: digest of what the badge to be says.
    """

    act: Act
    key: str
    credential_id: str
    badge_id: str | None = None
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """The credentials of one certification of one person, oldest first.

    Attributes:
        hand: a step that was sent, or was about to be; whether it was done is not known.
        extras: standing badges that no credential needs, each with its key.
        editions: badges asked for so far.
        erased: the person is forgotten, so nothing of theirs may stand.
    """

    links: tuple[Link, ...] = ()
    hand: Step | None = None
    extras: tuple[tuple[str, str], ...] = ()
    editions: int = 0
    erased: bool = False

    def link(self, credential_id: str | None) -> Link | None:
        return next((one for one in self.links if one.credential_id == credential_id), None)

    @property
    def wanted(self) -> Link | None:
        """The credential whose badge should stand: the latest that is valid."""
        valid = [] if self.erased else [one for one in self.links if one.valid]
        return valid[-1] if valid else None

    @property
    def trouble(self) -> Trouble | None:
        """What only a person can decide about: the provider has not what we sent it."""
        wanted = self.wanted
        if wanted is None or wanted.badge is None or self.hand is not None:
            return None
        differences: dict[State, Trouble] = {"revoked": "revoked_there", "missing": "missing_there"}
        return differences.get(wanted.badge.state)


def plan(chain: Chain, said: str | None, today: date) -> Step | None:
    """The next step; None where there is nothing to do.

    Args:
        chain: all that is known.
        said: digest of what the badge of `chain.wanted` should say; None where nothing may be sent about it now.
        today: in the program's calendar.
    """
    if chain.hand is not None:
        return Step("ask", chain.hand.key, chain.hand.credential_id)
    surplus = next(_surplus(chain), None)
    wanted = chain.wanted
    if surplus is not None or wanted is None or said is None:
        return surplus
    return None if wanted.ends is not None and wanted.ends < today else _sent(chain, wanted, said)


def _surplus(chain: Chain) -> Iterator[Step]:
    """What must not stand any more goes first."""
    for badge_id, key in chain.extras:
        yield Step("revoke", key, credential_of(key) or "", badge_id)
    for link in chain.links:
        badge = _standing(link)
        if badge is not None and (chain.erased or not link.valid):
            yield Step("revoke", badge.key, link.credential_id, badge.badge_id)


def _sent(chain: Chain, wanted: Link, said: str) -> Step | None:
    key, own = key_of(wanted.credential_id, chain.editions + 1), _standing(wanted)
    if wanted.badge is None:
        before = next((badge for one in reversed(chain.links) if (badge := _standing(one)) is not None), None)
        act: Act = "issue" if before is None else "replace"
        return Step(act, key, wanted.credential_id, before.badge_id if before else None, said)
    if own is not None and own.said not in {None, said}:
        return Step("replace", key, wanted.credential_id, own.badge_id, said)
    return None


def _standing(link: Link) -> Badge | None:
    return link.badge if link.badge is not None and link.badge.state in STANDING else None


def taken(chain: Chain, step: Step) -> Chain:
    """The chain with a step in hand, as it is kept before the step is sent."""
    new = step.act in {"issue", "replace"}
    return replace(chain, hand=step, editions=chain.editions + 1 if new else chain.editions)


def done(chain: Chain, step: Step, seen: Seen) -> Chain:
    """The chain after the provider has said that a step is done, and what has become of the badge."""
    if chain.hand != step:  # another process has found out meanwhile
        return observed(chain, seen)
    chain = replace(chain, hand=None)
    if step.act == "revoke":
        return observed(chain, seen)
    badge = Badge(seen.badge_id, step.key, seen.state, seen.at, seen.url, step.said)
    links = tuple(_without(one, step.badge_id) for one in chain.links)
    links = tuple(
        replace(one, badge=badge, past=_past(one)) if one.credential_id == step.credential_id else one for one in links
    )
    extras = tuple(extra for extra in chain.extras if extra[0] not in {seen.badge_id, step.badge_id})
    return replace(chain, links=links, extras=extras)


def _without(link: Link, badge_id: str | None) -> Link:
    if link.badge is None or link.badge.badge_id != badge_id:
        return link
    return replace(link, badge=None, past=_past(link))


def _past(link: Link) -> tuple[str, ...]:
    return (*link.past, link.badge.badge_id) if link.badge else link.past


def answered(chain: Chain, key: str, found: Sequence[Seen], at: datetime) -> Chain:
    """The chain after the provider was asked, at a moment, for everything that has a key."""
    hand = chain.hand
    if hand is not None and hand.key == key:
        if hand.act == "revoke":
            chain = replace(chain, hand=None)
        elif found:
            chain = done(chain, hand, max(found, key=lambda seen: seen.state in STANDING))
        else:
            chain = replace(chain, hand=None)
    for seen in found:
        chain = observed(chain, seen)
    there = {seen.badge_id for seen in found}
    for link in chain.links:
        badge = link.badge
        if badge is not None and badge.key == key and badge.badge_id not in there:
            chain = observed(chain, Seen(badge.badge_id, key, "missing", at))
    gone = {badge_id for badge_id, its in chain.extras if its == key and badge_id not in there}
    return replace(chain, extras=tuple(extra for extra in chain.extras if extra[0] not in gone))


def observed(chain: Chain, seen: Seen) -> Chain:
    """The chain with what the provider says of a badge, in whatever order that is heard; unchanged where it is old."""
    if any(seen.badge_id in link.past for link in chain.links):
        return chain
    for link in chain.links:
        if link.badge is not None and link.badge.badge_id == seen.badge_id:
            return _changed(chain, replace(link, badge=_later(link.badge, seen)))
    if any(badge_id == seen.badge_id for badge_id, _ in chain.extras):
        if seen.state in STANDING:
            return chain
        return replace(chain, extras=tuple(extra for extra in chain.extras if extra[0] != seen.badge_id))
    return _adopted(chain, seen) if seen.state in STANDING and seen.key is not None else chain


def _adopted(chain: Chain, seen: Seen) -> Chain:
    """The chain with a badge that we did not know of."""
    key, own, hand = seen.key or "", chain.link(credential_of(seen.key)), chain.hand
    if own is None:
        return chain
    if hand is not None and hand.key == key and hand.act != "revoke":
        return done(chain, hand, seen)
    if _standing(own) is not None:
        return replace(chain, extras=(*chain.extras, (seen.badge_id, key)))
    badge = Badge(seen.badge_id, key, seen.state, seen.at, seen.url)
    return _changed(chain, replace(own, badge=badge, past=_past(own)))


def _later(badge: Badge, seen: Seen) -> Badge:
    """What is heard last counts by its moment; a revocation is for good."""
    if seen.at < badge.at or badge.state == "revoked":
        return badge
    return replace(badge, state=seen.state, at=seen.at, url=seen.url or badge.url)


def _changed(chain: Chain, link: Link) -> Chain:
    links = tuple(link if one.credential_id == link.credential_id else one for one in chain.links)
    return replace(chain, links=links)


def held(chain: Chain, links: Iterable[Link]) -> Chain:
    """The chain with these credentials as they are now; what is known of their badges stays."""
    found = {one.credential_id: one for one in chain.links}
    for link in links:
        known = found.get(link.credential_id)
        if known is None:
            found[link.credential_id] = link
        elif link.version >= known.version:
            still = link.valid and known.valid  # a revocation is for good
            found[link.credential_id] = replace(link, valid=still, badge=known.badge, past=known.past)
    return replace(chain, links=tuple(sorted(found.values(), key=_order)))


def _order(link: Link) -> tuple[date, date, str]:
    return link.earned_on, link.ends or date.max, link.credential_id


def assumed(chain: Chain, said: str) -> Chain:
    """The chain, taking it that a badge that was found says what it should: nothing better is known of it."""
    wanted = chain.wanted
    if wanted is None or wanted.badge is None or wanted.badge.said is not None:
        return chain
    return _changed(chain, replace(wanted, badge=replace(wanted.badge, said=said)))


def again(chain: Chain) -> Chain:
    """The chain without the badge that the provider has lost or revoked, so that the next one is sent."""
    wanted = chain.wanted
    if wanted is None or wanted.badge is None or chain.trouble is None:
        return chain
    return _changed(chain, replace(wanted, badge=None, past=_past(wanted)))
