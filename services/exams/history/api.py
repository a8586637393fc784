"""The HTTP API of a person's history: every attempt, what it was made of, and when the next is allowed."""

from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import Field

from libs.common.events.types import Code, Identifier
from libs.common.http.models import Day, Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import EXAMS_READ
from services.exams.history.csv_file import HistoryFile, history_csv
from services.exams.history.entries import (
    Entry,
    EntryState,
    Filter,
    Grade,
    Kind,
    Order,
    Place,
    Sort,
    arranged,
    place,
    totals,
)
from services.exams.history.reading import History, Past
from services.exams.history.views import (
    AchievementView,
    ExamTotals,
    HistoryPage,
    Shown,
    WaitView,
    achievement_view,
)

_CURSORS: dict[tuple[Sort, Order], Cursor[Place]] = {
    (sort, order): Cursor(f"exams-history-{sort}-{order}", tuple[float, str, float, str])
    for sort in ("date", "exam", "grade", "score")
    for order in ("asc", "desc")
}
_ACHIEVEMENTS = Cursor("exams-achievements", tuple[str, str])


class PersonPath(Parameters):
    program: Identifier
    candidate_id: Identifier


class ExamPath(PersonPath):
    exam_code: Code


class FileQuery(Parameters):
    """Which entries, in which order."""

    sort: Annotated[Sort, Field(description="What has no grade or score comes first")] = "date"
    order: Order = "desc"
    exam: Annotated[Code | None, Field(description="This exam, also by an older code")] = None
    from_day: Annotated[Day, Field(alias="from", description="First day, at the place of delivery")] = date.min
    to_day: Annotated[Day, Field(alias="to", description="Last day")] = date.max
    state: list[EntryState] = Field(default=[], description="Any of these")
    grade: list[Grade] = Field(default=[], description="Any of these; what is not released has none")
    kind: list[Kind] = Field(default=[], description="Any of these")
    vendor: Code | None = None


class HistoryQuery(FileQuery, PageQuery):
    totals: Annotated[bool, Field(description="Also the totals by exam of all that is asked for")] = False


class RetakeView(View):
    """Whether an exam may be taken now, by the program's rules and what is released of the attempts so far."""

    exam_code: str
    title: str
    as_of: Annotated[date, Field(description="The day in the program's calendar")]
    allowed: bool
    allowed_from: Annotated[date | None, Field(description="The first day on which it is; null where it is today")]
    waits: Annotated[list[WaitView], Field(description="The rules that keep it from being taken today")]
    offered_until: Annotated[date | None, Field(description="The exam's last day, where it has one")]
    awaited: Annotated[
        list[str], Field(description="Attempts whose result is still to come or provisional: it may move the day")
    ]


P = TypeVar("P", bound=PersonPath)


class HistoryApi:
    """Handlers of the routes below."""

    def __init__(self, history: History) -> None:
        self._history = history

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        person = "/programs/{program}/candidates/{candidate_id}"
        return (
            Route(
                method="GET",
                path=f"{person}/history",
                handler=self.list_history,
                summary="Every attempt of a candidate, also those that are waited for or were missed, and achievements",
                parameters=PersonPath,
                query=HistoryQuery,
                response=HistoryPage,
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{person}/history.csv",
                handler=self.download_history,
                summary="The same as a CSV file",
                parameters=PersonPath,
                query=FileQuery,
                response=HistoryFile,
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{person}/achievements",
                handler=self.list_achievements,
                summary="What a candidate achieved beside exams, the latest first",
                parameters=PersonPath,
                query=PageQuery,
                response=Page[AchievementView],
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{person}/exams/{{exam_code}}/retake",
                handler=self.show_retake,
                summary="When a candidate may take an exam next, and why",
                parameters=ExamPath,
                response=RetakeView,
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
        )

    async def list_history(self, call: Call[PersonPath, HistoryQuery]) -> HistoryPage:
        query, cursor = call.query, _CURSORS[call.query.sort, call.query.order]
        after = cursor.decode(query.cursor)
        past, taken = await self._asked(call)
        ordered = arranged(taken, query.sort, query.order, after)
        page = ordered[: query.limit]
        more = len(ordered) > query.limit
        return HistoryPage(
            items=await self._history.shown(past, page),
            next=cursor.encode(place(page[-1], query.sort)) if more else None,
            totals=[ExamTotals.model_validate(each, from_attributes=True) for each in totals(taken)]
            if query.totals
            else None,
        )

    async def download_history(self, call: Call[PersonPath, FileQuery]) -> HistoryFile:
        past, taken = await self._asked(call)
        ordered = arranged(taken, call.query.sort, call.query.order, None)
        return HistoryFile("text/csv", "exams.csv", history_csv(self._history, past, ordered))

    async def list_achievements(self, call: Call[PersonPath, PageQuery]) -> Page[AchievementView]:
        call.principal.require(call.path.program, call.path.candidate_id)
        rows = await self._history.store.achievements(
            call.path.program,
            call.path.candidate_id,
            before=_ACHIEVEMENTS.decode(call.query.cursor),
            limit=call.query.limit + 1,
        )
        return _ACHIEVEMENTS.page(
            Page[AchievementView],
            rows,
            call.query.limit,
            key=lambda row: (row["achieved_on"], row["_id"]),
            show=achievement_view,
        )

    async def show_retake(self, call: Call[ExamPath]) -> RetakeView:
        past = await self._past(call)
        exam = past.program.find_exam(call.path.exam_code)
        if exam is None:
            raise Problem(NOT_FOUND)
        today = past.program.day_of(self._history.clock.now())
        waits = past.judgement.waits(exam.code, today)
        return RetakeView(
            exam_code=exam.code,
            title=exam.title,
            as_of=today,
            allowed=not waits,
            allowed_from=max((wait.allowed_from for wait in waits), default=None),
            offered_until=exam.last_day,
            waits=[Shown(past.program).wait(wait) for wait in waits],
            awaited=[entry.key for entry in past.entries if _may_move(entry, exam.code)],
        )

    async def _past(self, call: Call[P, Any]) -> Past:
        call.principal.require(call.path.program, call.path.candidate_id)
        return await self._history.past(call.path.program, call.path.candidate_id)

    async def _asked(self, call: Call[PersonPath, Any]) -> tuple[Past, list[Entry]]:
        """A person's history, and those of its entries that are asked for."""
        query: FileQuery = call.query
        if query.to_day < query.from_day:
            raise invalid("query.to", "order", "is before `from`")
        past = await self._past(call)
        exam = past.program.find_exam(query.exam) if query.exam else None
        asked = Filter(
            exam=exam.code if exam else query.exam,
            from_day=query.from_day,
            to_day=query.to_day,
            states=frozenset(query.state),
            grades=frozenset(query.grade),
            kinds=frozenset(query.kind),
            vendor=query.vendor,
        )
        return past, [entry for entry in past.entries if asked.takes(entry)]


def _may_move(entry: Entry, exam_code: str) -> bool:
    return entry.exam_code == exam_code and entry.state in {"waiting", "provisional"}
