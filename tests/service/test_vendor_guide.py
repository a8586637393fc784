"""The snippets of the vendors' guide, run as they stand there."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from libs.common.programs import Program
from tests.nodes import needs_node
from tests.service.conftest import OpenBase
from tests.service.vendor_station import VendorStation, said_result

GUIDE = (Path(__file__).parents[2] / "docs" / "vendors.md").read_text()
NOTIFICATIONS = GUIDE[GUIDE.index("## Notifications") : GUIDE.index("## Going live")]


def snippet(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", NOTIFICATIONS, re.DOTALL)
    return str(found)


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[VendorStation]:
    async with base_of("exams") as base, VendorStation(base, programs).serving() as station:
        yield station


async def run(station: VendorStation, secret: str, *command: str, given: str | None = None) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "NOTIFY_URL": str(station.client.make_url("/api/exams/v1/vendors/vue/notifications")),
        "TOKEN": secret,
        "SIGNING_SECRET": secret,
    }
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate(given.encode() if given else None)
    assert process.returncode == 0, said.decode()
    return said.decode()


async def state(station: VendorStation) -> Any:
    (row,) = await station.base.rows("results")
    return row["state"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_curl(station: VendorStation) -> None:
    said = await run(station, await station.admit(), "sh", "-c", snippet("sh"))
    (shown,) = re.findall(r'```json\n(\{"items":\[\{"id":"n-2026-0001".*?)\n```', NOTIFICATIONS)
    assert orjson.loads(said) == orjson.loads(shown)
    assert await state(station) == "final"


async def test_python(station: VendorStation) -> None:
    secret = await station.admit(kind="signing_secret")
    await station.notify(await station.renew(), said_result())
    said = await run(station, secret, sys.executable, "-I", "-c", snippet("python"))
    assert "'verdict': 'kept'" in said
    assert await state(station) == "on_hold"


@needs_node
async def test_node(station: VendorStation) -> None:
    secret = await station.admit(kind="signing_secret")
    await station.notify(await station.renew(), said_result())
    said = await run(station, secret, "node", "--input-type=module", "-", given=snippet("js"))
    assert said.startswith("200")
    assert await state(station) == "final"


def test_vector_of_the_guide_is_the_one_that_is_tested() -> None:
    for text in (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "`1614265330`",
        '{"test": 2432232314}',
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ):
        assert text in NOTIFICATIONS
