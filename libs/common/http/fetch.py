"""Asking another server for a small document: within a deadline, up to a size, and from nowhere but where we asked."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

MAX_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


async def fetch(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    seconds: float,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    most: int = MAX_BYTES,
) -> Fetched:
    """What a server answers. No redirect is followed.

    Raises:
        aiohttp.ClientError: it cannot be reached, does not speak HTTP, or says more than `most` bytes.
        TimeoutError: it takes longer than `seconds`.
    """
    async with (
        asyncio.timeout(seconds),
        session.request(method, url, headers=headers, data=body, allow_redirects=False) as response,
    ):
        document = bytearray()
        async for chunk in response.content.iter_any():
            document += chunk
            if len(document) > most:
                raise aiohttp.ClientPayloadError(f"the answer is larger than {most} bytes")
        return Fetched(response.status, bytes(document), response.headers)


async def fetch_document(session: aiohttp.ClientSession, url: str, *, seconds: float) -> bytes:
    """The body behind a URL. Raises as `fetch` does, and for every status but 200."""
    answer = await fetch(session, "GET", url, seconds=seconds)
    if answer.status != 200:  # noqa: PLR2004 OK
        raise aiohttp.ClientError(f"the answer has the status {answer.status}")
    return answer.body
