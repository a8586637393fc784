"""A refused login takes as long for nobody's address as for one that several accounts share."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr

from libs.common.programs import Program
from services.identity import app, passwords
from services.identity.domain.even_time import EVEN_SECONDS
from services.identity.login.even_refusals import EvenRefusals
from services.identity.passwords import Passwords
from tests.service.conftest import OpenBase
from tests.service.identity_station import PASSWORD, WRONG, IdentityStation
from tests.service.staff_station import hire

HASH_SECONDS = 0.08


class Stopwatch:
    """Time that passes by looks at passwords and by waiting."""

    def __init__(self) -> None:
        self.now = 0.0

    async def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    watch = Stopwatch()
    looks = Passwords.matches

    async def matches(self: Passwords, *looked_at: Any) -> bool:
        watch.now += HASH_SECONDS
        return await looks(self, *looked_at)

    monkeypatch.setattr(Passwords, "matches", matches)
    monkeypatch.setattr(passwords, "PasswordHasher", partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setattr(app, "EvenRefusals", lambda: EvenRefusals(lambda: watch.now, watch.wait))
    return watch


@pytest.fixture
async def station(
    watch: Stopwatch, base_of: OpenBase, programs: dict[str, Program], tmp_path: Path
) -> AsyncIterator[IdentityStation]:
    async with (
        base_of("identity") as base,
        IdentityStation(base, programs, tmp_path, operator_secret=SecretStr("s" * 32)).serving() as station,
    ):
        yield station


@pytest.mark.parametrize("sharing", [0, 1, 4])
async def test_refusal_tells_nobody_how_many_accounts_an_address_has(
    station: IdentityStation, watch: Stopwatch, sharing: int
) -> None:
    for number in range(sharing):
        await station.open_account(f"P{number}", email="family@example.com")
    began = watch.now
    assert (await station.login("family@example.com", WRONG))[0] == 401
    assert watch.now - began == pytest.approx(EVEN_SECONDS)


async def test_who_proves_to_be_somebody_does_not_wait(station: IdentityStation, watch: Stopwatch) -> None:
    one = await station.open_account()
    began = watch.now
    assert (await station.login(one, PASSWORD))[0] == 200
    assert watch.now - began == pytest.approx(HASH_SECONDS)


@pytest.mark.parametrize("known", [True, False])
async def test_refusal_tells_nobody_who_is_staff(station: IdentityStation, watch: Stopwatch, known: bool) -> None:
    person = await hire(station, "support")
    email = person.email if known else "nobody@example.com"
    began = watch.now
    asked = {"grant_type": "password", "program": "cisco", "email": email, "password": WRONG, "code": "000000"}
    assert (await station.ask("POST", "/staff/tokens", **asked))[0] == 401
    assert watch.now - began == pytest.approx(EVEN_SECONDS)
