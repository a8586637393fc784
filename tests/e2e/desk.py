"""The services' HTTP APIs as somebody with an access token sees them."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from tests.e2e.stage import Stage


class Desk:
    """Asks as one principal."""

    def __init__(self, stage: Stage, session: aiohttp.ClientSession, credentials: dict[str, str]) -> None:
        self._stage = stage
        self._session = session
        self._credentials = credentials
        self._token: str | None = None

    async def get(self, service: str, path: str, **query: str) -> Any:
        """What a service answers, which must be good."""
        status, answer = await self.ask(service, path, **query)
        assert status == 200, f"{service}{path}: {status} {answer}"
        return answer

    async def ask(self, service: str, path: str, **query: str) -> tuple[int, Any]:
        """Status and content of a service's answer."""
        if self._token is None:
            status, issued = await post(self._stage, self._session, "/tokens", self._credentials)
            assert status == 200, f"no token: {status} {issued}"
            self._token = issued["access_token"]
        headers = {"Authorization": f"Bearer {self._token}"}
        url = self._stage.api_url(service) + path
        async with self._session.get(url, params=query, headers=headers) as response:
            return response.status, await response.json()

    async def items(self, service: str, path: str, **query: str) -> AsyncIterator[dict[str, Any]]:
        """The items of a list, page after page."""
        page = await self.get(service, path, **query)
        while True:
            for item in page["items"]:
                yield item
            if page["next"] is None:
                return
            page = await self.get(service, path, **query, cursor=page["next"])


async def post(stage: Stage, session: aiohttp.ClientSession, path: str, body: dict[str, str]) -> tuple[int, Any]:
    """Status and content of identity's answer to somebody without a token."""
    async with session.post(stage.api_url("identity") + path, json=body) as response:
        return response.status, await response.json() if response.content_type.endswith("json") else None


def operator(stage: Stage, session: aiohttp.ClientSession) -> Desk:
    """The operator's desk."""
    secret = stage.operator_secret
    credentials = {"grant_type": "client_credentials", "client_id": "operator", "client_secret": secret}
    return Desk(stage, session, credentials)


def candidate(stage: Stage, session: aiohttp.ClientSession, *, login: str, password: str) -> Desk:
    """The desk of somebody who holds an account in the program `cisco`."""
    credentials = {"grant_type": "password", "program": "cisco", "login": login, "password": password}
    return Desk(stage, session, credentials)
