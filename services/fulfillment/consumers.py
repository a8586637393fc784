"""What each event does in fulfillment."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from libs.common.bus.messages import Received
from libs.common.events import certs, fulfillment
from libs.common.mongo.client import Session
from libs.common.mongo.merges import FAMILY_EVENTS
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from libs.common.versions import next_version
from services.fulfillment.domain.offers import Entitlement, Offer, State, Word, offers_for, standing
from services.fulfillment.store import FulfillmentStore

WORDS: Final[Mapping[type[Any], Word]] = {
    certs.CertificationAwarded: "awarded",
    certs.CertificationReinstated: "reinstated",
    certs.CertificationRevoked: "revoked",
}


class ServiceEvents:
    """Makes offers, and takes back those whose certification is revoked.

    An offer's id is derived from what it is for, so a repetition finds it made. What certs says may come in any order:
    the latest version of it counts.
    """

    def __init__(self, store: FulfillmentStore, programs: Mapping[str, Program]) -> None:
        self._store = store
        self._programs = programs

    async def handle(self, transaction: Transaction, items: Sequence[Received[Any]]) -> None:
        families = [item for item in items if isinstance(item.data, FAMILY_EVENTS)]
        await self._store.merges.take(transaction.session, families)
        words = [item for item in items if _word(item) is not None and item.event.program in self._programs]
        causes = {account: item for item in [*families, *words] for account in _accounts(item)}
        persons = await self._persons(transaction.session, causes)
        # Nearly all that comes are first awards of people with one account, so nothing is looked for: where an award
        # comes again, its offer's key stops the first attempt.
        plain = not families and not transaction.repeated and all(_word(item) == "awarded" for item in words)
        looked = [one for accounts in persons.values() if not plain or len(accounts) > 1 for one in accounts]
        known = await self._store.known(transaction.session, looked)
        rows: dict[str, dict[str, Entitlement]] = {account: {} for accounts in persons.values() for account in accounts}
        for key, one in known.items():
            rows[one.offer.candidate_id][key] = one
        for item in words:
            self._hear(rows[item.data.candidate_id], item)
        changed: dict[str, Entitlement] = {}
        for accounts in dict.fromkeys(persons.values()):
            theirs = {key: one for account in accounts for key, one in rows[account].items()}
            cause = next(causes[account] for account in accounts if account in causes)
            theirs |= {one.offer.id: one for one in _told(transaction, theirs.values(), accounts[0], cause)}
            changed |= {key: one for key, one in theirs.items() if one != known.get(key)}
        await self._store.save(transaction.session, changed.values(), known)

    async def _persons(self, session: Session, about: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Candidates, each with all accounts that are one with theirs, first the one that goes on."""
        persons: dict[str, tuple[str, ...]] = {account: (account,) for account in about}
        for account in await self._store.merges.joined(session, about):
            persons[account] = tuple(await self._store.merges.family(session, account))
        return persons

    def _hear(self, theirs: dict[str, Entitlement], item: Received[Any]) -> None:
        word, data, program = _word(item), item.data, self._programs[item.event.program]
        if word is None:
            return
        offers = {one.id: one for one in offers_for(program, data.candidate_id, data.certification)}
        # What the program no longer gives may still be taken back.
        offers |= {key: one.offer for key, one in theirs.items() if one.offer.certification == data.certification}
        for key, offer in offers.items():
            before = theirs.get(key) or Entitlement(program.id, offer)
            theirs[key] = before.heard(word, item.event.subjectversion or 0)


def _word(item: Received[Any]) -> Word | None:
    data = item.data
    if isinstance(data, certs.CertificationRevoked) and data.remains:
        return None
    return WORDS.get(type(data))


def _accounts(item: Received[Any]) -> Iterator[str]:
    yield item.data.candidate_id
    if isinstance(item.data, FAMILY_EVENTS):
        yield item.data.merged_id


def _told(
    transaction: Transaction, theirs: Collection[Entitlement], goes_on: str, cause: Received[Any]
) -> Iterator[Entitlement]:
    """Those of a person's offers of which something else is so than was told, now that it is told."""
    stand = standing(theirs, goes_on)
    for one in theirs:
        now: State = "offered" if one.offer.id in stand else "withdrawn"
        if one.told == now or (one.told is None and now == "withdrawn"):
            continue
        version = next_version(one.told_version, transaction.now)
        transaction.emit(
            _event(one.offer, now, transaction),
            program=one.program,
            subject=one.offer.candidate_id,
            version=version,
            cause=cause,
        )
        yield replace(one, told=now, told_version=version, since=one.since or transaction.now)


def _event(
    offer: Offer, now: State, transaction: Transaction
) -> fulfillment.BenefitOffered | fulfillment.BenefitWithdrawn:
    about: Any = {
        "candidate_id": offer.candidate_id,
        "offer_id": offer.id,
        "benefit": offer.benefit,
        "title": offer.title,
        "certification": offer.certification,
    }
    if now == "offered":
        return fulfillment.BenefitOffered(**about, offered_at=transaction.now)
    return fulfillment.BenefitWithdrawn(**about, withdrawn_at=transaction.now)
