"""The access token: a JWT (RFC 9068) whose claims are written and read here and nowhere else."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from joserfc import jwt
from joserfc.jwk import Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from pydantic import BaseModel, ConfigDict, Field, model_validator

from libs.common.events.types import Identifier, ProgramId
from libs.common.http.principal import Kind, Principal

AUDIENCE = "certrail"
TYPES = ("at+jwt", "application/at+jwt")
"""The `typ` of an access token (RFC 9068, 4): a token of another kind, signed by the same key, is none."""

LEEWAY_SECONDS = 30
"""Clocks differ; more would only keep dead tokens alive."""

_LATEST = 4_102_444_800  # the year 2100

_ED25519 = frozenset({"Ed25519", "EdDSA"})
_RS256 = frozenset({"RS256"})


class Algorithms(JWSRegistry):
    """The only signatures accepted. EdDSA, the name before RFC 9864, means Ed25519 here and nothing else."""

    algorithms = {  # noqa: RUF012 the base class declares it so
        "Ed25519": JWSRegistry.algorithms["Ed25519"],
        "EdDSA": JWSRegistry.algorithms["Ed25519"],
        "RS256": JWSRegistry.algorithms["RS256"],
    }


def algorithms_of(key: Key) -> frozenset[str]:
    """The algorithms that `key` may verify: a property of the key, never of the token."""
    if isinstance(key, OKPKey) and key.curve_name == "Ed25519":
        fitting = _ED25519
    elif isinstance(key, RSAKey):
        fitting = _RS256
    else:
        return frozenset()
    declared = key.get("alg")
    return fitting if declared is None or declared in fitting else frozenset()


def algorithm_of(key: Key) -> str:
    """What `key` signs with. Ed25519 goes by the name that it had before RFC 9864: PyJWT knows no other."""
    return "RS256" if isinstance(key, RSAKey) else "EdDSA"


class Claims(BaseModel):
    """The claims about the caller; `iss`, `aud` and the times are checked before."""

    model_config = ConfigDict(strict=True, extra="ignore")

    sub: Identifier
    kind: Literal["candidate", "staff", "system"]
    programs: Annotated[list[ProgramId], Field(max_length=100)]
    scope: str = ""
    candidate_id: Identifier | None = None
    sid: Identifier | None = None
    auth_time: Annotated[int | None, Field(ge=0, lt=_LATEST)] = None
    """Seconds since 1970, like `acr` a claim of RFC 9068, 2.2.1."""
    acr: Identifier | None = None

    @model_validator(mode="after")
    def _candidates_have_an_id(self) -> "Claims":
        if (self.kind == "candidate") != (self.candidate_id is not None):
            raise ValueError("candidates, and only they, have a candidate_id")
        return self

    def principal(self) -> Principal:
        return Principal(
            subject=self.sub,
            kind=Kind(self.kind),
            programs=frozenset(self.programs),
            scopes=frozenset(self.scope.split()),
            candidate_id=self.candidate_id,
            session_id=self.sid,
            authenticated_at=None if self.auth_time is None else datetime.fromtimestamp(self.auth_time, UTC),
            acr=self.acr,
        )


def sign(principal: Principal, key: Key, *, issuer: str, token_id: str, now: datetime, lifetime: timedelta) -> str:
    """An access token for `principal`, signed with a private key that has a `kid`."""
    issued = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": principal.subject,
        "jti": token_id,
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(lifetime.total_seconds()),
        "kind": principal.kind.value,
        "programs": sorted(principal.programs),
        "scope": " ".join(sorted(principal.scopes)),
    }
    since = principal.authenticated_at
    optional = {
        "candidate_id": principal.candidate_id,
        "sid": principal.session_id,
        "auth_time": None if since is None else int(since.timestamp()),
        "acr": principal.acr,
    }
    claims.update({name: value for name, value in optional.items() if value is not None})
    algorithm = algorithm_of(key)
    header = {"alg": algorithm, "kid": key.kid, "typ": TYPES[0]}
    return jwt.encode(header, claims, key, registry=Algorithms(algorithms=[algorithm]))
