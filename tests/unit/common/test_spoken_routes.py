"""Which answers are in the reader's language: those that are only read, and by somebody who is known."""

from datetime import timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey

from libs.common.clock import SystemClock
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.models import View
from libs.common.http.principal import Kind, Principal
from libs.common.http.routes import ANY_CALLER, PUBLIC, Call, Route
from libs.common.http.server import Api, build_app
from libs.common.http.tokens import sign
from libs.common.languages import READER


class Heard(View):
    language: str


async def answer(_: Call) -> Heard:
    return Heard(language=READER.get().code)


def route(method: str, path: str, **more: object) -> Route[Heard]:
    fields = {"scopes": ANY_CALLER, "audited": False, "operation_id": path.strip("/"), **more}
    return Route(method=method, path=path, handler=answer, summary="Says", response=Heard, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "path", "language"),
    [
        ("GET", "/read", "es"),
        ("POST", "/ask", "es"),
        ("POST", "/change", "en"),
        ("GET", "/page", "en"),
    ],
)
async def test_what_is_kept_or_public_is_english(method: str, path: str, language: str) -> None:
    key = OKPKey.generate_key("Ed25519", {"kid": "k", "alg": "Ed25519"}, private=True)
    routes = (
        route("GET", "/read"),
        route("POST", "/ask", asks=True),
        route("POST", "/change"),
        route("GET", "/page", scopes=PUBLIC),
    )
    clock = SystemClock()
    api = Api(service="tongues", title="T", description="T", version="1", routes=routes)
    caller = Principal("staff:1", Kind.STAFF, frozenset({"cisco"}), frozenset())
    token = sign(caller, key, issuer="certrail", token_id="t", now=clock.now(), lifetime=timedelta(minutes=5))
    async with TestClient(TestServer(build_app(api, TokenVerifier(StaticKeys(key), "certrail", clock)))) as client:
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "es"}
        asked = [await client.request(method, f"/api/tongues/v1{path}", headers=headers) for _ in range(2)]
        plain = await client.get("/api/tongues/v1/read", headers={"Authorization": f"Bearer {token}"})
        assert [(one.status, (await one.json())["language"]) for one in asked] == [(200, language)] * 2
        assert (await plain.json())["language"] == "en", "the last request on the connection asked for another"
