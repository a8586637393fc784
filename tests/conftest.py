"""What all tests share: the session's servers, started by the first test that asks for them."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.servers import BrokerUnderTest, MongoUnderTest, broker_for_session, mongo_for_session


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mongo_server() -> AsyncIterator[MongoUnderTest]:
    """MongoDB with an account for every service, for the whole session."""
    async with mongo_for_session() as mongo:
        yield mongo


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def broker_server() -> AsyncIterator[BrokerUnderTest]:
    """RabbitMQ with everything declared and an account for everyone, for the whole session."""
    async with broker_for_session() as broker:
        yield broker


@pytest_asyncio.fixture(loop_scope="session")
async def mongo(mongo_server: MongoUnderTest) -> MongoUnderTest:
    """The session's MongoDB without a single document of ours."""
    await mongo_server.empty()
    return mongo_server


@pytest_asyncio.fixture(loop_scope="session")
async def broker(broker_server: BrokerUnderTest) -> BrokerUnderTest:
    """The session's RabbitMQ with empty queues."""
    await broker_server.empty()
    return broker_server
