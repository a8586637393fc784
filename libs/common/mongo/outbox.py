"""The outbox: messages written in the transaction that caused them, kept until the broker has confirmed them.

One row is one AMQP message; a row holds up to a hundred events of one type, so that a batch of work costs a few
rows. A row is born leased to the process that wrote it, which publishes it from memory; only when that process
has not done so by the end of the lease may another take it over.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pymongo import ASCENDING, IndexModel
from pymongo.operations import UpdateOne
from pymongo.write_concern import WriteConcern

from libs.common.bus.messages import Outgoing
from libs.common.mongo.client import Database, Document, Session

COLLECTION = "outbox"
LEASE = timedelta(seconds=10)
"""How long a row belongs to one process. After a crash its rows wait at most this long for another."""
MAX_TRIES = 12
"""Refusals by the broker, not outages, after which a row is parked for an operator."""

INDEXES = [IndexModel([("lease_until", ASCENDING)], name="unsent", partialFilterExpression={"parked": False})]


class Outbox:
    """The stored side of sending."""

    def __init__(self, database: Database) -> None:
        self._rows = database[COLLECTION]
        # A removal that is lost makes a message come again, and every consumer knows its events.
        self._removals = self._rows.with_options(write_concern=WriteConcern(w=1))

    async def add(self, session: Session, messages: Sequence[Outgoing], *, owner: str, now: datetime) -> None:
        """Write messages as part of the session's transaction, leased to `owner`."""
        rows = [_row(message, owner, now) for message in messages]
        await self._rows.insert_many(rows, session=session, ordered=False)

    async def remove(self, ids: Sequence[str]) -> None:
        """Forget messages that the broker has confirmed."""
        await self._removals.delete_many({"_id": {"$in": list(ids)}})

    async def extend(self, ids: Sequence[str], *, owner: str, now: datetime) -> None:
        """Keep the lease on rows that this process still means to send."""
        await self._rows.update_many(
            {"_id": {"$in": list(ids)}, "owner": owner}, {"$set": {"lease_until": now + LEASE}}
        )

    async def claim(self, *, owner: str, now: datetime, limit: int) -> list[Outgoing]:
        """Take over up to `limit` rows whose lease has run out; two claimants never get the same row."""
        overdue = {"parked": False, "lease_until": {"$lt": now}}
        found = await self._rows.find(overdue, {"_id": 1}).sort("lease_until", ASCENDING).to_list(limit)
        if not found:
            return []
        ids = [row["_id"] for row in found]
        mine = {"owner": owner, "claimed_at": now, "lease_until": now + LEASE}
        await self._rows.update_many({"_id": {"$in": ids}, **overdue}, {"$set": mine})
        claimed = self._rows.find({"_id": {"$in": ids}, "owner": owner, "claimed_at": now})
        return [_message(row) async for row in claimed]

    async def refused(self, message: Outgoing, *, error: str, now: datetime) -> bool:
        """Count a refusal of this very message; back off, or park it. Returns whether it is parked now."""
        await self._rows.update_one({"_id": message.id}, {"$inc": {"tries": 1}, "$set": {"error": error}})
        row = await self._rows.find_one({"_id": message.id}, {"tries": 1})
        if row is None:
            return False
        parked: bool = row["tries"] >= MAX_TRIES
        pause = timedelta(seconds=min(2 ** row["tries"], 3600))
        await self._rows.update_one(
            {"_id": message.id}, {"$set": {"parked": parked, "lease_until": now + pause, "owner": ""}}
        )
        return parked

    async def backlog(self, now: datetime) -> tuple[int, int, float]:
        """Unsent rows, parked rows, and the age of the oldest unsent one in seconds."""
        unsent = await self._rows.count_documents({"parked": False})
        parked = await self._rows.count_documents({"parked": True})
        oldest = await self._rows.find_one({"parked": False}, {"created_at": 1}, sort=[("_id", ASCENDING)])
        age = max((now - oldest["created_at"]).total_seconds(), 0.0) if oldest else 0.0
        return unsent, parked, age

    async def unpark(self, now: datetime) -> int:
        """Let parked rows be tried again, from the start. Returns how many."""
        result = await self._rows.update_many(
            {"parked": True}, {"$set": {"parked": False, "tries": 0, "lease_until": now, "owner": ""}}
        )
        return result.modified_count

    async def release(self, ids: Sequence[str], operations_at: datetime) -> None:
        """Give rows back before a stop, so that another process need not wait for the lease."""
        if ids:
            updates = [UpdateOne({"_id": i}, {"$set": {"lease_until": operations_at, "owner": ""}}) for i in ids]
            await self._rows.bulk_write(updates, ordered=False)


def _row(message: Outgoing, owner: str, now: datetime) -> Document:
    return {
        "_id": message.id,
        "exchange": message.exchange,
        "key": message.routing_key,
        "type": message.type,
        "content_type": message.content_type,
        "body": message.body,
        "headers": dict(message.headers),
        "count": message.count,
        "created_at": now,
        "owner": owner,
        "lease_until": now + LEASE,
        "tries": 0,
        "parked": False,
    }


def _message(row: Document) -> Outgoing:
    return Outgoing(
        id=row["_id"],
        exchange=row["exchange"],
        routing_key=row["key"],
        type=row["type"],
        content_type=row["content_type"],
        body=row["body"],
        headers=row["headers"],
        count=row["count"],
    )
