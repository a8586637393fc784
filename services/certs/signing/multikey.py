"""Public keys of Ed25519 as a word of text: `z6Mk…` (W3C Controlled Identifiers 1.0, 2.2.2)."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.certs.signing.base58 import multibase, read_multibase

_ED25519: Final = b"\xed\x01"
_KEY_BYTES: Final = 32


def multikey(key: Ed25519PublicKey) -> str:
    return multibase(_ED25519 + key.public_bytes_raw())


def read_multikey(text: str) -> Ed25519PublicKey:
    """The key that `multikey` has written. Raises `ValueError` for any other text."""
    content = read_multibase(text, longest=len(_ED25519) + _KEY_BYTES)
    if not content.startswith(_ED25519):
        raise ValueError("not a key of Ed25519")
    return Ed25519PublicKey.from_public_bytes(content.removeprefix(_ED25519))
