"""Finds the key that a signature names, only among what its issuer publishes (W3C Controlled Identifiers 1.0, 3.3)."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.certs.signing.multikey import read_multikey

Json = dict[str, Any]


def assertion_key(did_document: Json, issuer: str, method: object) -> Ed25519PublicKey | None:
    """The key of a verification method; None unless the issuer published it, as its own and for assertions.

    A key that a signature itself shows, in the fragment of its method's name or anywhere else, proves nothing.
    """
    if did_document["id"] != issuer or method not in did_document["assertionMethod"]:
        return None
    found = [each for each in did_document["verificationMethod"] if each["id"] == method]
    if len(found) != 1 or found[0]["controller"] != issuer or found[0]["type"] != "Multikey":
        return None
    return read_multikey(found[0]["publicKeyMultibase"])
