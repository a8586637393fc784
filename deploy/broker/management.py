"""RabbitMQ's management API, as far as setting up and watching Certrail's broker needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext, create_default_context
from typing import Any
from urllib.parse import quote

import aiohttp

from deploy.broker.definitions import VHOST, definitions, vendor_definitions

_TIMEOUT = aiohttp.ClientTimeout(total=60)


class ManagementError(Exception):
    """The management API refused or did not answer."""


@dataclass(frozen=True)
class Management:
    """The management API at `url` (`http://host:port`) for one account.

    `ca_file` holds the authorities that prove an `https:` one, where the system does not know them.
    """

    url: str
    user: str
    password: str
    ca_file: Path | None = None

    async def apply(self, vendors: Sequence[str], passwords: Mapping[str, str]) -> None:
        """Create or update everything in `definitions`. What exists and is not named there is left alone.

        Raises:
            ManagementError: the broker refuses, for instance because a queue exists with other arguments.
        """
        await self._request("POST", "/api/definitions", definitions(vendors, passwords))

    async def add_vendor(self, vendor: str, password: str) -> None:
        """Give one more vendor its account, its rights and its rejection queue.

        Raises:
            ManagementError: the broker refuses.
            ValueError: the name is unfit.
        """
        await self._request("POST", "/api/definitions", vendor_definitions(vendor, password))

    async def has_user(self, user: str) -> bool:
        """Whether there is an account of that name. Raises `ManagementError`."""
        return any(each["name"] == user for each in await self._request("GET", "/api/users"))

    async def remove_user(self, user: str) -> None:
        """Take an account away; its open connections are closed by the broker. Raises `ManagementError`."""
        await self._request("DELETE", f"/api/users/{quote(user, safe='')}")

    async def queue_lengths(self) -> dict[str, int]:
        """Messages by queue; the broker refreshes a quorum queue's figure every few seconds."""
        return await self._queue_figures("messages")

    async def unacknowledged(self) -> dict[str, int]:
        """Messages that a consumer has in hand, by queue, as old as `queue_lengths`."""
        return await self._queue_figures("messages_unacknowledged")

    async def _queue_figures(self, figure: str) -> dict[str, int]:
        query = "?disable_stats=true&enable_queue_totals=true"
        answer = await self._request("GET", f"/api/queues/{quote(VHOST, safe='')}{query}")
        return {str(queue["name"]): int(queue.get(figure, 0)) for queue in answer}

    async def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        auth = {"Authorization": aiohttp.encode_basic_auth(self.user, self.password)}
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT, headers=auth) as session,
                session.request(method, self.url + path, json=body, ssl=self._trust()) as response,
            ):
                if not response.ok:
                    raise ManagementError(f"{method} {path}: {response.status} {await response.text()}")
                return await response.json() if response.content_type == "application/json" else None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ManagementError(f"{method} {path} at {self.url}: {type(error).__name__} {error}") from error

    def _trust(self) -> SSLContext | bool:
        return create_default_context(cafile=self.ca_file) if self.ca_file else True
