"""Credentials within pictures (Open Badges 3.0, 5.3), and how they are found there. Pure.

What is baked in is ASCII: some readers take the text of a PNG for Latin-1. The signature is over the meaning of the
JSON, not over its bytes, so that it holds all the same.
"""

import json
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

KEYWORD = b"openbadgecredential"
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PLAIN = b"\0\0\0\0\0"
"""After the keyword: its end, no compression, no language, no translation."""
_OPENED = re.compile(r"<svg\b[^>]*>")


def ascii_json(document: bytes) -> str:
    """The same JSON in ASCII, which also stands in a CDATA section."""
    said: Any = json.loads(document)
    return json.dumps(said, ensure_ascii=True, separators=(",", ":")).replace("]]>", "]]\\u003e")


def baked_png(picture: bytes, document: bytes) -> bytes:
    """A PNG with a credential as its only text of that name. Raises `ValueError` for what is no PNG."""
    chunks = [each for each in _chunks(picture) if not _is_credential(*each)]
    text = _chunk(b"iTXt", KEYWORD + _PLAIN + ascii_json(document).encode())
    head, *rest = (_chunk(kind, content) for kind, content in chunks)
    return b"".join((_SIGNATURE, head, text, *rest))


def credentials_in_png(picture: bytes) -> list[bytes]:
    """Every credential that is baked into a PNG. Raises `ValueError` for what is no PNG."""
    return [
        content.removeprefix(KEYWORD + _PLAIN) for kind, content in _chunks(picture) if _is_credential(kind, content)
    ]


def baked_svg(picture: str, document: bytes) -> bytes:
    """An SVG with a credential as its first element. Raises `ValueError` where the picture has none to be first in."""
    opened = _OPENED.search(picture)
    if opened is None or opened[0].endswith("/>"):
        raise ValueError("no <svg> that something could be put into")
    head = opened[0][:-1] + f' xmlns:openbadges="{NAMESPACE}">'
    text = f"<openbadges:credential><![CDATA[{ascii_json(document)}]]></openbadges:credential>"
    return f"{picture[: opened.start()]}{head}{text}{picture[opened.end() :]}".encode()


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not picture.startswith(_SIGNATURE):
        raise ValueError("no PNG")
    at = len(_SIGNATURE)
    while at < len(picture):
        if at + 12 > len(picture):
            raise ValueError("a PNG that breaks off")
        length, kind = struct.unpack_from(">I4s", picture, at)
        if at + 12 + length > len(picture):
            raise ValueError("a PNG that breaks off")
        yield kind, picture[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(kind + content))


def _is_credential(kind: bytes, content: bytes) -> bool:
    return kind == b"iTXt" and content.startswith(KEYWORD + b"\0")
