"""A file's rows in batches, read on from any position. All of it blocks; an import reads in a thread."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.exams.feeds.members import Member, header_of, member_lines
from services.exams.feeds.rows import BadRow, GoodRow, HeaderError, Sheet

ROWS = 500
"""In one transaction: enough that its commit costs little a row, few enough that it ends in a fraction of a second."""

OpenSheet = Callable[[bytes | None], Sheet]
"""Raises `HeaderError`."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file has been read: so many lines of a member, which end at this byte of it."""

    member: int = 0
    line: int = 0
    offset: int = 0

    def stored(self) -> dict[str, int]:
        return {"member": self.member, "line": self.line, "offset": self.offset}


@dataclass(slots=True)
class Batch:
    """Rows that are recorded together.

    Attributes:
        member: whose rows they are.
        after: where the next batch begins.
        refused: why no row of the member can be read; then there are no rows.
    """

    member: Member
    after: Position
    good: list[GoodRow] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    refused: HeaderError | None = None


def batches(path: Path, members: Sequence[Member], begin: Position, open_sheet: OpenSheet) -> Iterator[Batch]:
    """All rows from a position on; the last batch of a member may be empty."""
    for member in members[begin.member :]:
        at = begin if member.index == begin.member else Position(member.index)
        try:
            sheet = open_sheet(header_of(path, member.entry))
        except HeaderError as refused:
            yield Batch(member, Position(member.index + 1), refused=refused)
            continue
        yield from _of_member(path, member, at, sheet)


def _of_member(path: Path, member: Member, at: Position, sheet: Sheet) -> Iterator[Batch]:
    batch = Batch(member, at)
    with member_lines(path, member.entry, number=at.line, offset=at.offset) as lines:
        for line in lines:
            row = sheet.read(line.number, line.content) if line.number > 1 else None
            if isinstance(row, GoodRow):
                batch.good.append(row)
            elif row is not None:
                batch.bad.append(row)
            if len(batch.good) + len(batch.bad) >= ROWS:
                batch.after = Position(member.index, line.number, line.after)
                yield batch
                batch = Batch(member, batch.after)
    batch.after = Position(member.index + 1)
    yield batch


def lines_before(members: Sequence[Member], position: Position) -> int:
    """How many lines lie behind a position."""
    return sum(member.lines for member in members[: position.member]) + position.line


def stored_members(members: Sequence[Member]) -> list[dict[str, Any]]:
    return [
        {
            "entry": each.entry,
            "name": each.name,
            "size": each.size,
            "lines": each.lines,
            "written": list(each.written) if each.written else None,
            "refusal": None,
        }
        for each in members
    ]


def read_members(rows: Sequence[dict[str, Any]]) -> list[Member]:
    return [
        Member(
            index,
            row["entry"],
            row["name"],
            row["size"],
            row["lines"],
            tuple(row["written"]) if row["written"] else None,
        )
        for index, row in enumerate(rows)
    ]
