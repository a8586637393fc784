"""An import killed at every await, and a whole process killed outright: every row once, whoever goes on."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from libs.common.events import BATCH
from services.exams.feeds import batches
from services.exams.feeds.store import FILE_LEASE
from tests.service.feeds_station import FeedsStation
from tests.service.lives import lived
from tests.service.mortal import Mortal, mortals
from tests.service.rig import Base, eventually, open_base
from tests.service.samples import linked, received
from tests.service.world import World
from tests.unit.exams.vendor_files import absent, cells, result_file

NEVER = -1


@pytest.fixture(autouse=True)
async def _mortality(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr("libs.common.mongo.client.SELECTION_TIMEOUT_MS", 1_000)
    monkeypatch.setattr(batches, "ROWS", 2)
    with mortals(asyncio.get_running_loop()):
        yield


class Importing:
    """A process that imports one file, and can be killed while it does."""

    def __init__(self, world: World, name: str, die_at: int) -> None:
        self._world, self._name, self._die_at = world, name, die_at
        self.process = Mortal("Importer.import_next", "UnitOfWork._until_committed")

    async def _work(self, mongo_url: str) -> None:
        async with open_base("exams", mongo_url, self._world.clock) as base:
            self.process.client = base.database.client
            station = FeedsStation(base, self._world.programs, self._world.folder, owner=self._name)
            self.process.arm(self._die_at)
            await asyncio.create_task(station.feeds.importer.import_next(station.stopping))

    async def live(self) -> bool:
        """Returns whether it died."""
        return await lived(self.process, self._work, self._world.mongo.url("exams"))


async def told(base: Base) -> list[str]:
    """The registration of each event in the outbox, where nobody fetches any."""
    found: list[str] = []
    for row in await base.rows("outbox"):
        body = orjson.loads(row["body"])
        found += [event["data"]["registration_id"] for event in (body if row["content_type"] == BATCH else [body])]
    return sorted(found)


STRIDE = 2
"""Each step of an import has several awaits, so that none is left out."""


@pytest.mark.timeout(240)
async def test_import_killed_at_any_await_records_every_row_once(world: World) -> None:
    async with open_base("exams", world.mongo.url("exams"), world.clock) as base:
        station = FeedsStation(base, world.programs, world.folder)
        await station.link(received(linked("P1")))
        expected: list[str] = []
        point, died, files = 1 - STRIDE, True, 0
        while died:
            point, files = point + STRIDE, files + 1
            passed = [f"G{point}.{n}" for n in range(3)]
            expected += passed
            rows = [cells(RegistrationID=name) for name in passed]
            key = await station.keep(
                result_file(*rows, cells(RegistrationID=f"B{point}", Grade="x"), absent(RegistrationID=f"A{point}"))
            )
            died = await Importing(world, f"first {point}", point).live()
            if died:
                await world.end_sessions("exams")
                world.clock.advance(FILE_LEASE + timedelta(seconds=1))
                await Importing(world, f"second {point}", NEVER).live()
            file = await station.file(key)
            assert file["state"] == "done"
            assert file["counts"] == {"rows": 5, "results": 3, "absences": 1, "bad": 1}, point
            assert await told(base) == sorted(expected), point
        assert point > 10
        assert [len(row["revisions"]) for row in await base.rows("results")] == [1] * len(expected)
        assert len(await base.rows("feed_bad_rows")) == files


CHILD = """
import asyncio, sys
from pathlib import Path
from libs.common.clock import SystemClock
from libs.common.programs import load_programs
from deploy.local.platform import PROGRAMS
from services.exams.feeds import batches
from tests.service.feeds_station import FeedsStation
from tests.service.rig import open_base

batches.ROWS = 20

async def main():
    async with open_base("exams", sys.argv[1], SystemClock()) as base:
        station = FeedsStation(base, load_programs(PROGRAMS), Path(sys.argv[2]), owner="child")
        await station.feeds.importer.import_next(station.stopping)

asyncio.run(main())
"""


@pytest.mark.timeout(240)
async def test_process_killed_in_the_middle_of_a_file_doubles_nothing(world: World, tmp_path: Path) -> None:
    async with open_base("exams", world.mongo.url("exams"), world.clock) as base:
        station = FeedsStation(base, world.programs, world.folder)
        await station.link(received(linked("P1")))
        names = [f"G{n:05d}" for n in range(1_500)]
        key = await station.keep(result_file(*(cells(RegistrationID=name) for name in names)))

        async def rows_done() -> int:
            return int((await station.file(key))["counts"].get("rows", 0))

        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, world.mongo.url("exams"), str(tmp_path), cwd=Path(__file__).parents[2]
        )
        await eventually(rows_done, lambda count: count >= 100)
        os.kill(child.pid, signal.SIGKILL)
        await child.wait()
        before = await rows_done()
        assert 100 <= before < len(names)
        await world.end_sessions("exams")
        world.clock.advance(FILE_LEASE * 2)
        await station.feeds.importer.import_next(station.stopping)
        file = await station.file(key)
        assert (file["state"], file["counts"]) == ("done", {"rows": len(names), "results": len(names)})
        assert await told(base) == names
