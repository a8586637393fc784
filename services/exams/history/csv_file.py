"""A history as a CSV file (RFC 4180), written while it is read."""

import csv
from collections.abc import AsyncIterator, Sequence
from io import StringIO

from libs.common.csv_cells import safe_cell
from libs.common.http.files import Download
from services.exams.history.entries import Entry
from services.exams.history.reading import History, Past
from services.exams.history.views import HistoryItem, HistorySection

PAGE = 200
"""Lines in hand at once."""

COLUMNS = (
    "id",
    "kind",
    "exam_code",
    "title",
    "taken_on",
    "taken_at",
    "attempt",
    "vendor_attempt",
    "state",
    "result",
    "grade",
    "score",
    "passing_score",
    "sections",
    "vendor",
    "registration_id",
    "result_id",
    "delivery",
    "site",
    "issuer",
    "score_report_url",
    "receipt_url",
    "url",
    "retake",
)


class HistoryFile(Download):
    """A person's history, one entry a line."""

    media_types = ("text/csv",)


async def history_csv(history: History, past: Past, arranged: Sequence[Entry]) -> AsyncIterator[bytes]:
    """The file: a line of heads, then the entries in the order given."""
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for start in range(0, len(arranged), PAGE):
        writer.writerows(map(_line, await history.shown(past, arranged[start : start + PAGE])))
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def _line(item: HistoryItem) -> list[str]:
    said = {
        "result": item.text,
        "taken_on": item.taken_on.isoformat(),
        "taken_at": (item.local_time or item.taken_at).isoformat(),
        "sections": "; ".join(map(_section, item.sections)),
        "retake": "; ".join(f"{wait.text} ({wait.clause.path})" for wait in item.retake),
    }
    return [_cell(said.get(name, getattr(item, name, None))) for name in COLUMNS]


def _section(section: HistorySection) -> str:
    passed = {True: ", passed", False: ", not passed", None: ""}[section.passed]
    return f"{section.name} {section.percent:g} %{passed}"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return safe_cell(value) if isinstance(value, str) else str(value)
