"""The ID token: which signatures count, and what must be said in it and to whom (OpenID Connect Core 1.0, 3.1.3.7)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey
from joserfc.jws import JWSRegistry
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from libs.common.events.types import EmailAddress

LEEWAY_SECONDS = 60
"""Clocks of two companies differ by more than those of one."""

_LATEST = 4_102_444_800  # the year 2100
_MOST_HEADER_BYTES = 4096

_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES = {"P-256": frozenset({"ES256"}), "P-384": frozenset({"ES384"}), "P-521": frozenset({"ES512"})}
_EMAIL = TypeAdapter(EmailAddress)


class Refused(Exception):
    """A token proves nothing; the text says which check failed, and nothing about a person."""


def algorithms_of(key: Key) -> frozenset[str]:
    """The algorithms that a provider's key may verify: a property of the key, never of the token.

    Neither `none` nor a symmetric one is ever among them, so no public key can be taken for a shared secret.
    """
    fitting = _RSA if isinstance(key, RSAKey) else frozenset()
    if isinstance(key, ECKey):
        fitting = _CURVES.get(key.curve_name, frozenset())
    declared = key.get("alg")
    return fitting if declared is None else fitting & {declared}


class Claims(BaseModel):
    """What a token says about a person, once it is known to be the provider's word to us."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    sub: Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,255}$")]
    auth_time: Annotated[float | None, Field(ge=0, lt=_LATEST)] = None
    acr: str | None = None
    amr: list[str] = Field(default=[])
    email: Any = None
    email_verified: Any = None

    @property
    def authenticated_at(self) -> datetime | None:
        """When the person last proved to the provider who they are; None where it does not say."""
        return None if self.auth_time is None else datetime.fromtimestamp(self.auth_time, UTC)

    @property
    def verified_email(self) -> str | None:
        """An address that the provider vouches for, in so many words: `true`, not "true"."""
        return verified_email(self.email, self.email_verified)


def verified_email(email: object, verified: object) -> str | None:
    """The address where it is one, and was verified."""
    if verified is not True or not isinstance(email, str) or not email.isprintable():
        return None
    try:
        return _EMAIL.validate_python(email)
    except ValidationError:
        return None


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say to count."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None
    """Where the token names the hash of one, of this."""


def key_id(token: str) -> str:
    """The id of the key that a token says it was signed with. Raises `Refused`."""
    try:
        kid = jws.extract_compact(token.encode(), registry=_registry("RS256")).headers().get("kid")
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise Refused("not a token") from error
    if not isinstance(kid, str):
        raise Refused("names no key")
    return kid


def read_claims(token: str, key: Key, expected: Expected, now: datetime) -> Claims:
    """What a token says that a key verifies. Raises `Refused`."""
    algorithms = algorithms_of(key)
    if not algorithms:
        raise Refused("signed by a key of another kind")
    try:
        read = jwt.decode(token, key, registry=_registry(*algorithms))
        claims = CodeIDToken(
            read.claims,
            read.header,
            {
                "iss": {"essential": True, "value": expected.issuer},
                "aud": {"essential": True, "value": expected.client_id},
            },
            {"client_id": expected.client_id, "nonce": expected.nonce, "access_token": expected.access_token},
        )
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
        return Claims.model_validate(read.claims)
    except JoseError as error:
        raise Refused(f"{error.error}: {getattr(error, 'claim', '')}".rstrip(": ")) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise Refused("ill-formed claims") from error


def _registry(*algorithms: str) -> JWSRegistry:
    registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
    registry.max_header_length = _MOST_HEADER_BYTES
    return registry
