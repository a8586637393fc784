"""CSV files (RFC 4180) that are written while their rows are read, a page at a time."""

import csv
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import Any, Final

from libs.common.csv_cells import safe_cell
from libs.common.mongo.client import Document

PAGE: Final = 1000
"""Rows in hand at once."""


async def csv_pages(
    columns: Sequence[str],
    page: Callable[[str | None, int], Awaitable[Sequence[Document]]],
    *,
    key: str,
    line: Callable[[Document], Mapping[str, Any]],
) -> AsyncIterator[bytes]:
    """The file, a page of rows at a time.

    Args:
        columns: their names, which make the first line.
        page: at most so many rows behind the one with that key; from the first row on for None.
        key: the field that rows are ordered by.
        line: what a row says in each column.
    """
    buffer = StringIO()
    writer = csv.DictWriter(buffer, columns)
    writer.writeheader()
    after: str | None = None
    while True:
        rows = await page(after, PAGE)
        writer.writerows(cells(line(row)) for row in rows)
        yield buffer.getvalue().encode()
        if len(rows) < PAGE:
            return
        after = str(rows[-1][key])
        buffer.seek(0)
        buffer.truncate()


def cells(line: Mapping[str, Any]) -> dict[str, str]:
    """A line as it is written; no cell of it is a formula."""
    return {name: safe_cell(_text(value)) for name, value in line.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)
