"""Where vendors' files come from: a folder and a real SFTP server; whole files once, and every fault by its name."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from libs.common.programs import Program
from services.exams.feeds.shape import FeedsShape, SftpFeedShape
from services.exams.feeds.sources import FileSource, Sources
from services.exams.feeds.store import SOURCE_LEASE
from tests.service.conftest import OpenBase
from tests.service.feeds_station import SETTLED, FeedsStation, vendors
from tests.service.sftp_server import SftpUnderTest, sftp_server
from tests.unit.exams.vendor_files import cells, result_file

CONTENT = result_file(cells())
EVERY = 300


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program], tmp_path: Path) -> AsyncIterator[FeedsStation]:
    async with base_of("exams") as base:
        yield FeedsStation(base, programs, tmp_path)


class Watcher:
    """One process that looks at one source."""

    def __init__(self, station: FeedsStation, key: str = "folder:vue") -> None:
        self.station = station
        self.source: FileSource = next(each for each in station.feeds.sources() if each.key == key)
        self._sources = Sources(station.feeds.store, [self.source], station.base.clock, owner=station.owner)

    async def look(self, *, after: float = 0) -> None:
        self.station.base.clock.advance(timedelta(seconds=after))
        await self._sources.turn(self.source)

    async def settle(self) -> None:
        """Two looks at a file that stands still."""
        await self.look(after=SETTLED)
        await self.look(after=SETTLED)

    async def status(self) -> dict[str, Any]:
        row = await self.station.feeds.store.source(self.source.key)
        assert row is not None
        return row

    async def fault(self) -> str | None:
        fault = (await self.status())["fault"]
        return fault["code"] if fault else None


async def names(station: FeedsStation) -> list[tuple[str, int]]:
    return [(row["name"], row["seen"]) for row in await station.base.rows("feed_files")]


async def test_file_that_has_stood_still_is_kept_and_removed(station: FeedsStation) -> None:
    watcher = Watcher(station)
    (station.inbox() / "a.zip").write_bytes(CONTENT)
    await watcher.look()
    await watcher.look(after=SETTLED - 1)
    assert await names(station) == []
    await watcher.look(after=2)
    assert await names(station) == [("a.zip", 1)]
    assert list(station.inbox().iterdir()) == []
    (row,) = await station.base.rows("feed_files")
    assert (row["vendor"], row["via"], row["state"], row["size"]) == ("vue", "folder", "waiting", len(CONTENT))
    assert ((await watcher.status())["taken"], await watcher.fault()) == (1, None)


async def test_file_that_is_still_written_to_is_left_until_it_is_whole(station: FeedsStation) -> None:
    watcher = Watcher(station)
    path = station.inbox() / "a.zip"
    for end in (10, 20, len(CONTENT)):
        path.write_bytes(CONTENT[:end])
        await watcher.look(after=SETTLED + 1)
    await watcher.look(after=3)
    assert await names(station) == []
    await watcher.look(after=SETTLED)
    (row,) = await station.base.rows("feed_files")
    assert row["size"] == len(CONTENT)


async def test_file_that_grows_while_it_is_read_is_not_taken(
    station: FeedsStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = Watcher(station)
    path = station.inbox() / "a.zip"
    path.write_bytes(CONTENT[:50])
    await watcher.look()
    read = os.read

    def growing(descriptor: int, size: int) -> bytes:
        found = read(descriptor, size)
        if not found:
            path.write_bytes(CONTENT)
        return found

    monkeypatch.setattr(os, "read", growing)
    await watcher.look(after=SETTLED)
    monkeypatch.undo()
    assert await names(station) == []
    assert await station.base.rows("feed_chunks") == []
    await watcher.settle()
    (row,) = await station.base.rows("feed_files")
    assert row["size"] == len(CONTENT)


@pytest.mark.parametrize("name", [".hidden.zip", "a.zip.part", "a.zip.TMP", "a.zip.filepart"])
async def test_unfinished_names_folders_and_links_are_left_alone(station: FeedsStation, name: str) -> None:
    watcher = Watcher(station)
    (station.inbox() / name).write_bytes(CONTENT)
    (station.inbox() / "folder.zip").mkdir()
    (station.folder / "elsewhere").write_bytes(CONTENT)
    (station.inbox() / "link.zip").symlink_to(station.folder / "elsewhere")
    os.mkfifo(station.inbox() / "pipe.zip")
    for _ in range(3):
        await watcher.settle()
    assert await names(station) == []
    assert len(list(station.inbox().iterdir())) == 4


async def test_same_content_again_is_noted_and_removed(station: FeedsStation) -> None:
    watcher = Watcher(station)
    for name in ("a.zip", "b.zip"):
        (station.inbox() / name).write_bytes(CONTENT)
        await watcher.settle()
    assert await names(station) == [("a.zip", 2)]
    assert list(station.inbox().iterdir()) == []


async def test_file_of_two_vendors_is_two_files(station: FeedsStation) -> None:
    for vendor in ("vue", "psi"):
        (station.inbox(vendor) / "a.zip").write_bytes(CONTENT)
        await Watcher(station, f"folder:{vendor}").settle()
    assert len(await names(station)) == 2


async def test_two_replicas_see_the_same_file_and_read_it_once(station: FeedsStation) -> None:
    replicas = [Watcher(station), Watcher(station.another("second"))]
    (station.inbox() / "a.zip").write_bytes(CONTENT)
    for _ in range(4):
        station.base.clock.advance(timedelta(seconds=SETTLED))
        await asyncio.gather(*(each.look() for each in replicas))
    assert await names(station) == [("a.zip", 1)]


async def test_replica_takes_over_when_the_other_is_gone(station: FeedsStation) -> None:
    first, second = Watcher(station), Watcher(station.another("second"))
    await first.look()
    (station.inbox() / "a.zip").write_bytes(CONTENT)
    await second.settle()
    assert await names(station) == []
    await second.look(after=SOURCE_LEASE.total_seconds())
    await second.settle()
    assert await names(station) == [("a.zip", 1)]


async def test_file_that_is_too_large_is_told_and_left(
    base_of: OpenBase, programs: dict[str, Program], tmp_path: Path
) -> None:
    async with base_of("exams") as base:
        station = FeedsStation(base, programs, tmp_path, settings={"exams_feeds_max_bytes": 2_000})
        watcher = Watcher(station)
        (station.inbox() / "a.zip").write_bytes(os.urandom(2_001))
        (station.inbox() / "b.zip").write_bytes(CONTENT)
        await watcher.settle()
        assert await watcher.fault() == "too_large"
        assert await names(station) == [("b.zip", 1)]
        assert [path.name for path in station.inbox().iterdir()] == ["a.zip"]
        assert len(await base.rows("feed_chunks")) == 1


async def test_folder_that_is_not_there_is_a_fault_until_it_is(station: FeedsStation) -> None:
    watcher = Watcher(station)
    station.inbox().rmdir()
    await watcher.look()
    assert await watcher.fault() == "missing"
    station.inbox().mkdir()
    await watcher.look(after=31)
    assert await watcher.fault() is None


# --- SFTP

Serve = Callable[..., AbstractAsyncContextManager[tuple[SftpUnderTest, Watcher]]]


@pytest.fixture
def serve(base_of: OpenBase, programs: dict[str, Program], tmp_path: Path) -> Serve:
    """A vendor's server with a folder `out`, and a process that looks there."""

    @asynccontextmanager
    async def open_both(**feed: Any) -> AsyncIterator[tuple[SftpUnderTest, Watcher]]:
        (tmp_path / "server" / "out").mkdir(parents=True)
        async with base_of("exams") as base, sftp_server(tmp_path / "server") as server:
            shape = SftpFeedShape(folder="/out", every_seconds=EVERY, **feed)
            known = vendors(FeedsShape(sftp=shape), sftp=server.shape(password="vue-sftp"))
            station = FeedsStation(base, programs, tmp_path, known)
            (tmp_path / "secrets" / "vue-sftp").write_text("open sesame\n")
            yield server, Watcher(station, "sftp:vue")

    return open_both


