"""The results watch killed at every await: what it found due is told once, by whoever comes after it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from libs.common.events import exams
from libs.common.mongo.outbox import LEASE
from services.exams.consumers import ServiceEvents, VendorMessages
from services.exams.store import ExamsStore
from services.exams.watch.looking import ResultsWatch
from tests.service.lives import lived
from tests.service.mortal import Mortal, mortals
from tests.service.rig import Base, eventually, open_base, open_rig
from tests.service.samples import linked, received, registration, reported
from tests.service.world import World

NEVER = -1


@pytest.fixture(autouse=True)
async def _mortality(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr("libs.common.mongo.client.SELECTION_TIMEOUT_MS", 1_000)
    with mortals(asyncio.get_running_loop()):
        yield


class Watch:
    """A process that runs the job once, and publishes what it tells; it can be killed while it does."""

    def __init__(self, world: World, die_at: int) -> None:
        self._world, self._die_at = world, die_at
        self.process = Mortal("ResultsWatch.run", "UnitOfWork._until_committed", "OutboxSweep.once")

    async def _work(self, mongo_url: str, amqp_url: str) -> None:
        world = self._world
        async with open_rig("exams", world.bus, mongo_url=mongo_url, amqp_url=amqp_url, clock=world.clock) as rig:
            self.process.client = rig.database.client
            watch = ResultsWatch(ExamsStore(rig.database), world.programs, rig.unit_of_work)
            self.process.arm(self._die_at)
            async with rig.relaying():
                await asyncio.create_task(watch.run())
                await eventually(lambda: rig.rows("outbox", owner=rig.owner), lambda rows: not rows)
            await asyncio.create_task(rig.sweep().once())

    async def live(self) -> bool:
        """Returns whether it died."""
        urls = self._world.mongo.url("exams"), self._world.broker.url("exams")
        return await lived(self.process, self._work, *urls)


async def overlooked(base: Base, number: int) -> None:
    """An appointment whose result is long overdue, and at which nobody has looked."""
    store = ExamsStore(base.database)
    await base.handle(ServiceEvents(store).handle, received(linked(f"P{number}.", f"C{number}")))
    booked = registration(f"P{number}.", f"G{number}.", scheduled_at=base.clock.now() + timedelta(hours=1))
    await base.handle(VendorMessages(store).handle, reported(booked))
    await base.database["outbox"].delete_many({})
    base.clock.advance(timedelta(days=60))


async def test_killed_watch_tells_what_is_due_once(world: World) -> None:
    async with open_base("exams", world.mongo.url("exams"), world.clock) as base, world.bus.listening() as heard:
        died, number = True, 0
        while died:
            number += 1
            await overlooked(base, number)
            died = await Watch(world, number).live()
            if died:
                await world.end_sessions("exams")
                world.clock.advance(LEASE + timedelta(seconds=1))
                assert not await Watch(world, NEVER).live()
            for model in (exams.ExamResultLate, exams.ExamResultOverdue):
                await heard.until(model, subject=f"C{number}")
        assert number > 5, "it dies before its transaction, in it and after it"
        for each in range(1, number + 1):
            for model in (exams.ExamResultLate, exams.ExamResultOverdue):
                assert len(heard.of(model, f"C{each}")) == 1, (model, each)
