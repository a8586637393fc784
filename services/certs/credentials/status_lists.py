"""Status lists: a bit for each credential, and signed lists that say which are set.

A credential that is revoked is the flip of its bit: both are one row, changed in one transaction with the event that
tells it. The signed list is always made anew from all revoked rows, so no flip can be lost between two processes;
the later of two lists that were made at once replaces the earlier only if nobody else has meanwhile.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple

import structlog
from pymongo import DESCENDING

from libs.common.clock import Clock
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.certs.credentials.bits import LENGTH, encoded
from services.certs.credentials.documents import status_list_document
from services.certs.credentials.signing import Keys, Signer
from services.certs.credentials.store import COLLECTION, LISTS
from services.certs.public.addresses import Addresses

log = structlog.get_logger(__name__)

FULL = LENGTH // 2
"""Entries after which the next list is begun, so that a random index is soon found free."""

COUNTED = 1_000
"""Entries after which a process counts again: others add some too, and counting tens of thousands takes a while."""

_RANDOM = random.SystemRandom()


class Entry(NamedTuple):
    """The place of a credential."""

    number: int
    bit: int


class SignedList(NamedTuple):
    document: bytes
    jwt: str


class StatusLists:
    """The lists of all programs."""

    LIFE: ClassVar = timedelta(hours=24)
    RENEWED: ClassVar = timedelta(hours=12)
    """A list with less life left than this is signed again."""

    def __init__(
        self,
        database: Database,
        unit_of_work: UnitOfWork,
        *,
        signer: Signer,
        keys: Keys,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self._lists = database[LISTS]
        self._credentials = database[COLLECTION]
        self._unit_of_work = unit_of_work
        self._signer = signer
        self._keys = keys
        self._addresses = addresses
        self._clock = clock
        self._room: dict[str, tuple[int, int]] = {}
        """Of each program the list that is open, and how many more it takes before they are counted again."""

    async def entries(self, session: Session, program: str, count: int) -> list[Entry]:
        """Free places for so many new credentials, at random: their order says nothing of who came when."""
        number = await self._open(session, program, count)
        found: set[int] = set()
        while len(found) < count:
            drawn = {_RANDOM.randrange(LENGTH) for _ in range(2 * (count - len(found)) + 2)} - found
            at = {"program": program, "status_list": number, "status_index": {"$in": list(drawn)}}
            taken = {
                row["status_index"] async for row in self._credentials.find(at, {"status_index": 1}, session=session)
            }
            found |= drawn - taken
        return [Entry(number, index) for index in _RANDOM.sample(sorted(found), count)]

    async def _open(self, session: Session, program: str, count: int) -> int:
        """The list that takes so many new entries; the next one where it is half full."""
        number, left = self._room.get(program, (0, 0))
        if left < count:
            newest = await self._lists.find_one(
                {"program": program}, {"number": 1}, sort=[("number", DESCENDING)], session=session
            )
            number = int(newest["number"]) if newest is not None else 0
            entries = {"program": program, "status_list": number}
            left = FULL - await self._credentials.count_documents(entries, session=session) if number else 0
            if left <= 0:  # not remembered: it is there only once this transaction has committed
                await self._lists.insert_one(_empty(program, number + 1), session=session)
                return number + 1
        self._room[program] = number, min(left, COUNTED) - count
        return number

    async def current(self, program: str, number: int) -> SignedList | None:
        """A list that says every revocation committed so far, signed now if need be; None where there is none."""
        key = _key(program, number)
        while (row := await self._lists.find_one({"_id": key})) is not None:
            if not await self._is_due(row, self._clock.now()):
                return SignedList(row["document"], row["jwt"])
            await self._sign(row)
        return None

    async def sign_due(self, programs: Mapping[str, Program]) -> None:
        """Sign every list that says too little, or will not say it for long."""
        lost = await self._keys.compromised()
        for program in programs:
            async for row in self._lists.find({"program": program}, {"document": 0, "jwt": 0}):
                if row["kid"] in lost.get(program, ()) or await self._is_due(row, self._clock.now() + self.RENEWED):
                    try:
                        await self._sign(row)
                    except ValueError as error:  # one that cannot be signed must not hold up the others
                        log.error("status_list_unsignable", subject=row["_id"], cause=type(error).__name__)  # noqa: TRY400

    async def _is_due(self, row: Document, moment: datetime) -> bool:
        if row["valid_until"] is None or row["valid_until"] <= moment:
            return True
        unlisted = {"program": row["program"], "status_list": row["number"], "unlisted": True}
        return await self._credentials.find_one(unlisted, {"_id": 1}) is not None

    async def _sign(self, row: Document) -> None:
        """Sign a list with what is revoked now. `row` was read before, so that whoever is faster is noticed."""
        program, number = row["program"], row["number"]
        revoked = {"program": program, "status_list": number, "state": "revoked"}
        found = await self._credentials.find(revoked, {"status_index": 1, "unlisted": 1}).to_list(None)
        now = self._clock.now()
        document = status_list_document(
            self._addresses,
            program,
            number,
            encoded(one["status_index"] for one in found),
            valid_from=now,
            valid_until=now + self.LIFE,
        )
        signed = await self._signer.sign(program, document)
        fresh = [one["_id"] for one in found if one["unlisted"]]

        async def keep(transaction: Transaction) -> None:
            after: dict[str, Any] = {
                "revision": row["revision"] + 1,
                "document": signed.document,
                "jwt": signed.jwt,
                "kid": signed.kid,
                "valid_until": now + self.LIFE,
            }
            same = {"_id": row["_id"], "revision": row["revision"]}
            result = await self._lists.update_one(same, {"$set": after}, session=transaction.session)
            if result.modified_count:
                await self._listed(transaction.session, fresh)

        await self._unit_of_work.run(keep)

    async def _listed(self, session: Session, credentials: Sequence[str]) -> None:
        if credentials:
            ids = {"_id": {"$in": list(credentials)}}
            await self._credentials.update_many(ids, {"$set": {"unlisted": False}}, session=session)


def _key(program: str, number: int) -> str:
    return f"{program}:{number}"


def _empty(program: str, number: int) -> Document:
    return {
        "_id": _key(program, number),
        "program": program,
        "number": number,
        "revision": 0,
        "document": b"",
        "jwt": None,
        "kid": None,
        "valid_until": None,
    }
