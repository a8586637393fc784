"""The keys that access tokens are checked with: fetched, kept, and kept on when they cannot be fetched."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Protocol

import aiohttp
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from pydantic import BaseModel, Field, ValidationError

from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.http.tokens import algorithms_of

FRESH = timedelta(minutes=10)
"""Age at which the keys are fetched again; a withdrawn key is honoured for no longer than this."""

USABLE = timedelta(hours=24)
"""Age up to which keys serve while they cannot be fetched: the issuer's outage must not become everyone's."""

RETRY = timedelta(seconds=10)
"""Least time between fetches, so that made-up key ids cannot turn us against the issuer."""

FIRST_RETRY = timedelta(seconds=1)
"""The same while there are no keys yet: at the start the issuer may come up after us."""

DEADLINE_SECONDS = 3.0
MAX_BYTES = 262_144
MAX_KEYS = 100

log = structlog.get_logger()


class KeySource(Protocol):
    """Where verification keys come from."""

    async def find(self, kid: str) -> Key | None:
        """The key of this id, or None if there is none. Raises `Unavailable` where that cannot be known."""
        ...


class StaticKeys:
    """Keys that are at hand, as in the service that issues the tokens."""

    def __init__(self, *keys: Key) -> None:
        self._keys = {key.kid: key for key in keys}

    async def find(self, kid: str) -> Key | None:
        return self._keys.get(kid)


class _Document(BaseModel):
    keys: list[dict[str, Any]] = Field(max_length=MAX_KEYS)


def read_keys(document: bytes) -> dict[str, Key]:
    """The usable keys of a JWK set by their ids; a key of another kind is passed over (RFC 7517, 5).

    Raises `pydantic.ValidationError` if the document is no JWK set.
    """
    keys: dict[str, Key] = {}
    for parameters in _Document.model_validate_json(document).keys:
        try:
            key = JWKRegistry.import_key(parameters)
        except (JoseError, ValueError, TypeError) as error:
            log.warning("jwks_key_passed_over", kid=str(parameters.get("kid"))[:128], cause=type(error).__name__)
            continue
        if parameters.get("use", "sig") == "sig" and algorithms_of(key) and key.kid:
            keys[key.kid] = key
    return keys


class RemoteKeys:
    """The keys published at a URL."""

    def __init__(self, url: str, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._url = url
        self._session = session
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._fetched: datetime | None = None
        self._tried: datetime | None = None
        self._fetching = asyncio.Lock()

    async def find(self, kid: str) -> Key | None:
        # Whoever finds the key need not wait for a fetch that somebody else has begun.
        if kid not in self._keys or not (self._is_younger(FRESH) or self._fetching.locked()):
            await self._refresh(kid)
        if not self._is_younger(USABLE):
            raise Unavailable("the keys that sign access tokens cannot be fetched")
        return self._keys.get(kid)

    async def _refresh(self, kid: str) -> None:
        async with self._fetching:
            now = self._clock.now()
            if self._is_younger(FRESH) and kid in self._keys:
                return  # somebody else fetched it while we waited
            pause = FIRST_RETRY if self._fetched is None else RETRY
            if self._tried is not None and now - self._tried < pause:
                return
            self._tried = now
            try:
                self._keys = await self._fetch()
                self._fetched = now
            except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
                log.warning("jwks_not_fetched", cause=type(error).__name__)

    async def _fetch(self) -> dict[str, Key]:
        async with (
            asyncio.timeout(DEADLINE_SECONDS),
            self._session.get(self._url, allow_redirects=False, raise_for_status=True) as response,
        ):
            document = bytearray()
            async for chunk in response.content.iter_any():
                document += chunk
                if len(document) > MAX_BYTES:
                    raise aiohttp.ClientPayloadError(f"the key set is larger than {MAX_BYTES} bytes")
            return read_keys(bytes(document))

    def _is_younger(self, age: timedelta) -> bool:
        return self._fetched is not None and self._clock.now() - self._fetched < age
