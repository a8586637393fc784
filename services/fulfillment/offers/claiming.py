"""What candidates do with their offers and orders, and staff for them: claim, readdress, call off, send again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hmac import compare_digest

from libs.common.events import fulfillment
from libs.common.events.types import Address
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND, FieldError, Problem, invalid
from libs.common.ids import new_id
from libs.common.mongo.client import Session
from libs.common.mongo.people import People
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Benefit, Program
from libs.common.programs.benefits import INITIAL_KIT
from libs.common.versions import next_version
from services.fulfillment.domain.offers import Entitlement, standing
from services.fulfillment.domain.orders import RECALLABLE, Entry, Order, ShipTo, State
from services.fulfillment.offers.telling import Telling, about
from services.fulfillment.orders.addressing import carrier_of, ship_to
from services.fulfillment.orders.ordering import Ordering
from services.fulfillment.store import FulfillmentStore

RESENT_BY_STAFF: frozenset[State] = frozenset({"shipped", "delivered", "returned"})
"""A parcel that is lost may count as shipped or even as delivered."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parcel goes; `name` is one in Latin letters, of people whose own the printer has no letters for."""

    address: Address
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a candidate says with a claim."""

    place: Place | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None


class Claims:
    """Every method is one transaction.

    They raise problems: `not-found` for what is not this person's, `conflict` where the state of an offer or an order
    does not allow it, `invalid-request` for an address, a choice or a token that does not fit.
    """

    def __init__(
        self,
        store: FulfillmentStore,
        people: People,
        ordering: Ordering,
        telling: Telling,
        unit_of_work: UnitOfWork,
    ) -> None:
        self._store = store
        self._people = people
        self._ordering = ordering
        self._telling = telling
        self._unit_of_work = unit_of_work

    async def claim(self, program: Program, candidate_id: str, offer_id: str, claim: Claim, by: str) -> Order:
        """Order what is offered. Of two claims at once one is an order, and the other a conflict."""

        async def work(transaction: Transaction) -> Order:
            session = transaction.session
            accounts = await self._store.merges.family(session, candidate_id)
            theirs = await self._store.of_person(session, program.id, accounts)
            one = next((one for one in theirs if one.offer.id == offer_id and one.since is not None), None)
            if one is None:
                raise Problem(NOT_FOUND)
            benefit = program.benefits.get(one.offer.benefit)
            if benefit is None or standing(theirs, accounts[0], transaction.now).get(offer_id) != "offered":
                raise Problem(CONFLICT, _why_not(one, transaction))
            _check(one, benefit, claim)
            to = await self._to(session, program, accounts, benefit, place=claim.place) if benefit.ships else None
            order = await self._ordering.place(
                transaction, program, _order(one, benefit, claim, to, transaction.now), by
            )
            await self._claimed(transaction, one, order)
            return order

        return await self._unit_of_work.run(work)

    async def readdress(self, program: Program, candidate_id: str, order_id: str, place: Place, by: str) -> Order:
        """Another address for an order that no house has taken; after that the one that it was taken with stands."""

        async def work(transaction: Transaction) -> Order:
            accounts, order = await self._own(transaction.session, program, candidate_id, order_id)
            if order.state != "pending" or order.ship_to is None:
                raise Problem(CONFLICT, "the address is fixed once it is ordered")
            benefit = program.benefits.get(order.benefit, INITIAL_KIT)
            to = await self._to(transaction.session, program, accounts, benefit, place=place, before=order.ship_to)
            entry = Entry("pending", transaction.now, by, "Another address")
            changed = await self._ordering.record(transaction, replace(order, ship_to=to), entry)
            return changed or order

        return await self._unit_of_work.run(work)

    async def cancel(self, program: Program, candidate_id: str, order_id: str, by: str) -> Order:
        """Call off an order of one's own that no house has taken; the offer stands again, as long as it does."""

        async def work(transaction: Transaction) -> Order:
            _, order = await self._own(transaction.session, program, candidate_id, order_id)
            if order.state != "pending":
                raise Problem(CONFLICT, "it is ordered already, so write to us to have it stopped")
            return await self.call_off(transaction, order, by, "Called off by the candidate")

        return await self._unit_of_work.run(work)

    async def cancel_for(self, program: Program, order_id: str, by: str, reason: str) -> Order:
        """Call off whatever has not left its house."""

        async def work(transaction: Transaction) -> Order:
            order = await self._any(transaction.session, program, order_id)
            if order.state not in RECALLABLE:
                raise Problem(CONFLICT, f"it is {order.state} and cannot be called off")
            return await self.call_off(transaction, order, by, reason)

        return await self._unit_of_work.run(work)

    async def resend(self, program: Program, candidate_id: str, order_id: str, place: Place, by: str) -> Order:
        """Send a parcel again that came back, to where its candidate says."""

        async def work(transaction: Transaction) -> Order:
            _, order = await self._own(transaction.session, program, candidate_id, order_id)
            return await self._resent(transaction, program, order, states={"returned"}, place=place, by=by)

        return await self._unit_of_work.run(work)

    async def resend_for(self, program: Program, order_id: str, place: Place | None, by: str) -> Order:
        """Send a parcel again that came back or is lost; to the same address unless another is given."""

        async def work(transaction: Transaction) -> Order:
            order = await self._any(transaction.session, program, order_id)
            return await self._resent(transaction, program, order, states=RESENT_BY_STAFF, place=place, by=by)

        return await self._unit_of_work.run(work)

    async def _claimed(self, transaction: Transaction, one: Entitlement, order: Order) -> None:
        version = next_version(one.told_version, transaction.now)
        told = one.now_told("claimed", transaction.now)
        after = replace(told, told_version=version, order_id=order.id, token=None)
        event = fulfillment.BenefitClaimed(**about(one.offer), order_id=order.id, claimed_at=transaction.now)
        transaction.emit(event, program=one.program, subject=one.offer.candidate_id, version=version)
        await self._store.save(transaction.session, [after], [one.offer.id])

    async def call_off(self, transaction: Transaction, order: Order, by: str, reason: str) -> Order:
        """Call an order off, and offer again what it was for, where that still stands."""
        after = await self._ordering.cancel(transaction, order, by, reason)
        offer = await self._store.get(transaction.session, order.offer_id)
        if offer is not None and offer.order_id == order.id:
            await self._free(transaction, offer)
        return after or order

    async def _free(self, transaction: Transaction, offer: Entitlement) -> None:
        """Offer again what is not ordered any more, where it still can be."""
        accounts = await self._store.merges.family(transaction.session, offer.offer.candidate_id)
        known = await self._store.known(transaction.session, accounts)
        theirs = known | {offer.offer.id: replace(offer, order_id=None)}
        after = await self._telling.settle(transaction, theirs, accounts)
        changed = [one for key, one in after.items() if one != known.get(key)]
        await self._store.save(transaction.session, changed, known)

    async def _resent(
        self,
        transaction: Transaction,
        program: Program,
        order: Order,
        *,
        states: Collection[State],
        place: Place | None,
        by: str,
    ) -> Order:
        session = transaction.session
        if order.state not in states or order.replaced_by is not None:
            raise Problem(CONFLICT, "only what came back is sent again, and that once")
        to = order.ship_to
        if place is not None:
            accounts = await self._store.merges.family(session, order.candidate_id)
            benefit = program.benefits.get(order.benefit, INITIAL_KIT)
            to = await self._to(session, program, accounts, benefit, place=place, before=order.ship_to)
        if to is None:
            raise invalid("body.address", "missing", "Give us an address")
        fresh = Order(
            id=new_id(),
            program=order.program,
            candidate_id=order.candidate_id,
            offer_id=order.offer_id,
            benefit=order.benefit,
            certification=order.certification,
            title=order.title,
            vendor=order.vendor,
            placed_at=transaction.now,
            ship_to=to,
            choices=order.choices,
            replaces=order.id,
        )
        fresh = await self._ordering.place(transaction, program, fresh, by)
        await self._ordering.store.save(session, replace(order, replaced_by=fresh.id))
        offer = await self._store.get(session, order.offer_id)
        if offer is not None:
            await self._store.save(session, [replace(offer, order_id=fresh.id)], [offer.offer.id])
        return fresh

    async def _own(
        self, session: Session, program: Program, candidate_id: str, order_id: str
    ) -> tuple[list[str], Order]:
        accounts = await self._store.merges.family(session, candidate_id)
        order = await self._any(session, program, order_id)
        if order.candidate_id not in accounts:
            raise Problem(NOT_FOUND)
        return accounts, order

    async def _any(self, session: Session, program: Program, order_id: str) -> Order:
        order = await self._ordering.store.get(order_id, session)
        if order is None or order.program != program.id:
            raise Problem(NOT_FOUND)
        return order

    async def _to(
        self,
        session: Session,
        program: Program,
        accounts: Sequence[str],
        benefit: Benefit,
        *,
        place: Place | None,
        before: ShipTo | None = None,
    ) -> ShipTo:
        """The label; a name that was given `before` goes on."""
        if place is None:
            raise invalid("body.address", "missing", "Give us an address")
        person = await self._people.get(program.id, accounts[0], session)
        if person is None:
            raise Problem(CONFLICT, "we don't know the name for the parcel yet; save your profile once")
        return ship_to(person, place.address, carrier_of(benefit), place.name or (before.name if before else None))


