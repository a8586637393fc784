"""A certified OpenID provider as a process, and a browser that signs in there."""

import asyncio
import json
import random
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import aiohttp
from joserfc.jwk import ECKey, RSAKey

from deploy.local.settings import LOOPBACK
from libs.common.programs import OpenIdProvider
from tests.nodes import PACKAGES

RETURN = "http://127.0.0.1:8080/sign-in"
SECRET = "with: +signs% that/forms change"
START_SECONDS = 60.0

_ACTION = re.compile(r'action="([^"]+)"')
_PROMPT = re.compile(r'name="prompt" value="(\w+)"')


def rsa(kid: str, algorithm: str = "RS256") -> dict[str, Any]:
    key = RSAKey.generate_key(2048, parameters={"kid": kid, "use": "sig", "alg": algorithm})
    return dict(key.as_dict(private=True))


def ec(kid: str) -> dict[str, Any]:
    return dict(
        ECKey.generate_key("P-256", parameters={"kid": kid, "use": "sig", "alg": "ES256"}).as_dict(private=True)
    )


def client(program: str, algorithm: str = "RS256", method: str = "client_secret_basic") -> dict[str, Any]:
    return {
        "client_id": f"certrail {program}",
        "client_secret": SECRET,
        "redirect_uris": [f"{RETURN}/{program}"],
        "token_endpoint_auth_method": method,
        "id_token_signed_response_alg": algorithm,
    }


def _free_port() -> int:
    """One from which the system makes no connections of its own: it must still be free at the next start."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) != 0:
                return port
    raise AssertionError("every port is taken")


@dataclass
class NodeProvider:
    """What the process is started with; a change counts from the next start on."""

    accounts: Mapping[str, Mapping[str, Any]]
    keys: list[dict[str, Any]] = field(default_factory=lambda: [rsa("k1")])
    clients: list[dict[str, Any]] = field(default_factory=lambda: [client("cisco"), client("juniper")])
    claims_in_token: bool = False
    port: int = field(default_factory=_free_port)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def given(self, program: str = "cisco", **changes: Any) -> OpenIdProvider:
        """How a program's definition names it."""
        fields: dict[str, Any] = {
            "name": "Acme ID",
            "issuer": self.issuer,
            "client_id": f"certrail {program}",
            "system": "acmeid",
            "scopes": ("openid", "email"),
            "second_factor": frozenset(),
        }
        return OpenIdProvider(**(fields | changes))

    @asynccontextmanager
    async def running(self) -> AsyncIterator["NodeProvider"]:
        settings = {
            "port": self.port,
            "clients": self.clients,
            "keys": self.keys,
            "accounts": self.accounts,
            "claimsInToken": self.claims_in_token,
        }
        process = await asyncio.create_subprocess_exec(
            "node",
            str(PACKAGES / "provider.mjs"),
            json.dumps(settings),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            async with asyncio.timeout(START_SECONDS):
                if (await process.stdout.readline()).decode().strip() != self.issuer:
                    raise AssertionError((await process.stderr.read()).decode())
            yield self
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


class Browser:
    """Keeps cookies, follows the provider's redirects, and fills in its forms."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def sign_in(self, url: str, account: str) -> dict[str, str]:
        """Sign in at the provider; returns what it sends back with."""
        for _ in range(20):
            if url.startswith(RETURN):
                return dict(parse_qsl(urlsplit(url).query))
            async with self._session.get(url, allow_redirects=False) as response:
                if response.status in {302, 303}:
                    url = urljoin(url, response.headers["Location"])
                    continue
                page = await response.text()
                assert response.status == 200, page
            action, prompt = _ACTION.search(page), _PROMPT.search(page)
            assert action is not None, page
            assert prompt is not None, page
            form = {"prompt": prompt[1], "login": account, "password": "any"}
            async with self._session.post(urljoin(url, action[1]), data=form, allow_redirects=False) as response:
                url = urljoin(url, response.headers["Location"])
        raise AssertionError("the provider sends the browser in circles")


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Browser(session)
