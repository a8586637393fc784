"""Addresses that nothing is sent to: mails to them came back for good, or were called unwanted.

A suppression is of a candidate at one of their addresses. So it is of one program, shows where it counts, and is over
by itself once the candidate has another address.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.ids import derived_id
from libs.common.mongo.client import Database, Document, Session

COLLECTION = "suppressions"
INDEXES = [
    IndexModel([("candidate_id", ASCENDING)], name="candidate"),
    IndexModel([("program", ASCENDING), ("since", DESCENDING), ("_id", DESCENDING)], name="program"),
]


class Reason(StrEnum):
    """Why nothing is sent to an address."""

    BOUNCED = "bounced"
    COMPLAINED = "complained"


class Place(NamedTuple):
    """Where a mail goes: to whom, and at which address."""

    candidate_id: str
    """Of staff, the id of their account."""
    address: str

    @property
    def key(self) -> str:
        # Mailboxes that differ in case alone are one everywhere but on paper.
        return derived_id("suppression", self.candidate_id, self.address.strip().casefold())


class Suppressions:
    """All queries of suppressed addresses. Those with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._rows = database[COLLECTION]

    async def among(self, session: Session | None, places: Iterable[Place]) -> set[Place]:
        """Those of the places that nothing must be sent to."""
        keys = {place: place.key for place in places}
        if not keys:
            return set()
        found = self._rows.find({"_id": {"$in": list(set(keys.values()))}}, {"_id": 1}, session=session)
        suppressed = {row["_id"] async for row in found}
        return {place for place, key in keys.items() if key in suppressed}

    async def add(
        self, session: Session, place: Place, *, program: str, reason: Reason, message_id: str, at: datetime
    ) -> bool:
        """Send nothing more to a place. Returns whether that is new, or the reason is.

        A complaint outweighs a bounce: it was a person who spoke.
        """
        row = {
            "program": program,
            "candidate_id": place.candidate_id,
            "address": place.address,
            "reason": reason,
            "message_id": message_id,
            "since": at,
        }
        known = await self._rows.find_one({"_id": place.key}, {"reason": 1}, session=session)
        if known is not None and (known["reason"] == reason or known["reason"] == Reason.COMPLAINED):
            return False
        await self._rows.replace_one({"_id": place.key}, row, upsert=True, session=session)
        return True

    async def lift(self, session: Session, place: Place) -> bool:
        """Send to a place again. Returns whether anything stood against it."""
        result = await self._rows.delete_one({"_id": place.key}, session=session)
        return result.deleted_count == 1

    async def at(self, session: Session | None, place: Place) -> Document | None:
        """What stands against a place."""
        return await self._rows.find_one({"_id": place.key}, session=session)

    async def of(self, session: Session | None, candidates: Iterable[str]) -> list[Document]:
        """All that stands against these candidates, whatever their address is by now."""
        return await self._rows.find({"candidate_id": {"$in": sorted(set(candidates))}}, session=session).to_list(None)

    async def listed(
        self, programs: Sequence[str], *, before: tuple[datetime, str] | None, limit: int
    ) -> list[Document]:
        """The suppressions of programs, latest first, from the position `before` on."""
        query: Document = {"program": {"$in": list(programs)}}
        if before is not None:
            at, key = before
            query["$or"] = [{"since": {"$lt": at}}, {"since": at, "_id": {"$lt": key}}]
        return await self._rows.find(query).sort([("since", DESCENDING), ("_id", DESCENDING)]).to_list(limit)