def _order(one: Entitlement, benefit: Benefit, claim: Claim, to: ShipTo | None, now: datetime) -> Order:
    return Order(
        id=new_id(),
        program=one.program,
        candidate_id=one.offer.candidate_id,
        offer_id=one.offer.id,
        benefit=benefit.id,
        certification=one.offer.certification,
        title=one.offer.title,
        vendor=benefit.vendor,
        placed_at=now,
        ship_to=to,
        choices=dict(claim.choices),
        awaits_payment=benefit.price is not None,
    )


def _check(one: Entitlement, benefit: Benefit, claim: Claim) -> None:
    errors = [
        FieldError(path=f"body.choices.{what}", code="choice", message=f"Choose one of {', '.join(values)}")
        for what, values in benefit.choices.items()
        if claim.choices.get(what) not in values
    ]
    errors += [
        FieldError(path="body.choices", code="choice", message=f"There is no choice of {what}")
        for what in claim.choices
        if what not in benefit.choices
    ]
    if benefit.token and not _is_token(one, claim.token):
        errors.append(FieldError(path="body.token", code="token", message="That isn't the token of this offer"))
    if errors:
        raise Problem(INVALID, errors=errors)


def _is_token(one: Entitlement, token: str | None) -> bool:
    return one.token is not None and token is not None and compare_digest(one.token.encode(), token.encode())


def _why_not(one: Entitlement, transaction: Transaction) -> str:
    if one.order_id is not None:
        return "it was claimed already"
    if one.is_over(transaction.now):
        return "the last day to claim it has passed"
    return "it is not offered any more"
