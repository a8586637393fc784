"""What each event does in fulfillment."""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.common.bus.messages import Received
from libs.common.events import certs, fulfillment
from libs.common.mongo.client import Document
from libs.common.mongo.merges import FAMILY_EVENTS, FamilyEvent
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from libs.common.versions import next_version
from services.fulfillment.domain.offers import Offer, offer_id, offers_for
from services.fulfillment.store import FulfillmentStore


class ServiceEvents:
    """Makes offers. An offer's own id is derived from what it is for, so a repetition finds it made."""

    def __init__(self, store: FulfillmentStore, programs: Mapping[str, Program]) -> None:
        self._store = store
        self._programs = programs

    async def handle(
        self, transaction: Transaction, items: Sequence[Received[certs.CertificationAwarded | FamilyEvent]]
    ) -> None:
        families: list[Received[Any]] = [item for item in items if isinstance(item.data, FAMILY_EVENTS)]
        await self._store.merges.take(transaction.session, families)
        awards: list[Received[Any]] = [item for item in items if isinstance(item.data, certs.CertificationAwarded)]
        await self._offer(transaction, awards)

    async def _offer(self, transaction: Transaction, items: Sequence[Received[certs.CertificationAwarded]]) -> None:
        session = transaction.session
        due: dict[str, tuple[Offer, Received[certs.CertificationAwarded]]] = {}
        for item in items:
            program = self._programs.get(item.event.program)
            if program is not None:
                for offer in offers_for(program, item.data.candidate_id, item.data.certification):
                    due.setdefault(offer.id, (offer, item))
        # An award that comes again is rare, and its offer's key stops the first attempt.
        made = await self._store.offered(session, due) if transaction.repeated else set()
        made |= await self._made_to_kin(transaction, due)
        fresh = [pair for key, pair in due.items() if key not in made]
        if not fresh:
            return
        for offer, item in fresh:
            _announce(transaction, offer, item)
        await self._store.add(session, [_row(offer, item, transaction) for offer, item in fresh])

    async def _made_to_kin(
        self, transaction: Transaction, due: Mapping[str, tuple[Offer, Received[certs.CertificationAwarded]]]
    ) -> set[str]:
        """Those of the offers that the person has had on another account of theirs."""
        kin = {offer.candidate_id: [offer.candidate_id] for offer, _ in due.values()}
        for candidate in await self._store.merges.joined(transaction.session, kin):
            kin[candidate] = await self._store.merges.family(transaction.session, candidate)
        same = {
            key: [offer_id(item.event.program, account, offer.certification, offer.benefit) for account in accounts]
            for key, (offer, item) in due.items()
            if len(accounts := kin[offer.candidate_id]) > 1
        }
        made = await self._store.offered(transaction.session, (one for each in same.values() for one in each))
        found = set()
        for key in due:
            others = set(same.get(key, ())) - {key}
            if others & made or (others & set(due) and min(others & set(due)) < key):
                found.add(key)
        return found


def _announce(transaction: Transaction, offer: Offer, cause: Received[certs.CertificationAwarded]) -> None:
    event = fulfillment.BenefitOffered(
        candidate_id=offer.candidate_id,
        offer_id=offer.id,
        benefit=offer.benefit,
        title=offer.title,
        certification=offer.certification,
        offered_at=transaction.now,
    )
    version = next_version(None, transaction.now)
    transaction.emit(event, program=cause.event.program, subject=offer.candidate_id, version=version, cause=cause)


def _row(offer: Offer, cause: Received[certs.CertificationAwarded], transaction: Transaction) -> Document:
    return {
        "_id": offer.id,
        "program": cause.event.program,
        "candidate_id": offer.candidate_id,
        "certification": offer.certification,
        "benefit": offer.benefit,
        "title": offer.title,
        "state": "offered",
        "offered_at": transaction.now,
    }
