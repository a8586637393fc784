"""The bits of a status list (W3C Bitstring Status List 1.0). Pure."""

import base64
import gzip
from collections.abc import Iterable

LENGTH = 131_072
"""Bits of every list; the specification's least, so that one entry does not tell whose it is."""


def encoded(indexes: Iterable[int]) -> str:
    """`encodedList` with these bits set: multibase, base64url of the compressed bits; bit 0 is the leftmost.

    Raises:
        ValueError: an index is not one of the list.
    """
    bits = bytearray(LENGTH // 8)
    for index in indexes:
        if not 0 <= index < LENGTH:
            raise ValueError(f"{index} is no index of a list of {LENGTH} bits")
        bits[index // 8] |= 0x80 >> index % 8
    return "u" + base64.urlsafe_b64encode(gzip.compress(bytes(bits), mtime=0)).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bits of one of our own lists. Raises `ValueError` for anything else."""
    if not text.startswith("u"):
        raise ValueError("not base64url in multibase")
    try:
        bits = gzip.decompress(base64.urlsafe_b64decode(text[1:] + "=" * (-(len(text) - 1) % 4)))
    except (OSError, EOFError) as error:
        raise ValueError("not compressed bits") from error
    if len(bits) != LENGTH // 8:
        raise ValueError(f"not {LENGTH} bits")
    return bits


def is_set(bits: bytes, index: int) -> bool:
    return bool(bits[index // 8] & 0x80 >> index % 8)
