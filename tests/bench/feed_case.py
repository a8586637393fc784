"""The file that both imports of the benchmark read, and the links by which its candidates are known."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from deploy.local.platform import PROGRAMS
from libs.common.candidate_ids import candidate_id
from libs.common.programs import load_program
from services.exams.feeds.rows import COLUMNS
from tests.bench.population import EXAM

MEMBER = "results.txt"
CANDIDATES = 100_000
"""Who take the exams, in turn."""
LINE_END = b"\r\n"


def candidates() -> list[str]:
    """The candidates' own IDs, by which files name them."""
    program = load_program(PROGRAMS / "cisco.yaml")
    digits = program.candidate_id_digits
    return [candidate_id(program.candidate_id_prefix, digits, number) for number in range(1, CANDIDATES + 1)]


def write_file(path: Path, rows: int) -> None:
    """A zip with one member of so many rows, each another registration, all different enough to pack like real ones."""
    entry = ZipInfo(MEMBER, (2026, 11, 20, 6, 0, 0))
    entry.compress_type = ZIP_DEFLATED
    with ZipFile(path, "w") as archive, archive.open(entry, "w", force_zip64=True) as member:
        member.write("\t".join(COLUMNS).encode() + LINE_END)
        for row in _rows(rows):
            member.write(row)


def _rows(count: int) -> Iterator[bytes]:
    known = candidates()
    for number in range(count):
        score = 300 + number * 7 % 700
        cells = (
            f"4{number:09d}",
            known[number % CANDIDATES],
            f"{70_000 + number * 13 % 5_000}",
            EXAM,
            "Implementing and Administering Cisco Solutions",
            "3",
            "ABCD"[number % 4],
            "ENU",
            "1",
            f"2026/10/{1 + number % 28:02d} {8 + number % 9:02d}:{number % 60:02d}:00",
            f"{60 + number % 60}",
            "825",
            f"{score}",
            "pass" if score >= 825 else "fail",
            "0",
            "0",
            f"{score // 10}",
            f"{100 - score // 10}",
            "0",
            "5",
            f"A-{number:08d}",
            "",
        )
        yield "\t".join(cells).encode("cp1252") + LINE_END
