"""The ledger as a CSV file, for spreadsheets. Pure."""

import csv
import io
from collections.abc import Iterable

from libs.common.csv_cells import safe_cell
from services.portal.credits.words import Row
from services.portal.languages import say


def sheet(rows: Iterable[Row]) -> bytes:
    """UTF-8 with a byte order mark, so that spreadsheets read it as that."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([say("Earned on"), say("Activity"), say("Code"), say("Credits"), say("State"), say("Why")])
    for row in rows:
        cells = (row.title, row.item, "" if row.credits is None else str(row.credits), say(row.chip.word), row.text)
        writer.writerow([row.earned_on.isoformat(), *(safe_cell(cell) for cell in cells)])
    return text.getvalue().encode("utf-8-sig")
