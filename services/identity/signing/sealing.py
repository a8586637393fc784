"""Private keys as they lie in the database: encrypted JWKs (RFC 7517, 7), so that its readers can sign nothing."""

import json

from joserfc.jwk import JWKRegistry, Key

from libs.common.sealing import SecretBox


class Sealing:
    """Encrypts and decrypts private keys.

    Args:
        secret: long and random, so that a plain hash makes a key of it.
    """

    def __init__(self, secret: str) -> None:
        self._box = SecretBox(secret, purpose="signing keys", content="jwk+json")

    def seal(self, key: Key) -> str:
        return self._box.seal(json.dumps(key.as_dict(private=True)).encode())

    def open(self, sealed: str) -> Key:
        """The key. Raises `ValueError` where it was sealed with another secret."""
        return JWKRegistry.import_key(json.loads(self._box.open(sealed)))
