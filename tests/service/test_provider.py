"""Our OpenID provider towards vendors: one code flow, through other people's client, and what must not get through."""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter

from libs.common.http.lost_ways import PAGE
from libs.common.http.tokens import Algorithms
from services.identity.provider.clients import read_clients
from services.identity.provider.provider import Provider
from tests.nodes import PACKAGES, needs_node
from tests.service.identity_station import IdentityStation

PUBLIC_URL = "https://certrail.example"
ISSUER = f"{PUBLIC_URL}/api/identity/v1/provider"
SECRET = "a-secret-of-the-vendor"
BACK = "https://psi.example/callback"
CLIENTS: dict[str, dict[str, Any]] = {
    "psi": {"programs": ["cisco"], "redirect_uris": [BACK, f"{BACK}?from=certrail"], "scopes": ["openid", "profile"]},
    "vue": {"programs": ["cisco"], "redirect_uris": [BACK], "scopes": ["openid", "email"]},
    "lab": {"programs": ["juniper"], "redirect_uris": [BACK]},
}


@pytest.fixture
def identity_settings(tmp_path: Path) -> dict[str, Any]:
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    clients = {name: {"name": name, "secrets": ["0" * 64, digest], **client} for name, client in CLIENTS.items()}
    path = tmp_path / "provider-clients.json"
    path.write_text(json.dumps(clients))
    return {"provider_clients_file": path, "public_url": PUBLIC_URL}


