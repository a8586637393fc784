"""What each event does in fulfillment."""

from collections.abc import Mapping, Sequence

from libs.common.bus.messages import Received
from libs.common.events import certs, fulfillment
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from libs.common.versions import next_version
from services.fulfillment.domain.offers import Offer, offers_for
from services.fulfillment.store import FulfillmentStore


class ServiceEvents:
    """Makes offers. An offer's own id is derived from what it is for, so a repetition finds it made."""

    def __init__(self, store: FulfillmentStore, programs: Mapping[str, Program]) -> None:
        self._store = store
        self._programs = programs

    async def handle(self, transaction: Transaction, items: Sequence[Received[certs.CertificationAwarded]]) -> None:
        session = transaction.session
        due: dict[str, tuple[Offer, Received[certs.CertificationAwarded]]] = {}
        for item in items:
            program = self._programs.get(item.event.program)
            if program is not None:
                for offer in offers_for(program, item.data.candidate_id, item.data.certification):
                    due.setdefault(offer.id, (offer, item))
        # An award that comes again is rare, and its offer's key stops the first attempt.
        made = await self._store.offered(session, due) if transaction.repeated else set()
        fresh = [pair for key, pair in due.items() if key not in made]
        if not fresh:
            return
        for offer, item in fresh:
            _announce(transaction, offer, item)
        await self._store.add(session, [_row(offer, item, transaction) for offer, item in fresh])


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
