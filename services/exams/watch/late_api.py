"""The HTTP API of the results watch for staff: what is late, what vendors were asked about it, and the numbers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.clock import Clock
from libs.common.events.types import Code, Identifier, Remark
from libs.common.http.models import Body, Day, Nothing, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import INVALID, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import ACCOUNTS_MANAGE, OPERATIONS_READ
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.exams.domain.watch import Stage
from services.exams.places import place_time
from services.exams.store import ExamsStore, registration_key
from services.exams.unmatched.store import item_id, key_of
from services.exams.watch.api import ProgramPath
from services.exams.watch.figures import figures_of
from services.exams.watch.notes import promise_of
from services.exams.watch.questions import How, Question, Questions, ask_again_on, questions_of
from services.exams.watch.store import Filters

_LATE = Cursor("late-results", tuple[str, str])


class LateQuery(PageQuery):
    stage: Annotated[Literal["late", "overdue"] | None, Field(description="Either, unless given")] = None
    vendor: Code | None = None
    exam_code: Code | None = None
    due_before: Annotated[Day | None, Field(description="Only what was due before this day")] = None
    to_ask: Annotated[
        bool, Field(description="Only those of which the vendor was not asked yet, or long enough ago to ask again")
    ] = False


class QuestionView(View):
    """One time that a vendor was asked about a late result."""

    asked_on: date
    how: How
    note: str
    by: str
    at: datetime


class LateView(View):
    """A result that is late, for staff."""

    late_id: str
    """Names it where the vendor's being asked is noted."""
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
    questions: list[QuestionView]
    """What the vendor was asked about it as its appointment stands now, the latest first."""
    ask_again_on: date | None
    """From when on the vendor has had its time to answer; null where it was not asked."""


class LatePage(Page[LateView]):
    """One page of them."""

    count: int
    """Of all pages."""
    to_ask: int
    """Of these, those of which the vendor is to be asked today, for the first time or again."""


class QuestionBody(Body):
    late_ids: Annotated[list[Identifier], Field(min_length=1, max_length=200, description="As the list names them")]
    how: How
    note: Annotated[Remark | None, Field(description="What was asked, or what the vendor said; of no candidate")] = None
    asked_on: Annotated[Day | None, Field(description="Today, unless given; none that lies ahead")] = None


class NotedView(View):
    """What became of a note about questions."""

    noted: int
    """Of how many results it is noted."""
    left_out: int
    """How many have come meanwhile, or were not sat yet on that day."""


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


class LateApi:
    """Handlers of the routes below."""

    def __init__(self, store: ExamsStore, questions: Questions, programs: Mapping[str, Program], clock: Clock) -> None:
        self._store = store
        self._questions = questions
        self._programs = programs
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
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
                method="POST",
                path="/programs/{program}/late-results/questions",
                handler=self.note_late_question,
                summary="Note that a vendor was asked about late results",
                parameters=ProgramPath,
                body=QuestionBody,
                response=NotedView,
                scopes=ACCOUNTS_MANAGE,
                errors=(NOT_FOUND, INVALID),
                idempotent=True,
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

    async def list_late_results(self, call: Call[ProgramPath, LateQuery]) -> LatePage:
        program, query = self._entered(call), call.query
        today = program.day_of(self._clock.now())
        filters = Filters(
            stage=Stage(query.stage) if query.stage else None,
            vendor=query.vendor,
            exam_code=query.exam_code,
            due_before=query.due_before.isoformat() if query.due_before else None,
            to_ask_on=today.isoformat() if query.to_ask else None,
        )
        watches = self._store.watches
        rows = await watches.late(program.id, filters, after=_LATE.decode(query.cursor), limit=query.limit + 1)
        unmatched: dict[str, list[str]] = {}
        for each in await self._store.unmatched_results.of_registrations(
            program.id, [row["registration_id"] for row in rows]
        ):
            key = registration_key(program.id, each["vendor"], each["registration_id"])
            unmatched.setdefault(key, []).append(item_id(each["_id"]))
        page = _LATE.page(
            Page[LateView],
            rows,
            query.limit,
            key=lambda row: (row["watch"]["due_on"], row["_id"]),
            show=lambda row: _late(row, program, today, unmatched.get(row["_id"], [])),
        )
        to_ask = await watches.count_late(program.id, replace(filters, to_ask_on=today.isoformat()))
        count = await watches.count_late(program.id, filters)
        return LatePage(items=page.items, next=page.next, count=count, to_ask=to_ask)

    async def note_late_question(self, call: Call[ProgramPath, Nothing, QuestionBody]) -> NotedView:
        program, body, now = self._entered(call), call.body, self._clock.now()
        # An id that is none names no result of ours, like one of another program's.
        keys = {key for each in body.late_ids if (key := key_of(each)) is not None}
        asked = Question(
            question_id=call.operation_id,
            asked_on=body.asked_on or program.day_of(now),
            how=body.how,
            note=body.note or "",
            by=call.principal.subject,
            at=now,
        )
        noted = await self._questions.note(program, sorted(keys), asked)
        return NotedView(noted=noted, left_out=len(set(body.late_ids)) - noted)

    async def show_results_watch(self, call: Call[ProgramPath]) -> FiguresView:
        program = self._entered(call)
        awaited = await self._store.watches.figures([program.id])
        unmatched = await self._store.unmatched_results.figures([program.id])
        return FiguresView.model_validate(figures_of(program, awaited, unmatched, self._clock.now()))

    def _entered(self, call: Call[ProgramPath, Any, Any]) -> Program:
        call.principal.require_program(call.path.program)
        program = self._programs.get(call.path.program)
        if program is None:
            raise Problem(NOT_FOUND)
        return program


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
        "late_id": item_id(row["_id"]),
        "questions": questions_of(row, program),
        "ask_again_on": ask_again_on(row, program),
    }
    return LateView.model_validate(shown)
