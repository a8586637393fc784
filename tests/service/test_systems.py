"""Systems enter by client credentials, as other people's OAuth libraries send them."""

import asyncio
import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from libs.common.http.scopes import SYSTEM
from services.identity.login.addresses import TRIES
from tests.service.identity_station import Answer, IdentityStation
from tests.service.test_signing_keys import operator

ENDPOINT = "/api/identity/v1/oauth/token"
READS = ["exams:read", "operations:read"]


async def add(station: IdentityStation, *, program: str = "cisco", scopes: list[str] | None = None) -> dict[str, Any]:
    path = f"/programs/{program}/systems"
    given = {"description": "Partner portal", "scopes": scopes or READS}
    status, made = await station.ask("POST", path, await operator(station), **given)
    assert status == 201
    system: dict[str, Any] = made
    return system


async def form(station: IdentityStation, fields: str, **headers: str) -> Answer:
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    response = await station.client.post(ENDPOINT, data=fields.encode(), headers=sent)
    return response.status, await response.json()


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


async def enter(station: IdentityStation, system: Mapping[str, Any], more: str = "", secret: str = "") -> Answer:
    given = basic(system["client_id"], secret or system["client_secret"])
    return await form(station, f"grant_type=client_credentials{more}", **given)


def oauth(station: IdentityStation, client_id: str, secret: str, **more: Any) -> OAuth2Session:
    return OAuth2Session(client_id, secret, token_endpoint=str(station.client.make_url(ENDPOINT)), **more)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_an_oauth_library_gets_and_uses_a_token(station: IdentityStation, method: str) -> None:
    system = await add(station)
    totals = str(station.client.make_url("/api/identity/v1/totals"))
    with oauth(station, system["client_id"], system["client_secret"], token_endpoint_auth_method=method) as client:
        token = await asyncio.to_thread(client.fetch_token, grant_type="client_credentials")
        assert (token["token_type"], token["expires_in"], token["scope"]) == (
            "Bearer",
            900,
            "exams:read operations:read",
        )
        assert (await asyncio.to_thread(client.get, totals)).status_code == 200
    with oauth(station, system["client_id"], "wrong", token_endpoint_auth_method=method) as client:
        with pytest.raises(OAuthError, match="invalid_client"):
            await asyncio.to_thread(client.fetch_token, grant_type="client_credentials")
        with pytest.raises(OAuthError, match="unsupported_grant_type"):
            await asyncio.to_thread(client.fetch_token, grant_type="password", username="a", password="b")


async def test_scopes_are_those_given_and_can_be_narrowed(station: IdentityStation) -> None:
    system = await add(station)
    status, given = await enter(station, system, "&scope=exams%3Aread")
    assert (status, given["scope"]) == (200, "exams:read")
    assert (await station.ask("GET", "/totals", given["access_token"]))[0] == 403
    for asked in ("certs:read", "exams:read+certs:read", "staff:manage"):
        status, problem = await enter(station, system, f"&scope={asked}")
        assert (status, problem["error"]) == (400, "invalid_scope")
    asked = {"client_id": system["client_id"], "client_secret": system["client_secret"], "scope": "exams:read"}
    status, given = await station.ask("POST", "/tokens", grant_type="client_credentials", **asked)
    assert status == 200
    assert (await station.ask("GET", "/totals", given["access_token"]))[0] == 403


async def test_systems_are_given_only_what_is_for_systems(station: IdentityStation) -> None:
    token, path = await operator(station), "/programs/cisco/systems"
    for scope in ("staff:manage", "keys:manage", "accounts:manage", "profile:write", "nonsense"):
        assert scope not in SYSTEM
        assert (await station.ask("POST", path, token, description="x", scopes=[scope]))[0] == 422


async def test_token_of_one_program_opens_nothing_of_another(station: IdentityStation) -> None:
    cisco = await station.register("P1")
    juniper = await station.register("P1", program="juniper", exam_code="JN0-105")
    system = await add(station, scopes=["profile:read"])
    _, given = await enter(station, system)
    token = given["access_token"]
    assert (await station.ask("GET", f"/programs/cisco/candidates/{cisco}", token))[0] == 200
    for program in ("juniper", "cisco"):
        assert (await station.ask("GET", f"/programs/{program}/candidates/{juniper}", token))[0] == 404
    path = f"/programs/juniper/systems/{system['client_id']}"
    for method, asked in (("GET", path), ("DELETE", path), ("GET", "/programs/none/systems")):
        assert (await station.ask(method, asked, await operator(station)))[0] == 404
    assert (await station.ask("POST", f"{path}/secrets", await operator(station), old_works_days=1))[0] == 404
    assert (await enter(station, system))[0] == 200


