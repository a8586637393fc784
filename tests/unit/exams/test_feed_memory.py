"""A large file is read in little memory: what is kept of it is one batch."""

import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from services.exams.feeds.batches import Position, batches
from services.exams.feeds.lines import BLOCK_BYTES, split_lines
from services.exams.feeds.members import examine
from services.exams.feeds.rows import COLUMNS, Sheet
from tests.unit.exams.vendor_files import cells, line, packed

ROWS = 60_000
"""Some 10 MB unpacked."""
MOST_BYTES = 4_000_000


class Exams:
    def programs_of(self, _exam_code: str) -> tuple[str, ...]:
        return ("cisco",)


def test_large_member_is_read_in_batches_and_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    header = "\t".join(COLUMNS).encode() + b"\n"
    rows = (line(cells(RegistrationID=f"G{n}")) + b"\n" for n in range(ROWS))
    path.write_bytes(packed({"large.txt": (part for parts in ([header], rows) for part in parts)}))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    tracemalloc.start()
    try:
        members = examine(path, 100_000_000)
        assert members[0].size > 2 * MOST_BYTES
        found = 0
        for batch in batches(path, members, Position(), lambda first: Sheet(first, Exams(), ZoneInfo("UTC"), now)):
            found += len(batch.good)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == ROWS
    assert most < MOST_BYTES


class Endless:
    """A member without a line end."""

    def __init__(self, blocks: int) -> None:
        self._left = blocks

    def read(self, n: int, /) -> bytes:
        self._left -= 1
        return b"x" * n if self._left >= 0 else b""


def test_line_without_an_end_is_not_kept() -> None:
    tracemalloc.start()
    try:
        found = list(split_lines(Endless(100)))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(each.number, each.content, each.after) for each in found] == [(1, None, 100 * BLOCK_BYTES)]
    assert most < MOST_BYTES
