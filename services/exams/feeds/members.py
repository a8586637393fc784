"""Zips as vendors send them, opened with distrust: everything is counted before anything is believed.

Nothing is ever unpacked to a disk. All functions block; call them in a thread.
"""

import errno
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from services.exams.feeds.lines import BLOCK_BYTES, Line, split_lines

MOST_MEMBERS = 100
MOST_DIRECTORY_BYTES = 1_048_576
"""Of the list of members. It is read as a whole, and a file of some megabytes may hold a million empty members."""
MOST_RATIO = 200
"""Unpacked to packed. Rows of this form shrink to a tenth or so; deflate can do 1:1032, which only bombs need."""
RATIO_FROM = 1_048_576
"""Bytes unpacked from which on the ratio counts."""

_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED = 0x1
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_ALL_ONES = 0xFFFFFFFF


class RefusedError(Exception):
    """A file that cannot be taken as a whole.

    Attributes:
        code: a stable word.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Member:
    """One file in the zip.

    Attributes:
        index: its place among the members that hold rows, from 0.
        entry: its place among all entries of the zip.
        lines: how many it has, its header with them.
        written: when its vendor's clock says it was written, without zone; None where the zip does not say.
    """

    index: int
    entry: int
    name: str
    size: int
    lines: int
    written: tuple[int, int, int, int, int, int] | None


def examine(path: Path, most_bytes: int) -> list[Member]:
    """Read a file once from end to end, keeping nothing: its members, if all of it is sound.

    Args:
        path: the file.
        most_bytes: unpacked, all members together.

    Raises:
        RefusedError: it is no zip, or one that must not or cannot be read.
    """
    with path.open("rb") as file:
        _check_directory(file)
    with _opened(path) as archive:
        entries = archive.infolist()
        _check_declared(entries, path.stat().st_size, most_bytes)
        members: list[Member] = []
        left = most_bytes
        for place, entry in enumerate(entries):
            if entry.is_dir():
                continue
            size, lines = _counted(archive, entry, left)
            left -= size
            written = entry.date_time if entry.date_time[0] > 1980 else None  # noqa: PLR2004 DOS time begins there
            members.append(Member(len(members), place, entry.filename, size, lines, written))
    if not members:
        raise RefusedError("empty", "the zip has no members")
    return members


@contextmanager
def member_lines(path: Path, entry: int, *, number: int = 0, offset: int = 0) -> Iterator[Iterator[Line]]:
    """The lines of a member of an examined file, from the line after the `number`-th, which ends at `offset`."""
    with _opened(path) as archive, archive.open(archive.infolist()[entry]) as stream:
        left = offset
        while left and (block := stream.read(min(left, BLOCK_BYTES))):
            left -= len(block)
        yield split_lines(stream, number=number, offset=offset)


def header_of(path: Path, entry: int) -> bytes | None:
    """The first line of a member of an examined file; None where it is too long."""
    with member_lines(path, entry) as lines:
        first = next(lines, None)
    return first.content if first is not None else b""


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error) as error:
        raise RefusedError("damaged", f"the zip is cut off or damaged ({type(error).__name__})") from error
    except (NotImplementedError, ValueError, OverflowError) as error:
        raise RefusedError("damaged", "the zip uses something that is not read here") from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise RefusedError("damaged", "the zip is cut off: its members lie before its beginning") from error


def _check_directory(file: BinaryIO) -> None:
    """See that the list of members is of a sane size before the library reads it as a whole."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - 65_536))
    tail = file.read()
    at = len(tail) - _END.size
    if at < 0 or not (tail[at:].startswith(b"PK\5\6") and tail.endswith(b"\0\0")):
        at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > len(tail):
        raise RefusedError("not_a_zip", "this is no zip, or its end is missing")
    length = _END.unpack_from(tail, at)[5]
    if at >= _LOCATOR.size and tail[at - _LOCATOR.size :].startswith(b"PK\6\7"):
        where = _LOCATOR.unpack_from(tail, at - _LOCATOR.size)[2]
        file.seek(min(where, size))
        large = file.read(_END64.size)
        if len(large) == _END64.size and large.startswith(b"PK\6\6"):
            length = _END64.unpack(large)[8]
    elif length == _ALL_ONES:
        raise RefusedError("damaged", "the zip is cut off or damaged")
    if length > MOST_DIRECTORY_BYTES:
        raise RefusedError("too_many_members", f"the zip has more than {MOST_MEMBERS} members")


def _check_declared(entries: list[zipfile.ZipInfo], packed: int, most_bytes: int) -> None:
    """What can be seen without unpacking a byte."""
    if len(entries) > MOST_MEMBERS:
        raise RefusedError("too_many_members", f"the zip has more than {MOST_MEMBERS} members")
    for entry in entries:
        if not _is_plain(entry.orig_filename) or not _is_plain(entry.filename):
            raise RefusedError("member_name", "a member's name leads out of the zip or has control characters")
        if entry.flag_bits & _ENCRYPTED:
            raise RefusedError("encrypted", f"{entry.filename} is encrypted")
        if entry.compress_type not in _METHODS:
            raise RefusedError("compression", f"{entry.filename} is neither stored nor deflated")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > most_bytes:
        raise _too_large(most_bytes)
    if unpacked > RATIO_FROM and unpacked > MOST_RATIO * packed:
        raise _bomb()


def _is_plain(name: str) -> bool:
    parts = name.removesuffix("/").split("/")
    unsafe = name.startswith("/") or "\\" in name or ":" in name or not name.isprintable() or len(name) > 200  # noqa: PLR2004
    return not unsafe and all(part not in {"", ".", ".."} for part in parts)


def _counted(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> tuple[int, int]:
    """The true size and the lines of a member; the library checks its checksum at the end."""
    size, lines, last = 0, 0, b"\n"
    with archive.open(entry) as stream:
        while block := stream.read(BLOCK_BYTES):
            size += len(block)
            if size > left:
                raise _too_large(left)
            if size > RATIO_FROM and size > MOST_RATIO * max(entry.compress_size, 1):
                raise _bomb()
            crlf = block.count(b"\r\n") + (last == b"\r" and block.startswith(b"\n"))
            lines += block.count(b"\n") + block.count(b"\r") - crlf
            last = block[-1:]
    return size, lines + (last not in b"\r\n")


def _too_large(most: int) -> RefusedError:
    return RefusedError("unpacked_too_large", f"unpacked it would have more than {most} bytes")


def _bomb() -> RefusedError:
    return RefusedError("bomb", f"it unpacks to more than {MOST_RATIO} times its size, as no result file does")
