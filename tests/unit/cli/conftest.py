"""What the tests of the command line share."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.lines import RESULT, WriteLines


@pytest.fixture
def result() -> dict[str, Any]:
    """The data of a correct result."""
    return dict(RESULT)


@pytest.fixture
def json_lines(tmp_path: Path) -> WriteLines:
    """Writes objects, or lines as they are, into a file."""

    def write(*rows: dict[str, Any] | str, name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write
