"""Queries of what is heard of mails after they were sent."""

from collections.abc import Collection, Sequence
from datetime import datetime

from libs.common.mongo.client import Database, Document, Session
from services.notify.domain.bounces import days_with
from services.notify.feedback.migration import SOFT_BOUNCES
from services.notify.feedback.suppressions import Place

_RANKS = {"delivered": 0, "bounced": 1, "complained": 2}
"""What is heard later counts only where it says more: a complaint is of somebody who has read the mail."""


class FeedbackStore:
    """All with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._messages = database["messages"]
        self._recipients = database["recipients"]
        self._soft_bounces = database[SOFT_BOUNCES]

    async def mail(
        self, session: Session, ids: Sequence[str], programs: Collection[str] | None = None
    ) -> Document | None:
        """The first of the ids that is a mail; of these programs only, where some are given."""
        query: Document = {"_id": {"$in": list(ids)}}
        if programs is not None:
            query["program"] = {"$in": sorted(programs)}
        rows = {row["_id"]: row async for row in self._messages.find(query, session=session)}
        return next((rows[key] for key in ids if key in rows), None)

    async def hear(self, session: Session, mail: Document, what: str, *, at: datetime, status: str | None) -> bool:
        """Note on a mail what was heard of it. Returns False where as much was heard before."""
        if _RANKS[what] <= _RANKS.get((mail.get("heard") or {}).get("what", ""), -1):
            return False
        heard = {"what": what, "at": at, "status": status}
        await self._messages.update_one({"_id": mail["_id"]}, {"$set": {"heard": heard}}, session=session)
        return True

    async def hold_address(self, session: Session, place: Place) -> bool:
        """Keep a recipient's address as it is until this transaction is over; False where it is another by now.

        The count changes the document that a new address is written to, so the two cannot pass each other.
        """
        result = await self._recipients.update_one(
            {"_id": place.candidate_id, "email": place.address}, {"$inc": {"returns": 1}}, session=session
        )
        return result.matched_count == 1

    async def count_soft(self, session: Session, place: Place, program: str, at: datetime) -> int:
        """Note that a mail came back today. Returns on how many days some did lately."""
        known = await self._soft_bounces.find_one({"_id": place.key}, session=session)
        days = days_with(known["days"] if known else [], at.date())
        row = {"program": program, "candidate_id": place.candidate_id, "days": days, "last_at": at}
        await self._soft_bounces.replace_one({"_id": place.key}, row, upsert=True, session=session)
        return len(days)

    async def forget_soft(self, session: Session, place: Place) -> None:
        await self._soft_bounces.delete_one({"_id": place.key}, session=session)
