"""A platform of certs at the same moment for all tests of credentials."""

from collections.abc import AsyncIterator

import pytest

from libs.common.clock import FixedClock
from libs.common.programs import Program
from tests.service.certs_station import CertsStation
from tests.service.conftest import OpenBase
from tests.service.credentials.look import NOW
from tests.service.rig import Base


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def base(base_of: OpenBase) -> AsyncIterator[Base]:
    async with base_of("certs") as opened:
        yield opened


@pytest.fixture
def station(base: Base, programs: dict[str, Program]) -> CertsStation:
    return CertsStation(base, programs)
