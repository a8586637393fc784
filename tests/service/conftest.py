"""What the tests of single services on real servers share."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from argon2 import PasswordHasher
from pydantic import SecretStr

from libs.common.clock import FixedClock
from libs.common.programs import Program, load_programs
from services.identity import passwords
from services.identity.domain import even_time
from tests.servers import BrokerUnderTest, MongoUnderTest
from tests.service.bus import Bus
from tests.service.identity_station import IdentityStation
from tests.service.rig import Base, Rigs, open_base
from tests.service.world import World

OpenBase = Callable[[str], AbstractAsyncContextManager[Base]]


def pytest_configure(config: pytest.Config) -> None:
    """The client library closes a connection that was never made in its finaliser, in whatever thread that runs."""
    config.addinivalue_line("filterwarnings", "ignore:coroutine 'Connection.close' was never awaited:RuntimeWarning")


@pytest.fixture(scope="session", autouse=True)
def _plain_logs() -> None:
    """Without the console's tracebacks, which show every local variable and take seconds each."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
        ]
    )


@pytest.fixture
def clock() -> FixedClock:
    """Stands still near the true time: the database removes old rows by its own clock."""
    now = datetime.now(UTC)
    return FixedClock(now.replace(microsecond=now.microsecond // 1000 * 1000))


@pytest.fixture(scope="session")
def programs() -> dict[str, Program]:
    """The two sample programs."""
    return load_programs(Path(__file__).parents[2] / "deploy" / "programs")


@pytest.fixture
async def bus(broker: BrokerUnderTest) -> AsyncIterator[Bus]:
    """Connections to a broker with empty queues."""
    bus = Bus(broker)
    yield bus
    await bus.close()


@pytest.fixture
def rigs(mongo: MongoUnderTest, broker: BrokerUnderTest, bus: Bus, clock: FixedClock) -> Rigs:
    """Opens any service on an empty database and a broker with empty queues."""
    return Rigs(mongo, broker, bus, clock)


@pytest.fixture
def world(  # noqa: PLR0917 fixtures
    mongo: MongoUnderTest,
    broker: BrokerUnderTest,
    bus: Bus,
    clock: FixedClock,
    programs: dict[str, Program],
    tmp_path: Path,
) -> World:
    """Runs whole services on empty servers."""
    return World(mongo, broker, bus, clock, programs, tmp_path)


@pytest.fixture
def base_of(mongo: MongoUnderTest, clock: FixedClock) -> OpenBase:
    """Opens any service's database, empty, without a bus."""
    return lambda service: open_base(service, mongo.url(service), clock)


@pytest.fixture
def identity_settings() -> dict[str, Any]:
    """More settings of the station, for tests that need some."""
    return {}


@pytest.fixture
def quick_logins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same kind of hash at the least cost, and refusals that hardly wait."""
    monkeypatch.setattr(passwords, "PasswordHasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setattr(even_time, "EVEN_SECONDS", 0.001)


@pytest.fixture
async def station(
    base_of: OpenBase,
    programs: dict[str, Program],
    identity_settings: dict[str, Any],
    tmp_path: Path,
    quick_logins: None,
) -> AsyncIterator[IdentityStation]:
    """Identity as it is composed, on an empty database."""
    secret = SecretStr("s" * 32)
    async with (
        base_of("identity") as base,
        IdentityStation(base, programs, tmp_path, operator_secret=secret, **identity_settings).serving() as station,
    ):
        yield station
