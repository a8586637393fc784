"""`certrail feed FILE.zip` against the running service: sent, followed, accounted for; and checked without one."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
from aiohttp import web

from libs.common.http.server import serve
from tests.service.surfaces.surface import Surface, operator
from tests.service.test_feeds_api import surface
from tests.unit.exams.vendor_files import absent, cells, member, packed, result_file

__all__ = ["surface"]


class Gateway:
    """Gives the operator a token, and passes everything else on to exams."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/api/identity/v1/tokens":
            return web.json_response({"access_token": self._surface.token(operator()), "expires_in": 900})
        url = f"{self._surface.origin}{request.rel_url}"
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        async with aiohttp.ClientSession() as session:
            content = await request.read() or None
            async with session.request(request.method, url, headers=headers, data=content) as answer:
                body = await answer.read()
                return web.Response(status=answer.status, body=body, content_type=answer.content_type)


@pytest.fixture
async def platform(surface: Surface, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Surface]:
    """Exams behind a gateway, importing what comes."""
    gateway = web.Application(client_max_size=10_000_000)
    gateway.router.add_route("*", "/{path:.*}", Gateway(surface).answer)
    stopping = asyncio.Event()
    async with serve(gateway, "127.0.0.1", 0) as port, asyncio.TaskGroup() as tasks:
        monkeypatch.setenv("CERTRAIL_STATE_DIR", str(tmp_path / "none"))
        monkeypatch.setenv("CERTRAIL_GATEWAY_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("CERTRAIL_OPERATOR_SECRET", "s" * 32)
        for loop in surface.parts.background:
            tasks.create_task(loop(stopping))
        yield surface
        stopping.set()


class Done(NamedTuple):
    exit_code: int
    stdout: str
    output: str


async def feed(path: Path, *options: str) -> Done:
    """Run the command as the operator does."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from deploy.cli.main import main; main()", "feed", str(path), "--vendor", "vue"),
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = (text.decode() for text in await program.communicate())
    return Done(program.returncode or 0, stdout, stdout + stderr)


def mixed(tmp_path: Path) -> Path:
    path = tmp_path / "results.zip"
    rows = member(cells(), cells(RegistrationID="G2", Grade="great", Score="x"), absent(RegistrationID="G3"))
    path.write_bytes(packed({"results.txt": rows, "README.txt": b"Hello.\n"}))
    return path


async def test_file_is_sent_and_followed_and_its_bad_rows_told(platform: Surface, tmp_path: Path) -> None:
    path = mixed(tmp_path)
    done = await feed(path)
    assert done.exit_code == 1
    assert f"{path}:results.txt:3: Grade: must be pass" in done.output
    assert f"{path}:results.txt:3: Score: must be a number" in done.output
    assert f"{path}:README.txt: the header lacks" in done.output
    assert [line.split() for line in done.stdout.splitlines() if line.startswith(("rows", "acc", "rej", "rec"))] == [
        ["rows", "3"],
        ["accepted", "2"],
        ["rejected", "1"],
        ["recorded", "2", "(0", "were", "known)"],
    ]
    assert len(await platform.base.rows("results")) == 1
    again = await feed(path)
    assert "given in before" in again.output
    assert len(await platform.base.rows("feed_files")) == 1


async def test_file_without_a_bad_row_ends_with_status_zero(platform: Surface, tmp_path: Path) -> None:
    path = tmp_path / "results.ZIP"
    path.write_bytes(result_file(cells()))
    done = await feed(path, "--json")
    assert done.exit_code == 0
    outcome = json.loads(done.stdout)
    assert (outcome["state"], outcome["rows"], outcome["accepted"], outcome["rejected"]) == ("done", 1, 1, [])


async def test_file_that_is_refused_says_why(platform: Surface, tmp_path: Path) -> None:
    path = tmp_path / "results.zip"
    path.write_bytes(b"no zip")
    done = await feed(path)
    assert done.exit_code == 1
    assert "[not_a_zip]" in done.output


async def test_dry_run_finds_the_same_without_a_platform(tmp_path: Path) -> None:
    path = mixed(tmp_path)
    done = await feed(path, "--dry-run", "--json")
    assert done.exit_code == 1
    outcome = json.loads(done.stdout)
    assert (outcome["rows"], outcome["accepted"], outcome["file_id"]) == (3, 2, None)
    (row,) = outcome["rejected"]
    assert (row["line"], sorted(fault["column"] for fault in row["faults"])) == (3, ["Grade", "Score"])
    path.write_bytes(path.read_bytes()[:-40])
    assert "[not_a_zip]" in (await feed(path, "--dry-run")).output


async def test_options_of_other_forms_are_refused(tmp_path: Path) -> None:
    assert "JSON Lines and CSV" in (await feed(mixed(tmp_path), "--program", "cisco")).output
