"""The HTTP API of codes: the registry for those who manage a program, and a candidate's own."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from libs.common.events.types import Code, Identifier, Remark
from libs.common.http.files import Upload
from libs.common.http.models import Body, Nothing, Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.principal import Kind as Caller
from libs.common.http.problems import CONFLICT, FORBIDDEN, INVALID, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import EXAMS_BOOK, EXAMS_READ, VOUCHERS_MANAGE
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.exams.api import CandidatePath
from services.exams.vouchers.codes import masked
from services.exams.vouchers.importing import Importing
from services.exams.vouchers.lists import CSV, JSON_LINES, Kind, ListRefused, SecretCode, VendorName, read_list
from services.exams.vouchers.registry import Vouchers
from services.exams.vouchers.states import Flag, State
from services.exams.vouchers.store import day_of

_MOST_BAD_LINES = 200
_MOST_OWN = 200
_REGISTRY = Cursor("vouchers", str)


class ProgramPath(Parameters):
    program: Identifier


class VoucherPath(ProgramPath):
    voucher_id: Identifier


class BatchPath(ProgramPath):
    batch: Code


class OwnVoucherPath(CandidatePath):
    voucher_id: Identifier


class CodeList(Upload):
    """Codes as their vendor sells them."""

    media_types = (CSV, JSON_LINES)
    max_bytes = 1024 * 1024


class VouchersQuery(PageQuery):
    state: State | None = None
    kind: Kind | None = None
    vendor: VendorName | None = None
    batch: Code | None = None
    exam: Annotated[Code | None, Field(description="Codes that are good for this exam")] = None
    candidate_id: Identifier | None = None
    flag: Annotated[Flag | None, Field(description="Codes whose use wants a look for this reason")] = None


class Holder(Body):
    candidate_id: Identifier


class NextHolder(Holder):
    exam: Annotated[Code | None, Field(description="Only a code that is good for this exam")] = None


class Withdrawal(Body):
    reason: Remark


class CodeSearch(Body):
    vendor: VendorName
    code: SecretCode


class BadLineView(View):
    line: int
    code: str
    message: str


class ImportView(View):
    added: int
    known: int
    """In the registry before, on the same terms."""
    bad: int
    bad_lines: list[BadLineView]
    """The first two hundred."""


class EntryView(View):
    what: str
    at: datetime
    by: str | None
    candidate_id: str | None
    reason: str | None


class UsedView(View):
    registration_id: str
    at: datetime
    candidate_id: str | None
    """Null while the registration's candidate is not known."""


class OwnVoucherView(View):
    """A code as its holder sees it."""

    voucher_id: str
    program: str
    vendor: str
    kind: Kind
    code: str
    """Masked but for its end."""
    exams: list[str]
    """Empty for any exam."""
    value: str | None
    valid_from: date | None
    valid_until: date | None
    state: State
    assigned_at: datetime | None
    shown_at: datetime | None


class VoucherView(OwnVoucherView):
    """A code as the registry has it."""

    batch: str
    candidate_id: str | None
    imported_at: datetime
    used: UsedView | None
    flags: list[Flag]
    history: list[EntryView]


class ShownView(OwnVoucherView):
    """A code with all of its characters, for its holder."""

    full_code: str


class BatchView(View):
    """How many codes of a batch are in which state."""

    program: str
    batch: str
    free: int
    assigned: int
    used: int
    expired: int
    withdrawn: int


