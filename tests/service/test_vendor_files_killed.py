"""Files to a vendor whose process is killed at any await, or whose server goes away: one file, the same bytes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from libs.common.programs import Program
from tests.service.conftest import OpenBase
from tests.service.lives import lived
from tests.service.mortal import Mortal, mortals
from tests.service.outgoing_station import OutgoingStation, person
from tests.service.rig import open_base
from tests.service.samples import received
from tests.service.sftp_server import sftp_server
from tests.service.world import World

NEVER = -1


@pytest.fixture
async def mortality(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr("libs.common.mongo.client.SELECTION_TIMEOUT_MS", 1_000)
    with mortals(asyncio.get_running_loop()):
        yield


class Life:
    """A process that exchanges files with the vendor once, and can be killed while it does."""

    def __init__(self, world: World, folder: Path, die_at: int) -> None:
        self._world, self._folder, self._die_at = world, folder, die_at
        self.process = Mortal("Exchange.run", "UnitOfWork._until_committed")

    async def _work(self, mongo_url: str) -> None:
        async with open_base("exams", mongo_url, self._world.clock) as base:
            self.process.client = base.database.client
            station = OutgoingStation(base, self._world.programs, self._folder)
            (exchange,) = station.outgoing.exchanges
            self.process.arm(self._die_at)
            await asyncio.create_task(exchange.run())

    async def live(self) -> bool:
        """Returns whether it died."""
        return await lived(self.process, self._work, self._world.mongo.url("exams"))


@pytest.mark.usefixtures("mortality")
async def test_killed_exchange_sends_each_candidate_in_one_file_of_the_same_bytes(world: World, tmp_path: Path) -> None:
    async with open_base("exams", world.mongo.url("exams"), world.clock) as base:
        station = OutgoingStation(base, world.programs, tmp_path)
        died, points, seen, twice = True, list[int](), dict[str, bytes](), 0
        while died:
            # Every step has several awaits, so that a stride of two leaves none of them out.
            point = 2 * len(points) + 2
            points.append(point)
            await station.take(received(person(f"C{point}.")))
            await station.run("vendor-profiles")
            world.clock.advance(timedelta(hours=1, seconds=1))
            died = await Life(world, tmp_path, point).live()
            there = {
                name: (station.inbox / name).read_bytes() for name in station.names() if not name.endswith(".part")
            }
            undelivered = await base.rows("outgoing_files", state="made")
            twice += len([file for file in undelivered if file["name"] in there])
            if died:
                # Whoever takes over comes with the next lease.
                world.clock.advance(timedelta(hours=1, seconds=1))
                assert not await Life(world, tmp_path, NEVER).live()
            for name, content in there.items():
                assert (station.inbox / name).read_bytes() == content
        for path in station.inbox.glob("cdd-*"):
            seen[path.name] = path.read_bytes()
        assert len(points) > 6
        assert twice, "one was killed between the delivery and its record"
        sent = [line["ClientCandidateID"] for name in sorted(seen) for line in station.sent(name)]
        assert sent == [f"C{point}." for point in points]
        files = await base.rows("outgoing_files")
        assert {file["name"]: bytes(file["content"]) for file in files} == seen
        assert {file["state"] for file in files} == {"delivered"}


async def test_files_go_over_sftp_and_wait_while_the_server_is_away(
    base_of: OpenBase, programs: dict[str, Program], tmp_path: Path
) -> None:
    share, own = tmp_path / "share", tmp_path / "own"
    for folder in (share, share / "in", share / "out", own):
        folder.mkdir()
    async with base_of("exams") as base, sftp_server(share) as server:
        section = server.shape().model_dump(exclude_none=True)
        station = OutgoingStation(base, programs, own, sections={"where": ("/in", "/out"), "sftp": section})
        station.inbox, station.outbox = share / "in", share / "out"
        (own / "secrets" / "certrail-password").write_text("open sesame\n")
        await station.take(received(person()))
        await station.round()
        assert station.names() == ["cdd-cisco-000001.txt"]
        station.answer("vcdc-cisco-000001.txt", "ClientCandidateID", ("C1", "Accepted", "street not known"))
        await station.round()
        (row,) = await base.rows("vendor_profiles")
        assert (row["state"], row["answer"]["text"]) == ("accepted", "street not known")
        await server.stop()
        await station.take(received(person("C2")))
        await station.round()
        (exchange,) = await base.rows("exchanges")
        assert (exchange["failures"], "cannot be reached" in exchange["error"]) == (1, True)
        await server.start()
        await station.round()
        assert [line["ClientCandidateID"] for line in station.sent("cdd-cisco-000002.txt")] == ["C2"]
        await server.change_host_key()
        await station.take(received(person("C3")))
        await station.round()
        assert len(station.names()) == 2, "nothing goes to a server that shows another key"
