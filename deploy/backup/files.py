"""The files of a backup: documents as BSON one after another, compressed, and sealed where there is a key.

A sealed file is cut into blocks, each sealed by AES-256-GCM under a nonce of a random beginning, the block's number and
whether it is the last (the STREAM construction: Hoang, Reyhanitabar, Rogaway and Vizár, 2015). So no block can be
changed, moved or cut off, and neither side ever holds more than one of them.
"""

import gzip
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

from bson.raw_bson import RawBSONDocument
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from deploy.backup.errors import BackupError

Raw: TypeAlias = RawBSONDocument
"""A document as it came: it is written, and put back, byte for byte."""

BLOCK_BYTES = 1_048_576
_TAG_BYTES = 16
_PREFIX_BYTES = 7
_SIZE_BYTES = 4
_LARGEST_DOCUMENT = 16 * 1_048_576 + 16_384
"""What MongoDB takes at most, with its own allowance for what it adds."""
_QUICK = 1
"""Least compression: the database is faster than any other level."""


class Key:
    """What seals a backup, made of the content of a file: `openssl rand -base64 32` writes a good one."""

    LEAST_BYTES = 32

    def __init__(self, content: bytes) -> None:
        """Raises `BackupError` where it is too short to be random."""
        content = content.strip()
        if len(content) < self.LEAST_BYTES:
            raise BackupError(f"the key file has {len(content)} bytes, and a key has at least {self.LEAST_BYTES}")
        self._secret = hashlib.sha256(b"certrail backup" + content).digest()

    @property
    def name(self) -> str:
        """Tells one key from another, and nothing of it."""
        return hashlib.sha256(b"name" + self._secret).hexdigest()[:16]

    @property
    def cipher(self) -> AESGCM:
        return AESGCM(hashlib.sha256(b"files" + self._secret).digest())

    @property
    def seal(self) -> bytes:
        """What the catalogue's entries are sealed with."""
        return hashlib.sha256(b"entries" + self._secret).digest()


class Written:
    """A file that is being written: how many documents and bytes there are, and in the end its hash."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.documents = 0

    def add(self, raw: "bytes | memoryview[int]") -> None:
        """Add one document."""
        self._stream.write(raw)
        self.documents += 1


@contextmanager
def writing(path: Path, key: Key | None) -> Iterator[Written]:
    """A new file of documents, which is there whole once the block has ended, or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            sealing = _Sealing(file, key) if key else None
            # The time of day is no part of it: the same documents are the same bytes.
            with gzip.GzipFile(
                fileobj=cast("Any", sealing or file), mode="wb", compresslevel=_QUICK, mtime=0, filename=""
            ) as stream:
                yield Written(cast("IO[bytes]", stream))
            if sealing:
                sealing.finish()
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def reading(path: Path, key: Key | None) -> Iterator[Raw]:
    """The documents of a file, one by one.

    Raises:
        BackupError: it is no such file, was changed or cut off, or is sealed with another key.
    """
    if not path.stat().st_size:
        raise BackupError(f"{path} is cut off")
    with path.open("rb") as file:
        source = cast("Any", _Opening(file, key, path) if key else file)
        try:
            with gzip.GzipFile(fileobj=source, mode="rb") as stream:
                while head := stream.read(_SIZE_BYTES):
                    size = int.from_bytes(head, "little")
                    if not _SIZE_BYTES < size <= _LARGEST_DOCUMENT:
                        raise BackupError(f"{path} holds something that is no document")
                    raw = head + stream.read(size - _SIZE_BYTES)
                    if len(raw) < size:
                        raise BackupError(f"{path} ends in the middle of a document")
                    yield RawBSONDocument(raw)
        except (EOFError, gzip.BadGzipFile) as error:
            raise BackupError(f"{path} is cut off, or no file of a backup: {error}") from error


def hash_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Sealing:
    """Takes bytes and writes sealed blocks."""

    def __init__(self, file: IO[bytes], key: Key) -> None:
        self._file = file
        self._cipher = key.cipher
        self._prefix = secrets.token_bytes(_PREFIX_BYTES)
        self._number = 0
        self._waiting = bytearray()
        file.write(self._prefix)

    def write(self, data: bytes) -> int:
        self._waiting += data
        while len(self._waiting) > BLOCK_BYTES:
            self._block(bytes(self._waiting[:BLOCK_BYTES]), last=False)
            del self._waiting[:BLOCK_BYTES]
        return len(data)

    def flush(self) -> None:
        """A block is written when it is full."""

    def finish(self) -> None:
        self._block(bytes(self._waiting), last=True)

    def _block(self, data: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._prefix, self._number, last=last), data, None))
        self._number += 1


class _Opening:
    """Reads sealed blocks and gives their bytes."""

    def __init__(self, file: IO[bytes], key: Key, path: Path) -> None:
        self._file = file
        self._cipher = key.cipher
        self._path = path
        self._prefix = file.read(_PREFIX_BYTES)
        self._number = 0
        self._next = file.read(BLOCK_BYTES + _TAG_BYTES)
        if not self._next:  # the last block is there even when it is empty
            raise BackupError(f"{path} is cut off")
        self._open = b""

    def read(self, size: int = -1) -> bytes:
        while (size < 0 or len(self._open) < size) and self._next:
            block, self._next = self._next, self._file.read(BLOCK_BYTES + _TAG_BYTES)
            nonce = _nonce(self._prefix, self._number, last=not self._next)
            try:
                self._open += self._cipher.decrypt(nonce, block, None)
            except InvalidTag:
                raise BackupError(f"{self._path} was changed or cut off, or is sealed with another key") from None
            self._number += 1
        size = len(self._open) if size < 0 else size
        found, self._open = self._open[:size], self._open[size:]
        return found


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])
