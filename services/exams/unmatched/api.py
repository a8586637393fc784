"""The HTTP API of unmatched results for staff: what waits since when, whose it may be, and what is done about it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.casework import owner
from libs.common.casework.words import AssigneeBody
from libs.common.clock import Clock
from libs.common.events.types import Code, Identifier, Remark
from libs.common.http.models import Body, Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import ACCOUNTS_MANAGE, OPERATIONS_READ
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.exams.domain.suggestions import suggest
from services.exams.places import place_time
from services.exams.store import ExamsStore, registration_key
from services.exams.unmatched.assigning import Assigning
from services.exams.unmatched.clues import Clues, is_own
from services.exams.unmatched.store import Filters, item_id, key_of

UNMATCHED_MANAGE = ACCOUNTS_MANAGE
"""What it takes to say whose a result is: it does for one result what a mapping does for all of an id."""

_OLDEST = Cursor("unmatched-oldest", tuple[datetime, str])
_NEWEST = Cursor("unmatched-newest", tuple[datetime, str])


class ProgramPath(Parameters):
    program: Identifier


class ItemPath(ProgramPath):
    item_id: Identifier


class UnmatchedQuery(PageQuery):
    vendor: Annotated[Code | None, Field(description="Only this vendor's")] = None
    exam_code: Code | None = None
    older_than_days: Annotated[int | None, Field(ge=0, le=36_500, description="Only what waits longer")] = None
    asked_vendor: Annotated[bool | None, Field(description="Whether the vendor was asked")] = None
    assignee: Annotated[Identifier | None, Field(description="Only what this one of staff is on")] = None
    unassigned: Annotated[bool, Field(description="Only what nobody is on")] = False
    sort: Annotated[Literal["oldest", "newest"], Field(description="By when it was first known")] = "oldest"


class KnownRegistration(View):
    """What is known here of the registration that a result names."""

    registration_id: str
    candidate_id: str | None
    exam_code: str
    scheduled_at: datetime | None
    """With the offset at its place."""
    state: Literal["scheduled", "rescheduled", "cancelled", "no_show"]


class HandlingView(View):
    """What staff did about it."""

    what: Literal["taken", "left", "assigned", "unassigned", "asked_vendor", "noted"]
    by: str
    at: datetime
    text: str
    """The reason or the note; of `taken` whose it has become, by the subject of their tokens."""
    candidate_id: str | None


class UnmatchedItem(View):
    """A result whose candidate is not known. Its grade is shown to nobody before it is."""

    item_id: str
    program: str
    vendor: str
    result_id: str
    vendor_candidate_id: str
    """The id that it came under; where the vendor uses our own IDs, one of those."""
    exam_code: str
    taken_on: date
    registration_id: str
    registration: KnownRegistration | None
    """None where no such registration is known."""
    received_at: datetime
    age_days: int
    """Whole days since then."""
    asked_vendor_at: datetime | None
    assignee: str | None
    """Who of staff is on it, by the subject of their tokens."""
    assignee_since: datetime | None


class UnmatchedPage(Page[UnmatchedItem]):
    """One page of them."""

    count: int
    """Of all pages."""


class ReasonView(View):
    code: Literal[
        "registration", "assigned_before", "same_id_otherwise_written", "similar_id", "other_prefix", "same_sitting"
    ]
    text: str


class SuggestionView(View):
    """A candidate who may be meant. Nothing is done by itself."""

    candidate_id: str
    score: Annotated[int, Field(description="From 0 to 100, to order by")]
    reasons: list[ReasonView]


class AssignmentView(View):
    """To whom staff have assigned it."""

    candidate_id: str
    by: str
    at: datetime
    reason: str


class SameIdView(View):
    """How all that comes under the same id is the candidate's from now on: by identity's change of the mapping."""

    method: Literal["POST"] = "POST"
    href: str
    system: str
    external_id: str
    to: str


class UnmatchedDetail(UnmatchedItem):
    """An unmatched or assigned result with all that is known of it."""

    suggestions: list[SuggestionView]
    """The likeliest first; none of one that is assigned."""
    assignment: AssignmentView | None
    same_id_from_now_on: SameIdView | None
    """Of one that is assigned, and came under an id of the vendor's."""
    handling: list[HandlingView]


