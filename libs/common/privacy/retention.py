"""What is kept for how long: periods as data, and the one job that ends them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

import structlog

from libs.common.clock import Clock
from libs.common.mongo.client import Database
from libs.common.mongo.jobs import Job

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Period:
    """Rows of a collection are deleted when the moment in a field is so long ago."""

    collection: str
    since: str
    """The field that the period counts from."""
    kept: timedelta
    among: Mapping[str, Any] = field(default_factory=dict)
    """Only rows like this."""


class Retention:
    """Deletes what has been kept long enough, in slices; one that is stopped goes on where it was."""

    EVERY: ClassVar = timedelta(hours=1)
    SLICE: ClassVar = 500
    SECONDS: ClassVar = 20.0
    """For one run, well below a job's lease."""

    def __init__(self, database: Database, periods: Sequence[Period], clock: Clock) -> None:
        self._database = database
        self._periods = periods
        self._clock = clock

    def job(self) -> Job:
        return Job("retention", self.EVERY, self.run)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self.SECONDS
        for period in self._periods:
            count = 0
            while loop.time() < until and (deleted := await self._slice(period)):
                count += deleted
            if count:
                log.info("kept_long_enough", state=period.collection, count=count)

    async def _slice(self, period: Period) -> int:
        rows = self._database[period.collection]
        over = {**period.among, period.since: {"$lt": self._clock.now() - period.kept}}
        found = await rows.find(over, {"_id": 1}).to_list(self.SLICE)
        result = await rows.delete_many({"_id": {"$in": [row["_id"] for row in found]}, **over})
        return result.deleted_count
