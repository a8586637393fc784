"""Jobs run when they are due, in one process at a time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from libs.common.errors import Unavailable
from libs.common.mongo.jobs import COLLECTION, LEASE, Job, Scheduler
from tests.service.conftest import OpenBase
from tests.service.rig import Base


class Desk:
    """A process with an hourly and a daily job, and what they have done."""

    def __init__(self, base: Base, owner: str) -> None:
        self.done: list[str] = []
        self.inside = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.fault: Exception | None = None
        jobs = [Job("hourly", timedelta(hours=1), self._hourly), Job("daily", timedelta(days=1), self._daily)]
        self._scheduler = Scheduler(base.database, jobs, owner=owner, clock=base.clock)

    async def _hourly(self) -> None:
        self.inside.set()
        await self.go_on.wait()
        if self.fault is not None:
            raise self.fault
        self.done.append("hourly")

    async def _daily(self) -> None:
        self.done.append("daily")

    async def look(self) -> list[str]:
        """One look for what is due; what was done so far."""
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._scheduler.run(stopping))
            await asyncio.sleep(0)  # it has begun, and this look is its last
            stopping.set()
        return self.done


@pytest.fixture
async def base(base_of: OpenBase) -> AsyncIterator[Base]:
    async with base_of("exams") as opened:
        yield opened


@pytest.fixture
def desk(base: Base) -> Desk:
    return Desk(base, "one")


async def test_each_job_runs_when_it_is_due_and_not_before(base: Base, desk: Desk) -> None:
    assert await desk.look() == ["hourly", "daily"]
    base.clock.advance(timedelta(minutes=59))
    assert await desk.look() == ["hourly", "daily"]
    base.clock.advance(timedelta(minutes=1))
    assert await desk.look() == ["hourly", "daily", "hourly"]
    base.clock.advance(timedelta(days=1))
    assert await desk.look() == ["hourly", "daily", "hourly", "hourly", "daily"]


async def test_what_one_process_does_no_other_does_beside_it(base: Base, desk: Desk) -> None:
    other = Desk(base, "other")
    desk.go_on.clear()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.look())
        await desk.inside.wait()
        assert await other.look() == ["daily"]
        desk.go_on.set()
    assert desk.done == ["hourly"]


async def test_job_of_a_process_that_died_is_taken_over_after_its_lease(base: Base, desk: Desk) -> None:
    row = {"_id": "hourly", "owner": "dead", "lease_until": base.clock.now() + LEASE}
    await base.database[COLLECTION].insert_one(row)
    assert await desk.look() == ["daily"]
    base.clock.advance(LEASE)
    assert await desk.look() == ["daily", "hourly"]


async def test_job_that_lacks_something_waits_for_its_next_time_and_holds_up_no_other(base: Base, desk: Desk) -> None:
    desk.fault = Unavailable("not now")
    assert await desk.look() == ["daily"]
    desk.fault = None
    assert await desk.look() == ["daily"]
    base.clock.advance(timedelta(hours=1))
    assert await desk.look() == ["daily", "hourly"]
