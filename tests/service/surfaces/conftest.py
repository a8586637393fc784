"""The surface that each of the tests here asks."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.common.clock import FixedClock
from libs.common.events import SERVICES
from libs.common.programs import Program
from tests.servers import BrokerUnderTest, MongoUnderTest
from tests.service.surfaces.seeds import Where, seeded
from tests.service.surfaces.surface import Surface


@pytest.fixture(params=SERVICES)
async def surface(  # noqa: PLR0917 fixtures
    request: pytest.FixtureRequest,
    mongo: MongoUnderTest,
    broker: BrokerUnderTest,
    programs: dict[str, Program],
    clock: FixedClock,
    tmp_path: Path,
    quick_logins: None,
) -> AsyncIterator[Surface]:
    """Each service in turn, with one of everything."""
    async with seeded(request.param, Where(mongo.url, programs, tmp_path, clock, broker.url)) as surface:
        yield surface
