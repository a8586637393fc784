"""Private keys as they lie in the database: encrypted JWKs (RFC 7517, 7), so that its readers can sign nothing."""

import hashlib
import json

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, OctKey

_HEADER = {"alg": "dir", "enc": "A256GCM", "cty": "jwk+json"}


class Sealing:
    """Encrypts and decrypts private keys.

    Args:
        secret: long and random, so that a plain hash makes a key of it.
    """

    def __init__(self, secret: str) -> None:
        self._key = OctKey.import_key(hashlib.sha256(b"certrail signing keys\n" + secret.encode()).digest())

    def seal(self, key: Key) -> str:
        return jwe.encrypt_compact(_HEADER, json.dumps(key.as_dict(private=True)).encode(), self._key)

    def open(self, sealed: str) -> Key:
        """The key. Raises `ValueError` where it was sealed with another secret."""
        try:
            plain = jwe.decrypt_compact(sealed, self._key).plaintext
        except JoseError as error:
            raise ValueError("a signing key was encrypted with another secret") from error
        return JWKRegistry.import_key(json.loads(plain or b""))
