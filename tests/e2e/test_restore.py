"""Data lost on purpose, restored, and brought together with everything that went on meanwhile.

A database is removed, or all of it since a moment; the vendor's flow goes on before, between and after; and at the end
everything is there once, by a count made from the vendor's messages alone. It takes some minutes, so it is asked for:
`CERTRAIL_TEST_RESTORE=1`.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.mongo.users import database_name
from libs.common.events import SERVICES, certs
from libs.common.mongo.said_before import COLLECTION
from tests.chaos.account import audit, settle
from tests.chaos.flow import Flow
from tests.e2e.stage import WHOLE, Stage, open_stage
from tests.e2e.vendor import Vendor
from tests.servers import BrokerUnderTest, MongoUnderTest

pytestmark = pytest.mark.skipif(not os.environ.get("CERTRAIL_TEST_RESTORE"), reason="takes minutes: asked for")

RESULTS = 40


@pytest_asyncio.fixture(scope="module")
async def stage(mongo_server: MongoUnderTest, broker_server: BrokerUnderTest) -> AsyncIterator[Stage]:
    """The five services and a mail server that keeps count."""
    async with open_stage(mongo_server, broker_server) as stage:
        await stage.start_sink()
        await stage.start(WHOLE)
        yield stage
    assert not stage.processes.fallen


@pytest.fixture(autouse=True)
def _platform(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command line looks after the stage."""
    monkeypatch.setenv("CERTRAIL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("CERTRAIL_MONGO_ADMIN_URL", stage.mongo.admin_url)
    monkeypatch.setenv("CERTRAIL_OPERATOR_AMQP_URL", stage.broker.url("operator"))


async def certrail(*words: object) -> str:
    """What a command prints."""
    result = await asyncio.to_thread(CliRunner().invoke, app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


async def drop(stage: Stage, service: str) -> None:
    def work() -> None:
        with MongoClient[dict[str, Any]](stage.mongo.admin_url) as client:
            client.drop_database(database_name(service))

    await asyncio.to_thread(work)


async def lost_words(stage: Stage) -> set[tuple[str, str]]:
    """What services have said before a restore and do not say any more, each with its type."""

    def work() -> set[tuple[str, str]]:
        with MongoClient[dict[str, Any]](stage.mongo.admin_url) as client:
            rows = (row for name in SERVICES for row in client[database_name(name)][COLLECTION].find())
            return {(str(row["_id"]), row["type"]) for row in rows}

    return await asyncio.to_thread(work)


async def pass_through(stage: Stage, vendor: Vendor, flow: Flow) -> tuple[Flow, Flow]:
    """Send a flow and wait for its end. Returns it with the one that came last."""
    await flow.send(vendor)
    return flow, await settle(stage, vendor, flow)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_removed_database_comes_back_whole(stage: Stage, vendor: Vendor, service: str, tmp_path: Path) -> None:
    lost = await lost_words(stage)  # by other tests of this platform
    before, _ = await pass_through(stage, vendor, Flow(f"A{service}", RESULTS))
    await certrail("backup", tmp_path)
    since, _ = await pass_through(stage, vendor, Flow(f"B{service}", RESULTS))
    assert await stage.processes.rest(f"{service}-all")
    await drop(stage, service)
    meanwhile = Flow(f"C{service}", RESULTS)
    await meanwhile.send(vendor)
    said = await certrail("restore", tmp_path, "--service", service, "--yes")
    assert f"certrail_{service} was removed at" in said
    await stage.processes.wake(f"{service}-all")
    await settle(stage, vendor, meanwhile)
    for flow in (before, since, meanwhile):
        assert await audit(stage, flow, log_is_whole=True) == 0
    assert await lost_words(stage) <= lost


@pytest.mark.parametrize("service", SERVICES)
async def test_what_was_lost_for_good_is_said_again_and_doubles_nothing(
    stage: Stage, vendor: Vendor, service: str, tmp_path: Path
) -> None:
    lost = await lost_words(stage)
    before, _ = await pass_through(stage, vendor, Flow(f"D{service}", RESULTS))
    await certrail("backup", tmp_path)
    moment = datetime.now(UTC)
    since, last = await pass_through(stage, vendor, Flow(f"E{service}", RESULTS))
    assert await stage.processes.rest(f"{service}-all")
    await certrail("restore", tmp_path, "--service", service, "--at", moment.isoformat(), "--yes")
    await stage.processes.wake(f"{service}-all")
    if service == "identity":
        # Whoever had a link in their mail gets another: the first leads nowhere any more.
        for flow in (since, last):
            flow.expected.again.update(flow.expected.grades)
    for flow in (since, last):  # the vendor sends once more what it sent since that moment
        await flow.send(vendor)
    await settle(stage, vendor, since, last="Y")
    for flow in (before, since, last):
        assert await audit(stage, flow, log_is_whole=service != "identity") == 0
    # Credentials have random ids: those that were issued since are others now, and the doctor tells of the first.
    assert {kind for _, kind in await lost_words(stage) - lost} <= {certs.BadgeIssued.event_type}
