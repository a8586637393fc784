"""The HTTP API of hand-overs: the schedule button, the way back, and what became of it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from libs.common.events.types import Code, Identifier, PartnerId
from libs.common.http.lost_ways import page_for
from libs.common.http.models import Body, Nothing, Parameters, View
from libs.common.http.paging import Page
from libs.common.http.principal import Kind
from libs.common.http.problems import CONFLICT, FORBIDDEN, INVALID, NOT_FOUND, Problem
from libs.common.http.routes import PUBLIC, Call, Reply, Route
from libs.common.http.scopes import EXAMS_BOOK, EXAMS_READ
from libs.common.programs import Program
from services.exams.api import CandidatePath
from services.exams.scheduling.hand_overs import Asked, Form, HandOvers, Seen
from services.exams.scheduling.states import Purpose, State, words
from services.exams.vouchers.lists import VendorName

OwnPath = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^/([A-Za-z0-9._~%?-][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?$")
]
"""A path of our own site: no other host, whatever a browser makes of slashes and backslashes."""

Status = Literal["booked", "changed", "cancelled", "left", "failed"]
Ticket = Annotated[str, StringConstraints(max_length=200)]
"""One that was cut on its way is unknown, like any other that is not ours."""


class HandOverPath(CandidatePath):
    hand_over_id: Identifier


class HandOverBody(Body):
    vendor: VendorName
    exam_code: Code
    purpose: Purpose = "schedule"
    registration_id: Annotated[PartnerId | None, Field(description="What is to be moved or cancelled")] = None
    voucher_id: Annotated[Identifier | None, Field(description="One of the candidate's own, to pay with")] = None
    return_to: Annotated[OwnPath, Field(description="Where on our own site the candidate goes on afterwards")] = (
        "/exams"
    )


class ReturnQuery(Parameters):
    """What a vendor adds to the address of the way back."""

    ticket: Ticket
    status: Status
    registration_id: PartnerId | None = None
    issued_at: Annotated[str | None, Field(max_length=40)] = None
    key_id: Annotated[str | None, Field(max_length=40)] = None
    digest: Annotated[str | None, Field(max_length=64)] = None


class FormView(View):
    """What the browser takes along. It is shown this once."""

    method: Literal["GET", "POST"]
    action: str
    fields: dict[str, str]
    ticket: "TicketView | None"
    """Of a vendor with OpenID: what has to go along as `login_hint`."""


class TicketView(View):
    """How a ticket is asked for: `POST` to the address, with the client."""

    url: str
    client_id: str


class SaidView(View):
    """What the vendor said on the way back. Nothing rests on it."""

    status: Status
    registration_id: str | None
    signed: bool


class SettledView(View):
    """What the vendor's own event says became of it."""

    registration_id: str
    scheduled_at: datetime | None
    said_at: datetime


class HandOverView(View):
    hand_over_id: str
    program: str
    candidate_id: str
    vendor: str
    exam_code: str
    purpose: Purpose
    registration_id: str | None
    voucher_id: str | None
    not_before: date | None
    """The first day on which the program's rules let the candidate take the exam; null where that is today."""
    state: State
    words: str
    made_at: datetime
    expires_at: datetime
    gone_at: datetime | None
    returned_at: datetime | None
    said: SaidView | None
    settled: SettledView | None


class HandOverMadeView(HandOverView):
    """A new one, with what the browser takes along."""

    form: FormView


class ReturnedView(View):
    """For whoever follows no redirection."""

    location: str


