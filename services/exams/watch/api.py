"""The HTTP API of the results watch: what a candidate waits for, where a result is, and what is late for staff."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from libs.common.clock import Clock
from libs.common.events.types import Code, Identifier, PartnerId
from libs.common.http.models import Day, Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import EXAMS_READ, OPERATIONS_READ
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.exams.domain.watch import Stage
from services.exams.places import place_time
from services.exams.store import ExamsStore, registration_key
from services.exams.unmatched.store import item_id
from services.exams.watch.answers import Answer, Answers, Expected
from services.exams.watch.figures import figures_of
from services.exams.watch.notes import promise_of
from services.exams.watch.store import Filters

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
    text: str


class ExpectedList(View):
    items: list[ExpectedView]
    """By appointment, the earliest first."""


class AnswerView(View):
    """Where a result is."""

    code: Literal[
        "not_booked",
        "ahead",
        "cancelled",
        "no_show",
        "expected",
        "late",
        "overdue",
        "waiting_for_mapping",
        "being_checked",
        "arrived",
    ]
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


class LateQuery(PageQuery):
    stage: Annotated[Literal["late", "overdue"] | None, Field(description="Either, unless given")] = None
    vendor: Code | None = None
    exam_code: Code | None = None
    due_before: Annotated[Day | None, Field(description="Only what was due before this day")] = None


class LateView(View):
    """A result that is late, for staff."""

    registration_id: str
    program: str
    candidate_id: str | None
    vendor: str
    exam_code: str
    scheduled_at: datetime
    stage: Literal["late", "overdue"]
    due_on: date
    overdue_on: date
    business_days_late: int
    told: bool
    """Whether the candidate was told, and a case is open; not while it is not known whose it is."""
    unmatched_items: list[str]
    """Unmatched results that name the registration: see `/unmatched/{item_id}`."""


class LatePage(Page[LateView]):
    """One page of them."""

    count: int
    """Of all pages."""


class VendorFigures(View):
    """How much of a vendor's is waited for."""

    vendor: str
    expected: int
    late: int
    overdue: int
    oldest_due_on: date | None
    """Of what is late or overdue."""
    late_by_business_days: dict[str, int]
    """How many results are late by how many: `1-2`, `3-5`, `6-10`, `more`."""
    unmatched: int
    oldest_unmatched_at: datetime | None


class FiguresView(View):
    """The numbers of a program's dashboard. What came in time may count as expected for up to an hour."""

    expected: int
    late: int
    overdue: int
    unmatched: int
    oldest_due_on: date | None
    oldest_unmatched_at: datetime | None
    oldest_unmatched_days: int | None
    vendors: list[VendorFigures]


class WatchApi:
    """Handlers of the routes below."""

    def __init__(self, store: ExamsStore, programs: Mapping[str, Program], clock: Clock) -> None:
        self._store = store
        self._programs = programs
        self._clock = clock
        self._answers = Answers(store)

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
            Route(
                method="GET",
                path="/programs/{program}/late-results",
                handler=self.list_late_results,
                summary="Results that are past their promise, the longest due first",
                parameters=ProgramPath,
                query=LateQuery,
                response=LatePage,
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/programs/{program}/results-watch",
                handler=self.show_results_watch,
                summary="How many results are expected, late, overdue and unmatched, and since when",
                parameters=ProgramPath,
                response=FiguresView,
                scopes=OPERATIONS_READ,
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

    async def list_late_results(self, call: Call[ProgramPath, LateQuery]) -> LatePage:
        program, query = self._entered(call), call.query
        filters = Filters(
            stage=Stage(query.stage) if query.stage else None,
            vendor=query.vendor,
            exam_code=query.exam_code,
            due_before=query.due_before.isoformat() if query.due_before else None,
        )
        watches = self._store.watches
        rows = await watches.late(program.id, filters, after=_LATE.decode(query.cursor), limit=query.limit + 1)
        unmatched: dict[str, list[str]] = {}
        for each in await self._store.unmatched_results.of_registrations(
            program.id, [row["registration_id"] for row in rows]
        ):
            key = registration_key(program.id, each["vendor"], each["registration_id"])
            unmatched.setdefault(key, []).append(item_id(each["_id"]))
        today = program.day_of(self._clock.now())
        page = _LATE.page(
            Page[LateView],
            rows,
            query.limit,
            key=lambda row: (row["watch"]["due_on"], row["_id"]),
            show=lambda row: _late(row, program, today, unmatched.get(row["_id"], [])),
        )
        return LatePage(items=page.items, next=page.next, count=await watches.count_late(program.id, filters))

    async def show_results_watch(self, call: Call[ProgramPath]) -> FiguresView:
        program = self._entered(call)
        awaited = await self._store.watches.figures([program.id])
        unmatched = await self._store.unmatched_results.figures([program.id])
        return FiguresView.model_validate(figures_of(program, awaited, unmatched, self._clock.now()))

    def _seen(self, call: Call[CandidatePath, Any]) -> Program:
        call.principal.require(call.path.program, call.path.candidate_id)
        return self._program(call.path.program)

    def _entered(self, call: Call[ProgramPath, Any]) -> Program:
        call.principal.require_program(call.path.program)
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


def _late(row: Document, program: Program, today: date, unmatched: list[str]) -> LateView:
    due = promise_of(row, program)
    watch = row["watch"]
    shown = {
        **row,
        "scheduled_at": place_time(row),
        "stage": watch["stage"],
        "due_on": date.fromisoformat(watch["due_on"]),
        "overdue_on": date.fromisoformat(watch["overdue_on"]),
        "business_days_late": program.calendar.between(due.due_on, today) if due else 0,
        "told": watch["told"] is not None,
        "unmatched_items": unmatched,
    }
    return LateView.model_validate(shown)
