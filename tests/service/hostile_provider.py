"""A provider at the wire that says whatever a test has it say."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc.jwk import Key, RSAKey
from joserfc.jws import JWSRegistry

from libs.common.programs import OpenIdProvider

CLIENT = "certrail"


@cache
def key(kid: str) -> Key:
    """Made once for all tests: a key takes its time."""
    return RSAKey.generate_key(2048, parameters={"kid": kid})


@dataclass
class HostileProvider:
    """What it publishes, what it says in a token, and who asked."""

    key: Key = field(default_factory=lambda: key("k1"))
    issuer: str = ""
    document: dict[str, Any] = field(default_factory=dict)
    """Changes to its description of itself."""
    claims: dict[str, Any] = field(default_factory=dict)
    """Changes to what a token says; None leaves a claim out."""
    header: dict[str, Any] = field(default_factory=dict)
    signed_by: Key | None = None
    shared: bytes = b""
    """What a symmetric algorithm signs with."""
    answer: Callable[[str], web.Response] | None = None
    """In place of the token endpoint's answer, from the token that it would give."""
    person: dict[str, Any] = field(default_factory=dict)
    """What its page about a person says."""
    person_status: int = 200
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    nonce: str = ""

    def given(self) -> OpenIdProvider:
        return OpenIdProvider("Evil ID", self.issuer, CLIENT, "evilid", ("openid", "email"), frozenset({"mfa"}))

    def visited(self, authorization_url: str) -> dict[str, str]:
        """What a browser brings back after it was sent here."""
        asked = dict(parse_qsl(urlsplit(authorization_url).query))
        self.nonce = asked["nonce"]
        return {"code": "any", "state": asked["state"], "iss": self.issuer}

    def token(self) -> str:
        now = int(datetime.now(UTC).timestamp())
        said = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "eve",
            "nonce": self.nonce,
            "iat": now,
            "exp": now + 300,
            "email": "p1@example.com",
            "email_verified": True,
        } | self.claims
        header = {"alg": "RS256", "kid": "k1"} | self.header
        parts = [{name: value for name, value in part.items() if value is not None} for part in (header, said)]
        return self._signed(".".join(_encoded(json.dumps(part).encode()) for part in parts), header["alg"])

    def _signed(self, said: str, algorithm: str) -> str:
        """By hand: no library signs what nobody should."""
        if algorithm == "none":
            return f"{said}."
        if algorithm == "HS256":
            return f"{said}.{_encoded(hmac.digest(self.shared, said.encode(), 'sha256'))}"
        signature = JWSRegistry.algorithms[algorithm].sign(said.encode(), self.signed_by or self.key)
        return f"{said}.{_encoded(signature)}"

    async def _describe(self, _request: web.Request) -> web.Response:
        self.asked.append("metadata")
        own = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/me",
            "authorization_response_iss_parameter_supported": True,
        }
        return web.json_response(own | self.document)

    async def _keys(self, _request: web.Request) -> web.Response:
        self.asked.append("keys")
        return web.json_response({"keys": [self.key.as_dict(private=False)]})

    async def _token(self, request: web.Request) -> web.Response:
        self.asked.append("token")
        self.forms.append({name: str(value) for name, value in (await request.post()).items()})
        token = self.token()
        if self.answer is not None:
            return self.answer(token)
        return web.json_response({"access_token": "a", "token_type": "Bearer", "id_token": token})

    async def _person(self, request: web.Request) -> web.Response:
        self.asked.append("person")
        assert request.headers["Authorization"] == "Bearer a"
        return web.Response(body=json.dumps(self.person), content_type="application/json", status=self.person_status)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["HostileProvider"]:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._describe)
        app.router.add_get("/jwks", self._keys)
        app.router.add_post("/token", self._token)
        app.router.add_get("/me", self._person)
        async with TestServer(app) as server:
            self.issuer = str(server.make_url("")).rstrip("/")
            yield self


def _encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()