class VouchersApi:
    """Handlers of the routes below."""

    def __init__(self, vouchers: Vouchers, importing: Importing, programs: Mapping[str, Program]) -> None:
        self._vouchers = vouchers
        self._importing = importing
        self._programs = programs

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (*self._registry(), *self._changes(), *self._own())

    def _registry(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        vouchers = "/programs/{program}/vouchers"
        return (
            Route(
                method="GET",
                path=vouchers,
                handler=self.list_vouchers,
                summary="The registry of codes",
                parameters=ProgramPath,
                query=VouchersQuery,
                response=Page[VoucherView],
                scopes=VOUCHERS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=vouchers + "/{voucher_id}",
                handler=self.show_voucher,
                summary="One code with its history",
                parameters=VoucherPath,
                response=VoucherView,
                scopes=VOUCHERS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/programs/{program}/voucher-searches",
                handler=self.find_voucher,
                summary="The code that reads so",
                parameters=ProgramPath,
                body=CodeSearch,
                response=VoucherView,
                scopes=VOUCHERS_MANAGE,
                errors=(NOT_FOUND,),
                asks=True,
            ),
            Route(
                method="GET",
                path="/programs/{program}/voucher-batches",
                handler=self.list_batches,
                summary="How many codes of each batch are in which state",
                parameters=ProgramPath,
                response=Page[BatchView],
                scopes=VOUCHERS_MANAGE,
                errors=(NOT_FOUND,),
            ),
        )

    def _changes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="POST",
                path="/programs/{program}/voucher-imports",
                handler=self.import_vouchers,
                summary="Take a list of codes in; the same list again changes nothing",
                parameters=ProgramPath,
                body=CodeList,
                response=ImportView,
                scopes=VOUCHERS_MANAGE,
                errors=(NOT_FOUND, INVALID),
            ),
            Route(
                method="POST",
                path="/programs/{program}/vouchers/{voucher_id}/assignment",
                handler=self.assign_voucher,
                summary="Give a code to a candidate; a mail tells them",
                parameters=VoucherPath,
                body=Holder,
                response=VoucherView,
                scopes=VOUCHERS_MANAGE,
                errors=(NOT_FOUND, INVALID, CONFLICT),
            ),
            Route(
                method="POST",
                path="/programs/{program}/voucher-batches/{batch}/assignments",
                handler=self.assign_next_voucher,
                summary="Give a candidate the next free code of a batch; a mail tells them",
                parameters=BatchPath,
                body=NextHolder,
                response=VoucherView,
                status=201,
                scopes=VOUCHERS_MANAGE,
                errors=(NOT_FOUND, INVALID, CONFLICT),
                idempotent=True,
            ),
            Route(
                method="POST",
                path="/programs/{program}/vouchers/{voucher_id}/withdrawal",
                handler=self.withdraw_voucher,
                summary="End a code that nobody has used",
                parameters=VoucherPath,
                body=Withdrawal,
                response=VoucherView,
                scopes=VOUCHERS_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
        )

    def _own(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        own = "/programs/{program}/candidates/{candidate_id}/vouchers"
        return (
            Route(
                method="GET",
                path=own,
                handler=self.list_own_vouchers,
                summary="A candidate's codes, masked; those that end soonest first",
                parameters=CandidatePath,
                response=Page[OwnVoucherView],
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
            # Not idempotent by key: the answer would be kept, and the code with it.
            Route(
                method="POST",
                path=own + "/{voucher_id}/showing",
                handler=self.show_own_voucher,
                summary="A code of the candidate's own in full; that it was shown is on record",
                parameters=OwnVoucherPath,
                response=ShownView,
                scopes=EXAMS_BOOK,
                errors=(NOT_FOUND, FORBIDDEN, CONFLICT),
            ),
        )

    async def list_vouchers(self, call: Call[ProgramPath, VouchersQuery]) -> Page[VoucherView]:
        program, query = self._managed(call), call.query
        wanted: Document = query.model_dump(include={"state", "kind", "vendor", "batch"}, exclude_none=True)
        if query.exam is not None:
            exam = program.find_exam(query.exam)
            wanted["exams"] = {"$in": [exam.code if exam else query.exam, []]}
        if query.candidate_id is not None:
            wanted["candidate_id"] = {"$in": await self._vouchers.family(query.candidate_id)}
        if query.flag is not None:
            wanted["flags"] = query.flag
        rows = await self._vouchers.store.page(
            program.id, wanted, after=_REGISTRY.decode(query.cursor), limit=query.limit + 1
        )
        return _REGISTRY.page(Page[VoucherView], rows, query.limit, key=lambda row: str(row["_id"]), show=_view)

    async def show_voucher(self, call: Call[VoucherPath]) -> VoucherView:
        return await self._found(self._managed(call), call.path.voucher_id)

    async def find_voucher(self, call: Call[ProgramPath, Nothing, CodeSearch]) -> VoucherView:
        program = self._managed(call)
        return await self._found(program, self._vouchers.find(program.id, call.body.vendor, call.body.code))

    async def list_batches(self, call: Call[ProgramPath]) -> Page[BatchView]:
        program = self._managed(call)
        counted = await self._vouchers.store.batches([program.id])
        none = {state.value: 0 for state in State}
        return Page[BatchView](
            items=[BatchView(program=program.id, batch=batch, **{**none, **counts}) for _, batch, counts in counted]
        )

    async def import_vouchers(self, call: Call[ProgramPath, Nothing, CodeList]) -> ImportView:
        program = self._managed(call)
        lines = read_list(call.body.media_type, call.body.content)
        try:
            report = await self._importing.take(program, lines, call.principal.subject)
        except ListRefused as error:
            raise invalid("body", "list", str(error)) from error
        told = [BadLineView(line=bad.line, code=bad.code, message=bad.message) for bad in report.bad[:_MOST_BAD_LINES]]
        return ImportView(added=report.added, known=report.known, bad=len(report.bad), bad_lines=told)

    async def assign_voucher(self, call: Call[VoucherPath, Nothing, Holder]) -> VoucherView:
        program, by = self._managed(call), call.principal.subject
        return _view(await self._vouchers.assign(program, call.path.voucher_id, call.body.candidate_id, by))

    async def assign_next_voucher(self, call: Call[BatchPath, Nothing, NextHolder]) -> VoucherView:
        program, body = self._managed(call), call.body
        exam = program.find_exam(body.exam) if body.exam is not None else None
        if body.exam is not None and exam is None:
            raise invalid("body.exam", "unknown", f"{program.name} has no such exam")
        row = await self._vouchers.assign_next(
            program,
            call.path.batch,
            body.candidate_id,
            exam=exam.code if exam else None,
            by=call.principal.subject,
            operation=call.operation_id,
        )
        return _view(row)

    async def withdraw_voucher(self, call: Call[VoucherPath, Nothing, Withdrawal]) -> VoucherView:
        program, by = self._managed(call), call.principal.subject
        return _view(await self._vouchers.withdraw(program, call.path.voucher_id, call.body.reason, by))

    async def list_own_vouchers(self, call: Call[CandidatePath]) -> Page[OwnVoucherView]:
        call.principal.require(call.path.program, call.path.candidate_id)
        rows = await self._vouchers.of_candidate(call.path.program, call.path.candidate_id, _MOST_OWN)
        return Page[OwnVoucherView](items=[OwnVoucherView.model_validate(_shown(row)) for row in rows])

    async def show_own_voucher(self, call: Call[OwnVoucherPath]) -> ShownView:
        call.principal.require(call.path.program, call.path.candidate_id)
        if call.principal.kind is not Caller.CANDIDATE:
            raise Problem(FORBIDDEN, "only its holder sees a code in full")
        program = self._program(call)
        row, code = await self._vouchers.show(program, call.path.candidate_id, call.path.voucher_id)
        return ShownView.model_validate({**_shown(row), "full_code": code})

    async def _found(self, program: Program, voucher_id: str) -> VoucherView:
        row = await self._vouchers.store.get(None, program.id, voucher_id)
        if row is None:
            raise Problem(NOT_FOUND)
        return _view(row)

    def _managed(self, call: Call[Any, Any, Any]) -> Program:
        call.principal.require_program(call.path.program)
        return self._program(call)

    def _program(self, call: Call[Any, Any, Any]) -> Program:
        program = self._programs.get(call.path.program)
        if program is None:
            raise Problem(NOT_FOUND)
        return program


def _shown(row: Document) -> dict[str, Any]:
    return {
        **row,
        "voucher_id": row["_id"],
        "code": masked(row["end"]),
        "valid_from": date.fromisoformat(row["valid_from"]) if row["valid_from"] else None,
        "valid_until": day_of(row["valid_until"]),
    }


def _view(row: Document) -> VoucherView:
    return VoucherView.model_validate(_shown(row))
