"""Work that is due by time: each job runs in one process at a time, whichever claims it first."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from prometheus_client import Counter
from pymongo.errors import DuplicateKeyError

from libs.common.bus.connection import wait_or_stop
from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.mongo.client import Database
from libs.common.mongo.faults import database_faults

COLLECTION = "jobs"
LEASE = timedelta(seconds=60)
"""A job that has not finished by then is taken for dead; jobs work in slices far shorter than this."""

RUNS = Counter("certrail_job_runs_total", "Runs of scheduled jobs", ["task"])

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Job:
    """`run` is called again `every` so often; it must be safe to repeat after a crash half-way."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]


class Scheduler:
    """Runs jobs that nobody else is running and that are due."""

    def __init__(self, database: Database, jobs: Sequence[Job], *, owner: str, clock: Clock) -> None:
        self._rows = database[COLLECTION]
        self._jobs = jobs
        self._owner = owner
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Look once a second for due jobs until `stopping` is set."""
        while not stopping.is_set():
            async with database_faults(log):
                for job in await self._due():
                    await self._run_if_due(job)
            await wait_or_stop(stopping, 1.0)

    async def _due(self) -> list[Job]:
        """One look for all jobs, which mostly wait or are in somebody's hands."""
        held = {"_id": {"$in": [job.name for job in self._jobs]}, "lease_until": {"$gt": self._clock.now()}}
        waiting = {row["_id"] async for row in self._rows.find(held, {"_id": 1})}
        return [job for job in self._jobs if job.name not in waiting]

    async def _run_if_due(self, job: Job) -> None:
        async with database_faults(log):
            if not await self._claim(job):
                return
            try:
                await job.run()
                RUNS.labels(job.name).inc()
            except Unavailable as error:
                log.warning("job_postponed", job=job.name, cause=type(error).__name__)
            finally:
                await self._done(job)

    async def _claim(self, job: Job) -> bool:
        now = self._clock.now()
        free = {"_id": job.name, "lease_until": {"$lte": now}}
        claim = {"$set": {"owner": self._owner, "lease_until": now + LEASE}}
        try:
            result = await self._rows.update_one(free, claim, upsert=True)
        except DuplicateKeyError:
            return False
        return result.modified_count == 1 or result.upserted_id is not None

    async def _done(self, job: Job) -> None:
        await self._rows.update_one(
            {"_id": job.name, "owner": self._owner}, {"$set": {"lease_until": self._clock.now() + job.every}}
        )
