"""A certified provider that changes its keys, its ways and its mind, or is not there at all."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from libs.common.http.jwks import RETRY
from libs.common.programs import Program
from tests.nodes import needs_node
from tests.service.identity_station import IdentityStation
from tests.service.node_provider import SECRET, Browser, NodeProvider, client, ec, open_browser, rsa
from tests.service.openid_visit import begin, code_of, offer, signed_in, visit

pytestmark = needs_node


@pytest.fixture
def provider() -> NodeProvider:
    """Not running yet."""
    return NodeProvider({"ada": {"email": "p1@example.com", "email_verified": True}})


@pytest.fixture
def programs(programs: dict[str, Program], provider: NodeProvider) -> dict[str, Program]:
    programs = dict(programs)
    offer(programs, provider.given())
    return programs


@pytest.fixture
def identity_settings(tmp_path: Path) -> dict[str, Any]:
    secrets = tmp_path / "openid-secrets.json"
    secrets.write_text(json.dumps({"cisco": SECRET}))
    return {"openid_secrets_file": secrets}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as browser:
        yield browser


async def test_new_keys_of_the_provider_are_found_by_the_first_who_signs_in(
    station: IdentityStation, browser: Browser, provider: NodeProvider
) -> None:
    await station.register()
    async with provider.running():
        await signed_in(await (await visit(station, browser, "ada")).finish())
    provider.keys = [rsa("k2")]
    station.base.clock.advance(RETRY)
    async with provider.running(), open_browser() as another:
        await signed_in(await (await visit(station, another, "ada")).finish())


async def test_provider_that_is_away_is_said_to_be_and_loses_nothing(
    station: IdentityStation, browser: Browser, provider: NodeProvider
) -> None:
    await station.register()
    answer = await station.ask("POST", "/programs/cisco/openid/authorizations", fresh=False)
    assert code_of(answer) == (503, "unavailable")
    assert "identity provider cannot be reached" in answer[1]["detail"]
    station.base.clock.advance(RETRY)
    async with provider.running():
        visited = await visit(station, browser, "ada")
    for _ in range(2):
        assert code_of(await visited.finish()) == (503, "unavailable")
    assert len(await station.base.rows("sign_ins")) == 1
    await begin(station)
    async with provider.running():
        assert code_of(await visited.finish()) == (401, "sign-in-refused"), "it has forgotten the code meanwhile"


@pytest.mark.parametrize("algorithm", ["PS256", "ES256"])
async def test_other_signatures_and_ways_of_a_provider_are_spoken_too(
    station: IdentityStation, browser: Browser, provider: NodeProvider, algorithm: str
) -> None:
    await station.register()
    provider.keys = [ec("k1") if algorithm == "ES256" else rsa("k1", algorithm), rsa("k2")]
    provider.clients = [client("cisco", algorithm)]
    provider.claims_in_token = algorithm == "ES256"
    async with provider.running():
        await signed_in(await (await visit(station, browser, "ada")).finish())


async def test_wrong_secret_is_the_operators_to_mend_and_no_fault_of_who_signs_in(
    station: IdentityStation, browser: Browser, provider: NodeProvider
) -> None:
    await station.register()
    provider.clients = [client("cisco") | {"client_secret": "another secret"}]
    async with provider.running():
        visited = await visit(station, browser, "ada")
        assert code_of(await visited.finish()) == (503, "unavailable")
