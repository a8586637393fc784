"""What a service had said before its database was restored, and no longer knows of.

After a restore it takes in again what it was told since, and much of what it says then was said before. Rows of this
collection are written by the restore, from the broker's log. Whoever is about to say such a thing again takes its first
event's id, by which every consumer knows it; so nothing that follows from it is done twice. What stays was said, and is
not so any more as far as the service knows: `certrail doctor` tells of it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from pymongo import ASCENDING, IndexModel

from libs.common.bus.outgoing import OutgoingEvents
from libs.common.events import EventData, certs, exams, fulfillment, identity
from libs.common.mongo.client import Database, Document, Session

COLLECTION = "said_before"
KEPT = timedelta(days=30)
INDEXES = [
    IndexModel([("meaning", ASCENDING), ("at", ASCENDING)], name="meaning"),
    IndexModel([("mail", ASCENDING)], name="mail", sparse=True),
    IndexModel([("link", ASCENDING)], name="link", sparse=True),
    IndexModel([("at", ASCENDING)], name="kept", expireAfterSeconds=int(KEPT.total_seconds())),
]

SAID_AGAIN: frozenset[type[EventData]] = frozenset(
    {
        *(identity.CandidateRegistered, identity.ExternalIdLinked),
        *(exams.ExamScheduled, exams.ExamAppointmentChanged, exams.ExamResultUnmatched),
        *(exams.ExamPassed, exams.ExamFailed, exams.ExamResultRevised, exams.ExamResultInvalidated),
        *(certs.CertificationAwarded, certs.CertificationRenewed, certs.CertificationExpiring),
        *(certs.CertificationExpired, certs.CertificationSuspended, certs.CertificationReinstated),
        *(certs.CertificationRevoked, certs.MilestoneReached),
        *(fulfillment.BenefitOffered, fulfillment.GiftOffered),
    }
)
"""What follows from messages alone, and says so exactly what it is about that the same words mean the same thing. What
people do is not among it: whoever changes a password twice shall hear of it twice."""


class SaidBefore:
    """The collection, while there is something in it."""

    def __init__(self, database: Database) -> None:
        self._rows = database[COLLECTION]

    @classmethod
    async def waiting(cls, database: Database) -> "SaidBefore | None":
        """None where there is nothing, which is nearly always: then it costs nobody anything."""
        return cls(database) if await database[COLLECTION].find_one({}, {"_id": 1}) else None

    async def adopt(self, session: Session, events: OutgoingEvents) -> None:
        """Give events that were said before their first ids, as a part of the transaction that says them again."""
        for attributes, data in events.said():
            if type(data) in SAID_AGAIN:
                key = {"meaning": meaning(attributes, data)}
                row = await self._rows.find_one_and_delete(key, sort=[("at", ASCENDING)], session=session)
                if row is not None:
                    attributes["id"] = row["_id"]

    async def mails(self, session: Session, ids: Iterable[str]) -> dict[str, Document]:
        """Those of the mails that were sent or refused, with what became of them."""
        found = await self._rows.find({"mail": {"$in": list(ids)}}, session=session).to_list(None)
        if found:
            await self._rows.delete_many({"_id": {"$in": [row["_id"] for row in found]}}, session=session)
        return {row["mail"]: row for row in found}

    async def owners(self, session: Session, links: Iterable[str]) -> dict[str, str]:
        """Candidate IDs that were given to people with these ids at partners."""
        found = self._rows.find({"link": {"$in": list(links)}}, {"link": 1, "subject": 1}, session=session)
        return {row["link"]: row["subject"] async for row in found}


def meaning(attributes: Mapping[str, Any], data: EventData) -> str:
    """What an event says, whenever it says it: of two with the same meaning the second is a repetition.

    Args:
        attributes: of its envelope; `time` is a `datetime`.
        data: a moment in it that is the event's own time tells only when it was said.
    """
    said = {name: value for name, value in data.model_dump(exclude_none=True).items() if not _is(value, attributes)}
    parts = [type(data).event_type, attributes["program"], attributes["subject"], said]
    text = orjson.dumps(parts, default=str, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def _is(value: Any, attributes: Mapping[str, Any]) -> bool:
    return isinstance(value, datetime) and value == attributes["time"]
