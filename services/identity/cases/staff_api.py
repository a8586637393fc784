"""The HTTP API of cases for staff: what is due, assign, ask, look at evidence, decide."""

from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.casework import owner
from libs.common.casework.thread import SECOND_OPINION
from libs.common.casework.words import AssigneeBody, QuestionBody
from libs.common.events.types import Identifier, Remark
from libs.common.http.evidence import EvidenceFile
from libs.common.http.models import Body, Parameters
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import ACCOUNTS_MANAGE
from libs.common.mongo.client import Document
from libs.common.programs.cases import CaseKind
from services.identity.api import ProgramPath, entered
from services.identity.cases.casework import Cases
from services.identity.cases.views import StaffCaseView, StaffSummary, staff_summary, staff_view
from services.identity.domain.cases import CLOSED, State
from services.identity.merging import MERGE_REFUSED

CASES_MANAGE = ACCOUNTS_MANAGE
"""What it takes to work on cases: their acceptance changes accounts."""

_QUEUE = Cursor("cases", tuple[str, str])


class CasePath(Parameters):
    program: Identifier
    case_id: Identifier


class EvidencePath(CasePath):
    evidence_id: Identifier


class CasesQuery(PageQuery):
    state: Annotated[State | None, Field(description="Without one, every case that is not closed")] = None
    kind: CaseKind | None = None
    reference: Identifier | None = None
    candidate_id: Identifier | None = None
    assignee: Identifier | None = None
    unassigned: bool = False
    overdue: Annotated[bool, Field(description="Only what waits for staff and should have been decided")] = False


class DecisionBody(Body):
    decision: Literal["accept", "refuse"]
    reason: Annotated[Remark, Field(description="For the candidate")]
    other_candidate_id: Annotated[
        Identifier | None, Field(description="Of a duplicate, the account that is merged into the candidate's")
    ] = None


class StaffCasesApi:
    """Handlers of the routes below."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        case = "/programs/{program}/cases/{case_id}"
        return (
            Route(
                method="GET",
                path="/programs/{program}/cases",
                handler=self.list_cases,
                summary="Cases, what is due first at the front",
                parameters=ProgramPath,
                query=CasesQuery,
                response=Page[StaffSummary],
                scopes=CASES_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=case,
                handler=self.show_case,
                summary="A case with its messages and its history",
                parameters=CasePath,
                response=StaffCaseView,
                scopes=CASES_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PUT",
                path=f"{case}/assignee",
                handler=self.assign_case,
                summary="Give a case to somebody, or to nobody",
                parameters=CasePath,
                body=AssigneeBody,
                response=StaffCaseView,
                scopes=CASES_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="POST",
                path=f"{case}/messages",
                handler=self.ask_candidate,
                summary="Write to the candidate, who is told by mail that there is something to read",
                parameters=CasePath,
                body=QuestionBody,
                response=StaffCaseView,
                scopes=CASES_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=f"{case}/evidence/{{evidence_id}}",
                handler=self.show_case_evidence,
                summary="A document of a case",
                parameters=EvidencePath,
                response=EvidenceFile,
                scopes=CASES_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=f"{case}/decision",
                handler=self.decide_case,
                summary="Accept or refuse; where four eyes decide, the first of two opinions or the second",
                parameters=CasePath,
                body=DecisionBody,
                response=StaffCaseView,
                scopes=CASES_MANAGE,
                errors=(NOT_FOUND, CONFLICT, SECOND_OPINION, MERGE_REFUSED, INVALID),
                idempotent=True,
            ),
        )

    async def list_cases(self, call: Call[ProgramPath, CasesQuery]) -> Page[StaffSummary]:
        program, query = entered(call), call.query
        today = self._cases.today(program)
        filters: Document = {
            name: value for name in ("kind", "reference", "candidate_id") if (value := getattr(query, name)) is not None
        }
        filters |= owner.query(query.assignee, unassigned=query.unassigned)
        rows = await self._cases.store.queue(
            program,
            states=[query.state] if query.state else set(State) - CLOSED,
            filters=filters,
            overdue_on=today if query.overdue else None,
            after=_QUEUE.decode(query.cursor),
            limit=query.limit + 1,
        )
        return _QUEUE.page(
            Page[StaffSummary],
            rows,
            query.limit,
            key=lambda row: (row["due_on"], row["_id"]),
            show=lambda row: staff_summary(row, today),
        )

    async def show_case(self, call: Call[CasePath]) -> StaffCaseView:
        return self._view(await self._case(call))

    async def assign_case(self, call: Call[CasePath, Any, AssigneeBody]) -> StaffCaseView:
        case = await self._cases.assign(
            entered(call), call.path.case_id, to=call.body.assignee, by=call.principal.subject
        )
        return self._view(case)

    async def ask_candidate(self, call: Call[CasePath, Any, QuestionBody]) -> StaffCaseView:
        case = await self._cases.ask(
            entered(call),
            call.path.case_id,
            message_id=call.operation_id,
            text=call.body.text,
            needs_answer=call.body.needs_answer,
            by=call.principal.subject,
        )
        return self._view(case)

    async def show_case_evidence(self, call: Call[EvidencePath]) -> EvidenceFile:
        case = await self._case(call)
        file = await self._cases.files.file(case["_id"], call.path.evidence_id)
        if file is None:
            raise Problem(NOT_FOUND)
        return file

    async def decide_case(self, call: Call[CasePath, Any, DecisionBody]) -> StaffCaseView:
        case = await self._cases.decide(
            entered(call),
            call.path.case_id,
            decision_id=call.operation_id,
            accept=call.body.decision == "accept",
            other=call.body.other_candidate_id,
            reason=call.body.reason,
            by=call.principal.subject,
        )
        return self._view(case)

    async def _case(self, call: Call[Any, Any, Any]) -> Document:
        case = await self._cases.store.get(entered(call), call.path.case_id)
        if case is None:
            raise Problem(NOT_FOUND)
        return case

    def _view(self, case: Document) -> StaffCaseView:
        return staff_view(case, self._cases.today(case["program"]))
