"""What each event does in fulfillment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from libs.common.bus.messages import Received
from libs.common.events import certs
from libs.common.mongo.client import Session
from libs.common.mongo.merges import FAMILY_EVENTS
from libs.common.mongo.people import PEOPLE_EVENTS, People
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.fulfillment.domain.offers import Entitlement, Offer, Word, offers_for, offers_for_milestone
from services.fulfillment.offers.telling import Telling
from services.fulfillment.store import FulfillmentStore

WORDS: Final[Mapping[type[Any], Word]] = {
    certs.CertificationAwarded: "awarded",
    certs.MilestoneReached: "awarded",
    certs.CertificationReinstated: "reinstated",
    certs.CertificationRevoked: "revoked",
}


class ServiceEvents:
    """Makes offers, and takes back those whose certification is revoked.

    An offer's id is derived from what it is for, so a repetition finds it made. What certs says may come in any order:
    the latest version of it counts.
    """

    def __init__(
        self, store: FulfillmentStore, people: People, telling: Telling, programs: Mapping[str, Program]
    ) -> None:
        self._store = store
        self._people = people
        self._telling = telling
        self._programs = programs

    async def handle(self, transaction: Transaction, items: Sequence[Received[Any]]) -> None:
        known_people = [item for item in items if isinstance(item.data, PEOPLE_EVENTS)]
        if known_people:
            await self._people.take(transaction, known_people)
        if len(known_people) < len(items):
            await self._offers(transaction, items)

    async def _offers(self, transaction: Transaction, items: Sequence[Received[Any]]) -> None:
        families = [item for item in items if isinstance(item.data, FAMILY_EVENTS)]
        await self._store.merges.take(transaction.session, families)
        words = [item for item in items if _word(item) is not None and item.event.program in self._programs]
        causes = {account: item for item in [*families, *words] for account in _accounts(item)}
        persons = await self._persons(transaction.session, causes)
        # Nearly all that comes are first awards of people with one account, so nothing is looked for: where an award
        # comes again, its offer's key stops the first attempt.
        plain = not families and not transaction.repeated and all(self._stands_alone(item) for item in words)
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
            theirs = await self._telling.settle(transaction, theirs, accounts, cause)
            changed |= {key: one for key, one in theirs.items() if one != known.get(key)}
        await self._store.save(transaction.session, changed.values(), known)

    def _stands_alone(self, item: Received[Any]) -> bool:
        """Whether what an award gives stands whatever else its candidate was offered."""
        if not isinstance(item.data, certs.CertificationAwarded):
            return False
        program = self._programs[item.event.program]
        known = program.certifications.get(item.data.certification)
        return known is None or all(program.benefits[name].once == "certification" for name in known.entitlements)

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
        if isinstance(data, certs.MilestoneReached):
            offers = {one.id: one for one in offers_for_milestone(program, data.candidate_id, data.milestone)}
        else:
            given = offers_for(program, data.candidate_id, data.certification, data.earned_on)
            # What the program no longer gives may still be taken back.
            offers = {key: one.offer for key, one in theirs.items() if _is_about(one.offer, data)}
            offers |= {one.id: one for one in given}
        for key, offer in offers.items():
            before = theirs.get(key) or Entitlement(program.id, offer)
            theirs[key] = replace(before, offer=offer).heard(word, item.event.subjectversion or 0)


def _word(item: Received[Any]) -> Word | None:
    data = item.data
    if isinstance(data, certs.CertificationRevoked) and data.remains:
        return None
    return WORDS.get(type(data))


def _is_about(offer: Offer, data: Any) -> bool:
    """Whether an offer came of what this word is about."""
    same_time = offer.earned_on in {None, data.earned_on}
    return not offer.milestone and offer.certification == data.certification and same_time


def _accounts(item: Received[Any]) -> Iterator[str]:
    yield item.data.candidate_id
    if isinstance(item.data, FAMILY_EVENTS):
        yield item.data.merged_id
