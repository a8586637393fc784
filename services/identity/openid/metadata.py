"""What a provider says about itself: read, held against what is configured, and kept for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import aiohttp
import structlog
from pydantic import BaseModel, ConfigDict, Field

from libs.common.clock import Clock
from libs.common.programs.sign_in_shape import is_loopback, is_safe_url
from services.identity.openid.problems import provider_away

FRESH = timedelta(hours=1)
"""Age at which the document is fetched again."""

USABLE = timedelta(hours=24)
"""Age up to which it serves while it cannot be fetched."""

RETRY = timedelta(seconds=5)
"""Least time between fetches: a provider that is down is not asked by everybody who wants to sign in."""

log = structlog.get_logger()


class Metadata(BaseModel):
    """What we use of a provider's document (OpenID Connect Discovery 1.0, 3)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] = Field(default=["client_secret_basic"])
    authorization_response_iss_parameter_supported: bool = False


def read_metadata(document: bytes, issuer: str) -> Metadata:
    """A provider's document.

    Raises `ValueError` where it is none, is another issuer's, or names an address that others could listen at. Only
    a provider on this machine may name plain addresses of this machine.
    """
    metadata = Metadata.model_validate_json(document)
    if metadata.issuer != issuer:
        raise ValueError("the document is of another issuer")
    endpoints = (
        metadata.authorization_endpoint,
        metadata.token_endpoint,
        metadata.jwks_uri,
        metadata.userinfo_endpoint,
        metadata.end_session_endpoint,
    )
    for url in endpoints:
        if url is not None and (not is_safe_url(url) or (is_loopback(url) and not is_loopback(issuer))):
            raise ValueError("an endpoint is neither https nor on the provider's own machine")
    return metadata


class KnownMetadata:
    """A provider's document, fetched seldom, and kept on while it cannot be fetched."""

    def __init__(self, fetch: Callable[[], Awaitable[bytes]], issuer: str, clock: Clock) -> None:
        self._fetch = fetch
        self._issuer = issuer
        self._clock = clock
        self._known: Metadata | None = None
        self._fetched: datetime | None = None
        self._tried: datetime | None = None
        self._fetching = asyncio.Lock()

    async def get(self) -> Metadata:
        """Raises the problem `unavailable` where there is none that can be used."""
        if self._fetched is None or self._age(self._fetched) >= FRESH:
            await self._refresh()
        if self._known is None or self._fetched is None or self._age(self._fetched) >= USABLE:
            raise provider_away("cannot be reached")
        return self._known

    async def _refresh(self) -> None:
        async with self._fetching:
            # Whoever waited for another's fetch finds that it was tried a moment ago.
            if self._tried is not None and self._age(self._tried) < RETRY:
                return
            self._tried = self._clock.now()
            try:
                self._known = read_metadata(await self._fetch(), self._issuer)
                self._fetched = self._tried
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                log.warning("provider_metadata_not_read", url_host=self._issuer, cause=type(error).__name__)

    def _age(self, moment: datetime) -> timedelta:
        return self._clock.now() - moment
