"""What all tests share: the session's servers, started by the first test that asks for them."""

import os
import re
from collections.abc import AsyncIterator

import hypothesis
import pytest
import pytest_asyncio

from tests.servers import BrokerUnderTest, MongoUnderTest, broker_for_session, mongo_for_session

# How long an example takes says more of the machine than of the code. The same examples every time, unless one asks
# for others: what fails is then for what was changed, and fails again.
hypothesis.settings.register_profile("certrail", deadline=None, derandomize="CERTRAIL_TEST_RANDOM" not in os.environ)
hypothesis.settings.load_profile("certrail")


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


_LONGEST = (
    *("chaos", "e2e", "bench", "surfaces"),
    *(
        "test_crash_points.py",
        "test_feed_crash_points.py",
        "test_vendor_files_killed.py",
        "test_badge_provider_killed.py",
    ),
    "test_gateway.py",
)
_MOVING = re.compile(r"\bat 0x[0-9a-f]{6,}|\b1[789]\d{8}\b")
"""An address in memory, or seconds since 1970: another in each process, which must all collect the same tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes minutes begin first, or one of several processes would be left alone with it at the end."""
    moving = [item.nodeid for item in items if _MOVING.search(item.nodeid)]
    if moving:
        raise pytest.UsageError(f"name these cases, each process calls them differently: {moving[:3]}")
    items.sort(key=lambda item: not any(part in item.path.parts for part in _LONGEST))
