"""Signing keys follow one another while services go on verifying, and nobody sees a private part."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from joserfc.jwk import OKPKey
from pydantic import SecretStr

from libs.common.errors import Unavailable
from libs.common.http.auth import REMEMBER_SECONDS, TokenVerifier
from libs.common.http.jwks import FRESH, RETRY, RemoteKeys
from libs.common.http.problems import Problem
from libs.common.programs import Program
from services.identity.domain.key_schedule import KEPT, LEAD
from services.identity.signing.keys import REREAD, REREAD_UNKNOWN
from tests.service.identity_station import IdentityStation

MINUTE = timedelta(minutes=1)
SECRET = SecretStr("s" * 32)


async def operator(station: IdentityStation) -> str:
    asked = {"grant_type": "client_credentials", "client_id": "operator", "client_secret": "s" * 32}
    status, given = await station.ask("POST", "/tokens", **asked)
    assert status == 200
    return str(given["access_token"])


async def states(station: IdentityStation) -> dict[str, str]:
    """State by key, the first to sign first."""
    status, page = await station.ask("GET", "/signing-keys", await operator(station))
    assert status == 200
    return {row["kid"]: row["state"] for row in page["items"]}


async def jwks(station: IdentityStation) -> list[dict[str, Any]]:
    status, given = await station.ask("GET", "/jwks.json")
    assert status == 200
    keys: list[dict[str, Any]] = given["keys"]
    return keys


@asynccontextmanager
async def another_service(station: IdentityStation) -> AsyncIterator[TokenVerifier]:
    """A service that knows identity by its address, and remembers no token."""
    url = str(station.client.make_url("/api/identity/v1/jwks.json"))
    async with aiohttp.ClientSession() as session:
        keys = RemoteKeys(url, session, station.base.clock)
        yield TokenVerifier(keys, "certrail", station.base.clock, remember=1)


async def test_no_moment_fails_while_a_key_follows_another(station: IdentityStation) -> None:
    async with another_service(station) as service, another_service(station) as other:
        old, *_ = await states(station)
        issued: list[tuple[Any, str]] = []
        rotated = False
        seen: set[str] = set()
        for minute in range(70):
            token = await operator(station)
            issued.append((station.base.clock.now(), token))
            for _, living in [one for one in issued if station.base.clock.now() - one[0] < 15 * MINUTE]:
                await service.verify(f"Bearer {living}")
            if minute % 9 == 0:  # one that is seldom asked, so that its keys are old
                await other.verify(f"Bearer {token}")
            keys = await jwks(station)
            seen |= {key["kid"] for key in keys}
            assert not any({"d", "p", "q", "k"} & key.keys() for key in keys)
            if minute == 5:
                assert (await station.ask("POST", "/signing-keys", token))[0] == 201
                assert (await station.ask("POST", "/signing-keys", token))[0] == 409
                assert list((await states(station)).values()) == ["current", "next"]
                rotated = True
            await station.run("signing-keys")
            station.base.clock.advance(MINUTE)
        assert rotated
        assert len(seen) == 2
        assert list((await states(station)).values()) == ["current"]
        assert old not in await states(station)
        assert [row["_id"] for row in await station.base.rows("signing_keys")] == list(await states(station))


async def test_the_new_key_signs_only_after_its_lead_and_the_old_one_stays_long_enough(
    station: IdentityStation,
) -> None:
    (old,) = await states(station)
    assert (await station.ask("POST", "/signing-keys", await operator(station)))[0] == 201
    station.base.clock.advance(LEAD - timedelta(seconds=1))
    assert list((await states(station)).values()) == ["current", "next"]
    station.base.clock.advance(timedelta(seconds=1))
    assert list((await states(station)).values()) == ["retired", "current"]
    station.base.clock.advance(KEPT - timedelta(seconds=1))
    await station.run("signing-keys")
    assert old in {key["kid"] for key in await jwks(station)}
    station.base.clock.advance(timedelta(seconds=1))
    assert old not in {key["kid"] for key in await jwks(station)}


async def test_withdrawn_key_verifies_nothing_once_services_look_again(station: IdentityStation) -> None:
    async with another_service(station) as service:
        token = await operator(station)
        await service.verify(f"Bearer {token}")
        (leaked,) = await states(station)
        assert (await station.ask("DELETE", f"/signing-keys/{leaked}", token))[0] == 204
        assert leaked not in await states(station)
        station.base.clock.advance(timedelta(seconds=REMEMBER_SECONDS))
        assert (await station.ask("GET", "/signing-keys", token))[0] == 401, "identity has forgotten it by then"
        station.base.clock.advance(RETRY)
        await service.verify(f"Bearer {await operator(station)}")
        station.base.clock.advance(FRESH)
        with pytest.raises(Problem):
            await service.verify(f"Bearer {token}")
        assert (await station.ask("DELETE", f"/signing-keys/{leaked}", await operator(station)))[0] == 404


async def test_withdrawing_the_current_key_lets_the_published_next_one_sign(station: IdentityStation) -> None:
    token = await operator(station)
    await station.ask("POST", "/signing-keys", token)
    current, following = await states(station)
    await station.ask("DELETE", f"/signing-keys/{current}", token)
    assert await states(station) == {following: "current"}


async def test_of_two_rotations_at_the_same_moment_one_is_made(station: IdentityStation) -> None:
    token = await operator(station)
    answers = await asyncio.gather(*(station.ask("POST", "/signing-keys", token) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [201, 409, 409, 409]
    assert list((await states(station)).values()) == ["current", "next"]


async def test_replicas_that_start_together_begin_with_the_same_keys(
    station: IdentityStation, programs: dict[str, Program], tmp_path: Path
) -> None:
    made = [OKPKey.generate_key("Ed25519", {"kid": kid}).as_dict(private=True) for kid in ("signs", "verifies")]
    others = [IdentityStation(station.base, programs, tmp_path, operator_secret=SECRET) for _ in range(3)]
    (tmp_path / "keys.json").write_text(json.dumps({"keys": made}))
    sources = [each.parts.keys for each in (station, *others)]
    found = await asyncio.gather(*(source.find("verifies") for source in sources if source is not None))
    assert len({key.thumbprint() for key in found if key is not None}) == 1
    assert len(await station.base.rows("signing_keys")) == 2
    assert await states(station) == {"verifies": "retired", "signs": "current"}


async def test_replicas_agree_and_the_file_is_read_once(
    station: IdentityStation, programs: dict[str, Program], tmp_path: Path
) -> None:
    first = await states(station)
    async with AsyncExitStack() as stack:
        other = IdentityStation(station.base, programs, tmp_path, operator_secret=SECRET)  # with another file by now
        await stack.enter_async_context(other.serving())
        assert await states(other) == first == {"k1": "current"}
        assert (await station.ask("GET", "/signing-keys", await operator(other)))[0] == 200
        await other.ask("DELETE", "/signing-keys/k1", await operator(other))
        new_token = await operator(other)
        station.base.clock.advance(REREAD_UNKNOWN)
        assert (await station.ask("GET", "/signing-keys", new_token))[0] == 200, "an unknown key is looked for"
        station.base.clock.advance(REREAD)
        assert await jwks(station) == await jwks(other)


async def test_private_keys_lie_encrypted_and_open_with_one_secret(
    station: IdentityStation, programs: dict[str, Program], tmp_path: Path
) -> None:
    await states(station)
    private = json.loads((tmp_path / "keys.json").read_text())["keys"][0]["d"]
    stored = str(await station.base.rows("signing_keys"))
    assert private not in stored
    assert '"d"' not in stored
    wrong = IdentityStation(station.base, programs, tmp_path, signing_keys_secret=SecretStr("w" * 32))
    assert wrong.parts.keys is not None
    with pytest.raises(Unavailable):
        await wrong.parts.keys.find("k1")


async def test_only_the_operator_sees_and_changes_keys(station: IdentityStation) -> None:
    candidate_id = await station.open_account()
    _, given = await station.login(candidate_id)
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", "/k1")):
        assert (await station.ask(method, f"/signing-keys{path}", given["access_token"]))[0] == 403
