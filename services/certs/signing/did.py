"""The DID document of an issuer (W3C DID Core 1.0; did:web)."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from services.certs.signing.keys import PublishedKey
from services.certs.signing.vocabulary import Json

CONTEXTS: Final = [
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/multikey/v1",
    "https://w3id.org/security/jwk/v1",
]
"""Without them JSON-LD verifiers do not see `assertionMethod`."""

LARGEST: Final = 8_192
"""Bytes that the resolver of a widespread library takes (npm `@digitalcredentials/did-method-web`)."""


def did_document(did: str, keys: Sequence[PublishedKey]) -> Json:
    """What an issuer's signatures are checked against; each key is listed for assertions.

    A key for tokens is found by its address, too, so where not all have room the oldest retired ones of these are left
    out, and none for proofs ever is.
    """
    retired = [key for key in keys if key.state == "retired"]
    others = [key for key in keys if key.state != "retired"]
    while retired and len(written(_document(did, keys, [*retired, *others]))) > LARGEST:
        retired = retired[1:]
    return _document(did, keys, [*retired, *others])


def written(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def public_jwk(key: PublishedKey) -> dict[str, Any]:
    """The RSA key of a pair, under the id by which tokens name it."""
    return {**key.rsa.as_dict(private=False), "kid": key.address, "alg": "RS256", "use": "sig"}


def _document(did: str, keys: Sequence[PublishedKey], tokens: Sequence[PublishedKey]) -> Json:
    methods = list(_methods(did, keys, tokens))
    return {
        "@context": CONTEXTS,
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def _methods(did: str, keys: Sequence[PublishedKey], tokens: Sequence[PublishedKey]) -> Iterator[Json]:
    for key in keys:
        yield {"id": key.verification_method, "type": "Multikey", "controller": did, "publicKeyMultibase": key.kid}
    for key in tokens:
        yield {
            "id": f"{key.verification_method}-rsa",
            "type": "JsonWebKey",
            "controller": did,
            "publicKeyJwk": public_jwk(key),
        }
