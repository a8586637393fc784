"""The OAuth client of Authlib over our own way of asking other servers."""

import json
from base64 import b64encode
from collections.abc import MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus

import aiohttp
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.client import OAuth2Client

from libs.common.http.fetch import fetch

_BASIC = "client_secret_basic"
_POST = "client_secret_post"

SECONDS = 3.0
"""How long the provider may take for a code."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """A response in the form that Authlib reads."""

    status_code: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def raise_for_status(self) -> None:
        if self.status_code >= HTTPStatus.BAD_REQUEST:
            raise aiohttp.ClientError(f"the answer has the status {self.status_code}")


class Client(OAuth2Client):  # type: ignore[misc] # Authlib has no types
    """A confidential client that always sends PKCE with SHA-256 (RFC 7636)."""

    def __init__(self, *, client_id: str, secret: str, redirect_uri: str, scope: str, methods: list[str]) -> None:
        """`methods` are the ways to prove the client's secret that the provider knows."""
        method = _POST if _BASIC not in methods and _POST in methods else _BASIC
        super().__init__(
            None,
            client_id=client_id,
            client_secret=secret,
            token_endpoint_auth_method=method,
            scope=scope,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )
        self.register_client_auth_method((_BASIC, _basic))

    async def _fetch_token(self, url: str, body: str, headers: dict[str, str], auth: ClientAuth, method: str) -> Any:
        url, headers, body = auth.prepare(method, url, dict(headers), body)
        async with aiohttp.ClientSession() as session:
            answer = await fetch(session, method, url, seconds=SECONDS, headers=headers, body=body.encode())
        return self.parse_response_token(_Answer(answer.status, answer.body))


def _basic(
    client: ClientAuth, _method: str, uri: str, headers: MutableMapping[str, str], body: str
) -> tuple[str, MutableMapping[str, str], str]:
    """Id and secret are encoded as a form's values first (RFC 6749, 2.3.1), which Authlib leaves out."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return uri, headers, body
