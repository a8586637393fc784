"""The platform's HTTP APIs as the operator: fetches an access token, and a new one before it runs out."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import aiohttp

from deploy.cli.access import Access
from deploy.cli.errors import CliError
from libs.common.clock import Clock, SystemClock

_CLIENT = "operator"
_TIMEOUT = aiohttp.ClientTimeout(total=30)
_UPLOAD_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
_BLOCK_BYTES = 262_144
_SPARE = timedelta(seconds=30)
"""A token is renewed this long before its end."""
_UNAUTHENTICATED = 401
_NOTHING = 204


class OperatorClient:
    """Asks the services' APIs."""

    def __init__(self, access: Access, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._access = access
        self._session = session
        self._clock = clock
        self._token: tuple[str, datetime] | None = None

    async def token(self) -> tuple[str, datetime]:
        """An access token and the moment it ends.

        Raises:
            CliError: identity refuses the operator's secret.
        """
        if self._token is None or self._clock.now() > self._token[1] - _SPARE:
            asked = {
                "grant_type": "client_credentials",
                "client_id": _CLIENT,
                "client_secret": self._access.operator_secret,
            }
            url = f"{self._access.api_url('identity')}/tokens"
            async with self._session.post(url, json=asked) as response:
                answer = await _content(response)
            ends = self._clock.now() + timedelta(seconds=answer["expires_in"])
            self._token = (answer["access_token"], ends)
        return self._token

    async def get(self, service: str, path: str, **query: str | int | list[str]) -> Any:
        """What a service answers.

        Raises:
            CliError: it answers with a problem; the message says which.
        """
        return await self._ask("GET", service, path, params=query)

    async def post(self, service: str, path: str, body: Mapping[str, Any], *, key: str) -> Any:
        """What a service answers to something to be done once; the same `key` again gets the same answer.

        Raises:
            CliError: it answers with a problem; the message says which.
        """
        return await self._ask("POST", service, path, json=body, headers={"Idempotency-Key": key})

    async def change(self, method: str, service: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What a service answers to a change that needs no key; None for nothing.

        Raises:
            CliError: it answers with a problem; the message says which.
        """
        content: dict[str, Any] = {} if body is None else {"json": body}
        return await self._ask(method, service, path, **content)

    async def upload(self, service: str, path: str, content: bytes, media_type: str, *, key: str, **query: str) -> Any:
        """What a service answers to a file; the same `key` again gets the same answer.

        Raises:
            CliError: it answers with a problem; the message says which.
        """
        headers = {"Idempotency-Key": key, "Content-Type": media_type}
        return await self._ask("POST", service, path, data=content, headers=headers, params=query)

    async def programs(self) -> list[str]:
        """The programs that the operator may enter, by the token itself."""
        token, _ = await self.token()
        claims = token.split(".")[1]
        found: list[str] = json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["programs"]
        return found

    async def download(self, service: str, path: str, target: BinaryIO) -> None:
        """Write the file that a service answers with.

        Raises:
            CliError: it answers with a problem; the message says which.
        """

        async def write(response: aiohttp.ClientResponse) -> None:
            if not response.ok:
                await _content(response)
            async for chunk in response.content.iter_any():
                target.write(chunk)

        await self._ask("GET", service, path, read=write)

    async def upload_file(
        self, service: str, path: str, file: Path, size: int, on_sent: Callable[[int], None], **query: str | int
    ) -> Any:
        """What a service answers to a file of `size` bytes, sent as it is read; `on_sent` hears of every block's.

        Raises:
            CliError: it answers with a problem; the message says which.
        """

        async def blocks() -> AsyncIterator[bytes]:
            with file.open("rb") as source:
                while block := await asyncio.to_thread(source.read, _BLOCK_BYTES):
                    yield block
                    on_sent(len(block))

        kind = {"Content-Type": "application/zip", "Content-Length": str(size)}
        return await self._ask(
            "POST", service, path, headers=kind, params=query, stream=blocks, timeout=_UPLOAD_TIMEOUT
        )

    async def _ask(
        self,
        method: str,
        service: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        read: Callable[[aiohttp.ClientResponse], Awaitable[Any]] | None = None,
        stream: Callable[[], AsyncIterator[bytes]] | None = None,
        **content: Any,
    ) -> Any:
        url = self._access.api_url(service) + path
        for repeated in (False, True):
            token, _ = await self.token()
            allowed = {"Authorization": f"Bearer {token}", **(headers or {})}
            if stream is not None:
                content["data"] = stream()
            async with self._session.request(method, url, headers=allowed, **content) as response:
                if response.status == _UNAUTHENTICATED and not repeated:
                    self._token = None  # signed with keys that are gone since
                    continue
                return await (read or _content)(response)
        raise AssertionError("the second answer is returned or raised")

    async def pages(self, service: str, path: str, **query: str | int) -> AsyncIterator[dict[str, Any]]:
        """The items of a list, page after page."""
        page = await self.get(service, path, **query)
        while True:
            for item in page["items"]:
                yield item
            if page["next"] is None:
                return
            page = await self.get(service, path, **{**query, "cursor": page["next"]})


@asynccontextmanager
async def operator_client(access: Access) -> AsyncIterator[OperatorClient]:
    """A client for the length of a command."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        yield OperatorClient(access, session, SystemClock())


async def _content(response: aiohttp.ClientResponse) -> Any:
    if response.status == _NOTHING:
        return None
    if response.ok:
        return await response.json()
    problem = await response.json() if "json" in response.content_type else {}
    words = ": ".join(str(problem[key]) for key in ("title", "detail") if problem.get(key))
    faults = [f"{fault.get('path')}: {fault.get('message')}" for fault in problem.get("errors", [])]
    what = "; ".join([words or (response.reason or "no reason given"), *faults])
    raise CliError(f"{response.url.path} answered {response.status}: {what}")
