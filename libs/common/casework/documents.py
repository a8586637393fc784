"""Makes uploaded documents harmless: images are drawn anew (`images`), PDF files with anything active are refused.

A check cannot prove a PDF harmless. It keeps out what needs no skill; what it lets through is only ever given as a file
to save, and deleted with the decision.
"""

import re
import zlib
from collections.abc import Iterator

MOST_INFLATED = 16 * 1024 * 1024
"""Bytes of a PDF's compressed structure that are looked at."""
MOST_STRUCTURES = 500
"""Compressed parts of that structure: each holds a hundred objects or so."""

_ACTIVE = re.compile(rb"/(Encrypt|JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA(?=[\s\[]))(?![A-Za-z0-9])")
"""Names too long to turn up by chance in the megabytes of a scanned page; a script needs `/JavaScript` beside `/JS`."""
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_DICTIONARY = 512
"""Bytes before a stream in which it says what it is."""
_TAIL = 1024
"""Bytes at the end in which readers look for the end marker (ISO 32000-1, annex H.3)."""


class UnfitFile(Exception):
    """The file is not taken; the message says why."""


def check_pdf(content: bytes) -> None:
    """Raises `UnfitFile` for a PDF that is cut off, encrypted, or has something in it that acts by itself."""
    if b"%%EOF" not in content[-_TAIL:]:
        raise UnfitFile("the PDF file is incomplete")
    for part in (content, *_structures(content)):
        found = _ACTIVE.search(_ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), part))
        if found:
            raise UnfitFile(f"a PDF file with /{found[1].decode()} is not taken; print it to a new one")


def _structures(content: bytes) -> Iterator[bytes]:
    """The object streams, inflated: objects that a search in the file does not see (ISO 32000-1, 7.5.7)."""
    begins = [
        match.end()
        for match in _STREAM.finditer(content)
        if b"/ObjStm" in content[max(0, match.start() - _DICTIONARY) : match.start()]
    ]
    if len(begins) > MOST_STRUCTURES:
        raise UnfitFile("the PDF file has too many parts")
    left = MOST_INFLATED
    for begin in begins:
        try:
            part = zlib.decompressobj().decompress(memoryview(content)[begin:], left)
        except zlib.error as error:
            raise UnfitFile("the PDF file is damaged") from error
        left -= len(part)
        if left <= 0:
            raise UnfitFile("the PDF file unpacks to too much")
        yield part
