"""Makes files: what is due becomes lines, and their exact bytes are kept, in one transaction.

What follows may be repeated, for a file has one name and one content for ever. Two processes that make files at the
same moment meet a conflict in the exchange, and the second finds nothing due.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeAlias

from prometheus_client import Counter

from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.vendor_files.exchange import Section, Taker
from libs.common.vendor_files.names import NamePattern
from libs.common.vendor_files.store import FileStore, file_key, line_key
from libs.common.vendor_files.tables import table, zipped

LINES = Counter("certrail_vendor_lines_total", "Lines in files made for vendors", ["vendor", "kind"])


@dataclass(frozen=True, slots=True)
class Entry:
    """A line to be.

    Attributes:
        ordinal: of the record's lines, from 1.
    """

    record: str
    candidate_id: str
    type: str | None
    ordinal: int
    values: Mapping[str, str]


Gather: TypeAlias = Callable[[Transaction, str], Awaitable[Sequence[Entry]]]
"""Claims what is due, for the file of that id: as many lines as the section has at most."""


class Making:
    """Makes the files of a program for a vendor."""

    def __init__(self, store: FileStore, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._unit_of_work = unit_of_work

    async def make_due(
        self, program: str, vendor: Taker, section: Section, columns: Sequence[str], gather: Gather
    ) -> None:
        """Make the files of a kind for which it is time."""
        first = True
        while True:
            work = partial(
                self._make,
                program=program,
                vendor=vendor,
                section=section,
                columns=columns,
                gather=gather,
                first=first,
            )
            if await self._unit_of_work.run(work) < section.shape.lines:
                break
            first = False  # what one file does not hold goes at once, not after another interval

    async def _make(
        self,
        transaction: Transaction,
        *,
        program: str,
        vendor: Taker,
        section: Section,
        columns: Sequence[str],
        gather: Gather,
        first: bool,
    ) -> int:
        """Make one file. Returns how many lines it has; 0 where it is not time or nothing is due."""
        session, now, kind, shape = transaction.session, transaction.now, section.kind, section.shape
        exchange = await self._store.enter_exchange(session, program, vendor.id)
        next_at = exchange["next_at"].get(kind)
        if first and next_at is not None and now < next_at:
            return 0
        number = exchange["numbers"].get(kind, 0) + 1
        file_id = file_key(program, vendor.id, kind, number)
        entries = await gather(transaction, file_id)
        if not entries:
            return 0
        today = now.astimezone(vendor.time_zone).date()
        name = NamePattern(shape.file).write(program=program, number=number, day=today)
        content = table(columns, [entry.values for entry in entries], shape.letters)
        file: Document = {
            "_id": file_id,
            "program": program,
            "vendor": vendor.id,
            "kind": kind,
            "number": number,
            "sequence": exchange["sequence"] + 1,
            "folder": shape.folder,
            "name": name,
            "content": zipped(name, content) if shape.zip else content,
            "lines": len(entries),
            "unanswered": len(entries),
            "state": "made",
            "made_at": now,
            "delivered_at": None,
            "tries": 0,
            "error": None,
            "silent": False,
        }
        lines = [_line(file, at, entry) for at, entry in enumerate(entries, start=1)]
        await self._store.add_file(session, file, lines)
        change = {
            "sequence": file["sequence"],
            f"numbers.{kind}": number,
            f"next_at.{kind}": now + timedelta(minutes=shape.every_minutes),
        }
        await self._store.change_exchange(session, program, vendor.id, change)
        transaction.on_commit(lambda: LINES.labels(vendor.id, kind).inc(len(entries)))
        return len(entries)


def _line(file: Document, number: int, entry: Entry) -> Document:
    return {
        "_id": line_key(file["_id"], entry.record),
        "file_id": file["_id"],
        "program": file["program"],
        "vendor": file["vendor"],
        "kind": file["kind"],
        "number": number,
        "record": entry.record,
        "candidate_id": entry.candidate_id,
        "type": entry.type,
        "ordinal": entry.ordinal,
        "state": "sent",
        "text": None,
        "answered_at": None,
    }