async def test_new_secret_leaves_no_gap_and_ends_older_ones(station: IdentityStation) -> None:
    first = await add(station)
    token, path = await operator(station), f"/programs/cisco/systems/{first['client_id']}"
    status, second = await station.ask("POST", f"{path}/secrets", token, old_works_days=7)
    assert status == 201
    assert [(await enter(station, one))[0] for one in (first, second)] == [200, 200]
    _, third = await station.ask("POST", f"{path}/secrets", token, old_works_days=3)
    assert [(await enter(station, one))[0] for one in (first, second, third)] == [401, 200, 200]
    station.base.clock.advance(timedelta(days=3))
    assert [(await enter(station, one))[0] for one in (second, third)] == [401, 200]
    _, fourth = await station.ask("POST", f"{path}/secrets", await operator(station), old_works_days=0)
    assert [(await enter(station, one))[0] for one in (third, fourth)] == [401, 200]
    secrets = [one["client_secret"] for one in (first, second, third, fourth)]
    stored = str([await station.base.rows(name) for name in ("clients", "idempotency")])
    _, shown = await station.ask("GET", path, await operator(station))
    assert not [secret for secret in secrets if secret in stored + str(shown)]


async def test_disabled_system_gets_no_token_and_no_secret(station: IdentityStation) -> None:
    system = await add(station)
    token, path = await operator(station), f"/programs/cisco/systems/{system['client_id']}"
    assert (await enter(station, system))[0] == 200
    assert (await station.ask("DELETE", path, token))[0] == 204
    assert (await enter(station, system))[0] == 401
    assert (await station.ask("POST", f"{path}/secrets", token, old_works_days=1))[0] == 409
    _, listed = await station.ask("GET", "/programs/cisco/systems", token)
    (row,) = listed["items"]
    assert row["disabled_at"]
    assert row["last_used_on"] == station.base.clock.now().date().isoformat()


@pytest.mark.parametrize(
    "authorization",
    ["Basic", "Basic !", "Basic " + base64.b64encode(b"\xff\xfe:x").decode(), "Basic b3BlcmF0b3I=", "Bearer x", ""],
)
async def test_odd_credentials_are_refused_in_words_of_oauth(station: IdentityStation, authorization: str) -> None:
    status, problem = await form(station, "grant_type=client_credentials", Authorization=authorization)
    assert (status, problem["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ("", 422),
        ("grant_type=client_credentials&grant_type=client_credentials", 422),
        ("grant_type=refresh_token", 400),
        ("grant_type=client_credentials&client_id=operator&client_secret=x", 422),
        ("grant_type=client_credentials&client_id=other", 422),
        ("grant_type=client_credentials&client_id=" + "x" * 600, 422),
        ("&".join(f"f{n}=1" for n in range(60)), 400),
    ],
)
async def test_odd_forms_are_refused(station: IdentityStation, fields: str, status: int) -> None:
    assert (await form(station, fields, **basic("operator", "s" * 32)))[0] == status


async def test_what_the_form_leaves_empty_or_adds_counts_as_not_sent(station: IdentityStation) -> None:
    fields = "grant_type=client_credentials&scope=&client_secret=&resource=x"
    assert (await form(station, fields, **basic("operator", "s" * 32)))[0] == 200


async def test_an_address_that_guesses_is_stopped(station: IdentityStation) -> None:
    system = await add(station)
    asked = {"grant_type": "client_credentials", "client_id": system["client_id"], "client_secret": "guess"}
    for _ in range(TRIES // 2):
        assert (await enter(station, system, secret="guess"))[0] == 401
        assert (await station.ask("POST", "/tokens", **asked))[0] == 401
    assert (await enter(station, system))[0] == 429
    assert (await station.ask("POST", "/tokens", **asked))[0] == 429


async def test_systems_and_candidates_manage_no_systems(station: IdentityStation) -> None:
    _, given = await enter(station, await add(station, scopes=sorted(SYSTEM)))
    _, candidate = await station.login(await station.open_account())
    for token in (given["access_token"], candidate["access_token"]):
        for path in ("/programs/cisco/systems", "/signing-keys"):
            assert (await station.ask("GET", path, token))[0] == 403
