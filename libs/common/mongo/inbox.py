"""The inbox: which events this service has already taken in, recorded in the transaction of their effects."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel

from libs.common.bus.messages import Received
from libs.common.ids import derived_id
from libs.common.mongo.client import Database, Session

COLLECTION = "inbox"
WINDOW = timedelta(days=30)
"""How long an event is remembered. Longer than the longest replay: the log stream keeps events for 14 days, and
a message from the retry ladder or from parking has left no effects behind, so its age does not matter."""

INDEXES = [IndexModel([("at", ASCENDING)], name="window", expireAfterSeconds=int(WINDOW.total_seconds()))]


class Inbox:
    """Tells new events from repeated ones."""

    def __init__(self, database: Database) -> None:
        self._seen = database[COLLECTION]

    async def take_new(self, session: Session, events: Sequence[Received[Any]], now: datetime) -> list[Received[Any]]:
        """The events not taken in before, each once, recorded as taken in by this transaction."""
        keyed: dict[str, Received[Any]] = {}
        for received in events:
            keyed.setdefault(_key(received), received)
        known = self._seen.find({"_id": {"$in": list(keyed)}}, {"_id": 1}, session=session)
        async for row in known:
            del keyed[row["_id"]]
        if keyed:
            rows = [{"_id": key, "at": now} for key in keyed]
            await self._seen.insert_many(rows, session=session, ordered=False)
        return list(keyed.values())


def _key(received: Received[Any]) -> str:
    # Unique per source (CloudEvents 1.0, "id"); the source alone is a vendor's claim, its broker user is not.
    return derived_id(received.delivery.user_id or "", received.event.source, received.event.id)
