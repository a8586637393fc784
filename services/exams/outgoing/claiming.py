"""Makes files: what is due becomes lines, and their exact bytes are kept, in one transaction.

What follows may be repeated, for a file has one name and one content for ever. Two processes that make files at the
same moment meet a conflict in the exchange, and the second finds nothing due.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from prometheus_client import Counter

from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.exams.outgoing.authorizations import standing_of, write_standing
from services.exams.outgoing.definition import AuthorizationsShape, DemographicsShape
from services.exams.outgoing.names import NamePattern
from services.exams.outgoing.people_lines import unsendable
from services.exams.outgoing.standings import claimed, stopped
from services.exams.outgoing.store import OutgoingStore, line_key
from services.exams.outgoing.tables import Kind, table, zipped
from services.exams.vendors.definition import Vendor

LINES = Counter("certrail_vendor_lines_total", "Lines in files made for vendors", ["vendor", "kind"])

_MOMENT = "%Y/%m/%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line to be."""

    record: str
    candidate_id: str
    type: str | None
    ordinal: int
    """Of the record's lines, from 1."""
    values: Mapping[str, str]


class Claiming:
    """Makes the files of a program for a vendor."""

    def __init__(self, store: OutgoingStore, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._unit_of_work = unit_of_work

    async def make_due(self, program: str, vendor: Vendor) -> None:
        """Make the files for which it is time: demographics first, so that authorizations may follow them."""
        for kind, section in sections_of(vendor):
            first = True
            while True:
                work = partial(self._make, program=program, vendor=vendor, kind=kind, section=section, first=first)
                if await self._unit_of_work.run(work) < section.lines:
                    break
                first = False  # what one file does not hold goes at once, not after another interval

    async def _make(
        self,
        transaction: Transaction,
        *,
        program: str,
        vendor: Vendor,
        kind: Kind,
        section: DemographicsShape | AuthorizationsShape,
        first: bool,
    ) -> int:
        """Make one file. Returns how many lines it has; 0 where it is not time or nothing is due."""
        session, now = transaction.session, transaction.now
        exchange = await self._store.enter_exchange(session, program, vendor.id)
        next_at = exchange["next_at"].get(kind)
        if first and next_at is not None and now < next_at:
            return 0
        number = exchange["numbers"].get(kind, 0) + 1
        file_id = f"{program}:{vendor.id}:{kind}:{number:06}"
        if isinstance(section, DemographicsShape):
            entries = await self._people(transaction, program, vendor, section, file_id)
        else:
            entries = await self._rights(transaction, program, vendor, section)
        if not entries:
            return 0
        today = now.astimezone(vendor.time_zone).date()
        name = NamePattern(section.file).write(program=program, number=number, day=today)
        content = table(section.columns, [entry.values for entry in entries], section.letters)
        file: Document = {
            "_id": file_id,
            "program": program,
            "vendor": vendor.id,
            "kind": kind,
            "number": number,
            "sequence": exchange["sequence"] + 1,
            "folder": section.folder,
            "name": name,
            "content": zipped(name, content) if section.zip else content,
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
            f"next_at.{kind}": now + timedelta(minutes=section.every_minutes),
        }
        await self._store.change_exchange(session, program, vendor.id, change)
        transaction.on_commit(lambda: LINES.labels(vendor.id, kind).inc(len(entries)))
        return len(entries)

    async def _people(
        self, transaction: Transaction, program: str, vendor: Vendor, section: DemographicsShape, file_id: str
    ) -> list[_Entry]:
        session = transaction.session
        rows = await self._store.due_profiles(session, program, vendor.id, section.digest, section.lines)
        if rows:
            await self._store.profiles_sent(session, [row["_id"] for row in rows], file_id, transaction.now)
            candidates = [row["candidate_id"] for row in rows]
            await self._store.let_follow(session, vendor.id, candidates, waits=False)
        return [
            _Entry(
                row["candidate_id"],
                row["candidate_id"],
                None,
                1,
                row["values"] | {"LastUpdate": _moment(row["changed_at"])},
            )
            for row in rows
        ]

    async def _rights(
        self, transaction: Transaction, program: str, vendor: Vendor, section: AuthorizationsShape
    ) -> list[_Entry]:
        rows = await self._store.due_authorizations(transaction.session, program, vendor.id, section.lines)
        entries: list[_Entry] = []
        for row in rows:
            fault = unsendable(row["accommodations"] or "", section.letters, section.length("Accommodations"))
            if fault is not None:  # the vendor's rules have changed since it was granted
                after = stopped(standing_of(row), f"the accommodations do not fit: {fault}")
                write_standing(row, after, transaction.now, "answered", "certrail", note=after.text)
                continue
            kind, after = row["todo"], claimed(standing_of(row))
            write_standing(row, after, transaction.now, "sent", "certrail", note=kind)
            entries.append(_Entry(row["_id"], row["candidate_id"], kind, after.sent, _right(row, kind)))
        await self._store.save_authorizations(transaction.session, rows)
        return entries


def sections_of(vendor: Vendor) -> Sequence[tuple[Kind, DemographicsShape | AuthorizationsShape]]:
    """The kinds of files that a vendor takes, in the order in which they are made."""
    found: list[tuple[Kind, DemographicsShape | AuthorizationsShape]] = []
    if vendor.demographics is not None:
        found.append(("demographics", vendor.demographics))
    if vendor.authorizations is not None:
        found.append(("authorizations", vendor.authorizations))
    return found


def _line(file: Document, number: int, entry: _Entry) -> Document:
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


def _right(row: Document, kind: str) -> dict[str, str]:
    first, last = (date.fromisoformat(row[name]) for name in ("first", "last"))
    return {
        "AuthorizationTransactionType": kind,
        "ClientAuthorizationID": row["_id"],
        "ClientCandidateID": row["candidate_id"],
        "ExamAuthorizationCount": str(row["attempts"]),
        "ExamSeriesCode": row["exam_code"],
        "Accommodations": row["accommodations"] or "",
        "EligibilityApptDateFirst": f"{first:%Y/%m/%d} 00:00:00",
        "EligibilityApptDateLast": f"{last:%Y/%m/%d} 23:59:59",
        "LastUpdate": _moment(row["changed_at"]),
    }


def _moment(moment: datetime) -> str:
    return f"{moment.strftime(_MOMENT)} GMT"
