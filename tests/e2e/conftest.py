"""What the tests of the whole platform share: it is started once for each module."""

from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio

from tests.e2e.stage import WHOLE, Stage, open_stage
from tests.e2e.vendor import Vendor, open_vendor
from tests.servers import BrokerUnderTest, MongoUnderTest


@pytest_asyncio.fixture(scope="module")
async def stage(mongo_server: MongoUnderTest, broker_server: BrokerUnderTest) -> AsyncIterator[Stage]:
    """The five services and a mail catcher, ready."""
    async with open_stage(mongo_server, broker_server) as stage:
        await stage.start_mail_catcher()
        await stage.start(WHOLE)
        yield stage
    assert not stage.processes.fallen


@pytest_asyncio.fixture(scope="module")
async def vendor(stage: Stage) -> AsyncIterator[Vendor]:
    async with open_vendor(stage.broker) as vendor:
        yield vendor


@pytest_asyncio.fixture(scope="module")
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
