"""What a comparison has found as a CSV file (RFC 4180), written while it is read."""

import csv
from collections.abc import AsyncIterator
from datetime import datetime
from io import StringIO
from typing import Any

from libs.common.csv_cells import safe_cell
from libs.common.http.files import Download
from libs.common.mongo.client import Document
from services.exams.reconciliation.store import ReconciliationStore

PAGE = 1000
"""Findings in hand at once."""

_FIELDS = ("candidate_id", "vendor_candidate_id", "exam_code", "state", "scheduled_at")
COLUMNS = (
    "registration_id",
    "kind",
    "line",
    "differences",
    *(f"{side}_{field}" for side in ("theirs", "ours") for field in _FIELDS),
    "reason",
    "action",
    "action_reason",
)


class FindingsFile(Download):
    """Findings, one a line."""

    media_types = ("text/csv",)


async def findings_csv(store: ReconciliationStore, query: Document) -> AsyncIterator[bytes]:
    """The file, a page of findings at a time, in the order of registrations."""
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
    action = row["action"] or {}
    line: dict[str, Any] = {
        "registration_id": row["registration_id"],
        "kind": row["kind"],
        "line": row["line"] or (row["theirs"] or {}).get("line"),
        "differences": " ".join(one["field"] for one in row["differences"]),
        "reason": row["reason"],
        "action": action.get("kind"),
        "action_reason": action.get("reason"),
    }
    for side in ("theirs", "ours"):
        for field in _FIELDS:
            line[f"{side}_{field}"] = (row[side] or {}).get(field)
    return {name: safe_cell(_text(value)) for name, value in line.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)