def put(server: SftpUnderTest, name: str = "a.zip", content: bytes = CONTENT) -> Path:
    path = server.folder / "out" / name
    path.write_bytes(content)
    return path


async def test_file_on_the_server_is_kept_and_removed_there(serve: Serve) -> None:
    async with serve() as (server, watcher):
        path = put(server)
        put(server, ".b.zip.part")
        await watcher.settle()
        assert await names(watcher.station) == [("a.zip", 1)]
        assert not path.exists()
        (row,) = await watcher.station.base.rows("feed_files")
        assert (row["via"], row["size"]) == ("sftp", len(CONTENT))
        logins = server.logins
        await watcher.look(after=EVERY - 1)
        assert server.logins == logins
        await watcher.look(after=2)
        assert server.logins == logins + 1


async def test_file_that_may_not_be_removed_is_read_once_and_again_when_it_changes(serve: Serve) -> None:
    async with serve(after="keep") as (server, watcher):
        server.read_only = True
        path = put(server)
        for _ in range(3):
            await watcher.settle()
            await watcher.look(after=EVERY)
        assert await names(watcher.station) == [("a.zip", 1)]
        path.write_bytes(result_file(cells(RegistrationID="G2")))
        os.utime(path, (0, path.stat().st_mtime + 60))  # servers tell whole seconds
        await watcher.look(after=EVERY)
        await watcher.look(after=SETTLED)
        assert len(await names(watcher.station)) == 2
        path.unlink()
        await watcher.look(after=EVERY)
        assert await watcher.station.base.rows("feed_left_files") == []


