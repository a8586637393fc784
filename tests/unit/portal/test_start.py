"""The portal begins as the services do."""

import asyncio

import pytest
from pydantic import SecretStr
from pymongo.errors import ServerSelectionTimeoutError
from structlog.testing import capture_logs

from deploy.local.platform import PROGRAMS
from deploy.local.ports import free_ports
from deploy.local.settings import LOOPBACK
from libs.common.clock import SystemClock
from libs.common.mongo import client
from libs.common.programs import load_programs
from services.portal.app import run
from services.portal.settings import PortalSettings
from tests.e2e.waiting import eventually


async def test_a_portal_that_starts_while_the_database_is_away_waits_and_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "SELECTION_TIMEOUT_MS", 50)
    settings = PortalSettings(
        mongo_url=SecretStr(f"mongodb://{LOOPBACK}:{free_ports(1)[0]}/certrail_portal"),
        programs_dir=PROGRAMS,
        portal_secret=SecretStr("s" * 32),
    )
    stopping = asyncio.Event()
    with capture_logs() as logs:
        starting = asyncio.create_task(run(settings, load_programs(PROGRAMS), stopping=stopping, clock=SystemClock()))

        async def ended_or_tried_again() -> bool:
            return starting.done() or len(logs) > 1

        await eventually(ended_or_tried_again, bool)
        stopping.set()
        await starting
    told = {(line["event"], line["cause"]) for line in logs}
    assert told == {("database_unreachable", ServerSelectionTimeoutError.__name__)}
