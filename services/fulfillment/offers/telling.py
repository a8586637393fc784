"""Brings what candidates were told of their offers up to what is so, and calls off orders that nothing entitles to."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from libs.common.bus.messages import Cause
from libs.common.events import fulfillment
from libs.common.ids import new_secret
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Benefit, Program
from libs.common.versions import next_version
from services.fulfillment.domain.offers import Entitlement, Offer, State, claimed_together, revoked_claims, standing
from services.fulfillment.domain.orders import RECALLABLE
from services.fulfillment.orders.ordering import Ordering

REVOKED = "The certification was revoked"
DOUBLE = "The same was ordered under another account of yours"

Theirs = dict[str, Entitlement]
"""All that is known of the offers to one person, by their ids."""


class Telling:
    """Works on one person at a time: all of their accounts, first the one that goes on."""

    def __init__(self, ordering: Ordering, programs: Mapping[str, Program]) -> None:
        self._ordering = ordering
        self._programs = programs

    async def settle(
        self, transaction: Transaction, theirs: Theirs, accounts: Sequence[str], cause: Cause | None = None
    ) -> Theirs:
        """The person's offers once everything is called off and told that is to be."""
        if any(one.order_id is not None for one in theirs.values()):
            theirs = await self._called_off(transaction, theirs, accounts[0], cause)
        return theirs | self._told(transaction, theirs, accounts[0], cause)

    async def _called_off(self, transaction: Transaction, theirs: Theirs, goes_on: str, cause: Cause | None) -> Theirs:
        """The offers without the claims whose orders are called off. What has left its house stays claimed."""
        claimed = [one.order_id for one in theirs.values() if one.order_id is not None]
        orders = await self._ordering.store.several(claimed, transaction.session)
        recallable = {key for key, order in orders.items() if order.state in RECALLABLE}
        reasons = {one.offer.id: REVOKED for one in revoked_claims(theirs.values(), goes_on)}
        for group in claimed_together(theirs.values()):
            # The one that goes on is one that cannot be stopped any more, or else the first.
            group.sort(key=lambda one: (one.order_id in recallable, orders_age(orders.get(one.order_id or ""))))
            for one in group[1:]:
                reasons.setdefault(one.offer.id, DOUBLE)
        for key, reason in reasons.items():
            order_id = theirs[key].order_id
            if order_id in recallable:
                await self._ordering.cancel(transaction, orders[order_id], "system", reason, cause)
                theirs = theirs | {key: replace(theirs[key], order_id=None)}
        return theirs

    def _told(self, transaction: Transaction, theirs: Theirs, goes_on: str, cause: Cause | None) -> Theirs:
        """Those of which something else is so than was told, now that it is told."""
        now = transaction.now
        stand = standing(theirs.values(), goes_on, now)
        changed: Theirs = {}
        for key, one in theirs.items():
            state = stand.get(key) or ("expired" if one.told == "offered" and one.is_over(now) else "withdrawn")
            if one.told == state or (state not in {"offered", "claimed"} and one.told in {None, "expired"}):
                continue
            after = self._offered(one, now) if state == "offered" else one
            after = after.now_told(state, now)
            # Of a claim that is made or called off, claim and order tell.
            if state != "claimed" and (one.told != "claimed" or state == "offered"):
                after = replace(after, told_version=next_version(one.told_version, now))
                transaction.emit(
                    _event(after, state, now),
                    program=one.program,
                    subject=one.offer.candidate_id,
                    version=after.told_version or 0,
                    cause=cause,
                )
            changed[key] = after
        return changed

    def _offered(self, one: Entitlement, now: datetime) -> Entitlement:
        """The offer as it is made: with its last day, counted from the first time, and a token that is not used."""
        program = self._programs.get(one.program)
        benefit = program.benefits.get(one.offer.benefit) if program else None
        if program is None or benefit is None:
            return replace(one, since=one.since or now)
        return replace(
            one,
            since=one.since or now,
            claim_until=one.claim_until if one.since else _claim_until(program, benefit, now),
            token=(one.token or new_secret()) if benefit.token else None,
        )


def orders_age(order: Any) -> tuple[bool, float]:
    """Older first; an order that is not there is the youngest."""
    return order is None, 0.0 if order is None else order.placed_at.timestamp()


def _claim_until(program: Program, benefit: Benefit, now: datetime) -> datetime | None:
    if benefit.claim_within is None:
        return None
    return program.end_of(benefit.claim_within.last_day(program.day_of(now)))


def about(offer: Offer) -> dict[str, Any]:
    """What every event about an offer says."""
    return {
        "candidate_id": offer.candidate_id,
        "offer_id": offer.id,
        "benefit": offer.benefit,
        "title": offer.title,
    }


def _event(
    one: Entitlement, state: State, now: datetime
) -> fulfillment.BenefitOffered | fulfillment.GiftOffered | fulfillment.BenefitWithdrawn | fulfillment.BenefitExpired:
    offer = one.offer
    said = about(offer)
    if state == "offered" and offer.milestone:
        return fulfillment.GiftOffered(
            **said, milestone=offer.certification, offered_at=now, claim_until=one.claim_until
        )
    said["certification"] = offer.certification
    if state == "offered":
        return fulfillment.BenefitOffered(**said, offered_at=now, claim_until=one.claim_until)
    if state == "expired":
        return fulfillment.BenefitExpired(**said, expired_at=now)
    return fulfillment.BenefitWithdrawn(**said, withdrawn_at=now)
