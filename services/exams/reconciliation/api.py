"""The HTTP API of comparisons with vendors' lists of registrations."""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from libs.common.events.types import Identifier, Remark
from libs.common.http.files import Upload
from libs.common.http.models import Body, Day, Nothing, Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import EXAMS_MANAGE
from libs.common.mongo.client import Document
from services.exams.outgoing.authorizations_api import ProgramPath
from services.exams.reconciliation.actions import Action, Actions
from services.exams.reconciliation.compare import Kind
from services.exams.reconciliation.csv_files import FindingsFile, findings_csv
from services.exams.reconciliation.rows import Format, NoList
from services.exams.reconciliation.runs import Runs
from services.exams.reconciliation.store import ReconciliationStore
from services.exams.vendors.definition import Vendor

_FORMATS: Mapping[str, Format] = {
    "text/tab-separated-values": "tsv",
    "text/csv": "csv",
    "application/x-ndjson": "jsonl",
}
_BLOCK = 65_536


class ListUpload(Upload):
    """A vendor's list of registrations."""

    media_types: ClassVar = tuple(_FORMATS)
    max_bytes: ClassVar = 32 * 1024 * 1024


class RunPath(ProgramPath):
    reconciliation_id: Identifier


class FindingPath(RunPath):
    finding_id: Identifier


class ListQuery(Parameters):
    """What a list is of."""

    vendor: Identifier
    first: Annotated[Day, Field(description="First day of the period, at the vendor's place")]
    last: Annotated[Day, Field(description="Last day of it")]


class CountsView(View):
    listed: int
    """Registrations in the list."""
    equal: int
    missing_here: int
    missing_there: int
    different: int
    unreadable: int
    """Lines that could not be read, or came a second time."""


class RunView(View):
    """A comparison."""

    reconciliation_id: str
    program: str
    vendor: str
    first_day: date
    last_day: date
    state: Literal["reading", "comparing", "done"]
    counts: CountsView
    created_at: datetime
    created_by: str
    done_at: datetime | None


class SideView(View):
    """A registration as one side has it."""

    candidate_id: str | None
    vendor_candidate_id: str | None
    exam_code: str | None
    state: Literal["open", "cancelled", "no_show", "delivered"]
    scheduled_at: datetime | None


class DifferenceView(View):
    field: Literal["candidate_id", "vendor_candidate_id", "exam_code", "state", "scheduled_at"]
    theirs: str | None
    ours: str | None


class ActionView(View):
    kind: Action
    reason: str | None
    by: str
    at: datetime


class FindingView(View):
    """A registration about which the two sides do not say the same, or a line that could not be read."""

    finding_id: str
    kind: Kind
    registration_id: str | None
    line: int | None
    """Of a line that could not be read."""
    reason: str | None
    """Why it could not."""
    theirs: SideView | None
    ours: SideView | None
    differences: list[DifferenceView]
    takeable: bool
    """Whether the vendor's word alone can settle it."""
    action: ActionView | None


class FindingsQuery(PageQuery):
    kind: Kind | None = None
    open: Annotated[Literal["true"] | None, Field(description="Only those about which nothing was done")] = None


class FindingsFileQuery(Parameters):
    kind: Kind | None = None


class ActionBody(Body):
    action: Annotated[
        Action,
        Field(
            description="`take_theirs` records the vendor's registration or state; `ask_vendor` puts it on the list of "
            "questions; `dismiss` leaves it as it is"
        ),
    ]
    reason: Annotated[Remark | None, Field(description="Why; a dismissal needs it")] = None


_RUNS = Cursor("reconciliations", tuple[datetime, str])
_FINDINGS = Cursor("reconciliation-findings", str)


