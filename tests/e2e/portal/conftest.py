"""One platform, one browser and one candidate who has passed, for all tests of pages."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext

from tests.browsers import at_length, needs_browser
from tests.e2e.portal.people import Person, World, people_on
from tests.e2e.stage import open_stage
from tests.nodes import needs_node
from tests.servers import BrokerUnderTest, MongoUnderTest

ALWAYS = ("test_first_pages.py", "test_whole_life.py", "test_staff.py", "test_staff_day.py")
"""What every run walks: the way in, a candidate's whole life, staff at their desk and a whole day of theirs."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "portal" in item.path.parts and "e2e" in item.path.parts:
            item.add_marker(needs_browser)
            item.add_marker(needs_node)
            if item.path.name not in ALWAYS:
                item.add_marker(at_length)


@pytest_asyncio.fixture(scope="package")
async def world(mongo_server: MongoUnderTest, broker_server: BrokerUnderTest) -> AsyncIterator[World]:
    """All services, the portal, a mail catcher, a vendor and a browser."""
    async with open_stage(mongo_server, broker_server) as stage:
        async with people_on(stage) as world:
            yield world
        assert not stage.processes.fallen


@pytest_asyncio.fixture(scope="package")
async def person(world: World) -> Person:
    """A candidate who has passed, has a password, and changes nothing; whoever changes something makes another."""
    person = await world.candidate()
    await world.activate(person)
    return person


@pytest_asyncio.fixture(scope="package")
async def inside(world: World, person: Person) -> AsyncIterator[BrowserContext]:
    """A browser in which that candidate is signed in, with scripts off."""
    async with world.signed_in(person) as context:
        yield context
