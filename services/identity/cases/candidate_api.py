"""The HTTP API of cases for candidates: ask for something, write, add evidence, see what became of it; their names."""

from datetime import datetime
from typing import Any

from libs.common.casework.words import AnswerBody, EvidenceView
from libs.common.events.types import Identifier
from libs.common.http.evidence import EvidenceFile, EvidenceUpload
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.principal import Kind
from libs.common.http.problems import CONFLICT, FORBIDDEN, INVALID, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Reply, Route
from libs.common.http.scopes import PROFILE_READ, PROFILE_WRITE
from libs.common.mongo.client import Document
from services.identity.api import CandidatePath
from services.identity.cases.casework import Cases
from services.identity.cases.requests import MissingResultRequest, NewCase, stored
from services.identity.cases.views import (
    CaseSummary,
    CaseView,
    NamesView,
    candidates_view,
    names_view,
    summary,
)

_OWN = Cursor("own-cases", tuple[datetime, str])


class OwnCasePath(CandidatePath):
    case_id: Identifier


class OwnEvidencePath(OwnCasePath):
    evidence_id: Identifier


class CandidateCasesApi:
    """Handlers of the routes below. Whoever sees a candidate may open a case for them; the rest is theirs alone."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        candidate = "/programs/{program}/candidates/{candidate_id}"
        case = f"{candidate}/cases/{{case_id}}"
        return (
            Route(
                method="POST",
                path=f"{candidate}/cases",
                handler=self.open_case,
                summary="Ask staff for something; the same asked for twice is one case",
                parameters=CandidatePath,
                body=NewCase,
                response=CaseView,
                status=201,
                scopes=PROFILE_WRITE,
                errors=(NOT_FOUND, CONFLICT, INVALID),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=f"{candidate}/cases",
                handler=self.list_own_cases,
                summary="A candidate's cases, the newest first",
                parameters=CandidatePath,
                query=PageQuery,
                response=Page[CaseSummary],
                scopes=PROFILE_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=case,
                handler=self.show_own_case,
                summary="A case with its messages",
                parameters=OwnCasePath,
                response=CaseView,
                scopes=PROFILE_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=f"{case}/messages",
                handler=self.answer_case,
                summary="Write to staff",
                parameters=OwnCasePath,
                body=AnswerBody,
                response=CaseView,
                scopes=PROFILE_WRITE,
                errors=(NOT_FOUND, FORBIDDEN, CONFLICT),
                idempotent=True,
            ),
            Route(
                method="POST",
                path=f"{case}/evidence",
                handler=self.add_case_evidence,
                summary="Add a document to a case: PDF, PNG or JPEG, up to 5 MiB",
                parameters=OwnCasePath,
                body=EvidenceUpload,
                response=EvidenceView,
                status=201,
                scopes=PROFILE_WRITE,
                errors=(NOT_FOUND, FORBIDDEN, CONFLICT, INVALID),
            ),
            Route(
                method="GET",
                path=f"{case}/evidence/{{evidence_id}}",
                handler=self.show_own_evidence,
                summary="A document of one's own",
                parameters=OwnEvidencePath,
                response=EvidenceFile,
                scopes=PROFILE_READ,
                errors=(NOT_FOUND, FORBIDDEN),
            ),
            Route(
                method="POST",
                path=f"{case}/withdrawal",
                handler=self.withdraw_case,
                summary="Withdraw a case",
                parameters=OwnCasePath,
                response=CaseView,
                scopes=PROFILE_WRITE,
                errors=(NOT_FOUND, FORBIDDEN, CONFLICT),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=f"{candidate}/names",
                handler=self.list_names,
                summary="A candidate's name, and those before it",
                parameters=CandidatePath,
                response=NamesView,
                scopes=PROFILE_READ,
                errors=(NOT_FOUND,),
            ),
        )

    async def open_case(self, call: Call[CandidatePath, Any, NewCase]) -> Reply[CaseView]:
        await self._seen(call)
        request = call.body.root
        if isinstance(request, MissingResultRequest):
            self._check_taken(call.path.program, request)
        case = await self._cases.open(
            call.path.program,
            call.path.candidate_id,
            case_id=call.operation_id,
            kind=request.kind,
            details=stored(request),
            text=request.text,
            by=call.principal.subject,
            side="candidate" if call.principal.kind is Kind.CANDIDATE else "staff",
        )
        place = f"/api/identity/v1/programs/{case['program']}/candidates/{case['candidate_id']}/cases/{case['_id']}"
        return Reply(candidates_view(case), {"Location": place})

    async def list_own_cases(self, call: Call[CandidatePath, PageQuery]) -> Page[CaseSummary]:
        account, query = await self._seen(call), call.query
        rows = await self._cases.store.of_accounts(
            call.path.program, _family(account), before=_OWN.decode(query.cursor), limit=query.limit + 1
        )
        return _OWN.page(
            Page[CaseSummary], rows, query.limit, key=lambda row: (row["opened_at"], row["_id"]), show=summary
        )

    async def show_own_case(self, call: Call[OwnCasePath]) -> CaseView:
        return candidates_view(await self._case(call))

    async def answer_case(self, call: Call[OwnCasePath, Any, AnswerBody]) -> CaseView:
        case, by = await self._own(call), call.principal.subject
        return candidates_view(await self._cases.answer(case, message_id=call.operation_id, text=call.body.text, by=by))

    async def add_case_evidence(self, call: Call[OwnCasePath, Any, EvidenceUpload]) -> EvidenceView:
        case = await self._own(call)
        return EvidenceView.model_validate(await self._cases.add_evidence(case, call.body, by=call.principal.subject))

    async def show_own_evidence(self, call: Call[OwnEvidencePath]) -> EvidenceFile:
        case = await self._own(call)
        file = await self._cases.files.file(case["_id"], call.path.evidence_id)
        if file is None:
            raise Problem(NOT_FOUND)
        return file

    async def withdraw_case(self, call: Call[OwnCasePath]) -> CaseView:
        return candidates_view(await self._cases.withdraw(await self._own(call), by=call.principal.subject))

    async def list_names(self, call: Call[CandidatePath]) -> NamesView:
        return names_view(await self._seen(call), for_staff=call.principal.kind is not Kind.CANDIDATE)

    async def _seen(self, call: Call[Any, Any, Any]) -> Document:
        """The account of a path, if the caller may see it."""
        call.principal.require(call.path.program, call.path.candidate_id)
        return await self._cases.account(call.path.program, call.path.candidate_id)

    async def _case(self, call: Call[Any, Any, Any]) -> Document:
        account = await self._seen(call)
        case = await self._cases.store.get(call.path.program, call.path.case_id)
        if case is None or case["candidate_id"] not in _family(account):
            raise Problem(NOT_FOUND)
        return case

    async def _own(self, call: Call[Any, Any, Any]) -> Document:
        """The case of a path, if it is the caller's own: what stands there as the candidate's words is theirs."""
        case = await self._case(call)
        if call.principal.kind is not Kind.CANDIDATE:
            raise Problem(FORBIDDEN, "this is the candidate's alone")
        return case

    def _check_taken(self, program: str, request: MissingResultRequest) -> None:
        today = self._cases.today(program)
        if request.taken_on > today:
            raise invalid("body.taken_on", "day", "must be today or before")


def _family(account: Document) -> list[str]:
    """The accounts whose cases are an account's: its own, and those of accounts that were merged into it."""
    return [account["_id"], *account.get("merged_from", [])]
