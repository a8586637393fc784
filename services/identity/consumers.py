"""What each message does in identity: a registration by a stranger makes an account."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from libs.common.bus.failures import vendor_of
from libs.common.bus.messages import Received
from libs.common.candidate_ids import candidate_id
from libs.common.events import fulfillment, identity, notify, vendors
from libs.common.events.audit import Seal
from libs.common.ids import new_secret
from libs.common.mongo.client import Document
from libs.common.mongo.links import link_id
from libs.common.mongo.said_before import SaidBefore
from libs.common.mongo.unit_of_work import Transaction
from libs.common.name_keys import name_keys
from libs.common.programs import Program
from services.identity.cases.missing_results import MissingResultEvent, MissingResults
from services.identity.cases.returned_parcels import ReturnedParcels
from services.identity.privacy.erasures import Erasures
from services.identity.privacy.exports import ExportParts
from services.identity.profiles import Profiles
from services.identity.reachability import Reachability, ReachabilityEvent
from services.identity.registration_store import RegistrationStore
from services.identity.seals.consumers import SealEvents
from services.identity.store import IdentityStore, email_key, token_key

ACTIVATION_LASTS = timedelta(days=14)
"""How long the link of the first mail works; after that "forgot password" sends another."""

Registration = Received[vendors.ExamRegistered]


class VendorMessages:
    """Makes accounts. What the border refuses is answered by exams and passed over here."""

    def __init__(
        self,
        store: IdentityStore,
        registrations: RegistrationStore,
        programs: Mapping[str, Program],
        said_before: SaidBefore | None = None,
    ) -> None:
        self._store = store
        self._said_before = said_before
        self._registrations = registrations
        self._programs = programs

    async def handle(self, transaction: Transaction, items: Sequence[Any]) -> None:
        people: dict[str, Registration] = {}
        proofs: dict[str, Document] = {}
        for item in items:
            if isinstance(item, Received):
                people.setdefault(_person(item), item)
                proof = _proof(item)
                proofs.setdefault(proof["_id"], proof)
        await self._registrations.keep(transaction.session, proofs.values())
        known = await self._store.candidates_of(transaction.session, people)
        strangers = {person: item for person, item in people.items() if person not in known}
        if strangers:
            await self._open_accounts(transaction, strangers)

    async def _open_accounts(self, transaction: Transaction, strangers: Mapping[str, Registration]) -> None:
        ids = await self._ids(transaction, strangers)
        candidates, external_ids, links = [], [], []
        for person, item in strangers.items():
            given = ids[person]
            token = new_secret()
            expires_at = transaction.now + ACTIVATION_LASTS
            candidates.append(_candidate(given, item, transaction))
            external_ids.append(_external_id(person, given, item, transaction))
            links.append({"_id": token_key(token), "candidate_id": given, "expires_at": expires_at})
            for version, event in enumerate(_events(given, item, token, transaction), start=1):
                transaction.emit(event, program=item.event.program, subject=given, version=version, cause=item)
        await self._store.add(transaction.session, candidates=candidates, external_ids=external_ids, links=links)

    async def _ids(self, transaction: Transaction, strangers: Mapping[str, Registration]) -> dict[str, str]:
        """The ID for each: a new one, or the one that all services know them by though our database has lost it."""
        ids: dict[str, str] = {}
        if self._said_before is not None:
            ids = await self._said_before.owners(transaction.session, strangers)
        new = {person: item for person, item in strangers.items() if person not in ids}
        return ids | dict(zip(new, await self._number(list(new.values())), strict=True))

    async def _number(self, items: Sequence[Registration]) -> list[str]:
        """A new candidate ID for each, in their order."""
        counts: dict[str, int] = {}
        for item in items:
            counts[item.event.program] = counts.get(item.event.program, 0) + 1
        numbers = {name: iter(await self._store.take_numbers(name, count)) for name, count in counts.items()}
        ids = []
        for item in items:
            program = self._programs[item.event.program]
            number = next(numbers[program.id])
            ids.append(candidate_id(program.candidate_id_prefix, program.candidate_id_digits, number))
        return ids


class ServiceEvents:
    """What services tell: seals, exports, late results, parcels that came back, what becomes of mails and news.

    After a restore identity is told its own word, too, of who was erased.
    """

    def __init__(
        self,
        *,
        seals: SealEvents,
        parts: ExportParts,
        missing: MissingResults,
        returned: ReturnedParcels,
        profiles: Profiles,
        reachability: Reachability,
        erasures: Erasures,
    ) -> None:
        self._seals = seals
        self._erasures = erasures
        self._parts = parts
        self._missing = missing
        self._returned = returned
        self._profiles = profiles
        self._reachability = reachability

    async def handle(self, transaction: Transaction, items: Sequence[Received[Any]]) -> None:
        seals = [item for item in items if isinstance(item.data, Seal)]
        missing = [item for item in items if isinstance(item.data, MissingResultEvent)]
        returned = [item for item in items if isinstance(item.data, fulfillment.OrderReturned)]
        ended = [item for item in items if isinstance(item.data, notify.NewsUnsubscribed)]
        reached = [item for item in items if isinstance(item.data, ReachabilityEvent)]
        erased = [item for item in items if isinstance(item.data, identity.CandidateErased)]
        others = (
            Seal
            | MissingResultEvent
            | fulfillment.OrderReturned
            | notify.NewsUnsubscribed
            | ReachabilityEvent
            | identity.CandidateErased
        )
        parts = [item for item in items if not isinstance(item.data, others)]
        if seals:
            await self._seals.handle(transaction, seals)
        if parts:
            await self._parts.handle(transaction, parts)
        if missing:
            await self._missing.handle(transaction, missing)
        if returned:
            await self._returned.handle(transaction, returned)
        if ended:
            await self._profiles.end_news(transaction, ended)
        await self._reachability.handle(transaction, reached)
        await self._erasures.hear(transaction, erased)


def _system(item: Registration) -> str:
    vendor = vendor_of(item.delivery)
    if vendor is None:
        raise ValueError("the border lets no message without a vendor pass")
    return vendor


def _person(item: Registration) -> str:
    return link_id(item.event.program, _system(item), item.data.vendor_candidate_id)


def _proof(item: Registration) -> Document:
    """What a claim of the id is compared with later."""
    return {
        "_id": link_id(item.event.program, _system(item), item.data.registration_id),
        "link": _person(item),
        "email": item.data.candidate.email,
    }


def _candidate(given: str, item: Registration, transaction: Transaction) -> Document:
    person = item.data.candidate
    return {
        "_id": given,
        "program": item.event.program,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "name_keys": name_keys((person.given_name, person.family_name)),
        "email": person.email,
        "email_key": email_key(person.email),
        "country": person.country,
        "language": item.data.language,
        "address": item.data.address.model_dump() if item.data.address else None,
        "created_at": transaction.now,
        "activated_at": None,
        "password": None,
        "failures": 0,
        "locked_until": None,
        "version": 3,
    }


def _external_id(person: str, given: str, item: Registration, transaction: Transaction) -> Document:
    return {
        "_id": person,
        "program": item.event.program,
        "system": _system(item),
        "external_id": item.data.vendor_candidate_id,
        "candidate_id": given,
        "verified_by": "registration",
        "since": transaction.now,
    }


def _events(
    given: str, item: Registration, token: str, transaction: Transaction
) -> tuple[identity.CandidateRegistered, identity.ExternalIdLinked, identity.AccessRequested]:
    person = item.data.candidate
    registered = identity.CandidateRegistered(
        candidate_id=given,
        given_name=person.given_name,
        family_name=person.family_name,
        email=person.email,
        country=person.country,
        language=item.data.language,
        address=item.data.address,
        registered_at=transaction.now,
    )
    linked = identity.ExternalIdLinked(
        candidate_id=given,
        system=_system(item),
        external_id=item.data.vendor_candidate_id,
        verified_by="registration",
        linked_at=transaction.now,
    )
    access = identity.AccessRequested(
        candidate_id=given, reason="activation", token=token, expires_at=transaction.now + ACTIVATION_LASTS
    )
    return registered, linked, access
