"""The keys that tokens are checked with: fetched, kept, and kept on when they cannot be fetched."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import aiohttp
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from pydantic import BaseModel, Field, ValidationError

from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.http.fetch import fetch_document
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
MAX_KEYS = 100

log = structlog.get_logger()

AlgorithmsOf = Callable[[Key], frozenset[str]]
"""Which algorithms a key may verify."""


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


def read_keys(document: bytes, algorithms: AlgorithmsOf = algorithms_of) -> dict[str, Key]:
    """The keys of a JWK set that are good for some algorithm, by their ids; others are passed over (RFC 7517, 5).

    Raises `pydantic.ValidationError` if the document is no JWK set.
    """
    keys: dict[str, Key] = {}
    for parameters in _Document.model_validate_json(document).keys:
        try:
            key = JWKRegistry.import_key(parameters)
        except (JoseError, ValueError, TypeError) as error:
            log.warning("jwks_key_passed_over", kid=str(parameters.get("kid"))[:128], cause=type(error).__name__)
            continue
        if parameters.get("use", "sig") == "sig" and algorithms(key) and key.kid:
            keys[key.kid] = key
    return keys


class FetchedKeys:
    """The keys of a document that is fetched when it is needed."""

    def __init__(
        self, fetch: Callable[[], Awaitable[bytes]], clock: Clock, algorithms: AlgorithmsOf = algorithms_of
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._algorithms = algorithms
        self._keys: dict[str, Key] = {}
        self._fetched: datetime | None = None
        self._tried: datetime | None = None
        self._fetching = asyncio.Lock()

    async def find(self, kid: str) -> Key | None:
        # Whoever finds the key need not wait for a fetch that somebody else has begun.
        if kid not in self._keys or not (self._is_younger(FRESH) or self._fetching.locked()):
            await self._refresh(kid)
        if not self._is_younger(USABLE):
            raise Unavailable("the keys that sign tokens cannot be fetched")
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
                self._keys = read_keys(await self._fetch(), self._algorithms)
                self._fetched = now
            except (aiohttp.ClientError, TimeoutError, ValidationError) as error:
                log.warning("jwks_not_fetched", cause=type(error).__name__)

    def _is_younger(self, age: timedelta) -> bool:
        return self._fetched is not None and self._clock.now() - self._fetched < age


class RemoteKeys(FetchedKeys):
    """The keys published at a URL."""

    def __init__(self, url: str, session: aiohttp.ClientSession, clock: Clock) -> None:
        super().__init__(partial(fetch_document, session, url, seconds=DEADLINE_SECONDS), clock)
