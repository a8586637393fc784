"""Encrypts the fields that whoever reads a database must not read, with keys that can be changed while all runs.

Each value has a key of its own, which lies beside it, wrapped with one of ours (envelope encryption; RFC 7516,
`A256KW`). A value names the key that opens it, so old and new ones stand side by side while `resealing` moves them.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import SecretStr

from libs.common.errors import Unavailable
from libs.common.ids import new_id

FIRST: Final = "0"
"""The id of the key that follows from a secret which every service has; it seals until there is a file."""

SHORTEST: Final = 32
"""Characters of a key in a file."""

_MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a sealed value: as large as a document of the database."""


class _Registry(jwe.JWERegistry):
    max_ciphertext_length = _MOST_BYTES


_REGISTRY: Final = _Registry()

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


class FieldKeys:
    """Seals and opens values.

    Args:
        first: long and random; makes the key `0`.
        folder: where further keys lie, a file each, named by its id. The one whose name sorts last seals. They are
            read each time, so that a new one needs no restart.
    """

    def __init__(self, first: SecretStr, folder: Path | None = None) -> None:
        self._first = first
        self._folder = folder

    def current(self) -> str:
        """The id of the key that seals. Raises `Unavailable` where the folder cannot be read."""
        return max(self._names(), default=FIRST)

    def seal(self, place: str, plain: bytes) -> dict[str, str]:
        """A value as it is stored. It opens at this `place` (`collection.field`) alone.

        Raises:
            Unavailable: the key cannot be read.
        """
        key = self.current()
        header = {"alg": "A256KW", "enc": "A256GCM", "kid": key}
        # The id is for whoever replaces the value: it is another one each time.
        return {
            "key": key,
            "id": new_id(),
            "sealed": jwe.encrypt_compact(header, plain, self._key(key, place), registry=_REGISTRY),
        }

    def open(self, place: str, value: Any) -> bytes:
        """What was sealed; a value that has not been sealed yet as it is.

        Raises:
            Unavailable: its key is not there, or is another one than it was.
        """
        if not isinstance(value, Mapping):
            return bytes(value)
        key = str(value["key"])
        try:
            return jwe.decrypt_compact(str(value["sealed"]), self._key(key, place), registry=_REGISTRY).plaintext or b""
        except JoseError as error:
            raise Unavailable(f"{place} cannot be opened with the key {key}") from error

    def _key(self, key: str, place: str) -> OctKey:
        secret = self._first.get_secret_value() if key == FIRST else self._read(key)
        made = hmac.digest(secret.encode(), f"certrail field {place}".encode(), hashlib.sha256)
        return OctKey.import_key(made)

    def _read(self, key: str) -> str:
        if self._folder is None or not _ID.fullmatch(key):
            raise Unavailable(f"there is no key {key} in CERTRAIL_FIELD_KEYS_DIR")
        try:
            text = (self._folder / key).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable(f"the key {key} cannot be read: {type(error).__name__}") from error
        if len(text) < SHORTEST:
            raise Unavailable(f"the key {key} has less than {SHORTEST} characters")
        return text

    def _names(self) -> list[str]:
        if self._folder is None:
            return []
        try:
            return [path.name for path in self._folder.iterdir() if _ID.fullmatch(path.name) and path.is_file()]
        except OSError as error:
            raise Unavailable(f"CERTRAIL_FIELD_KEYS_DIR cannot be read: {type(error).__name__}") from error
