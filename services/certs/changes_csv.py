"""What a dry run has shown as a CSV file (RFC 4180), written while it is read."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from libs.common.csv_pages import csv_pages
from libs.common.http.files import Download
from libs.common.mongo.client import Document
from services.certs.dryrun_store import DryRunStore

_SIDES = ("before", "after")
_FIELDS = ("status", "earned_on", "expires_on")
COLUMNS = (
    "candidate_id",
    "certification",
    "kind",
    *(f"{side}_{field}" for side in _SIDES for field in _FIELDS),
    "because",
)


class ChangesFile(Download):
    """Certifications that would be different, one a line."""

    media_types = ("text/csv",)


def changes_csv(store: DryRunStore, run_id: str, kind: str | None) -> AsyncIterator[bytes]:
    """The file, in the order of candidates."""

    async def page(after: str | None, limit: int) -> Sequence[Document]:
        return await store.changes(run_id, kind=kind, after=after, limit=limit)

    return csv_pages(COLUMNS, page, key="_id", line=_line)


def _line(row: Document) -> dict[str, Any]:
    line = {name: row[name] for name in ("candidate_id", "certification", "kind", "because")}
    for side in _SIDES:
        for field in _FIELDS:
            line[f"{side}_{field}"] = (row[side] or {}).get(field)
    return line
