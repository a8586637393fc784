"""Imports lists of codes: good lines taken, bad ones told, the same list again harmless."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import ClassVar

from libs.common.clock import as_stored
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.exams.vendors.definition import Vendor
from services.exams.vouchers.codes import Codes, end_of
from services.exams.vouchers.lists import BadLine, CodeRow, Read
from services.exams.vouchers.registry import entry
from services.exams.vouchers.states import State
from services.exams.vouchers.store import VoucherStore, last_day
from services.exams.vouchers.uses import VoucherUses

_TERMS = ("kind", "exams", "value", "valid_from", "valid_until", "batch")


@dataclass
class Report:
    """What became of the lines of a list."""

    added: int = 0
    known: int = 0
    """In the registry before, or earlier in the same list, on the same terms."""
    bad: list[BadLine] = field(default_factory=list)


class Importing:
    """Takes lists in, a slice a transaction; one that breaks off is sent again."""

    SLICE: ClassVar = 500

    def __init__(
        self,
        store: VoucherStore,
        uses: VoucherUses,
        codes: Codes,
        vendors: Mapping[str, Vendor],
        unit_of_work: UnitOfWork,
    ) -> None:
        self._store = store
        self._uses = uses
        self._codes = codes
        self._vendors = vendors
        self._unit_of_work = unit_of_work

    async def take(self, program: Program, lines: Iterator[Read], by: str) -> Report:
        report = Report()
        while part := list(islice(lines, self.SLICE)):
            rows: dict[int, CodeRow] = {}
            for read in part:
                fault = read if isinstance(read, BadLine) else self._fault(program, *read)
                if fault is not None:
                    report.bad.append(fault)
                elif not isinstance(read, BadLine):
                    rows[read[0]] = read[1]
            made = {line: self._made(program, row) for line, row in rows.items()}
            found = await self._add(made, by)
            report.added += found.added
            report.known += found.known
            report.bad += found.bad
        return report

    def _fault(self, program: Program, line: int, row: CodeRow) -> BadLine | None:
        vendor = self._vendors.get(row.vendor)
        if vendor is None or program.id not in vendor.programs:
            return BadLine(line, "vendor", f"vendor: {program.name} has no such vendor")
        if any(program.find_exam(code) is None for code in row.exams):
            return BadLine(line, "unknown_exam", f"exams: {program.name} has no such exam")
        return None

    def _made(self, program: Program, row: CodeRow) -> Document:
        offered = (program.find_exam(code) for code in row.exams)
        return {
            "_id": self._codes.voucher_id(program.id, row.vendor, row.code),
            "program": program.id,
            "vendor": row.vendor,
            "kind": row.kind,
            "exams": sorted({exam.code for exam in offered if exam is not None}),
            "value": row.value,
            "valid_from": row.valid_from.isoformat() if row.valid_from else None,
            "valid_until": last_day(row.valid_until),
            "batch": row.batch,
            "sealed": self._codes.seal(row.code),
            "end": end_of(row.code),
            "state": State.FREE.value,
            "candidate_id": None,
            "assigned_at": None,
            "shown_at": None,
            "used": None,
            "flags": [],
            "waits": False,
            "version": None,
        }

    async def _add(self, made: Mapping[int, Document], by: str) -> Report:
        async def work(transaction: Transaction) -> Report:
            report, at = Report(), as_stored(transaction.now)
            known = await self._store.many(transaction.session, (row["_id"] for row in made.values()))
            fresh: dict[str, Document] = {}
            for line, row in made.items():
                there = fresh.get(row["_id"]) or known.get(row["_id"])
                if there is None or there["state"] is None:
                    uses = there["uses"] if there else []
                    more = {"uses": list(uses), "imported_at": at, "history": [entry("imported", at, by=by)]}
                    fresh[row["_id"]] = {**row, **more}
                elif all(there[term] == row[term] for term in _TERMS):
                    report.known += 1
                else:
                    report.bad.append(BadLine(line, "other_terms", "the code is known, on other terms"))
            await self._uses.settle(transaction, fresh.values())
            await self._store.save(transaction.session, list(fresh.values()), known)
            report.added = len(fresh)
            return report

        return await self._unit_of_work.run(work)
