"""Whatever is killed or stopped while results flow: nothing is lost, nothing is doubled, and the end is reached.

The moments are random; the line that pytest prints as its random seed repeats them.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from deploy.local.mongod import MongoServer
from deploy.local.rabbitmq import BrokerServer
from libs.common.events import SERVICES
from services.notify.sender import UNSETTLED
from tests.chaos.account import finish
from tests.chaos.flow import Flow
from tests.e2e.stage import Stage, open_stage
from tests.e2e.vendor import Vendor, open_vendor
from tests.servers import BrokerUnderTest, MongoUnderTest

pytestmark = pytest.mark.timeout(900)

RESULTS = int(os.environ.get("CERTRAIL_CHAOS_RESULTS", "1800"))
"""How many results flow through the scenarios, all together."""

SPLIT = (
    *((service, role) for role in ("worker", "relay") for service in SERVICES),
    *((service, "sweep") for service in ("exams", "certs")),  # the services that have work due by time
    *((service, "api") for service in ("identity", "certs")),  # no API takes part in the flow: two stand for all
    ("notify", "worker"),  # a second one: what one sends the other must leave alone
)
"""Each role of each service as a process of its own."""
OUTAGE_SECONDS = 1.0
"""A crashed server is seldom back at once."""


@pytest_asyncio.fixture(scope="module")
async def stage(mongo_server: MongoUnderTest, broker_server: BrokerUnderTest) -> AsyncIterator[Stage]:
    """The services, split by role, and the mail sink."""
    async with open_stage(mongo_server, broker_server) as stage:
        await stage.start_sink()
        await stage.start(SPLIT)
        yield stage


@pytest_asyncio.fixture(scope="module")
async def vendor(stage: Stage) -> AsyncIterator[Vendor]:
    async with open_vendor(stage.broker) as vendor:
        yield vendor


async def test_kill_9_of_every_process_loses_and_doubles_nothing(stage: Stage, vendor: Vendor) -> None:
    names = stage.services()
    # Workers have the most to lose, so each dies twice.
    victims = names + [name for name in names if "worker" in name]
    random.shuffle(victims)
    flow = Flow("KILL", RESULTS // 3)
    await flow.send(vendor, [partial(stage.processes.kill, name) for name in victims])
    repeated = await finish(stage, vendor, flow)
    # What was accepted and not settled when a sender died is sent again, under the same Message-ID.
    assert repeated <= UNSETTLED * sum("notify-worker" in name for name in victims)


async def test_stop_and_start_of_the_broker_application_loses_and_doubles_nothing(
    stage: Stage, vendor: Vendor, node: BrokerServer
) -> None:
    async def stop_and_start() -> None:
        await node.stop_app()
        await asyncio.sleep(OUTAGE_SECONDS)
        await node.start_app()

    flow = Flow("APP", RESULTS * 2 // 15)
    await flow.send(vendor, [stop_and_start])
    assert await finish(stage, vendor, flow, log_is_whole=False) == 0


async def test_kill_9_of_the_broker_loses_and_doubles_nothing(stage: Stage, vendor: Vendor, node: BrokerServer) -> None:
    async def kill_and_start() -> None:
        await node.kill()
        await asyncio.sleep(OUTAGE_SECONDS)
        await node.start()

    flow = Flow("NODE", RESULTS * 2 // 15)
    await flow.send(vendor, [kill_and_start])
    assert await finish(stage, vendor, flow, log_is_whole=False) == 0


async def test_power_failure_loses_and_doubles_nothing(
    stage: Stage, vendor: Vendor, node: BrokerServer, mongod: MongoServer
) -> None:
    """Workers die with committed messages in memory that the broker, gone before them, has never confirmed."""
    workers = [name for name in stage.services() if "worker" in name]

    async def fail() -> None:
        await node.kill()
        await asyncio.gather(*map(stage.processes.kill, workers))
        await mongod.kill()
        await asyncio.sleep(OUTAGE_SECONDS)
        await asyncio.gather(node.start(), mongod.start())
        await stage.processes.ready()

    failures = [fail, fail]
    flow = Flow("POWER", RESULTS * 2 // 15)
    await flow.send(vendor, failures)
    repeated = await finish(stage, vendor, flow, log_is_whole=False)
    assert repeated <= UNSETTLED * sum("notify" in name for name in workers) * len(failures)


async def test_kill_9_of_the_database_loses_and_doubles_nothing(
    stage: Stage, vendor: Vendor, mongod: MongoServer
) -> None:
    async def kill_and_start() -> None:
        await mongod.kill()
        await asyncio.sleep(OUTAGE_SECONDS)
        await mongod.start()

    flow = Flow("MONGO", RESULTS * 2 // 15)
    await flow.send(vendor, [kill_and_start, kill_and_start])
    assert await finish(stage, vendor, flow) == 0


async def test_rolling_restart_under_load_loses_and_repeats_nothing(stage: Stage, vendor: Vendor) -> None:
    left_by_force: list[str] = []

    async def restart(service: str) -> None:
        names = stage.services(service)
        stopped = await asyncio.gather(*map(stage.processes.restart, names))
        left_by_force.extend(name for name, clean in zip(names, stopped, strict=True) if not clean)

    flow = Flow("ROLL", RESULTS * 2 // 15)
    await flow.send(vendor, [partial(restart, service) for service in SERVICES])
    assert await finish(stage, vendor, flow) == 0
    assert not left_by_force