async def test_connection_that_breaks_half_way_leaves_nothing_and_is_tried_again(serve: Serve) -> None:
    async with serve() as (server, watcher):
        put(server, content=os.urandom(3_000_000))
        server.breaks_after = 1_000_000
        await watcher.settle()
        assert await watcher.fault() in {"unreachable", "failed"}
        assert await watcher.station.base.rows("feed_chunks") == []
        server.breaks_after = None
        await watcher.look(after=60)
        assert await names(watcher.station) == [("a.zip", 1)]
        assert await watcher.fault() is None


async def test_server_that_is_away_is_asked_less_and_less_often(serve: Serve) -> None:
    async with serve() as (server, watcher):
        await server.stop()
        pauses = []
        for _ in range(10):
            await watcher.look()
            status = await watcher.status()
            pauses.append((status["next_look_at"] - status["looked_at"]).total_seconds())
            watcher.station.base.clock.advance(timedelta(seconds=pauses[-1]))
        assert pauses == [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
        assert (status["fault"]["code"], status["failures"]) == ("unreachable", 10)
        assert REGISTRY.get_sample_value("certrail_feed_fault", {"source": "sftp:vue"}) == 1
        await server.start()
        await watcher.look()
        assert await watcher.fault() is None
        assert REGISTRY.get_sample_value("certrail_feed_fault", {"source": "sftp:vue"}) == 0


async def test_server_with_another_key_gets_no_password_and_is_told(serve: Serve) -> None:
    async with serve() as (server, watcher):
        put(server)
        await server.change_host_key()
        await watcher.look()
        assert await watcher.fault() == "host_key"
        assert server.logins == 0


async def test_defect_in_a_look_is_a_fault_of_that_source_alone(
    station: FeedsStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_arguments: Any) -> None:
        raise ValueError("nobody has thought of it")

    watcher = Watcher(station)
    monkeypatch.setattr(watcher.source, "look", broken)
    await watcher.look()
    assert await watcher.fault() == "failed"


async def test_other_faults_have_their_names(serve: Serve) -> None:
    async with serve() as (server, watcher):
        secret = watcher.station.folder / "secrets" / "vue-sftp"
        server.forbidden.add("/out")
        await watcher.look()
        assert await watcher.fault() == "denied"
        server.forbidden.clear()
        (server.folder / "out").rename(server.folder / "moved")
        await watcher.look(after=60)
        assert await watcher.fault() == "missing"
        secret.write_text("wrong")
        await watcher.look(after=120)
        assert await watcher.fault() == "login"
        secret.unlink()
        await watcher.look(after=240)
        assert await watcher.fault() == "secret"
        (server.folder / "moved").rename(server.folder / "out")
        secret.write_text("open sesame")
        await watcher.look(after=480)
        assert await watcher.fault() is None