class SchedulingApi:
    """Handlers of the routes below."""

    def __init__(self, hand_overs: HandOvers, programs: Mapping[str, Program]) -> None:
        self._hand_overs = hand_overs
        self._programs = programs

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        own = "/programs/{program}/candidates/{candidate_id}/hand-overs"
        return (
            # Not idempotent by key: the answer would be kept, and the sign-on with it.
            Route(
                method="POST",
                path=own,
                handler=self.hand_over,
                summary="Go to a vendor, signed on, to book, move or cancel an appointment",
                parameters=CandidatePath,
                body=HandOverBody,
                response=HandOverMadeView,
                status=201,
                scopes=EXAMS_BOOK,
                errors=(NOT_FOUND, FORBIDDEN, INVALID, CONFLICT),
            ),
            Route(
                method="GET",
                path=own,
                handler=self.list_hand_overs,
                summary="A candidate's ways to vendors and what became of them, the latest hundred",
                parameters=CandidatePath,
                response=Page[HandOverView],
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=own + "/{hand_over_id}/departure",
                handler=self.leave_for_vendor,
                summary="Tell that the browser is on its way",
                parameters=HandOverPath,
                response=None,
                status=204,
                scopes=EXAMS_BOOK,
                errors=(NOT_FOUND, FORBIDDEN),
            ),
            Route(
                method="GET",
                path="/hand-overs/return",
                handler=self.return_from_vendor,
                summary="The way back from a vendor, for the candidate's browser",
                query=ReturnQuery,
                response=ReturnedView,
                status=303,
                scopes=PUBLIC,
                errors=(NOT_FOUND, INVALID),
            ),
        )

    async def hand_over(self, call: Call[CandidatePath, Nothing, HandOverBody]) -> HandOverMadeView:
        program, body = self._own(call), call.body
        asked = Asked(body.vendor, body.exam_code, body.purpose, body.registration_id, body.voucher_id, body.return_to)
        made, form = await self._hand_overs.make(program, call.path.candidate_id, asked, call.operation_id)
        shown = {**self._shown(made), "form": _form(form, program.id, made.row["candidate_id"])}
        return HandOverMadeView.model_validate(shown)

    async def list_hand_overs(self, call: Call[CandidatePath]) -> Page[HandOverView]:
        call.principal.require(call.path.program, call.path.candidate_id)
        seen = await self._hand_overs.of_person(self._program(call), call.path.candidate_id)
        return Page[HandOverView](items=[HandOverView.model_validate(self._shown(one)) for one in seen])

    async def leave_for_vendor(self, call: Call[HandOverPath]) -> None:
        program = self._own(call)
        await self._hand_overs.leave(program.id, call.path.candidate_id, call.path.hand_over_id)

    async def return_from_vendor(self, call: Call[Nothing, ReturnQuery]) -> Reply[ReturnedView]:
        said = call.query.model_dump(exclude_none=True, exclude={"ticket"})
        try:
            location = await self._hand_overs.come_back(call.query.ticket, said)
        except Problem:
            page = page_for(call.headers, self._hand_overs.public_url)
            if page is None:
                raise
            location = page
        return Reply(ReturnedView(location=location), {"Location": location})

    def _own(self, call: Call[Any, Any, Any]) -> Program:
        """The program of a candidate who asks for themselves: nobody else is signed on as them."""
        call.principal.require(call.path.program, call.path.candidate_id)
        if call.principal.kind is not Kind.CANDIDATE:
            raise Problem(FORBIDDEN, "only the candidate is signed on as the candidate")
        return self._program(call)

    def _program(self, call: Call[Any, Any, Any]) -> Program:
        program = self._programs.get(call.path.program)
        if program is None:
            raise Problem(NOT_FOUND)
        return program

    def _shown(self, seen: Seen) -> dict[str, Any]:
        word = seen.word
        return {
            **seen.row,
            "hand_over_id": seen.row["_id"],
            "not_before": date.fromisoformat(first) if (first := seen.row["not_before"]) else None,
            "state": seen.state,
            "words": words(seen.state, self._hand_overs.vendor_name(seen.row["vendor"])),
            "settled": word
            and {
                "registration_id": word.registration_id,
                "scheduled_at": word.scheduled_at,
                "said_at": word.said_at,
            },
        }


def _form(form: Form, program: str, candidate_id: str) -> FormView:
    ticket = None
    if form.ticket_for is not None:
        url = f"/api/identity/v1/programs/{program}/candidates/{candidate_id}/provider-tickets"
        ticket = TicketView(url=url, client_id=form.ticket_for)
    return FormView(method=form.method, action=form.action, fields=dict(form.fields), ticket=ticket)
