"""Claims what is due for vendors, and says what goes into which kind of file."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Literal

from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.vendor_files.exchange import Section
from libs.common.vendor_files.letters import unsendable
from libs.common.vendor_files.making import Entry, Making
from services.exams.outgoing.authorizations import standing_of, write_standing
from services.exams.outgoing.definition import AuthorizationsShape, DemographicsShape
from services.exams.outgoing.standings import claimed, stopped
from services.exams.outgoing.store import OutgoingStore
from services.exams.vendors.definition import Vendor

Kind = Literal["demographics", "authorizations"]

_MOMENT = "%Y/%m/%d %H:%M:%S"


class Claiming:
    """Makes the files of a program for a vendor."""

    def __init__(self, store: OutgoingStore, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._making = Making(store, unit_of_work)

    async def make_due(self, program: str, *, vendor: Vendor) -> None:
        """Make the files for which it is time: demographics first, so that authorizations may follow them."""
        people, rights = vendor.demographics, vendor.authorizations
        if people is not None:
            gather = partial(self._people, program=program, vendor=vendor, section=people)
            await self._making.make_due(program, vendor, _people_section(people), people.columns, gather)
        if rights is not None:
            gather = partial(self._rights, program=program, vendor=vendor, section=rights)
            await self._making.make_due(program, vendor, _rights_section(rights), rights.columns, gather)

    async def _people(
        self, transaction: Transaction, file_id: str, *, program: str, vendor: Vendor, section: DemographicsShape
    ) -> list[Entry]:
        session = transaction.session
        rows = await self._store.due_profiles(session, program, vendor.id, section.digest, section.lines)
        if rows:
            await self._store.profiles_sent(session, [row["_id"] for row in rows], file_id, transaction.now)
            candidates = [row["candidate_id"] for row in rows]
            await self._store.let_follow(session, vendor.id, candidates, waits=False)
        return [
            Entry(
                row["candidate_id"],
                row["candidate_id"],
                None,
                1,
                row["values"] | {"LastUpdate": _moment(row["changed_at"])},
            )
            for row in rows
        ]

    async def _rights(
        self, transaction: Transaction, _file_id: str, *, program: str, vendor: Vendor, section: AuthorizationsShape
    ) -> list[Entry]:
        rows = await self._store.due_authorizations(transaction.session, program, vendor.id, section.lines)
        entries: list[Entry] = []
        for row in rows:
            fault = unsendable(row["accommodations"] or "", section.letters, section.length("Accommodations"))
            if fault is not None:  # the vendor's rules have changed since it was granted
                after = stopped(standing_of(row), f"the accommodations do not fit: {fault}")
                write_standing(row, after, transaction.now, "answered", "certrail", note=after.text)
                continue
            kind, after = row["todo"], claimed(standing_of(row))
            write_standing(row, after, transaction.now, "sent", "certrail", note=kind)
            entries.append(Entry(row["_id"], row["candidate_id"], kind, after.sent, _right(row, kind)))
        await self._store.save_authorizations(transaction.session, rows)
        return entries


def sections_of(vendor: Vendor) -> Sequence[Section]:
    """The kinds of files that a vendor takes, in the order in which they are made."""
    people, rights = vendor.demographics, vendor.authorizations
    return [
        *([_people_section(people)] if people is not None else []),
        *([_rights_section(rights)] if rights is not None else []),
    ]


def takers(vendors: Mapping[str, Vendor]) -> Sequence[Vendor]:
    """The vendors that take files."""
    return [vendor for vendor in vendors.values() if sections_of(vendor)]


def _people_section(shape: DemographicsShape) -> Section:
    return Section("demographics", shape, "ClientCandidateID")


def _rights_section(shape: AuthorizationsShape) -> Section:
    return Section("authorizations", shape, "ClientAuthorizationID")


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
