"""Hand-overs in the exams database, and what their states are derived from."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.mongo import links
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.links import link_id
from libs.common.mongo.migrations import Migration, declare
from services.exams.history.retakes import JUDGED
from services.exams.vouchers.store import COLLECTIONS as VOUCHERS

MIGRATION = Migration(
    13,
    "hand-overs to vendors, and codes to pay with",
    declare(
        {
            "hand_overs": [
                IndexModel(
                    [("candidate_id", ASCENDING), ("made_at", DESCENDING), ("_id", DESCENDING)], name="candidate"
                ),
                IndexModel([("ticket", ASCENDING)], name="ticket", unique=True),
                IndexModel([("made_at", ASCENDING)], name="made"),
            ],
            **VOUCHERS,
        }
    ),
)


def ticket_key(ticket: str) -> str:
    """How a ticket is kept: 256 random bits, so a plain hash cannot be guessed backwards."""
    return hashlib.sha256(ticket.encode()).hexdigest()


class HandOverStore:
    """All queries about hand-overs. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._rows = database["hand_overs"]
        self._links = database[links.COLLECTION]
        self._registrations = database["registrations"]
        self._results = database["results"]

    async def add(self, session: Session, row: Document) -> None:
        await self._rows.insert_one(row, session=session)

    async def count(self, session: Session, accounts: Sequence[str], since: datetime) -> int:
        """How many a person's accounts were given since a moment."""
        query = {"candidate_id": {"$in": list(accounts)}, "made_at": {"$gt": since}}
        return int(await self._rows.count_documents(query, session=session))

    async def of_accounts(self, program: str, accounts: Sequence[str], limit: int) -> list[Document]:
        """A person's, latest first."""
        query = {"candidate_id": {"$in": list(accounts)}, "program": program}
        order = [("made_at", DESCENDING), ("_id", DESCENDING)]
        return await self._rows.find(query).sort(order).to_list(limit)

    async def registrations_of(self, program: str, accounts: Sequence[str]) -> list[Document]:
        """A person's appointments."""
        query = {"candidate_id": {"$in": list(accounts)}, "program": program, "link": {"$ne": None}}
        return await self._registrations.find(query).to_list(None)

    async def results_of(self, session: Session, program: str, accounts: Sequence[str]) -> list[Document]:
        """A person's results, as far as rules about retakes look at them."""
        query = {"candidate_id": {"$in": list(accounts)}, "program": program}
        fields = dict.fromkeys(JUDGED, 1)
        return await self._results.find(query, fields, session=session).to_list(None)

    async def by_ticket(self, ticket: str, made_after: datetime) -> Document | None:
        """The hand-over that a ticket is the way back of."""
        query = {"ticket": ticket_key(ticket), "made_at": {"$gt": made_after}}
        row: Document | None = await self._rows.find_one(query)
        return row

    async def note_gone(self, program: str, accounts: Sequence[str], hand_over_id: str, now: datetime) -> bool:
        """Note that the browser left; again, it changes nothing. False where the person has no such hand-over."""
        query = {"_id": hand_over_id, "program": program, "candidate_id": {"$in": list(accounts)}}
        found = await self._rows.update_one(query, [{"$set": {"gone_at": {"$ifNull": ["$gone_at", now]}}}])
        return bool(found.matched_count)

    async def note_return(self, hand_over_id: str, said: Document, now: datetime) -> bool:
        """Note the first way back, and what was said with it; False where it was taken before."""
        query = {"_id": hand_over_id, "returned_at": None}
        return bool((await self._rows.update_one(query, {"$set": {"returned_at": now, "said": said}})).modified_count)

    async def vendors_id(self, session: Session, program: str, vendor: str, accounts: Sequence[str]) -> str | None:
        """The vendor's id of a person: of several the one that was linked last."""
        prefix = link_id(program, vendor, "")
        found = self._links.find({"candidate_id": {"$in": list(accounts)}}, session=session)
        own = [row async for row in found if row["_id"].startswith(prefix) and row.get("since") is not None]
        if not own:
            return None
        return str(max(own, key=lambda row: (row["since"], row["_id"]))["_id"]).removeprefix(prefix)