class Elsewhere(HTTPAdapter):
    """Takes requests for the public address to the server under test."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin.rstrip("/")

    def send(self, request: PreparedRequest, *args: Any, **more: Any) -> Response:
        assert request.url is not None
        request.url = request.url.replace(PUBLIC_URL, self._origin, 1)
        return super().send(request, *args, **more)


@dataclass
class Visit:
    """A candidate with a browser, and a vendor with Authlib's client."""

    station: IdentityStation
    candidate_id: str
    access_token: str
    origin: str

    def vendor(self, client_id: str = "psi", *, scope: str = "openid profile", secret: str = SECRET) -> Any:
        session = OAuth2Session(
            client_id,
            secret,
            scope=scope,
            redirect_uri=BACK,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic",
        )
        session.mount(PUBLIC_URL, Elsewhere(self.origin))
        return session

    async def ticket(self, client_id: str = "psi") -> tuple[str, str]:
        """A ticket, and the cookie that the browser got with it."""
        path = f"/api/identity/v1/programs/cisco/candidates/{self.candidate_id}/provider-tickets"
        headers = {"Authorization": f"Bearer {self.access_token}"}
        response = await self.station.client.post(path, json={"client_id": client_id}, headers=headers)
        assert response.status == 201, await response.text()
        cookie = response.headers["Set-Cookie"]
        assert cookie.endswith("; Path=/; Max-Age=120; Secure; HttpOnly; SameSite=Lax")
        return (await response.json())["login_hint"], cookie.partition(";")[0]

    async def browse(self, url: str, cookie: str | None) -> tuple[int, dict[str, str]]:
        """Open the authorization endpoint; the status, and the parameters that the vendor gets."""
        parts = urlsplit(url)
        response = await self.station.client.get(
            f"{parts.path}?{parts.query}", headers={"Cookie": cookie} if cookie else {}, allow_redirects=False
        )
        location = response.headers.get("Location", "")
        assert response.status != 303 or location.startswith(BACK)
        return response.status, {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

    async def authorized(self, vendor: Any, **changes: Any) -> tuple[dict[str, str], str]:
        """The way to a code; the answer, and the verifier."""
        hint, cookie = await self.ticket(changes.pop("ticket_for", vendor.client_id))
        verifier = generate_token(48)
        url, state = vendor.create_authorization_url(
            f"{ISSUER}/authorize", code_verifier=verifier, nonce="n0", login_hint=hint, **changes
        )
        status, answer = await self.browse(url, cookie)
        assert (status, answer["state"], answer["iss"]) == (303, state, ISSUER)
        return answer, verifier

    async def tokens(self, vendor: Any, **changes: Any) -> dict[str, Any]:
        answer, verifier = await self.authorized(vendor, **changes)
        return dict(await self.exchanged(vendor, answer["code"], verifier))

    async def exchanged(self, vendor: Any, code: str, verifier: str, **changes: Any) -> Any:
        return await asyncio.to_thread(
            vendor.fetch_token, f"{ISSUER}/token", code=code, code_verifier=verifier, **changes
        )


async def get(vendor: Any, url: str) -> Response:
    found: Response = await asyncio.to_thread(vendor.get, url, withhold_token=not vendor.token)
    return found


@pytest.fixture
async def visit(station: IdentityStation) -> Visit:
    candidate_id = await station.open_account("P1")
    _, tokens = await station.login(candidate_id)
    return Visit(station, candidate_id, tokens["access_token"], str(station.client.make_url("/")))


async def test_vendor_learns_who_comes_by_other_peoples_client(visit: Visit) -> None:
    vendor = visit.vendor()
    found = (await get(vendor, f"{ISSUER}/.well-known/openid-configuration")).json()
    assert found["issuer"] == ISSUER
    assert found["code_challenge_methods_supported"] == ["S256"]
    tokens = await visit.tokens(vendor)
    keys = KeySet.import_key_set((await get(vendor, found["jwks_uri"])).json())
    algorithms = found["id_token_signing_alg_values_supported"]
    read = jwt.decode(tokens["id_token"], keys, registry=Algorithms(algorithms=algorithms))
    options = {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": "psi"}}
    claims = CodeIDToken(read.claims, read.header, options, {"client_id": "psi", "nonce": "n0"})
    claims.validate(now=int(visit.station.base.clock.now().timestamp()))
    assert claims["sub"] == visit.candidate_id
    assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "auth_time", "nonce"}
    shown = (await get(vendor, found["userinfo_endpoint"])).json()
    assert shown == {
        "sub": visit.candidate_id,
        "name": "Zoë Ångström",
        "given_name": "Zoë",
        "family_name": "Ångström",
    }


@needs_node
async def test_jose_reads_the_id_token_and_takes_no_other_for_one(visit: Visit) -> None:
    tokens = await visit.tokens(visit.vendor())
    given = {
        "keys": f"{visit.origin}api/identity/v1/jwks.json",
        "issuer": ISSUER,
        "audience": "psi",
        "nonce": "n0",
        "algorithms": ["EdDSA"],
        "tokens": {"id": tokens["id_token"], "access": visit.access_token},
    }
    program = await asyncio.create_subprocess_exec(
        "node",
        str(PACKAGES / "read_id_token.mjs"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await program.communicate(json.dumps(given).encode())
    assert json.loads(said) == {"id": f"accepted {visit.candidate_id}", "access": "ERR_JWT_CLAIM_VALIDATION_FAILED"}


async def test_claims_are_those_of_the_clients_scopes(visit: Visit) -> None:
    vendor = visit.vendor("vue", scope="openid profile email")
    tokens = await visit.tokens(vendor)
    assert tokens["scope"] == "email openid"
    shown = (await get(vendor, f"{ISSUER}/userinfo")).json()
    assert shown == {"sub": visit.candidate_id, "email": "p1@example.com", "email_verified": True}


async def test_id_token_opens_no_api_of_ours(visit: Visit) -> None:
    tokens = await visit.tokens(visit.vendor())
    for token in (tokens["id_token"], tokens["access_token"]):
        status, _ = await visit.station.ask("GET", f"/programs/cisco/candidates/{visit.candidate_id}", token)
        assert status == 401


# --- Where the browser is sent ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": f"{BACK}/"},
        {"redirect_uri": f"{BACK}?other=1"},
        {"redirect_uri": BACK.upper()},
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_the_clients(visit: Visit, wrong: dict[str, str]) -> None:
    hint, cookie = await visit.ticket()
    given = {"client_id": "psi", "redirect_uri": BACK, "response_type": "code", "login_hint": hint, **wrong}
    url = f"{ISSUER}/authorize?{urlencode(given)}"
    assert await visit.browse(url, cookie) == (400, {})
    seen = await visit.station.client.get(
        url.removeprefix(PUBLIC_URL), headers={"Cookie": cookie, "Accept": "text/html"}, allow_redirects=False
    )
    assert (seen.status, seen.headers["Location"]) == (303, f"{PUBLIC_URL}{PAGE}"), "people get a page"
    assert len(await visit.station.base.rows("provider_tickets")) == 1


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"prompt": "login"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": "https://evil.example"}, "request_uri_not_supported"),
        ({"login_hint": "made-up"}, "login_required"),
        ({"login_hint": ""}, "login_required"),
    ],
)
async def test_other_faults_go_back_to_the_client_and_leave_the_ticket(
    visit: Visit, wrong: dict[str, str], error: str
) -> None:
    hint, cookie = await visit.ticket()
    given = {
        "client_id": "psi",
        "redirect_uri": f"{BACK}?from=certrail",
        "response_type": "code",
        "scope": "openid",
        "state": "s0",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
        "login_hint": hint,
        "unknown": "is ignored",
    }
    _, answer = await visit.browse(f"{ISSUER}/authorize?{urlencode(given | wrong)}", cookie)
    assert (answer["error"], answer["state"], answer["iss"], answer["from"]) == (error, "s0", ISSUER, "certrail")
    _, right = await visit.browse(f"{ISSUER}/authorize?{urlencode(given)}", cookie)
    assert "code" in right


async def test_ticket_counts_once_in_its_browser_for_its_client_and_for_moments(visit: Visit) -> None:
    async def error(client_id: str, hint: str, cookie: str | None) -> str | None:
        url, _ = visit.vendor(client_id).create_authorization_url(
            f"{ISSUER}/authorize", code_verifier=generate_token(48), login_hint=hint
        )
        return (await visit.browse(url, cookie))[1].get("error")

    hint, cookie = await visit.ticket("psi")
    _, others = await visit.ticket("psi")
    assert await error("psi", hint, None) == "login_required"
    assert await error("psi", hint, others) == "login_required"
    assert await error("vue", hint, cookie) == "login_required"
    assert await error("psi", hint, cookie) is None
    assert await error("psi", hint, cookie) == "login_required"
    hint, cookie = await visit.ticket("psi")
    visit.station.base.clock.advance(Provider.TICKET_LASTS)
    assert await error("psi", hint, cookie) == "login_required"


async def test_person_who_signed_in_too_long_ago_is_sent_back(visit: Visit) -> None:
    visit.station.base.clock.advance(timedelta(minutes=10))
    answer, _ = await visit.authorized(visit.vendor(), max_age=300)
    assert answer["error"] == "login_required"
    answer, _ = await visit.authorized(visit.vendor(), max_age=900)
    assert "code" in answer


async def test_ticket_is_for_the_candidate_a_live_session_and_a_client_of_the_program(visit: Visit) -> None:
    station = visit.station
    path = f"/programs/cisco/candidates/{visit.candidate_id}/provider-tickets"
    other = await station.open_account("P2")
    _, theirs = await station.login(other)
    assert (await station.ask("POST", path, theirs["access_token"], client_id="psi"))[0] == 404
    assert (await station.ask("POST", path, visit.access_token, client_id="lab"))[0] == 422
    assert (await station.ask("POST", path, visit.access_token, client_id="nobody"))[0] == 422
    assert (await station.ask("DELETE", "/sessions", visit.access_token))[0] == 204
    assert (await station.ask("POST", path, visit.access_token, client_id="psi"))[0] == 401


# --- What a code is good for ------------------------------------------------------------------------------------------


async def refused(visit: Visit, vendor: Any, code: str, verifier: str, **changes: Any) -> str:
    with pytest.raises(OAuthError) as told:
        await visit.exchanged(vendor, code, verifier, **changes)
    return str(told.value.error)


async def test_code_that_comes_again_is_refused_and_ends_what_it_gave(visit: Visit) -> None:
    vendor = visit.vendor()
    answer, verifier = await visit.authorized(vendor)
    await visit.exchanged(vendor, answer["code"], verifier)
    assert (await get(vendor, f"{ISSUER}/userinfo")).status_code == 200
    assert await refused(visit, vendor, answer["code"], verifier) == "invalid_grant"
    assert (await get(vendor, f"{ISSUER}/userinfo")).status_code == 401


async def test_code_used_by_many_at_once_gives_one_token(visit: Visit) -> None:
    vendors = [visit.vendor() for _ in range(8)]
    answer, verifier = await visit.authorized(vendors[0])
    given = await asyncio.gather(
        *(visit.exchanged(vendor, answer["code"], verifier) for vendor in vendors), return_exceptions=True
    )
    assert sum(isinstance(one, dict) for one in given) == 1


async def test_code_is_for_its_client_alone(visit: Visit) -> None:
    answer, verifier = await visit.authorized(visit.vendor("psi"))
    assert await refused(visit, visit.vendor("vue"), answer["code"], verifier) == "invalid_grant"
    assert await visit.exchanged(visit.vendor("psi"), answer["code"], verifier), "and is not lost by that"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": f"{BACK}?from=certrail"}, "invalid_grant"),
        ({"code_verifier": "v" * 48}, "invalid_grant"),
        ({"code_verifier": "ü" * 48}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": "made-up"}, "invalid_grant"),
    ],
)
async def test_code_with_anything_else_wrong_is_refused(visit: Visit, changes: dict[str, Any], error: str) -> None:
    answer, verifier = await visit.authorized(visit.vendor())
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": BACK,
        "code_verifier": verifier,
        **changes,
    }
    with Session() as session:
        session.mount(PUBLIC_URL, Elsewhere(visit.origin))
        data = {name: value for name, value in form.items() if value is not None}
        response = await asyncio.to_thread(session.post, f"{ISSUER}/token", data=data, auth=("psi", SECRET))
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert response.headers["Cache-Control"] == "no-store"


