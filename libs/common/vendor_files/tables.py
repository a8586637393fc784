"""Tab-separated files as test vendors read and write them. Pure."""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

from libs.common.vendor_files.definition import Confirmations

MOST_UNZIPPED = 64 * 1024 * 1024
"""Bytes; an answer is never so long."""
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_NOTHING_TO_SAY = frozenset({"", "ok", "success"})
_MOST_TEXT = 500


def table(columns: Sequence[str], rows: Iterable[Mapping[str, str]], letters: str) -> bytes:
    """A file: a header line, then a line for each row, with tabs between and CR LF at the end of each.

    Raises:
        UnicodeEncodeError: a value has a letter that does not fit; lines are checked before.
        ValueError: a value has a tab or a line break.
    """
    lines = ["\t".join(columns)]
    for row in rows:
        values = [row.get(column, "") for column in columns]
        if any("\t" in value or "\n" in value or "\r" in value for value in values):
            raise ValueError("a value would end its column")
        lines.append("\t".join(values))
    return "".join(f"{line}\r\n" for line in lines).encode(letters)


def zipped(name: str, content: bytes) -> bytes:
    """An archive of one file, the same bytes each time."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, _EARLIEST), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a vendor says of one record.

    Attributes:
        line: of the confirmation, from 1.
        text: a warning where it was accepted, the reason where it was refused; empty where nothing is said.
    """

    line: int
    record: str
    accepted: bool
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A line of a confirmation that says nothing we could use. Line 0 is the file as a whole."""

    line: int
    record: str | None
    code: Literal["unreadable", "no_record", "unknown_status", "unknown_record"]


_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError),
    *(ValueError, NotImplementedError, RuntimeError),  # letters; packed in a way that is not read, or encrypted
)


def read_confirmation(content: bytes, record_column: str, spec: Confirmations, letters: str) -> list[Answer | Fault]:
    """What a confirmation says, line by line; columns by their names, in any order, those unknown left alone.

    `record_column` names a record of ours. It may be zipped; then its first member counts.
    """
    try:
        text = _unzipped(content).decode(letters)
    except _UNREADABLE:
        return [Fault(0, None, "unreadable")]
    lines = [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]
    header = [name.strip().lower() for name in lines[0].split("\t")] if lines else []
    wanted = (record_column.lower(), "status")
    if any(name not in header for name in wanted):
        return [Fault(0, None, "unreadable")]
    return [
        _answer(number, dict(zip(header, line.split("\t"), strict=False)), wanted[0], spec)
        for number, line in enumerate(lines[1:], start=2)
        if line.strip()
    ]


def _answer(number: int, row: Mapping[str, str], record_column: str, spec: Confirmations) -> Answer | Fault:
    record = row.get(record_column, "").strip()
    if not record or not record.isascii() or len(record) > 100:  # noqa: PLR2004 no record of ours is longer
        return Fault(number, None, "no_record")
    status = row.get("status", "").strip().lower()
    text = row.get("message", "").strip()
    if status in {word.lower() for word in spec.accepted}:
        return Answer(number, record, accepted=True, text="" if text.lower() in _NOTHING_TO_SAY else text[:_MOST_TEXT])
    if status in {word.lower() for word in spec.refused}:
        return Answer(number, record, accepted=False, text=text[:_MOST_TEXT])
    return Fault(number, record, "unknown_status")


def _unzipped(content: bytes) -> bytes:
    if not content.startswith(b"PK\x03\x04"):
        return content
    with zipfile.ZipFile(BytesIO(content)) as archive:
        members = [one for one in archive.infolist() if not one.is_dir()]
        if not members or members[0].file_size > MOST_UNZIPPED:
            raise zipfile.BadZipFile("no member, or too large")
        return archive.read(members[0])
