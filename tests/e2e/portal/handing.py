"""A platform whose candidates sign in at their program's provider and go on to a vendor signed in, and both of these.

The vendor lives under another name than ours, so that browsers take it for another site, and its login has an address
of its own, as large vendors have it: what a browser does with redirects between them is part of the walk.
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from shutil import copytree
from urllib.parse import urlencode

import aiohttp
import jwt
from aiohttp import web

from deploy.local.ports import free_ports
from deploy.local.settings import LOOPBACK
from libs.common.signed_forms import HAND_OVER, RETURN, Unsigned, read_keys, signed, verify
from tests.e2e.stage import Stage
from tests.servers import BrokerUnderTest, MongoUnderTest
from tests.service.node_provider import SECRET, NodeProvider, client

_CLIENT = "vue"
_KEY = f"first {'k' * 32}"
_CLIENT_SECRET = "of the vendor with us"


class HandingStage(Stage):
    """Candidates of cisco sign in at a provider and go on by a signed form, those of juniper by OpenID Connect."""

    def __init__(self, folder: Path, mongo: MongoUnderTest, broker: BrokerUnderTest) -> None:
        super().__init__(folder, mongo, broker)
        self.test_centre = TestCentre(self.public_url)
        returns = {"redirect_uris": [f"{self.public_url}/sign-in/cisco"]}
        self.provider = NodeProvider({"silent": {}}, clients=[client("cisco") | returns])
        self._openid_secrets, self._clients = folder / "openid-secrets.json", folder / "clients.json"
        self._openid_secrets.write_text(json.dumps({"cisco": SECRET}))
        self._clients.write_text(json.dumps({_CLIENT: self.test_centre.as_client()}))
        self._vendor_secrets = folder / "vendor-secrets"
        self._vendor_secrets.mkdir()
        (self._vendor_secrets / "vue-sign-on").write_text(f"{_KEY}\n")
        (self.vendors / "vue.yaml").write_text(self.test_centre.definition())
        self.programs = copytree(self.programs, folder / "programs")
        # Newcomers go where they want without completing a profile.
        juniper = self.programs / "juniper.yaml"
        before, _, after = juniper.read_text().partition("\nprofile:")
        juniper.write_text(f"{before}\n{after[after.index(chr(10) * 2) :]}")
        given = {"name": "Acme ID", "issuer": self.provider.issuer, "client_id": "certrail cisco", "system": "acmeid"}
        with (self.programs / "cisco.yaml").open("a") as definition:
            definition.write(f"\nsign_in:\n  openid: {json.dumps(given)}\n")

    def _environment(self, service: str, role: str, internal_port: int) -> dict[str, str]:
        environment = super()._environment(service, role, internal_port)
        if service == "identity":
            environment["CERTRAIL_OPENID_SECRETS_FILE"] = str(self._openid_secrets)
            environment["CERTRAIL_PROVIDER_CLIENTS_FILE"] = str(self._clients)
        if service == "exams":
            environment["CERTRAIL_VENDOR_SECRETS_DIR"] = str(self._vendor_secrets)
        return environment


class TestCentre:
    """The vendor's pages: where candidates come to, and where they are told who they are."""

    __test__ = False

    def __init__(self, our_url: str) -> None:
        door, desk = free_ports(2)
        self._ports = (door, desk)
        self._door, self._desk = (f"http://localhost:{port}" for port in self._ports)
        self._issuer = f"{our_url}/api/identity/v1/provider"
        self._begun: dict[str, tuple[str, str]] = {}
        self._seen: set[str] = set()

    def definition(self) -> str:
        """As an operator writes it."""
        return f"""
id: vue
name: Test Centres
programs: [cisco, juniper]
time_zone: UTC
sign_on:
  - kind: digest
    programs: [cisco]
    url: {self._door}/sign-on
    client: certrail
    secret: vue-sign-on
  - kind: openid
    programs: [juniper]
    url: {self._door}/begin?tenant=certrail
    client: {_CLIENT}
"""

    def as_client(self) -> dict[str, object]:
        """What identity knows of it."""
        return {
            "name": "Test Centres",
            "programs": ["juniper"],
            "redirect_uris": [f"{self._desk}/callback"],
            "scopes": ["openid", "profile", "email"],
            "secrets": [hashlib.sha256(_CLIENT_SECRET.encode()).hexdigest()],
        }

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        app = web.Application()
        app.add_routes(
            [
                web.post("/sign-on", self._take_form),
                web.get("/welcome", self._welcome),
                web.get("/begin", self._begin),
                web.get("/start", self._start),
                web.get("/callback", self._callback),
            ]
        )
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            for port in self._ports:
                await web.TCPSite(runner, LOOPBACK, port).start()
            yield
        finally:
            await runner.cleanup()

    async def _take_form(self, request: web.Request) -> web.Response:
        """A signed form, once."""
        fields = {name: str(value) for name, value in (await request.post()).items()}
        try:
            verify(HAND_OVER, fields, read_keys(_KEY))
        except Unsigned:
            return _page("We don't know who sends you.")
        if fields["nonce"] in self._seen:
            return _page("This sign-on was used before. Begin again where you came from.")
        self._seen.add(fields["nonce"])
        query = {"who": fields["candidate_id"], "back": fields["return_url"]}
        raise web.HTTPSeeOther(f"{self._desk}/welcome?{urlencode(query)}")

    async def _welcome(self, request: web.Request) -> web.Response:
        back = request.query["back"]
        said = {"status": "booked", "issued_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        fields = signed(RETURN, {"ticket": back.partition("ticket=")[2], **said}, read_keys(_KEY))
        fields.pop("ticket")
        done, forged = (f"{back}&{urlencode(said)}" for said in (fields, fields | {"status": "changed"}))
        return _page(f"Welcome {request.query['who']}", Done=done, Forged=forged)

    async def _begin(self, request: web.Request) -> web.Response:
        """A login that we begin (OpenID Connect Core 1.0, 4); the one who does it has an address of its own."""
        if request.query["iss"] != self._issuer or request.query.get("tenant") != "certrail":
            return _page("We don't know who sends you.")
        raise web.HTTPSeeOther(f"{self._desk}/start?{request.query_string}")

    async def _start(self, request: web.Request) -> web.Response:
        state, verifier = secrets.token_urlsafe(), secrets.token_urlsafe(32)
        self._begun[state] = (verifier, request.query["target_link_uri"])
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": _CLIENT,
            "redirect_uri": f"{self._desk}/callback",
            "scope": "openid email",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "login_hint": request.query["login_hint"],
        }
        raise web.HTTPSeeOther(f"{self._issuer}/authorize?{urlencode(asked)}")

    async def _callback(self, request: web.Request) -> web.Response:
        begun = self._begun.pop(request.query["state"], None)
        if begun is None:
            return _page("This login has ended. Begin again where you came from.")
        verifier, back = begun
        if "code" not in request.query:
            return _page(f"Not let in: {request.query['error']}. Begin again where you came from.")
        form = {
            "grant_type": "authorization_code",
            "code": request.query["code"],
            "redirect_uri": f"{self._desk}/callback",
            "code_verifier": verifier,
        }
        proof = {"Authorization": aiohttp.encode_basic_auth(_CLIENT, _CLIENT_SECRET)}
        async with (
            aiohttp.ClientSession(headers=proof) as session,
            session.post(f"{self._issuer}/token", data=form) as response,
        ):
            assert response.status == 200, await response.text()
            token = (await response.json())["id_token"]
        who = jwt.decode(token, options={"verify_signature": False})["sub"]
        return _page(f"Welcome {who}", Done=f"{back}&status=booked", Cut=f"{back[:-1]}&status=booked")


def _page(text: str, **links: str) -> web.Response:
    anchors = "".join(f'<p><a href="{escape(to)}">{name}</a></p>' for name, to in links.items())
    return web.Response(
        text=f"<!doctype html><title>Test Centres</title><h1>{text}</h1>{anchors}", content_type="text/html"
    )