async def test_client_without_its_secret_gets_nothing_and_loses_nothing(visit: Visit) -> None:
    answer, verifier = await visit.authorized(visit.vendor())
    for vendor in (visit.vendor(secret="wrong"), visit.vendor("nobody"), visit.vendor(secret="")):
        assert await refused(visit, vendor, answer["code"], verifier) == "invalid_client"
    assert await visit.exchanged(visit.vendor(), answer["code"], verifier)


async def test_codes_and_tokens_end_by_time(visit: Visit) -> None:
    vendor, clock = visit.vendor(), visit.station.base.clock
    answer, verifier = await visit.authorized(vendor)
    clock.advance(Provider.CODE_LASTS)
    assert await refused(visit, vendor, answer["code"], verifier) == "invalid_grant"
    tokens = await visit.tokens(vendor)
    clock.advance(Provider.ACCESS_LASTS)
    vendor.token = {**tokens, "expires_at": 2**40}
    assert (await get(vendor, f"{ISSUER}/userinfo")).status_code == 401


async def test_nothing_of_it_lies_in_the_database_in_plain(visit: Visit) -> None:
    hint, cookie = await visit.ticket()
    answer, verifier = await visit.authorized(visit.vendor())
    tokens = await visit.exchanged(visit.vendor(), answer["code"], verifier)
    kept = repr([await visit.station.base.rows(name) for name in ("provider_tickets", "provider_codes")])
    for secret in (hint, cookie.partition("=")[2], answer["code"], tokens["access_token"], verifier):
        assert secret not in kept


async def test_person_who_is_erased_is_told_of_no_more(visit: Visit) -> None:
    vendor, base = visit.vendor(), visit.station.base
    await visit.tokens(vendor)
    await base.database["candidates"].delete_one({"_id": visit.candidate_id})
    assert (await get(vendor, f"{ISSUER}/userinfo")).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uris": ["http://psi.example/callback"]},
        {"redirect_uris": [f"{BACK}#part"]},
        {"redirect_uris": []},
        {"scopes": ["openid", "exams:read"]},
        {"secrets": ["plain-text-secret"]},
        {"programs": []},
        {"extra": 1},
    ],
)
def test_file_of_clients_that_is_not_sound_is_refused_without_showing_it(tmp_path: Path, wrong: dict[str, Any]) -> None:
    client = {"name": "PSI", "programs": ["cisco"], "redirect_uris": [BACK], "secrets": ["a" * 64]}
    path = tmp_path / "clients.json"
    path.write_text(json.dumps({"psi": client | wrong}))
    with pytest.raises(ValueError, match=r"clients\.json: psi") as told:
        read_clients(path)
    assert "plain-text-secret" not in str(told.value)
