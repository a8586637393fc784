"""How each certification stands, as certs said last: what a reminder is held against, and whom an announcement means.

The highest version of what is said counts, whichever arrives first. So a reminder that was on its way while its
certification was renewed finds the renewal here.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from pymongo import ASCENDING, IndexModel, UpdateOne

from libs.common.bus.messages import Received
from libs.common.events import certs
from libs.common.mongo.client import Database, Document, Session
from services.notify.domain.gathering import Standing

COLLECTION = "standings"
INDEXES = [IndexModel([("candidate_id", ASCENDING)], name="candidate")]

STANDING_EVENTS = (
    certs.CertificationAwarded,
    certs.CertificationRenewed,
    certs.CertificationExpiring,
    certs.CertificationExpired,
    certs.CertificationRevoked,
    certs.CertificationSuspended,
    certs.CertificationReinstated,
)
_ENDS = (certs.CertificationExpired, certs.CertificationSuspended)


class Standings:
    """All queries about how certifications stand."""

    def __init__(self, database: Database) -> None:
        self._standings = database[COLLECTION]

    async def take(self, session: Session, items: Sequence[Received[Any]]) -> None:
        """Record what a batch of `STANDING_EVENTS` says."""
        latest: dict[str, Document] = {}
        for item in items:
            row = _row(item)
            if row["version"] >= latest.get(row["_id"], row)["version"]:
                latest[row["_id"]] = row
        if latest:
            writes = [UpdateOne({"_id": key}, _unless_later(row), upsert=True) for key, row in sorted(latest.items())]
            await self._standings.bulk_write(writes, ordered=False, session=session)

    async def of(self, session: Session | None, candidates: Collection[str]) -> dict[tuple[str, str], Standing]:
        """Everything that is known of these candidates' certifications."""
        found = self._standings.find({"candidate_id": {"$in": sorted(set(candidates))}}, session=session)
        return {(row["candidate_id"], row["certification"]): _standing(row) async for row in found}


def _row(item: Received[Any]) -> Document:
    data = item.data
    active = data.remains if isinstance(data, certs.CertificationRevoked) else not isinstance(data, _ENDS)
    return {
        "_id": f"{data.candidate_id}:{data.certification}",
        "program": item.event.program,
        "candidate_id": data.candidate_id,
        "certification": data.certification,
        "version": item.event.subjectversion or 1,
        "active": active,
        "expires_on": data.expires_on.isoformat() if data.expires_on else None,
    }


def _unless_later(row: Document) -> list[Document]:
    later = {"$gt": ["$version", row["version"]]}
    return [{"$replaceWith": {"$cond": [later, "$$ROOT", {"$literal": row}]}}]


def _standing(row: Document) -> Standing:
    expires_on = row["expires_on"]
    return Standing(active=row["active"], expires_on=date.fromisoformat(expires_on) if expires_on else None)
