"""The HTTP API of the results watch for candidates: what they wait for, and where a result is."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from libs.common.clock import Clock
from libs.common.events.types import Code, Identifier, PartnerId
from libs.common.http.models import Day, Parameters, View
from libs.common.http.paging import Cursor
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import EXAMS_READ
from libs.common.programs import Program
from services.exams.domain import where
from services.exams.store import ExamsStore
from services.exams.vendors.definition import Vendor
from services.exams.watch.answers import Answer, Answers, Expected

_LATE = Cursor("late-results", tuple[str, str])


class ProgramPath(Parameters):
    program: Identifier


class CandidatePath(ProgramPath):
    candidate_id: Identifier


class WhereQuery(Parameters):
    """By the registration, or by exam and day."""

    registration_id: PartnerId | None = None
    exam_code: Code | None = None
    taken_on: Annotated[Day | None, Field(description="The day at the place of the exam")] = None

    @model_validator(mode="after")
    def _something_to_go_by(self) -> "WhereQuery":
        if self.registration_id is None and (self.exam_code is None or self.taken_on is None):
            raise ValueError("give registration_id, or exam_code and taken_on")
        return self


class ExpectedView(View):
    """A result that is awaited."""

    registration_id: str
    vendor: str
    exam_code: str
    exam_title: str | None
    scheduled_at: datetime
    """With the offset at its place."""
    state: Literal["expected", "late", "overdue", "being_checked"]
    due_on: date
    """The last day of the promise, in the program's calendar."""
    promise_business_days: int
    """How many there are from the appointment to it."""
    business_days_left: int
    """Up to the last day of the promise; 0 on it and after it."""
    business_days_late: int
    since: datetime
    """Since when it is in this state."""
    case_opened: bool
    """Whether a case was opened by itself; it is among the candidate's cases."""
    asked_on: date | None
    """When the vendor was last asked about what is late."""
    text: str


class ExpectedList(View):
    items: list[ExpectedView]
    """By appointment, the earliest first."""


class AnswerView(View):
    """Where a result is."""

    code: where.Code
    text: str
    registration_id: str | None
    exam_code: str | None
    scheduled_at: datetime | None
    """With the offset at its place."""
    due_on: date | None
    """The last day of the promise, of what is awaited."""
    case_opened: bool
    result_id: str | None
    """Of one that has come: as the candidate's history names it."""
    href: str | None
    """Where to go on: the history, the claim of an id, or the cases."""


class WhereView(View):
    answers: list[AnswerView]
    """One for each appointment or result that is meant; never none."""


class WatchApi:
    """Handlers of the routes below."""

    def __init__(
        self, store: ExamsStore, programs: Mapping[str, Program], vendors: Mapping[str, Vendor], clock: Clock
    ) -> None:
        self._programs = programs
        self._clock = clock
        self._answers = Answers(store, vendors)

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        candidate = "/programs/{program}/candidates/{candidate_id}"
        return (
            Route(
                method="GET",
                path=f"{candidate}/expected-results",
                handler=self.list_expected_results,
                summary="Results that a candidate waits for, and by when they come",
                parameters=CandidatePath,
                response=ExpectedList,
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{candidate}/results/where",
                handler=self.where_is_my_result,
                summary="Where is my result?",
                parameters=CandidatePath,
                query=WhereQuery,
                response=WhereView,
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
        )

    async def list_expected_results(self, call: Call[CandidatePath]) -> ExpectedList:
        program = self._seen(call)
        found = await self._answers.expected(program, call.path.candidate_id, self._clock.now())
        return ExpectedList(items=[_expected(each, program) for each in found])

    async def where_is_my_result(self, call: Call[CandidatePath, WhereQuery]) -> WhereView:
        program, query = self._seen(call), call.query
        found = await self._answers.where(
            program,
            call.path.candidate_id,
            self._clock.now(),
            registration_id=query.registration_id,
            exam_code=query.exam_code,
            taken_on=query.taken_on,
        )
        return WhereView(answers=[_answer(each, call.path) for each in found])

    def _seen(self, call: Call[CandidatePath, Any]) -> Program:
        call.principal.require(call.path.program, call.path.candidate_id)
        return self._program(call.path.program)

    def _program(self, program_id: str) -> Program:
        program = self._programs.get(program_id)
        if program is None:
            raise Problem(NOT_FOUND)
        return program


def _expected(each: Expected, program: Program) -> ExpectedView:
    exam = program.find_exam(each.exam_code)
    return ExpectedView.model_validate({**each._asdict(), "exam_title": exam.title if exam else None})


def _answer(each: Answer, path: CandidatePath) -> AnswerView:
    candidate = f"programs/{path.program}/candidates/{path.candidate_id}"
    leads_to = {
        "arrived": f"/api/exams/v1/{candidate}/results",
        "waiting_for_mapping": f"/api/identity/v1/{candidate}/external-ids",
    }
    cases = f"/api/identity/v1/{candidate}/cases" if each.case_opened else None
    return AnswerView.model_validate({**each._asdict(), "href": leads_to.get(each.code, cases)})
