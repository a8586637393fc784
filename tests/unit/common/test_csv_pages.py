"""CSV files written page by page: each row once, in order, and no cell that a spreadsheet would run."""

import csv
from collections.abc import Sequence
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest

from libs.common import csv_pages


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 14, 15])
async def test_every_row_is_written_once_whatever_fits_on_a_page(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_pages, "PAGE", 7)
    rows: list[dict[str, Any]] = [{"key": f"{number:02}", "what": number} for number in range(count)]
    asked: list[str | None] = []

    async def page(after: str | None, limit: int) -> Sequence[dict[str, Any]]:
        asked.append(after)
        return [row for row in rows if after is None or row["key"] > after][:limit]

    text = b"".join(
        [part async for part in csv_pages.csv_pages(("key", "what"), page, key="key", line=lambda row: row)]
    )
    assert list(csv.DictReader(StringIO(text.decode()))) == [
        {"key": row["key"], "what": str(row["what"])} for row in rows
    ]
    assert len(asked) == count // 7 + 1


def test_no_cell_is_taken_for_a_formula_and_what_is_missing_is_empty() -> None:
    at = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
    line = {
        "candidate_id": "=1+1",
        "code": "@A",
        "because": "+x",
        "days": 0,
        "nothing": None,
        "on": date(2026, 1, 2),
        "at": at,
    }
    assert csv_pages.cells(line) == {
        "candidate_id": "'=1+1",
        "code": "'@A",
        "because": "'+x",
        "days": "0",
        "nothing": "",
        "on": "2026-01-02",
        "at": "2026-11-22T12:30:00+00:00",
    }
