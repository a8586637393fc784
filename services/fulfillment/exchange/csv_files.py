"""What a comparison has found as a CSV file (RFC 4180), written while it is read."""

import csv
from collections.abc import AsyncIterator
from datetime import datetime
from io import StringIO
from typing import Any

from libs.common.csv_cells import safe_cell
from libs.common.http.files import Download
from libs.common.mongo.client import Document
from services.fulfillment.exchange.store import ExchangeStore

PAGE = 1000
"""Findings in hand at once."""
COLUMNS = (
    "order_id",
    "kind",
    "line",
    "differences",
    "theirs_status",
    "theirs_at",
    "theirs_tracking_number",
    "ours_state",
    "ours_tracking_number",
    "reason",
)


class OrderFindingsFile(Download):
    """Findings, one a line."""

    media_types = ("text/csv",)


async def findings_csv(store: ExchangeStore, query: Document) -> AsyncIterator[bytes]:
    """The file, a page of findings at a time, in the order of orders."""
    buffer = StringIO()
    writer = csv.DictWriter(buffer, COLUMNS)
    writer.writeheader()
    after: str | None = None
    while True:
        rows = await store.finding_page(query, after=after, limit=PAGE)
        writer.writerows(_line(row) for row in rows)
        yield buffer.getvalue().encode()
        if len(rows) < PAGE:
            return
        after = str(rows[-1]["key"])
        buffer.seek(0)
        buffer.truncate()


def _line(row: Document) -> dict[str, str]:
    theirs, ours = row["theirs"] or {}, row["ours"] or {}
    values: dict[str, Any] = {
        "order_id": row["order_id"],
        "kind": row["kind"],
        "line": row["line"],
        "differences": " ".join(row["differences"]),
        "theirs_status": theirs.get("status"),
        "theirs_at": theirs.get("at"),
        "theirs_tracking_number": theirs.get("tracking_number"),
        "ours_state": ours.get("state"),
        "ours_tracking_number": ours.get("tracking_number"),
        "reason": row["reason"],
    }
    return {name: safe_cell(_text(value)) for name, value in values.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)
