"""The HTTP API of attempts that broke a rule about retakes: staff look at them and say what comes of each."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from libs.common.events.types import Code, Identifier, Remark
from libs.common.http.models import Body, Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import EXAMS_DECIDE, OPERATIONS_READ
from libs.common.mongo.client import Document
from libs.common.mongo.merges import Merges
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs.retakes import RetakeRule
from services.exams.history.retake_flags import RetakeFlags, ReviewState
from services.exams.history.views import ClauseView

_FLAGS = Cursor("retake-flags", tuple[str, str])


class ProgramPath(Parameters):
    program: Identifier


class FlagPath(ProgramPath):
    flag_id: Identifier


class FlagsQuery(PageQuery):
    state: Annotated[ReviewState | None, Field(description="Without one, in every state")] = None
    exam: Code | None = None
    candidate_id: Annotated[Identifier | None, Field(description="Of all accounts that are one with this")] = None


class BreachView(View):
    rule: RetakeRule
    clause: ClauseView
    allowed_from: date
    because: Annotated[list[str], Field(description="The attempts that it follows from, oldest first")]


class ReviewView(View):
    state: ReviewState
    by: str
    at: datetime
    reason: Annotated[str | None, Field(description="Null once the candidate is erased")]


class RetakeFlagView(View):
    """An attempt that broke a rule about retakes."""

    flag_id: str
    program: str
    candidate_id: str
    attempt: Annotated[str, Field(description="Its id in the candidate's history")]
    registration_id: str | None
    vendor: str
    exam_code: str
    taken_on: date
    breaches: list[BreachView]
    flagged_at: datetime
    lapsed_at: Annotated[datetime | None, Field(description="When later words undid the breach")]
    state: ReviewState
    reviews: Annotated[list[ReviewView], Field(description="What staff have said of it, the oldest first")]


class ReviewBody(Body):
    state: ReviewState
    reason: Remark


class RetakeFlagsApi:
    """Handlers of the routes below."""

    def __init__(self, flags: RetakeFlags, merges: Merges, unit_of_work: UnitOfWork) -> None:
        self._flags = flags
        self._merges = merges
        self._unit_of_work = unit_of_work

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        flag = "/programs/{program}/retake-flags/{flag_id}"
        return (
            Route(
                method="GET",
                path="/programs/{program}/retake-flags",
                handler=self.list_retake_flags,
                summary="Attempts that broke a rule about retakes, the latest first",
                parameters=ProgramPath,
                query=FlagsQuery,
                response=Page[RetakeFlagView],
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=flag,
                handler=self.show_retake_flag,
                summary="One of them, with what staff have said of it",
                parameters=FlagPath,
                response=RetakeFlagView,
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PUT",
                path=f"{flag}/review",
                handler=self.review_retake,
                summary="Say what comes of it",
                parameters=FlagPath,
                body=ReviewBody,
                response=RetakeFlagView,
                scopes=EXAMS_DECIDE,
                errors=(NOT_FOUND, CONFLICT),
            ),
        )

    async def list_retake_flags(self, call: Call[ProgramPath, FlagsQuery]) -> Page[RetakeFlagView]:
        call.principal.require_program(call.path.program)
        query = call.query
        candidates = await self._merges.family(None, query.candidate_id) if query.candidate_id else None
        rows = await self._flags.listed(
            call.path.program,
            state=query.state,
            exam_code=query.exam,
            candidates=candidates,
            before=_FLAGS.decode(query.cursor),
            limit=query.limit + 1,
        )
        return _FLAGS.page(
            Page[RetakeFlagView], rows, query.limit, key=lambda row: (row["taken_on"], row["_id"]), show=_view
        )

    async def show_retake_flag(self, call: Call[FlagPath]) -> RetakeFlagView:
        call.principal.require_program(call.path.program)
        return _view(_there(await self._flags.get(None, call.path.program, call.path.flag_id)))

    async def review_retake(self, call: Call[FlagPath, Any, ReviewBody]) -> RetakeFlagView:
        call.principal.require_program(call.path.program)

        async def work(transaction: Transaction) -> Document:
            row = _there(await self._flags.get(transaction.session, call.path.program, call.path.flag_id))
            if row["lapsed_at"] is not None:
                raise Problem(CONFLICT, "the breach is undone; there is nothing to review")
            review = {"state": call.body.state, "reason": call.body.reason}
            row["reviews"].append({**review, "by": call.principal.subject, "at": transaction.now})
            row["state"] = call.body.state
            await self._flags.save(transaction.session, row)
            return row

        return _view(await self._unit_of_work.run(work))


def _there(row: Document | None) -> Document:
    if row is None:
        raise Problem(NOT_FOUND)
    return row


def _view(row: Document) -> RetakeFlagView:
    return RetakeFlagView(
        flag_id=row["_id"],
        program=row["program"],
        candidate_id=row["candidate_id"],
        attempt=row["result"],
        registration_id=row["registration_id"],
        vendor=row["vendor"],
        exam_code=row["exam_code"],
        taken_on=date.fromisoformat(row["taken_on"]),
        breaches=[
            BreachView(
                rule=breach["rule"],
                clause=ClauseView(path=breach["clause"], wording=breach["wording"]),
                allowed_from=date.fromisoformat(breach["allowed_from"]),
                because=breach["because"],
            )
            for breach in row["breaches"]
        ],
        flagged_at=row["flagged_at"],
        lapsed_at=row["lapsed_at"],
        state=row["state"],
        reviews=[ReviewView.model_validate(review) for review in row["reviews"]],
    )
