"""Files of an export on their way over the bus: cut into pieces, each sealed for the one who asked.

All that is on the bus stays in the log for two weeks. So each export has a key pair of its own, and its private half is
destroyed when the archive is made: from then on nobody can read what the log keeps (RFC 7516; RFC 8037, 3.2).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import orjson
from joserfc import jwe
from joserfc.jwk import OKPKey

PIECE_BYTES = 45_000
"""Sealed and written in base64 a piece stays below the 64 KiB that libraries for JWE take by default."""

_SEALED = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}


class Piece(NamedTuple):
    """A part of a file, in its place among the others."""

    path: str
    content: bytes


def pieces(path: str, content: bytes) -> Iterator[Piece]:
    """A file cut up; an empty one is one empty piece."""
    for start in range(0, max(len(content), 1), PIECE_BYTES):
        yield Piece(path, content[start : start + PIECE_BYTES])


def joined(found: Iterable[Piece]) -> dict[str, bytes]:
    """The files of pieces that come in their order, by path."""
    files: dict[str, bytearray] = {}
    for piece in found:
        files.setdefault(piece.path, bytearray()).extend(piece.content)
    return {path: bytes(content) for path, content in files.items()}


def new_key() -> dict[str, str]:
    """A private key of one export, as a JWK (RFC 7517)."""
    return {name: str(value) for name, value in OKPKey.generate_key("X25519").as_dict(private=True).items()}


def public_part(private: Mapping[str, str]) -> str:
    """The half that everybody may know: the `x` of the JWK."""
    return private["x"]


def seal(piece: Piece, public: str) -> str:
    """A piece that only the holder of the private key can read, as a compact JWE. The path is sealed too."""
    key = OKPKey.import_key({"kty": "OKP", "crv": "X25519", "x": public})
    return jwe.encrypt_compact(_SEALED, orjson.dumps(piece.path) + b"\n" + piece.content, key)


def unseal(sealed: str, private: Mapping[str, str]) -> Piece:
    """The piece again.

    Raises:
        joserfc.errors.JoseError: it was sealed for another key, or changed.
    """
    found = jwe.decrypt_compact(sealed, OKPKey.import_key(dict(private)), algorithms=list(_SEALED.values()))
    path, _, content = (found.plaintext or b"").partition(b"\n")
    return Piece(orjson.loads(path), content)
