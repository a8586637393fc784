"""Access tokens are checked here, offline, and a checked one is remembered for a minute."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from pydantic import ValidationError

from libs.common.clock import Clock
from libs.common.http.jwks import KeySource
from libs.common.http.principal import Principal
from libs.common.http.problems import UNAUTHENTICATED, Problem
from libs.common.http.tokens import AUDIENCE, LEEWAY_SECONDS, TYPES, Algorithms, Claims, algorithms_of

REMEMBER_SECONDS = 60.0
"""A token outlives its revocation by at most this."""

REMEMBER_TOKENS = 10_000

_SCHEME = "bearer "


def _refused(reason: str) -> Problem:
    challenge = f'Bearer error="invalid_token", error_description="{reason}"'
    return Problem(UNAUTHENTICATED, reason, headers={"WWW-Authenticate": challenge})


def bearer_token(authorization: str | None) -> str:
    """The token of an `Authorization` header (RFC 6750, 2.1). Raises a problem if there is none."""
    if authorization is None or authorization[: len(_SCHEME)].lower() != _SCHEME:
        raise Problem(
            UNAUTHENTICATED,
            "send an access token: Authorization: Bearer …",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return authorization[len(_SCHEME) :]


@dataclass(frozen=True, slots=True)
class _Remembered:
    principal: Principal
    until: float


class TokenVerifier:
    """Tells who holds a token.

    Args:
        keys: where the verification keys come from.
        issuer: the only `iss` accepted.
        clock: tells what has expired.
        remember: how many verified tokens are remembered at most.
    """

    def __init__(self, keys: KeySource, issuer: str, clock: Clock, *, remember: int = REMEMBER_TOKENS) -> None:
        self._keys = keys
        self._clock = clock
        self._limit = remember
        self._remembered: dict[bytes, _Remembered] = {}
        self._rules = jwt.JWTClaimsRegistry(
            now=lambda: int(clock.now().timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def verify(self, authorization: str | None) -> Principal:
        """The holder of the token in an `Authorization` header.

        Raises the problem `unauthenticated` for anything but a valid token, and `Unavailable` if there are no
        keys to check it with.
        """
        token = bearer_token(authorization)
        digest = _digest(token)
        now = self._clock.now().timestamp()
        known = self._remembered.get(digest)
        if known is not None and now < known.until:
            return known.principal
        principal, expires = await self._check(token)
        self._remember(digest, _Remembered(principal, min(expires, now + REMEMBER_SECONDS)))
        return principal

    async def _check(self, token: str) -> tuple[Principal, float]:
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError, TypeError, AttributeError) as error:
            raise _refused("the token is not a signed JWT") from error
        claims = await self._verified_claims(token, header)
        try:
            self._rules.validate(claims)
            return Claims.model_validate(claims).principal(), float(claims["exp"])
        except JoseError as error:
            raise _refused(f"the claim is not acceptable: {error.description or error.error}") from error
        except (ValidationError, OverflowError) as error:
            raise _refused("the token lacks what an access token of Certrail says") from error

    async def _verified_claims(self, token: str, header: Mapping[str, Any]) -> dict[str, Any]:
        kid = header.get("kid")
        key = await self._keys.find(kid) if isinstance(kid, str) else None
        if key is None:
            raise _refused("no key has the id that the token names")
        if header.get("typ") not in TYPES:
            raise _refused("the token is not an access token")
        try:
            return jwt.decode(token, key, registry=Algorithms(algorithms=algorithms_of(key))).claims
        except (JoseError, ValueError, TypeError) as error:
            raise _refused("the signature is not acceptable") from error

    def _remember(self, digest: bytes, entry: _Remembered) -> None:
        self._remembered.pop(digest, None)  # so that it goes to the end, away from the next to be forgotten
        if len(self._remembered) >= self._limit:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = entry


def _digest(token: str) -> bytes:
    # The token itself is not kept: a memory dump must not hold what opens every account of the last minute.
    return hashlib.blake2b(token.encode("utf-8", "surrogateescape"), digest_size=16).digest()
