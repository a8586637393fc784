"""Secrets that must be read again as they lie in a database: encrypted (RFC 7516), so that its readers hold nothing."""

import hashlib

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey


class SecretBox:
    """Encrypts and decrypts with a key that the database does not have.

    Args:
        secret: long and random, so that a plain hash makes a key of it.
        purpose: what lies in this box; one secret makes another key for another purpose.
        content: the kind of what is encrypted (`cty`; RFC 7516, 4.1.12).
    """

    def __init__(self, secret: str, *, purpose: str, content: str | None = None) -> None:
        self._key = OctKey.import_key(hashlib.sha256(f"certrail {purpose}\n{secret}".encode()).digest())
        self._header = {"alg": "dir", "enc": "A256GCM", **({"cty": content} if content else {})}

    def seal(self, plain: bytes) -> str:
        return jwe.encrypt_compact(self._header, plain, self._key)

    def open(self, sealed: str) -> bytes:
        """What was sealed. Raises `ValueError` where that was with another secret or for another purpose."""
        try:
            return jwe.decrypt_compact(sealed, self._key).plaintext or b""
        except JoseError as error:
            raise ValueError("it was encrypted with another secret") from error
