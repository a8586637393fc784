"""Moves sealed fields to the present key in the background: after a new key, and where they lay unsealed before."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog
from prometheus_client import Gauge

from libs.common.clock import Clock
from libs.common.field_keys import FieldKeys
from libs.common.mongo.client import Database
from libs.common.mongo.jobs import Job

EVERY: Final = timedelta(seconds=30)

LEFT: Final = Gauge(
    "certrail_fields_to_reseal",
    "Values that lie under another key than the one that seals, by the field",
    ["field"],
)

ROUND: Final = Gauge(
    "certrail_reseal_round_timestamp_seconds", "When all fields were last looked through, in seconds since 1970"
)

log = structlog.get_logger(__name__)


class Resealing:
    """Seals values anew, one at a time.

    What is done is seen in the rows themselves, so that a stop at any moment costs nothing and the next round goes on.

    Args:
        places: `collection.field` of all sealed fields.
    """

    def __init__(self, database: Database, keys: FieldKeys, places: Sequence[str], clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._keys = keys
        self._places = places

    def job(self) -> Job:
        return Job("field-keys", EVERY, self.run)

    async def run(self) -> None:
        """Move all that is left. Raises `Unavailable` where a key cannot be read; what was moved stays so."""
        begun = self._clock.now()
        for place in self._places:
            await self._move(place)
        ROUND.set(begun.timestamp())

    async def _move(self, place: str) -> None:
        collection, _, field = place.partition(".")
        rows, current = self._database[collection], self._keys.current()
        # Else each look would read every file to see under which key it lies.
        await rows.create_index(f"{field}.key", name=f"{field}_key")
        old = {field: {"$exists": True}, f"{field}.key": {"$ne": current}}
        left = await rows.count_documents(old)
        LEFT.labels(field=place).set(left)
        if not left:
            return
        log.info("resealing", state=place, count=left)
        ids = [row["_id"] async for row in rows.find(old, {"_id": 1})]
        for key in ids:
            await self._move_one(place, key, current)
        LEFT.labels(field=place).set(await rows.count_documents(old))

    async def _move_one(self, place: str, key: str, current: str) -> None:
        collection, _, field = place.partition(".")
        rows = self._database[collection]
        # A replica may have been here first: who uses the value meanwhile meets one change of it, and not one of each.
        row = await rows.find_one({"_id": key, f"{field}.key": {"$ne": current}}, {field: 1})
        if row is None or field not in row:
            return
        value = row[field]
        plain = await asyncio.to_thread(self._keys.open, place, value)
        sealed = await asyncio.to_thread(self._keys.seal, place, plain)
        # Whoever has changed it meanwhile has sealed it with the present key.
        same = {f"{field}.id": value["id"]} if isinstance(value, dict) else {field: value}
        await rows.update_one({"_id": key, **same}, {"$set": {field: sealed}})