class AssignBody(Body):
    candidate_id: Identifier
    reason: Remark


class UnassignBody(Body):
    reason: Remark


class NoteBody(Body):
    text: Remark
    asked_vendor: Annotated[bool, Field(description="Whether it says what the vendor was asked")] = True


class UnmatchedApi:
    """Handlers of the routes below."""

    def __init__(self, store: ExamsStore, assigning: Assigning, programs: Mapping[str, Program], clock: Clock) -> None:
        self._store = store
        self._results = store.unmatched_results
        self._assigning = assigning
        self._clues = Clues(store)
        self._programs = programs
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        item = "/programs/{program}/unmatched/{item_id}"
        return (
            Route(
                method="GET",
                path="/programs/{program}/unmatched",
                handler=self.list_unmatched_results,
                summary="Results that wait for their candidate, by age",
                parameters=ProgramPath,
                query=UnmatchedQuery,
                response=UnmatchedPage,
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=item,
                handler=self.show_unmatched_result,
                summary="One of them, with whose it may be and why",
                parameters=ItemPath,
                response=UnmatchedDetail,
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=f"{item}/assignment",
                handler=self.assign_result,
                summary="Say whose an unmatched result is",
                parameters=ItemPath,
                body=AssignBody,
                response=UnmatchedDetail,
                scopes=UNMATCHED_MANAGE,
                errors=(NOT_FOUND, CONFLICT, INVALID),
                idempotent=True,
            ),
            Route(
                method="POST",
                path=f"{item}/unassignment",
                handler=self.unassign_result,
                summary="Take an assignment back",
                parameters=ItemPath,
                body=UnassignBody,
                response=UnmatchedDetail,
                scopes=UNMATCHED_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
                idempotent=True,
            ),
            Route(
                method="PUT",
                path=f"{item}/assignee",
                handler=self.take_unmatched_result,
                summary="Give an unmatched result to somebody of staff to work on, or to nobody",
                parameters=ItemPath,
                body=AssigneeBody,
                response=UnmatchedDetail,
                scopes=UNMATCHED_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="POST",
                path=f"{item}/notes",
                handler=self.note_unmatched_result,
                summary="Note what the vendor was asked, or what is known",
                parameters=ItemPath,
                body=NoteBody,
                response=UnmatchedDetail,
                scopes=UNMATCHED_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
                idempotent=True,
            ),
        )

    async def list_unmatched_results(self, call: Call[ProgramPath, UnmatchedQuery]) -> UnmatchedPage:
        program, query = self._entered(call), call.query
        days = query.older_than_days
        filters = Filters(
            vendor=query.vendor,
            exam_code=query.exam_code,
            received_before=None if days is None else self._clock.now() - timedelta(days),
            asked_vendor=query.asked_vendor,
            owner=owner.query(query.assignee, unassigned=query.unassigned),
        )
        oldest_first = query.sort == "oldest"
        cursor = _OLDEST if oldest_first else _NEWEST
        rows = await self._results.page(
            program.id,
            filters,
            oldest_first=oldest_first,
            after=cursor.decode(query.cursor),
            limit=query.limit + 1,
        )
        known = await self._registrations(rows)
        page = cursor.page(
            Page[UnmatchedItem],
            rows,
            query.limit,
            key=lambda row: (row["received_at"], row["_id"]),
            show=lambda row: UnmatchedItem.model_validate(self._item(row, known)),
        )
        return UnmatchedPage(items=page.items, next=page.next, count=await self._results.count(program.id, filters))

    async def show_unmatched_result(self, call: Call[ItemPath]) -> UnmatchedDetail:
        program, key = self._entered(call), self._key(call)
        row = await self._results.get(program.id, key)
        if row is None:
            raise Problem(NOT_FOUND)
        return await self._detail(row, program)

    async def assign_result(self, call: Call[ItemPath, Any, AssignBody]) -> UnmatchedDetail:
        program, body = self._entered(call), call.body
        row = await self._assigning.assign(
            program.id, self._key(call), to=body.candidate_id, by=call.principal.subject, reason=body.reason
        )
        return await self._detail(row, program)

    async def unassign_result(self, call: Call[ItemPath, Any, UnassignBody]) -> UnmatchedDetail:
        program = self._entered(call)
        row = await self._assigning.unassign(
            program.id, self._key(call), by=call.principal.subject, reason=call.body.reason
        )
        return await self._detail(row, program)

    async def take_unmatched_result(self, call: Call[ItemPath, Any, AssigneeBody]) -> UnmatchedDetail:
        program = self._entered(call)
        row = await self._assigning.take(program.id, self._key(call), to=call.body.assignee, by=call.principal.subject)
        return await self._detail(row, program)

    async def note_unmatched_result(self, call: Call[ItemPath, Any, NoteBody]) -> UnmatchedDetail:
        program, body = self._entered(call), call.body
        row = await self._assigning.note(
            program.id, self._key(call), text=body.text, asked_vendor=body.asked_vendor, by=call.principal.subject
        )
        return await self._detail(row, program)

    def _entered(self, call: Call[Any, Any, Any]) -> Program:
        call.principal.require_program(call.path.program)
        program = self._programs.get(call.path.program)
        if program is None:
            raise Problem(NOT_FOUND)
        return program

    @staticmethod
    def _key(call: Call[ItemPath, Any, Any]) -> str:
        key = key_of(call.path.item_id)
        if key is None:
            raise Problem(NOT_FOUND)
        return key

    async def _detail(self, row: Document, program: Program) -> UnmatchedDetail:
        waits = row["candidate_id"] is None
        suggestions = suggest(await self._clues.about(row, program)) if waits else []
        assigned = row.get("assigned")
        shown = {
            **self._item(row, await self._registrations([row])),
            "suggestions": [
                {
                    "candidate_id": each.candidate_id,
                    "score": each.score,
                    "reasons": [{"code": reason.code, "text": reason.text} for reason in each.reasons],
                }
                for each in suggestions
            ],
            "assignment": {**assigned, "candidate_id": assigned["to"]} if assigned else None,
            "same_id_from_now_on": _same_id(row) if assigned and not is_own(row) else None,
            "handling": row.get("handling", []),
        }
        return UnmatchedDetail.model_validate(shown)

    async def _registrations(self, rows: Sequence[Document]) -> dict[str, Document]:
        keys = [_registration(row) for row in rows]
        return await self._store.registrations(None, keys)

    def _item(self, row: Document, registrations: Mapping[str, Document]) -> dict[str, Any]:
        known = registrations.get(_registration(row))
        return {
            **row,
            "item_id": item_id(row["_id"]),
            "result_id": row["result_id"] or row["registration_id"],
            "taken_on": date.fromisoformat(row["taken_on"]),
            "age_days": (self._clock.now() - row["received_at"]).days,
            "asked_vendor_at": row.get("asked_vendor_at"),
            "assignee": row.get("assignee"),
            "assignee_since": row.get("assignee_since"),
            "registration": _known(known) if known is not None and known["link"] is not None else None,
        }


def _registration(row: Document) -> str:
    return registration_key(row["program"], row["vendor"], row["registration_id"])


def _known(row: Document) -> dict[str, Any]:
    return {**row, "scheduled_at": place_time(row)}


def _same_id(row: Document) -> dict[str, Any]:
    return {
        "href": f"/api/identity/v1/programs/{row['program']}/external-ids/changes",
        "system": row["vendor"],
        "external_id": row["vendor_candidate_id"],
        "to": row["candidate_id"],
    }
