"""What a comparison has found as a CSV file (RFC 4180), written while it is read."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from libs.common.csv_pages import csv_pages
from libs.common.http.files import Download
from libs.common.mongo.client import Document
from services.exams.reconciliation.store import ReconciliationStore

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


def findings_csv(store: ReconciliationStore, query: Document) -> AsyncIterator[bytes]:
    """The file, in the order of registrations."""

    async def page(after: str | None, limit: int) -> Sequence[Document]:
        return await store.finding_page(query, after=after, limit=limit)

    return csv_pages(COLUMNS, page, key="key", line=_line)


def _line(row: Document) -> dict[str, Any]:
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
    return line
