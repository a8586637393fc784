"""The credential baked into a PNG picture (Open Badges 3.0, 5.3.1): an iTXt chunk `openbadgecredential`."""

import zlib
from collections.abc import Iterator

from services.certs.verifying.found import MOST_TEXT_BYTES, UnreadableError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"openbadgecredential"

_TEXTS = frozenset({b"iTXt", b"tEXt", b"zTXt"})
_PLAIN, _DEFLATED = 0, 1
_LENGTH, _TYPE, _SUM = 4, 4, 4
_END = b"IEND"


def credential_in_png(content: bytes) -> str:
    """The text that was baked in. Raises `UnreadableError`, also where there are two: readers would differ."""
    baked = [(kind, data) for kind, data in _chunks(content) if kind in _TEXTS and _keyword(data) == KEYWORD]
    if len(baked) > 1:
        raise UnreadableError("several_credentials")
    if not baked or baked[0][0] != b"iTXt":
        raise UnreadableError("no_credential")
    return _international_text(baked[0][1])


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and data of every chunk (PNG, 5.3). The file must be whole: nothing missing, nothing behind its end."""
    at, kind = len(SIGNATURE), b""
    while kind != _END:
        length = int.from_bytes(content[at : at + _LENGTH])
        end = at + _LENGTH + _TYPE + length + _SUM
        if end > len(content):
            raise UnreadableError("damaged")
        kind = content[at + _LENGTH : at + _LENGTH + _TYPE]
        if zlib.crc32(content[at + _LENGTH : end - _SUM]) != int.from_bytes(content[end - _SUM : end]):
            raise UnreadableError("damaged")
        yield kind, content[at + _LENGTH + _TYPE : end - _SUM]
        at = end
    if at != len(content):
        raise UnreadableError("damaged")


def _keyword(data: bytes) -> bytes:
    return data.partition(b"\0")[0]


def _international_text(data: bytes) -> str:
    """The text of an iTXt chunk (PNG, 11.3.3.4)."""
    _keyword, _, rest = data.partition(b"\0")
    parts = rest[2:].split(b"\0", 2)
    if len(rest) < 2 or len(parts) != 3:  # noqa: PLR2004 flag and method; language, translated keyword, text
        raise UnreadableError("damaged")
    text = parts[2]
    if rest[0] == _DEFLATED:
        text = _inflated(text)
    elif rest[0] != _PLAIN:
        raise UnreadableError("damaged")
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise UnreadableError("damaged") from error


def _inflated(data: bytes) -> bytes:
    """What was compressed, as far as it stays small: a few bytes can stand for gigabytes."""
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(data, MOST_TEXT_BYTES + 1)
    except zlib.error as error:
        raise UnreadableError("damaged") from error
    if len(text) > MOST_TEXT_BYTES:
        raise UnreadableError("too_large")
    if not stream.eof:
        raise UnreadableError("damaged")
    return text
