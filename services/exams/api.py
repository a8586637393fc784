"""The HTTP API of exams: a candidate's results, and what staff watch."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from libs.common.events.types import Code, Identifier
from libs.common.http.models import Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.principal import Principal
from libs.common.http.problems import NOT_FOUND
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import EXAMS_READ, OPERATIONS_READ
from libs.common.http.server import Api
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.exams.embargo import shown
from services.exams.store import ExamsStore


class CandidatePath(Parameters):
    program: Identifier
    candidate_id: Identifier


class SectionView(View):
    name: str
    percent: float


class RevisionView(View):
    """What was said, and when it was first known here."""

    revision: int | None
    """The vendor's number; None of what came without one."""
    state: Literal["provisional", "final", "released", "revised", "invalidated", "restored"]
    """What it made of the result."""
    grade: Literal["pass", "fail", "pending", "invalidated"]
    """Pending where it is held back."""
    score: float | None
    effective_at: datetime | None
    """From when it holds; None for the day of the exam."""
    known_at: datetime


class ResultView(View):
    """One attempt as it now stands, with every revision that led there."""

    result_id: str
    program: str
    exam_code: str
    taken_on: date
    """The local date at the place of delivery."""
    taken_at: datetime
    state: Literal["provisional", "final", "released", "revised", "invalidated", "restored"]
    """What the last word made of it. A result on hold reads like one that has not come."""
    grade: Literal["pass", "fail", "pending", "invalidated"]
    score: float | None
    passing_score: float | None
    sections: list[SectionView]
    score_report_url: str | None
    registration_id: str
    vendor: str
    received_at: datetime
    revisions: list[RevisionView]


class UnmatchedView(View):
    """A result whose candidate is not known yet."""

    result_id: str
    program: str
    vendor: str
    vendor_candidate_id: str
    exam_code: str
    taken_on: date
    received_at: datetime


class ReasonView(View):
    path: str
    code: str
    message: str


class RejectionView(View):
    """A vendor's message that was refused."""

    rejection_id: str
    vendor: str
    rejected_at: datetime
    routing_key: str
    message_id: str | None
    reasons: list[ReasonView]
    original: str
    truncated: bool


class TotalsView(View):
    results: int
    unmatched: int
    registrations: int
    rejections: int


class RejectionsQuery(PageQuery):
    vendor: Annotated[Code | None, Field(description="Only this vendor's")] = None


_HISTORY = Cursor("exams-history", tuple[datetime, str])
_UNMATCHED = Cursor("exams-unmatched", str)
_REJECTIONS = Cursor("exams-rejections", tuple[datetime, str])


class ExamsApi:
    """Handlers of the routes below."""

    def __init__(self, store: ExamsStore, programs: Mapping[str, Program]) -> None:
        self._store = store
        self._programs = programs

    def api(self) -> Api:
        return Api(
            service="exams",
            title="Certrail exams",
            description="Registrations, appointments and results: every attempt, from every vendor.",
            version="1.0.0",
            routes=(
                Route(
                    method="GET",
                    path="/programs/{program}/candidates/{candidate_id}/results",
                    handler=self.list_results,
                    summary="A candidate's results, latest first",
                    parameters=CandidatePath,
                    query=PageQuery,
                    response=Page[ResultView],
                    scopes=EXAMS_READ,
                    errors=(NOT_FOUND,),
                ),
                Route(
                    method="GET",
                    path="/unmatched",
                    handler=self.list_unmatched,
                    summary="Results that wait for their candidate",
                    query=PageQuery,
                    response=Page[UnmatchedView],
                    scopes=OPERATIONS_READ,
                ),
                Route(
                    method="GET",
                    path="/rejections",
                    handler=self.list_rejections,
                    summary="Vendors' messages that were refused, latest first",
                    query=RejectionsQuery,
                    response=Page[RejectionView],
                    scopes=OPERATIONS_READ,
                ),
                Route(
                    method="GET",
                    path="/totals",
                    handler=self.show_totals,
                    summary="How much there is of everything",
                    response=TotalsView,
                    scopes=OPERATIONS_READ,
                    audited=False,
                ),
            ),
        )

    async def list_results(self, call: Call[CandidatePath, PageQuery]) -> Page[ResultView]:
        call.principal.require(call.path.program, call.path.candidate_id)
        before = _HISTORY.decode(call.query.cursor)
        rows = await self._store.history(
            call.path.program, call.path.candidate_id, before=before, limit=call.query.limit + 1
        )
        return _HISTORY.page(
            Page[ResultView],
            rows,
            call.query.limit,
            key=lambda row: (row["taken_at"], row["_id"]),
            show=_result,
        )

    async def list_unmatched(self, call: Call[Parameters, PageQuery]) -> Page[UnmatchedView]:
        after = _UNMATCHED.decode(call.query.cursor)
        rows = await self._store.unmatched(sorted(call.principal.programs), after=after, limit=call.query.limit + 1)
        return _UNMATCHED.page(
            Page[UnmatchedView], rows, call.query.limit, key=lambda row: str(row["_id"]), show=_unmatched
        )

    async def list_rejections(self, call: Call[Parameters, RejectionsQuery]) -> Page[RejectionView]:
        before = _REJECTIONS.decode(call.query.cursor)
        rows = await self._store.rejections(
            self._seen_by(call.principal), call.query.vendor, before=before, limit=call.query.limit + 1
        )
        return _REJECTIONS.page(
            Page[RejectionView],
            rows,
            call.query.limit,
            key=lambda row: (row["rejected_at"], row["_id"]),
            show=_rejection,
        )

    async def show_totals(self, call: Call) -> TotalsView:
        return TotalsView(**await self._store.totals(self._seen_by(call.principal)))

    def _seen_by(self, principal: Principal) -> list[str] | None:
        """The caller's programs; None for a caller of all of them, who also sees what belongs to none."""
        return None if principal.programs >= self._programs.keys() else sorted(principal.programs)


def _result(row: Document) -> ResultView:
    return ResultView.model_validate({**shown(row), "taken_on": date.fromisoformat(row["taken_on"])})


def _unmatched(row: Document) -> UnmatchedView:
    named = {"result_id": row["result_id"] or row["registration_id"]}
    return UnmatchedView.model_validate({**row, **named, "taken_on": date.fromisoformat(row["taken_on"])})


def _rejection(row: Document) -> RejectionView:
    return RejectionView.model_validate({**row, "rejection_id": row["_id"]})
