"""Proofs inside a credential: Data Integrity with `eddsa-rdfc-2022` (W3C Data Integrity EdDSA Cryptosuites 1.0, 3.2).

Pure, and CPU-bound for milliseconds: not for the event loop; see `signer`.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.certs.signing.base58 import multibase, read_multibase
from services.certs.signing.canonical import Unsafe, canonical
from services.certs.signing.contexts import BUNDLED, Contexts
from services.certs.signing.lints import faults
from services.certs.signing.vocabulary import Json

SUITE: Final = "eddsa-rdfc-2022"
PURPOSE: Final = "assertionMethod"
_SIGNATURE_BYTES: Final = 64


class Unsignable(ValueError):
    """A document that some verifier would refuse, or understand otherwise than we do."""


class BadProof(ValueError):
    """A proof that does not prove the document."""


def sign(
    document: Json,
    key: Ed25519PrivateKey,
    *,
    verification_method: str,
    created: datetime,
    contexts: Contexts = BUNDLED,
) -> Json:
    """The document with its proof, the only one of an array. Nothing is signed where it raises `Unsignable`."""
    if wrong := list(faults(document)):
        raise Unsignable("; ".join(wrong))
    proof = {
        "type": "DataIntegrityProof",
        "created": _written(created),
        "verificationMethod": verification_method,
        "cryptosuite": SUITE,
        "proofPurpose": PURPOSE,
    }
    try:
        signature = key.sign(hashed(document, proof, contexts))
    except Unsafe as error:
        raise Unsignable(str(error)) from error
    return document | {"proof": [proof | {"proofValue": multibase(signature)}]}


def verify(document: Json, proof: Json, key: Ed25519PublicKey, *, contexts: Contexts = BUNDLED) -> None:
    """Check one proof of a document, with or without its proofs in it. Raises `BadProof`.

    Whose key it is, and what for, is the caller's to find out. What no context defines is refused, as it could have
    been added after signing.
    """
    expected = {"type": "DataIntegrityProof", "cryptosuite": SUITE, "proofPurpose": PURPOSE}
    for name, value in expected.items():
        if proof.get(name) != value:
            raise BadProof(f"{name} is not {value}")
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    if proof.get("@context", unsigned.get("@context")) != unsigned.get("@context"):
        raise BadProof("the proof has contexts of its own")
    config = {name: value for name, value in proof.items() if name != "proofValue"}
    try:
        signature = read_multibase(_text(proof.get("proofValue")), longest=_SIGNATURE_BYTES)
        key.verify(signature, hashed(unsigned, config, contexts))
    except InvalidSignature as error:
        raise BadProof("the signature is of another document or key") from error
    except ValueError as error:
        raise BadProof(str(error)) from error


def hashed(document: Json, config: Json, contexts: Contexts = BUNDLED) -> bytes:
    """What is signed: the hashes of the proof without its value and of the document (3.2.4). Raises `Unsafe`."""
    options = canonical({"@context": document.get("@context"), **config}, contexts)
    return hashlib.sha256(options).digest() + hashlib.sha256(canonical(document, contexts)).digest()


def _written(moment: datetime) -> str:
    if moment.microsecond:
        raise Unsignable("created: must be in whole seconds")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
