"""The same credential as a JSON Web Token, RS256 (Open Badges 3.0, 8.2; claims of VC Data Model 2.0 at the top).

For verifiers that take nothing else. The header has no key of its own: `kid` is the address of one.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from services.certs.signing.data_integrity import BadProof, Unsignable
from services.certs.signing.vocabulary import Json

ALGORITHM: Final = "RS256"


class _Rules(jws.JWSRegistry):
    """What a token may be: of a transcript it is long, and a header may well hold a key that is not looked at."""

    max_header_length = 8_192
    max_payload_length = 8 * 1024 * 1024


_RULES: Final = _Rules(algorithms=[ALGORITHM])
_REGISTERED: Final = ("iss", "jti", "sub", "nbf", "exp")


def sign_jwt(document: Json, key: RSAKey, *, kid: str) -> str:
    """A credential without proof as a token. Raises `Unsignable` where a claim cannot be made of it.

    Args:
        document: has `id`, `issuer` or `issuer.id`, `validFrom`, and `credentialSubject.id`.
        key: with its private part.
        kid: the address of the public part, a single JWK.
    """
    header = {"alg": ALGORITHM, "typ": "JWT", "kid": kid}
    try:
        claims = dict(_registered(document))
    except (KeyError, TypeError, ValueError) as error:
        raise Unsignable(f"a token needs id, issuer.id, credentialSubject.id and whole moments: {error}") from error
    return jws.serialize_compact(header, json.dumps(document | claims), key, registry=_RULES)


def header_of(token: str) -> Json:
    """What a token says of itself, unproved: its `kid` counts where the issuer publishes it. Raises `BadProof`."""
    try:
        return dict(jws.extract_compact(token.encode(), registry=_RULES).headers())
    except (JoseError, ValueError) as error:
        raise BadProof("not a signed token") from error


def verify_jwt(token: str, key: RSAKey) -> Json:
    """The credential of a token that this key has signed, whatever key its header names. Raises `BadProof`.

    Whether it is valid yet and still is for the caller to see, as with any credential.
    """
    try:
        payload = jws.deserialize_compact(token, key, registry=_RULES).payload
        claims = json.loads(payload)
    except (JoseError, ValueError) as error:
        raise BadProof("the signature is of another token or key") from error
    if not isinstance(claims, dict):
        raise BadProof("not a credential")
    document = {name: value for name, value in claims.items() if name not in _REGISTERED}
    try:
        expected = dict(_registered(document))
    except (KeyError, TypeError, ValueError) as error:
        raise BadProof("not a credential") from error
    if any(claims.get(name) != expected.get(name) for name in _REGISTERED):
        raise BadProof("its claims are not those of its credential")
    return document


def _registered(document: Json) -> Iterator[tuple[str, Any]]:
    """The claims of RFC 7519 that say the same as the credential."""
    issuer = document["issuer"]
    yield "iss", _text(issuer if isinstance(issuer, str) else issuer["id"])
    yield "jti", _text(document["id"])
    yield "sub", _text(document["credentialSubject"]["id"])
    yield "nbf", _seconds(document["validFrom"])
    if "validUntil" in document:
        yield "exp", _seconds(document["validUntil"])


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("not a text")
    return value


def _seconds(moment: str) -> int:
    read = datetime.fromisoformat(moment)
    if read.tzinfo is None or read.microsecond:
        raise ValueError("not in whole seconds")
    return int(read.timestamp())
