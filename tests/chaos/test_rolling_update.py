"""Every process of the platform is replaced under load: no request fails, nothing is lost, nothing is told twice."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.gateway.nginx import nginx_binary
from deploy.processes import PORTAL
from libs.common.events import SERVICES
from tests.chaos.account import finish
from tests.chaos.flow import Disturbance, Flow
from tests.chaos.rolling import Askers, RollingStage
from tests.e2e.stage import opened
from tests.e2e.vendor import Vendor, open_vendor
from tests.servers import BrokerUnderTest, MongoUnderTest

SWITCH = "CERTRAIL_TEST_ROLLING"

pytestmark = [
    pytest.mark.timeout(1_200),
    pytest.mark.skipif(nginx_binary() is None, reason="nginx is not installed"),
    pytest.mark.skipif(SWITCH not in os.environ, reason=f"takes minutes: {SWITCH}=1, or make chaos"),
]

RESULTS = 600
ROLES = ("worker", "relay", "sweep", "api")
"""Readers of events before those who answer questions about them: the order of the operators' guide."""


@pytest_asyncio.fixture
async def stage(mongo_server: MongoUnderTest, broker_server: BrokerUnderTest) -> AsyncIterator[RollingStage]:
    """Every role of every service as a process of its own, the portal and the gateway."""
    async with opened(RollingStage, mongo_server, broker_server) as stage:
        await stage.start_sink()
        await stage.start_gateway()
        await stage.start([(service, role) for service in SERVICES for role in ROLES])
        await stage.processes.start(stage.portal_part(PORTAL))
        yield stage


@pytest_asyncio.fixture
async def vendor(stage: RollingStage) -> AsyncIterator[Vendor]:
    async with open_vendor(stage.broker) as vendor:
        yield vendor


async def test_a_rolling_update_under_load_fails_no_request_and_loses_nothing(
    stage: RollingStage, vendor: Vendor
) -> None:
    forced: list[str] = []

    def replacing(name: str, service: str, role: str) -> Disturbance:
        async def replace() -> None:
            if not await stage.replace(name, service, role):
                forced.append(name)

        return replace

    updates = [replacing(f"{service}-{role}", service, role) for service in SERVICES for role in ROLES]
    updates.append(replacing(PORTAL, PORTAL, PORTAL))
    askers, ending, flow = Askers(stage), asyncio.Event(), Flow("UPDATE", RESULTS)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(askers.run(ending))
        try:
            await flow.send(vendor, updates)
        finally:
            ending.set()
    print(f"{askers.answered} requests answered while {len(updates)} processes were replaced")
    assert askers.failed == []
    assert askers.answered > len(updates)
    assert forced == []
    assert await finish(stage, vendor, flow) == 0
