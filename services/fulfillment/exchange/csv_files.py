"""What a comparison has found as a CSV file (RFC 4180), written while it is read."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from libs.common.csv_pages import csv_pages
from libs.common.http.files import Download
from libs.common.mongo.client import Document
from services.fulfillment.exchange.store import ExchangeStore

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


def findings_csv(store: ExchangeStore, query: Document) -> AsyncIterator[bytes]:
    """The file, in the order of orders."""

    async def page(after: str | None, limit: int) -> Sequence[Document]:
        return await store.finding_page(query, after=after, limit=limit)

    return csv_pages(COLUMNS, page, key="key", line=_line)


def _line(row: Document) -> dict[str, Any]:
    theirs, ours = row["theirs"] or {}, row["ours"] or {}
    return {
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
