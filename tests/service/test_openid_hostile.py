"""A provider that lies, errs or goes away: nobody comes in by it, and nothing is lost."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web
from joserfc.jwk import ECKey, RSAKey

from libs.common.http.jwks import RETRY
from libs.common.programs import Program
from services.identity.login.addresses import TRIES
from services.identity.openid import metadata
from tests.service.hostile_provider import CLIENT, HostileProvider, key
from tests.service.identity_station import Answer, IdentityStation
from tests.service.openid_visit import Visit, begin, claims, code_of, keep_up, offer, signed_in, with_phone

SECRET = "a secret of ours that is long enough for anybody"


@pytest.fixture
async def evil() -> AsyncIterator[HostileProvider]:
    async with HostileProvider().running() as evil:
        yield evil


@pytest.fixture
def programs(programs: dict[str, Program], evil: HostileProvider) -> dict[str, Program]:
    programs = dict(programs)
    offer(programs, evil.given())
    return programs


@pytest.fixture
def identity_settings(tmp_path: Path) -> dict[str, Any]:
    secrets = tmp_path / "openid-secrets.json"
    secrets.write_text(json.dumps({"cisco": SECRET}))
    return {"openid_secrets_file": secrets}


async def visited(station: IdentityStation, evil: HostileProvider, *, fresh: bool = False) -> Visit:
    begun = await begin(station, fresh=fresh)
    return Visit(station, "cisco", begun, evil.visited(begun["authorization_url"]))


async def sign_in(station: IdentityStation, evil: HostileProvider) -> Answer:
    return await (await visited(station, evil)).finish()


def seconds_from_now(seconds: int) -> int:
    return int(datetime.now(UTC).timestamp()) + seconds


async def test_honest_token_opens_the_account(station: IdentityStation, evil: HostileProvider) -> None:
    """What every refusal below is a small change of."""
    await station.register()
    await signed_in(await sign_in(station, evil))
    (form,) = evil.forms
    assert (form["grant_type"], form["code"], len(form["code_verifier"])) == ("authorization_code", "any", 43)
    assert form["redirect_uri"] == "http://127.0.0.1:8080/sign-in/cisco"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another client"},
        {"aud": ["another client"]},
        {"aud": [CLIENT, "another client"]},
        {"aud": [CLIENT, "another client"], "azp": "another client"},
        {"aud": CLIENT, "azp": "another client"},
        {"aud": None},
        {"aud": []},
        {"iss": "https://another.example"},
        {"iss": None},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"nonce": ""},
        pytest.param({"exp": seconds_from_now(-120)}, id="ended two minutes ago"),
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        pytest.param({"iat": seconds_from_now(86_400)}, id="issued tomorrow"),
        {"iat": None},
        pytest.param({"nbf": seconds_from_now(86_400)}, id="begins tomorrow"),
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "\ud800"},
        {"auth_time": 1e300},
        {"auth_time": "now"},
        {"amr": "mfa"},
        {"at_hash": "of another access token"},
        {"at_hash": 5},
    ],
    ids=str,
)
async def test_token_that_says_anything_else_is_refused(
    station: IdentityStation, evil: HostileProvider, claims: dict[str, Any]
) -> None:
    await station.register()
    evil.claims = claims
    assert code_of(await sign_in(station, evil)) == (401, "sign-in-refused")
    assert await station.base.rows("external_ids", system="evilid") == []
    assert await station.base.rows("sessions") == []


async def test_several_audiences_are_fine_where_we_are_the_one_it_was_issued_to(
    station: IdentityStation, evil: HostileProvider
) -> None:
    await station.register()
    evil.claims = {"aud": ["another client", CLIENT], "azp": CLIENT}
    await signed_in(await sign_in(station, evil))


@pytest.mark.parametrize(
    "forgery",
    ["none", "our secret", "public key as a secret", "another key", "another algorithm", "no key id", "embedded key"],
)
async def test_token_that_the_providers_key_has_not_signed_is_refused(
    station: IdentityStation, evil: HostileProvider, forgery: str
) -> None:
    await station.register()
    stranger = RSAKey.generate_key(2048, parameters={"kid": "k1"})
    if forgery == "none":
        evil.header = {"alg": "none"}
    elif forgery == "our secret":
        evil.shared, evil.header = SECRET.encode(), {"alg": "HS256"}
    elif forgery == "public key as a secret":
        evil.shared, evil.header = evil.key.as_bytes("PEM", private=False), {"alg": "HS256"}
    elif forgery == "another key":
        evil.signed_by = stranger
    elif forgery == "another algorithm":
        evil.signed_by, evil.header = ECKey.generate_key("P-256"), {"alg": "ES256"}
    elif forgery == "no key id":
        evil.header = {"kid": None}
    else:
        evil.signed_by, evil.header = stranger, {"jwk": stranger.as_dict(private=False)}
    assert code_of(await sign_in(station, evil)) == (401, "sign-in-refused")


async def test_unknown_key_has_the_keys_fetched_once_and_a_flood_of_them_does_not(
    station: IdentityStation, evil: HostileProvider
) -> None:
    await station.register()
    await signed_in(await sign_in(station, evil))
    assert evil.asked.count("keys") == 1
    evil.key = key("k2")
    evil.header = {"kid": "k2"}
    station.base.clock.advance(RETRY)
    await signed_in(await sign_in(station, evil))
    assert evil.asked.count("keys") == 2
    for number in range(5):
        evil.header = {"kid": f"made-up-{number}"}
        assert code_of(await sign_in(station, evil)) == (401, "sign-in-refused")
    assert evil.asked.count("keys") == 2
    evil.header, evil.signed_by = {"kid": "k1"}, evil.key
    assert code_of(await sign_in(station, evil)) == (401, "sign-in-refused"), "the key that was withdrawn"


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (400, b'{"error": "invalid_grant"}', (401, "sign-in-refused")),
        (400, b'{"error": "invalid_grant", "error_description": "\xc3\xa9"}', (401, "sign-in-refused")),
        (401, b'{"error": "invalid_client"}', (503, "unavailable")),
        (400, b'{"error": ["?"]}', (503, "unavailable")),
        (500, b"", (503, "unavailable")),
        (429, b"later", (503, "unavailable")),
        (302, b"", (401, "sign-in-refused")),
        (200, b"", (401, "sign-in-refused")),
        (200, b"[]", (401, "sign-in-refused")),
        (200, b"{}", (401, "sign-in-refused")),
        (200, b'{"id_token": 7}', (401, "sign-in-refused")),
        (200, b'{"id_token": "a.b.c"}', (401, "sign-in-refused")),
        (200, b'{"id_token": "W10.W10.W10"}', (401, "sign-in-refused")),
        (200, '{"id_token": "é.é.é"}'.encode(), (401, "sign-in-refused")),
        (200, b'{"id_token": "a", "expires_in": "soon"}', (401, "sign-in-refused")),
        (200, b'{"id_token": "a", "expires_at": {}}', (401, "sign-in-refused")),
        (200, b" " * 300_000, (503, "unavailable")),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_token_endpoint_that_says_anything_else_opens_nothing(
    station: IdentityStation, evil: HostileProvider, status: int, body: bytes, told: tuple[int, str]
) -> None:
    evil.answer = lambda _: web.Response(status=status, body=body, headers={"Location": "/elsewhere"})
    assert code_of(await sign_in(station, evil)) == told


async def test_sign_in_that_the_provider_could_not_answer_may_be_sent_again(
    station: IdentityStation, evil: HostileProvider
) -> None:
    await station.register()
    visit = await visited(station, evil)
    evil.answer = lambda _: web.Response(status=503)
    for _ in range(2):
        assert code_of(await visit.finish()) == (503, "unavailable")
    evil.answer = None
    await signed_in(await visit.finish())
    assert code_of(await visit.finish()) == (410, "sign-in-invalid")


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://another.example"},
        {"issuer": None},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": "ftp://127.0.0.1/"},
        {"userinfo_endpoint": "http://elsewhere.example/"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"end_session_endpoint": "//elsewhere.example"},
        {"token_endpoint_auth_methods_supported": "client_secret_basic"},
    ],
    ids=str,
)
async def test_provider_whose_description_is_not_its_own_is_not_used(
    station: IdentityStation, evil: HostileProvider, document: dict[str, Any]
) -> None:
    evil.document = document
    answer = await station.ask("POST", "/programs/cisco/openid/authorizations", fresh=False)
    assert code_of(answer) == (503, "unavailable")
    assert "provider" in answer[1]["detail"]
    assert await station.base.rows("sign_ins") == []


async def test_description_is_fetched_seldom_and_outlives_the_provider_for_a_day(
    station: IdentityStation, evil: HostileProvider
) -> None:
    for _ in range(3):
        await begin(station)
    assert evil.asked.count("metadata") == 1
    station.base.clock.advance(metadata.FRESH)
    evil.document = {"issuer": "https://another.example"}
    await begin(station)
    await begin(station)
    assert evil.asked.count("metadata") == 2, "a provider that errs is not asked by everybody"
    station.base.clock.advance(metadata.USABLE - metadata.FRESH)
    assert code_of(await station.ask("POST", "/programs/cisco/openid/authorizations", fresh=False)) == (
        503,
        "unavailable",
    )
    evil.document = {}
    station.base.clock.advance(metadata.RETRY)
    await begin(station)


async def test_description_is_fetched_once_for_many_at_the_same_moment(
    station: IdentityStation, evil: HostileProvider
) -> None:
    await asyncio.gather(*(begin(station) for _ in range(10)))
    assert evil.asked.count("metadata") == 1


@pytest.mark.parametrize(
    "person",
    [
        {"sub": "somebody else", "email": "p1@example.com", "email_verified": True},
        {"email": "p1@example.com", "email_verified": True},
        {"sub": "eve", "email": "p1@example.com"},
        {"sub": "eve", "email": "p1@example.com", "email_verified": "true"},
        {"sub": "eve", "email": ["p1@example.com"], "email_verified": True},
        {"sub": "eve", "email": "p1@example.com\u0000", "email_verified": True},
        {"sub": "eve", "email": "\ud800@example.com", "email_verified": True},
        ["eve"],
    ],
    ids=str,
)
async def test_page_about_a_person_counts_for_that_person_and_for_verified_addresses_only(
    station: IdentityStation, evil: HostileProvider, person: Any
) -> None:
    await station.register()
    evil.claims, evil.person = {"email": None}, person
    status, given = await sign_in(station, evil)
    assert (status, given["state"]) == (200, "account_needed")
    assert await station.base.rows("external_ids", system="evilid") == []


async def test_page_about_a_person_is_asked_only_where_the_token_says_nothing(
    station: IdentityStation, evil: HostileProvider
) -> None:
    await station.register()
    evil.person = {"sub": "eve", "email": "p1@example.com", "email_verified": True}
    evil.claims = {"email_verified": False}
    assert (await sign_in(station, evil))[1]["state"] == "account_needed"
    assert "person" not in evil.asked
    evil.claims = {"email": None}
    await signed_in(await sign_in(station, evil))
    await signed_in(await sign_in(station, evil))
    assert evil.asked.count("person") == 1, "a person who is known needs no page"


@pytest.mark.parametrize("failure", [429, 500, 503])
async def test_page_about_a_person_that_fails_is_an_outage_and_no_answer(
    station: IdentityStation, evil: HostileProvider, failure: int
) -> None:
    await station.register()
    evil.claims, evil.person, evil.person_status = {"email": None}, {"error": "busy"}, failure
    assert (await sign_in(station, evil))[0] == 503
    evil.person_status, evil.person = 200, {"sub": "eve", "email": "p1@example.com", "email_verified": True}
    await signed_in(await sign_in(station, evil))


async def test_provider_that_did_not_ask_anew_proves_nothing_recent(
    station: IdentityStation, evil: HostileProvider
) -> None:
    await station.register()
    for auth_time in (None, seconds_from_now(-3600)):
        evil.claims = {"auth_time": auth_time}
        assert code_of(await (await visited(station, evil, fresh=True)).finish()) == (401, "sign-in-refused")
    evil.claims = {"auth_time": seconds_from_now(0)}
    assert "max_age=0" in (await begin(station, fresh=True))["authorization_url"]
    given = await signed_in(await (await visited(station, evil, fresh=True)).finish())
    assert (await station.ask("POST", "/second-factor", given["access_token"]))[0] == 201


async def test_provider_that_does_not_say_when_allows_no_sensitive_change(
    station: IdentityStation, evil: HostileProvider
) -> None:
    await station.register()
    given = await signed_in(await sign_in(station, evil))
    status, problem = await station.ask("POST", "/second-factor", given["access_token"])
    assert (status, problem["type"]) == (401, "urn:certrail:problem:step-up-needed")


@pytest.mark.parametrize("said", [{"amr": ["pwd", "mfa"]}, {"acr": "mfa"}], ids=str)
async def test_second_factor_of_the_provider_counts_where_the_program_says_so(
    station: IdentityStation, evil: HostileProvider, said: dict[str, Any]
) -> None:
    await with_phone(station)
    evil.claims = {"amr": ["pwd"], "acr": "1"}
    assert (await sign_in(station, evil))[1]["state"] == "second_factor_needed"
    evil.claims = said
    given = await signed_in(await sign_in(station, evil))
    assert claims(given["access_token"])["acr"] == "second-factor"


async def test_people_of_one_address_cannot_begin_without_end(station: IdentityStation, evil: HostileProvider) -> None:
    await station.register()
    for _ in range(3):
        await signed_in(await sign_in(station, evil))
    for _ in range(TRIES):
        await begin(station)
    assert code_of(await station.ask("POST", "/programs/cisco/openid/authorizations", fresh=False)) == (
        429,
        "too-many-tries",
    )


async def test_program_without_a_secret_does_not_start_and_does_not_break_what_runs(
    station: IdentityStation, evil: HostileProvider, programs: dict[str, Program], tmp_path: Path
) -> None:
    programs["juniper"] = replace(programs["cisco"], id="juniper")
    answer = await station.ask("POST", "/programs/juniper/openid/authorizations", fresh=False)
    assert code_of(answer) == (503, "unavailable")
    await begin(station)
    with pytest.raises(ValueError, match=r"CERTRAIL_OPENID_SECRETS_FILE: .* juniper"):
        IdentityStation(station.base, {"juniper": programs["juniper"]}, tmp_path)


async def test_provider_counts_as_it_was_published_last(
    station: IdentityStation, evil: HostileProvider, programs: dict[str, Program]
) -> None:
    begun = await begin(station)
    offer(programs, replace(evil.given(), client_id="another", scopes=("openid",)))
    asked = dict(parse_qsl(urlsplit((await begin(station))["authorization_url"]).query))
    assert (asked["client_id"], asked["scope"]) == ("another", "openid")
    late = Visit(station, "cisco", begun, evil.visited(begun["authorization_url"]))
    assert code_of(await late.finish()) == (401, "sign-in-refused"), "its token is for the client of before"


async def test_clock_of_the_provider_may_be_off_by_a_little(station: IdentityStation, evil: HostileProvider) -> None:
    await station.register()
    keep_up(station.base.clock)
    evil.claims = {"iat": seconds_from_now(30), "exp": seconds_from_now(300)}
    await signed_in(await sign_in(station, evil))
    station.base.clock.advance(timedelta(seconds=1))
