"""An exchange with a badge provider whose process is killed at any await: one standing badge a credential."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.service.badge_provider import BadgeProviderUnderTest, badge_provider
from tests.service.badge_station import RETRY, BadgeStation
from tests.service.lives import lived
from tests.service.mortal import Mortal, mortals
from tests.service.outgoing_station import person, profile
from tests.service.rig import open_base
from tests.service.samples import invalidated, passed, received
from tests.service.world import World


@pytest.fixture
async def mortality(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr("libs.common.mongo.client.SELECTION_TIMEOUT_MS", 1_000)
    with mortals(asyncio.get_running_loop()):
        yield


class Life:
    """A process that exchanges with the provider once, and can be killed while it does."""

    def __init__(self, world: World, provider: BadgeProviderUnderTest, folder: Path, die_at: int) -> None:
        self._world, self._provider, self._folder, self._die_at = world, provider, folder, die_at
        self.process = Mortal("Exchange.run", "UnitOfWork._until_committed")

    async def _work(self, mongo_url: str) -> None:
        async with open_base("certs", mongo_url, self._world.clock) as base:
            self.process.client = base.database.client
            station = BadgeStation(base, self._provider, self._folder)
            self.process.arm(self._die_at)
            await asyncio.create_task(station.exchange.run())

    async def live(self) -> bool:
        """Returns whether it died."""
        return await lived(self.process, self._work, self._world.mongo.url("certs"))


@pytest.mark.usefixtures("mortality")
@pytest.mark.parametrize(("step", "stride"), [("issue", 2), ("replace", 4), ("revoke", 4)])
async def test_killed_exchange_leaves_one_badge_a_credential(
    world: World, tmp_path: Path, step: str, stride: int
) -> None:
    """Each claim, request and settling has several awaits, so that a stride leaves none of them out."""
    async with badge_provider() as provider, open_base("certs", world.mongo.url("certs"), world.clock) as base:
        station = BadgeStation(base, provider, tmp_path)
        await station.round()  # the first comparison of everything is over
        died, point, found_later = True, 1 - stride, 0
        while died:
            point += stride
            who, result = f"C{point}", f"R{point}"
            await station.take(received(person(who)), received(passed(who, result)))
            if step != "issue":
                await station.later(RETRY)
                change = (
                    profile(who, version=5, family_name="Zander")
                    if step == "replace"
                    else received(invalidated(who, result))
                )
                await station.take(change)
            await station.compare()
            died = await Life(world, provider, tmp_path, point).live()
            made = len(provider.sent())
            assert not provider.doubles()
            world.clock.advance(RETRY)
            await station.exchange.run()
            if died and len(provider.sent()) == made:
                found_later += 1
            assert not provider.doubles()
            mine = [one for one in provider.standing() if one["recipient_email"] == f"{who.lower()}@example.com"]
            names = {"issue": ["Ångström"], "replace": ["Zander"], "revoke": []}[step]
            assert [one["issued_to_last_name"] for one in mine] == names
        assert point > 10
        assert found_later, "one was killed between what the provider did and its record"
        assert not await base.rows("provider_badges", hand={"$ne": None})
