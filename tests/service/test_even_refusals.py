"""A refused login takes as long for nobody's address as for one that several accounts share."""

import pytest

from libs.common.http.problems import Problem
from libs.common.programs import Program
from services.identity.access import Access
from services.identity.domain import even_time
from services.identity.login.second_factor import SecondFactors
from services.identity.login.second_factor_store import SecondFactorStore
from services.identity.passwords import Passwords
from services.identity.store import IdentityStore
from tests.service.identity_station import WRONG, IdentityStation

EVEN, HASH = 0.5, 0.08


class Slow(Passwords):
    """Each look at a password takes its time, on a clock of the test's own."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    async def matches(self, stored: str | None, password: str) -> bool:
        self.now += HASH
        return await super().matches(stored, password)


@pytest.mark.parametrize("sharing", [0, 1, 4])
async def test_refusal_tells_nobody_how_many_accounts_an_address_has(
    station: IdentityStation, programs: dict[str, Program], monkeypatch: pytest.MonkeyPatch, sharing: int
) -> None:
    monkeypatch.setattr(even_time, "EVEN_SECONDS", EVEN)
    for number in range(sharing):
        await station.open_account(f"P{number}", email="family@example.com")
    base, slow = station.base, Slow()

    async def wait(seconds: float) -> None:
        slow.now += seconds

    access = Access(
        IdentityStore(base.database),
        slow,
        SecondFactors(SecondFactorStore(base.database), base.unit_of_work, base.clock),
        programs,
        base.clock,
        timer=lambda: slow.now,
        wait=wait,
    )
    with pytest.raises(Problem):
        await access.prove("cisco", "family@example.com", WRONG)
    assert slow.now == pytest.approx(EVEN)
