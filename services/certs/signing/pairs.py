"""The two keys that an issuer signs with at a time, Ed25519 for proofs and RSA for tokens, under one id."""

import json
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import RSAKey

from libs.common.sealing import SecretBox
from services.certs.signing.multikey import multikey

RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class Pair:
    """Private keys, as plain bytes: they go to the processes that sign.

    Attributes:
        ed25519: the 32 bytes of the key.
        rsa: a private JWK as JSON.
    """

    ed25519: bytes
    rsa: bytes

    @property
    def kid(self) -> str:
        """The public key of Ed25519 itself, so that an id can stand for no other key."""
        return multikey(Ed25519PrivateKey.from_private_bytes(self.ed25519).public_key())

    def public_rsa(self) -> dict[str, Any]:
        """The public JWK, without an id."""
        return dict(RSAKey.import_key(json.loads(self.rsa)).as_dict(private=False))


class SigningPair(NamedTuple):
    """What signs for a program now."""

    kid: str
    verification_method: str
    """What proofs name: the program's DID and the `kid`."""
    address: str
    """What tokens name as their `kid`: where the public RSA key is to be had."""
    pair: Pair


def new_pair() -> Pair:
    """CPU-bound for some tenths of a second."""
    rsa = RSAKey.generate_key(RSA_BITS, auto_kid=False).as_dict(private=True)
    return Pair(Ed25519PrivateKey.generate().private_bytes_raw(), json.dumps(rsa).encode())


class Sealing:
    """Private keys as they lie in the database: encrypted, so that its readers can sign nothing.

    Args:
        secret: long and random, so that a plain hash makes a key of it.
    """

    def __init__(self, secret: str) -> None:
        self._box = SecretBox(secret, purpose="credential keys", content="json")

    def seal(self, pair: Pair) -> str:
        return self._box.seal(json.dumps({"ed25519": pair.ed25519.hex(), "rsa": pair.rsa.decode()}).encode())

    def open(self, sealed: str) -> Pair:
        """The keys. Raises `ValueError` where they were sealed with another secret."""
        content = json.loads(self._box.open(sealed))
        return Pair(bytes.fromhex(content["ed25519"]), content["rsa"].encode())