class ReconciliationApi:
    """Handlers of the routes below."""

    def __init__(self, runs: Runs, store: ReconciliationStore, actions: Actions, vendors: Mapping[str, Vendor]) -> None:
        self._runs = runs
        self._store = store
        self._actions = actions
        self._vendors = vendors

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        runs = "/programs/{program}/reconciliations"
        one = runs + "/{reconciliation_id}"
        return (
            Route(
                method="POST",
                path=runs,
                handler=self.start_reconciliation,
                summary="Compare a vendor's list of registrations with ours",
                parameters=ProgramPath,
                query=ListQuery,
                body=ListUpload,
                response=RunView,
                status=202,
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND, INVALID),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=runs,
                handler=self.list_reconciliations,
                summary="Comparisons, the latest first",
                parameters=ProgramPath,
                query=PageQuery,
                response=Page[RunView],
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=one,
                handler=self.show_reconciliation,
                summary="How far a comparison is, and what it has found in numbers",
                parameters=RunPath,
                response=RunView,
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=one + "/findings",
                handler=self.list_findings,
                summary="What a comparison has found, in the order of registrations",
                parameters=RunPath,
                query=FindingsQuery,
                response=Page[FindingView],
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=one + "/findings.csv",
                handler=self.download_findings,
                summary="The same as a CSV file",
                parameters=RunPath,
                query=FindingsFileQuery,
                response=FindingsFile,
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=one + "/questions.csv",
                handler=self.download_questions,
                summary="What the vendor is to be asked about, as a CSV file",
                parameters=RunPath,
                response=FindingsFile,
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PUT",
                path=one + "/findings/{finding_id}/action",
                handler=self.act_on_finding,
                summary="Take the vendor's word, ask the vendor, or dismiss a finding; once",
                parameters=FindingPath,
                body=ActionBody,
                response=FindingView,
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND, CONFLICT, INVALID),
            ),
        )

    async def start_reconciliation(self, call: Call[ProgramPath, ListQuery, ListUpload]) -> RunView:
        program, query = call.path.program, call.query
        call.principal.require_program(program)
        vendor = self._vendors.get(query.vendor)
        if vendor is None or program not in vendor.programs:
            raise invalid("query.vendor", "unknown_vendor", "the program has no such vendor")
        if not date(1980, 1, 1) <= query.first <= query.last < date(2100, 1, 1):
            raise invalid("query.last", "before_first", "must not be before the first day")
        try:
            row = await self._runs.take(
                call.operation_id,
                program=program,
                vendor=vendor,
                first=query.first,
                last=query.last,
                form=_FORMATS[call.body.media_type],
                blocks=_blocks(call.body.content),
                by=call.principal.subject,
            )
        except NoList as error:
            raise invalid("body", "no_list", str(error)) from None
        return _run(row)

    async def list_reconciliations(self, call: Call[ProgramPath, PageQuery]) -> Page[RunView]:
        call.principal.require_program(call.path.program)
        before, limit = _RUNS.decode(call.query.cursor), call.query.limit
        rows = await self._store.run_page({"program": call.path.program}, before=before, limit=limit + 1)
        return _RUNS.page(Page[RunView], rows, limit, key=lambda row: (row["created_at"], row["_id"]), show=_run)

    async def show_reconciliation(self, call: Call[RunPath]) -> RunView:
        return _run(await self._of(call))

    async def list_findings(self, call: Call[RunPath, FindingsQuery]) -> Page[FindingView]:
        run = await self._of(call)
        query: Document = {"run_id": run["_id"]}
        if call.query.kind is not None:
            query["kind"] = call.query.kind
        if call.query.open is not None:
            query["action"] = None
        after, limit = _FINDINGS.decode(call.query.cursor), call.query.limit
        rows = await self._store.finding_page(query, after=after, limit=limit + 1)
        return _FINDINGS.page(Page[FindingView], rows, limit, key=lambda row: str(row["key"]), show=_finding)

    async def download_findings(self, call: Call[RunPath, FindingsFileQuery]) -> FindingsFile:
        run = await self._of(call)
        query: Document = {"run_id": run["_id"]} | ({"kind": call.query.kind} if call.query.kind else {})
        return _file(self._store, run, "findings", query)

    async def download_questions(self, call: Call[RunPath]) -> FindingsFile:
        run = await self._of(call)
        return _file(self._store, run, "questions", {"run_id": run["_id"], "action.kind": "ask_vendor"})

    async def act_on_finding(self, call: Call[FindingPath, Nothing, ActionBody]) -> FindingView:
        run = await self._of(call)
        body = call.body
        row = await self._actions.act(
            run["_id"], call.path.finding_id, body.action, body.reason, by=call.principal.subject
        )
        return _finding(row)

    async def _of(self, call: Call[Any, Any, Any]) -> Document:
        call.principal.require_program(call.path.program)
        row = await self._store.run(None, call.path.reconciliation_id)
        if row is None or row["program"] != call.path.program:
            raise Problem(NOT_FOUND)
        return row


async def _blocks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _BLOCK):
        yield content[start : start + _BLOCK]


def _run(row: Document) -> RunView:
    days = {name: date.fromisoformat(row[name]) for name in ("first_day", "last_day")}
    return RunView.model_validate({**row, **days, "reconciliation_id": row["_id"]})


def _finding(row: Document) -> FindingView:
    return FindingView.model_validate({**row, "finding_id": row["_id"]})


def _file(store: ReconciliationStore, run: Document, what: str, query: Document) -> FindingsFile:
    name = f"{run['program']}-{run['vendor']}-{run['first_day']}-{run['last_day']}-{what}.csv"
    return FindingsFile("text/csv", name, findings_csv(store, query))
