"""The announcements of all programs, and how far the mails of each have come."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.clock import as_stored
from libs.common.mongo.client import Database, Document, Session
from services.notify.domain.announcements import Audience, State, Words

COLLECTION = "announcements"
INDEXES = [
    IndexModel([("program", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="program"),
    IndexModel(
        [("mailing.due", ASCENDING)], name="mailing", partialFilterExpression={"mailing.due": {"$exists": True}}
    ),
]


class AnnouncementStore:
    """All queries about them. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._rows = database[COLLECTION]

    async def get(self, program: str, announcement_id: str, session: Session | None = None) -> Document | None:
        return await self._rows.find_one({"_id": announcement_id, "program": program}, session=session)

    async def several(self, ids: Sequence[str]) -> dict[str, Document]:
        found = self._rows.find({"_id": {"$in": list(ids)}})
        return {row["_id"]: row async for row in found}

    async def add(self, session: Session, row: Document) -> None:
        await self._rows.insert_one(row, session=session)

    async def save(self, session: Session, row: Document) -> None:
        await self._rows.replace_one({"_id": row["_id"]}, row, session=session)

    async def page(
        self, program: str, state: str | None, *, before: tuple[datetime, str] | None, limit: int
    ) -> list[Document]:
        """Those of a program, the latest first."""
        query: Document = {"program": program}
        if state is not None:
            query["state"] = state
        if before is not None:
            at, key = before
            query["$or"] = [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": key}}]
        order = [("created_at", DESCENDING), ("_id", DESCENDING)]
        return await self._rows.find(query).sort(order).to_list(limit)

    async def shown(self, program: str, today: date) -> list[Document]:
        """Those that candidates may see on a day."""
        day = today.isoformat()
        query = {"program": program, "state": State.PUBLISHED, "first_day": {"$lte": day}, "last_day": {"$gte": day}}
        return await self._rows.find(query).sort([("created_at", DESCENDING), ("_id", DESCENDING)]).to_list(None)

    async def to_mail(self, session: Session) -> list[Document]:
        """Those whose mails are not all written, the oldest first."""
        return await self._rows.find({"mailing.due": True}, session=session).sort("created_at", 1).to_list(None)

    async def mailed(self, session: Session, row: Document, *, after: str | None, count: int, at: datetime) -> None:
        """Note how far the mails have come: up to the candidate `after`, or to the end where that is None."""
        change: Document = {"$inc": {"mailing.mails": count}}
        if after is None:
            change |= {"$set": {"mailing.done_at": as_stored(at)}, "$unset": {"mailing.due": "", "mailing.after": ""}}
        else:
            change |= {"$set": {"mailing.after": after}}
        await self._rows.update_one({"_id": row["_id"]}, change, session=session)


def audience_of(row: Mapping[str, Any]) -> Audience:
    return Audience(frozenset(row["audience"]["certifications"]), frozenset(row["audience"]["levels"]))


def texts_of(row: Mapping[str, Any]) -> dict[str, Words]:
    return {each["language"]: Words(each["title"], each["paragraphs"]) for each in row["texts"]}
