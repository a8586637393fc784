"""From the bytes of a member to its lines, however these end, with no more than one block in memory."""

import codecs
from collections.abc import Iterator
from typing import NamedTuple, Protocol

LONGEST_LINE = 16_384
"""Bytes. A row of the form has a few hundred; what has more is skipped up to the next line end and reported."""
BLOCK_BYTES = 262_144

UTF8_MARK = codecs.BOM_UTF8
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Stream(Protocol):
    """What is read from: a member of a zip."""

    def read(self, n: int, /) -> bytes: ...


class Line(NamedTuple):
    """One line without its end.

    Attributes:
        number: from 1, as an editor counts.
        content: None where it is longer than `LONGEST_LINE`.
        after: the bytes of the member up to and with this line's end: where to go on.
    """

    number: int
    content: bytes | None
    after: int


def split_lines(stream: Stream, *, number: int = 0, offset: int = 0) -> Iterator[Line]:
    """The lines of a stream; CR LF, LF and CR end one, also mixed. Another separator (form feed, NEL) does not.

    Args:
        stream: what comes after the first `offset` bytes.
        number: of the line before.
        offset: where the stream stands in its member.
    """
    rest = b""
    skipping = False
    while block := stream.read(BLOCK_BYTES):
        pieces = (rest + block).splitlines(keepends=True)
        # A CR at the end may be half a CR LF; a piece without an end goes on in the next block.
        rest = pieces.pop() if not pieces[-1].endswith(b"\n") else b""
        for piece in pieces:
            number, offset = number + 1, offset + len(piece)
            yield Line(number, None if skipping else _content(piece), offset)
            skipping = False
        if len(rest) > LONGEST_LINE + 1 and not rest.endswith(b"\r"):
            offset, rest, skipping = offset + len(rest), b"", True
    if rest or skipping:
        yield Line(number + 1, None if skipping else _content(rest), offset + len(rest))


def _content(piece: bytes) -> bytes | None:
    content = piece.rstrip(b"\r\n") if piece.endswith((b"\n", b"\r")) else piece
    return content if len(content) <= LONGEST_LINE else None


def encoding_of(first: bytes) -> str | None:
    """The encoding by the first line of a member, CP-1252 unless a mark says UTF-8; None for UTF-16, which is none."""
    if first.startswith(_UTF16_MARKS):
        return None
    return "utf-8" if first.startswith(UTF8_MARK) else "cp1252"
