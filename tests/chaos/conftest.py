"""What the chaos tests share: servers to kill."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.mongod import MongoServer
from deploy.local.rabbitmq import BrokerServer
from tests.servers import BrokerUnderTest, MongoUnderTest


@pytest_asyncio.fixture
async def mongod(mongo_server: MongoUnderTest) -> AsyncIterator[MongoServer]:
    """The database's process; it runs again afterwards, whatever the test has come to."""
    if mongo_server.local is None:
        pytest.skip("the database is not ours to kill")
    yield mongo_server.local
    if not mongo_server.local.running:
        await mongo_server.local.start()


@pytest_asyncio.fixture
async def node(broker_server: BrokerUnderTest) -> AsyncIterator[BrokerServer]:
    """The broker's process; it runs again afterwards, whatever the test has come to."""
    if broker_server.local is None:
        pytest.skip("the broker is not ours to kill")
    yield broker_server.local
    if not broker_server.local.running:
        await broker_server.local.start()
