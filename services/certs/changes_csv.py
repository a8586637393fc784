"""What a dry run has shown as a CSV file (RFC 4180), written while it is read."""

import csv
from collections.abc import AsyncIterator, Mapping
from io import StringIO
from typing import Any

from libs.common.csv_cells import safe_cell
from libs.common.http.files import Download
from services.certs.dryrun_store import DryRunStore

PAGE = 1000
"""Changes in hand at once."""

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


async def changes_csv(store: DryRunStore, run_id: str, kind: str | None) -> AsyncIterator[bytes]:
    """The file, a page of changes at a time, in the order of candidates."""
    buffer = StringIO()
    writer = csv.DictWriter(buffer, COLUMNS)
    writer.writeheader()
    after: str | None = None
    while True:
        rows = await store.changes(run_id, kind=kind, after=after, limit=PAGE)
        writer.writerows(_line(row) for row in rows)
        yield buffer.getvalue().encode()
        if len(rows) < PAGE:
            return
        after = str(rows[-1]["_id"])
        buffer.seek(0)
        buffer.truncate()


def _line(row: Mapping[str, Any]) -> dict[str, str]:
    line = {name: row[name] for name in ("candidate_id", "certification", "kind", "because")}
    for side in _SIDES:
        for field in _FIELDS:
            line[f"{side}_{field}"] = (row[side] or {}).get(field) or ""
    return {name: safe_cell(str(value)) for name, value in line.items()}
