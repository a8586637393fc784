"""A program's identity provider: where people are sent, and what a code that they bring back proves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp
import structlog
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.base import OAuth2Error
from authlib.oidc.discovery import get_well_known_url

from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.http.fetch import Fetched, fetch, fetch_document
from libs.common.http.jwks import DEADLINE_SECONDS, FetchedKeys
from libs.common.http.problems import Problem
from libs.common.programs import OpenIdProvider
from services.identity.login.sessions import FRESH
from services.identity.openid.client import Client
from services.identity.openid.id_token import (
    LEEWAY_SECONDS,
    Claims,
    Expected,
    Refused,
    algorithms_of,
    key_id,
    read_claims,
    verified_email,
)
from services.identity.openid.metadata import KnownMetadata, Metadata
from services.identity.openid.problems import SIGN_IN_REFUSED, provider_away

_TOO_MANY, _SERVER_ERROR = 429, 500
_SECONDS = 2.0
"""For a document. All waits of one request together stay below the time that a request has."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Secrets:
    """What ties the answer of a provider to the question, and to the browser that asked."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What a person's browser brings back from the provider."""

    code: str
    issuer: str | None
    """RFC 9207; None where the provider did not say."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """A person as the provider knows them."""

    claims: Claims
    access_token: str | None
    """Good for asking the provider for more."""


class Provider:
    """One provider as a program has configured it."""

    def __init__(self, given: OpenIdProvider, secret: str, redirect_uri: str, clock: Clock) -> None:
        self.given = given
        self._secret = secret
        self._redirect_uri = redirect_uri
        self._clock = clock
        url = get_well_known_url(given.issuer, external=True)
        self._metadata = KnownMetadata(partial(_document, url, _SECONDS), given.issuer, clock)
        self._keys = FetchedKeys(self._key_set, clock, algorithms_of)

    async def metadata(self) -> Metadata:
        """What it says about itself. Raises the problem `unavailable`."""
        return await self._metadata.get()

    async def authorization_url(self, secrets: Secrets, *, fresh: bool) -> str:
        """Where to send a person; `fresh` has the provider ask anew who they are.

        Raises the problem `unavailable`.
        """
        metadata = await self.metadata()
        more: dict[str, Any] = {"max_age": "0"} if fresh else {}
        url, _ = self._client(metadata).create_authorization_url(
            metadata.authorization_endpoint,
            state=secrets.state,
            code_verifier=secrets.verifier,
            nonce=secrets.nonce,
            **more,
        )
        return str(url)

    async def redeem(self, returned: Returned, secrets: Secrets, *, fresh: bool) -> Vouched:
        """Who a code is for.

        Raises the problems `sign-in-refused` and `unavailable`.
        """
        metadata = await self.metadata()
        try:
            self._check_sender(metadata, returned.issuer)
            token = await self._token(metadata, returned.code, secrets.verifier)
            claims = await self._claims(token, secrets.nonce)
            if fresh:
                self._check_fresh(claims)
        except Refused as error:
            log.warning("sign_in_refused", url_host=self.given.issuer, reason=str(error))
            raise Problem(SIGN_IN_REFUSED, "begin again") from error
        return Vouched(claims, _text(token, "access_token"))

    async def verified_email(self, vouched: Vouched) -> str | None:
        """The e-mail address that the provider vouches for, from the token or else from its own page about a person.

        Raises the problem `unavailable`.
        """
        url = (await self.metadata()).userinfo_endpoint
        if vouched.claims.email is not None or url is None or vouched.access_token is None:
            return vouched.claims.verified_email
        headers = {"Authorization": f"Bearer {vouched.access_token}"}
        try:
            async with aiohttp.ClientSession() as session:
                answer = await fetch(session, "GET", url, seconds=_SECONDS, headers=headers)
            said = _said(answer)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise provider_away("cannot be asked") from error
        # The page of another person must not count for this one (OpenID Connect Core 1.0, 5.3.2).
        if not isinstance(said, dict) or said.get("sub") != vouched.claims.sub:
            return None
        return verified_email(said.get("email"), said.get("email_verified"))

    def proves_second_factor(self, claims: Claims) -> bool:
        """Whether the provider says, in the program's own words for it, that it has asked for a second factor."""
        return not self.given.second_factor.isdisjoint({claims.acr, *claims.amr})

    async def logout_url(self) -> str | None:
        """Where a person ends the session at the provider; None where it has no such page."""
        url = (await self.metadata()).end_session_endpoint
        return None if url is None else str(add_params_to_uri(url, [("client_id", self.given.client_id)]))

    def _client(self, metadata: Metadata) -> Client:
        return Client(
            client_id=self.given.client_id,
            secret=self._secret,
            redirect_uri=self._redirect_uri,
            scope=" ".join(self.given.scopes),
            methods=metadata.token_endpoint_auth_methods_supported,
        )

    def _check_sender(self, metadata: Metadata, issuer: str | None) -> None:
        """Against answers of one provider that are passed off as another's (RFC 9207, 2.4)."""
        if issuer is None and metadata.authorization_response_iss_parameter_supported:
            raise Refused("the answer names no issuer")
        if issuer is not None and issuer != self.given.issuer:
            raise Refused("the answer is another issuer's")

    def _check_fresh(self, claims: Claims) -> None:
        oldest = self._clock.now() - FRESH - timedelta(seconds=LEEWAY_SECONDS)
        if claims.authenticated_at is None or claims.authenticated_at < oldest:
            raise Refused("the provider did not ask anew")

    async def _token(self, metadata: Metadata, code: str, verifier: str) -> Mapping[str, Any]:
        try:
            token: Mapping[str, Any] = await self._client(metadata).fetch_token(
                metadata.token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise provider_away("cannot be reached") from error
        except OAuth2Error as error:
            if error.error == "invalid_grant":
                raise Refused("the provider does not know the code") from error
            log.warning("provider_refuses_us", url_host=self.given.issuer, cause=type(error).__name__)
            raise provider_away("refuses our client") from error
        except (ValueError, TypeError) as error:
            raise Refused("the token endpoint says nothing that can be read") from error
        return token

    async def _claims(self, token: Mapping[str, Any], nonce: str) -> Claims:
        id_token = _text(token, "id_token")
        if id_token is None:
            raise Refused("there is no ID token")
        kid = key_id(id_token)
        try:
            key = await self._keys.find(kid)
        except Unavailable as error:
            raise provider_away("does not show its keys") from error
        if key is None:
            raise Refused("the provider has no such key")
        expected = Expected(self.given.issuer, self.given.client_id, nonce, _text(token, "access_token"))
        return read_claims(id_token, key, expected, self._clock.now())

    async def _key_set(self) -> bytes:
        return await _document((await self.metadata()).jwks_uri, DEADLINE_SECONDS)


def _said(answer: Fetched) -> Any:
    """The JSON of an answer, also of one that refuses. Raises where it is a failure of the provider's own."""
    if answer.status >= _SERVER_ERROR or answer.status == _TOO_MANY:
        raise aiohttp.ClientError(f"it answers with the status {answer.status}")
    return json.loads(answer.body)


async def _document(url: str, seconds: float) -> bytes:
    async with aiohttp.ClientSession() as session:
        return await fetch_document(session, url, seconds=seconds)


def _text(token: Mapping[str, Any], name: str) -> str | None:
    value = token.get(name)
    return value if isinstance(value, str) else None
