"""Appointments: what is booked, how it changed, whether it is too early, and the calendar files."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.events.types import Identifier
from libs.common.http.files import Download
from libs.common.http.models import View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import EXAMS_READ
from libs.common.ids import derived_id
from libs.common.mongo.client import Document
from services.exams.history.api import PersonPath
from services.exams.history.bookings import Booking
from services.exams.history.entries import local_time
from services.exams.history.reading import History, Past
from services.exams.history.views import Shown, WaitView, at_the_place

_APPOINTMENTS = Cursor("exams-appointments", str)
COMING = ("scheduled", "rescheduled")
"""States of an appointment that somebody is to keep."""

Change = Literal["scheduled", "rescheduled", "cancelled", "no_show"]


class AppointmentPath(PersonPath):
    appointment_id: Identifier


class AppointmentsQuery(PageQuery):
    coming: Annotated[bool, Field(description="Only those that lie ahead and are to be kept")] = False


class ChangeView(View):
    """What the vendor said of an appointment."""

    state: Change
    reason: Literal["nda_refused"] | None
    scheduled_at: datetime | None
    said_at: datetime
    known_at: datetime


class AppointmentView(View):
    appointment_id: str
    registration_id: str
    program: str
    vendor: str
    exam_code: str
    title: str | None
    delivery: Literal["test_center", "online"]
    site: str | None
    scheduled_at: datetime | None
    local_time: Annotated[
        datetime | None, Field(description="The same moment with the place's offset, where the vendor gave it")
    ]
    state: Annotated[
        Change | Literal["delivered"], Field(description="Delivered once there is a result that may be shown")
    ]
    reason: Literal["nda_refused"] | None
    history: Annotated[list[ChangeView], Field(description="Every word on it, in the order in which they came")]
    retake: Annotated[list[WaitView], Field(description="Rules about retakes that forbid the exam on the booked day")]


class CalendarFile(Download):
    """Appointments for a calendar."""

    media_types = ("text/calendar",)


class AppointmentsApi:
    """Handlers of the routes below.

    Args:
        portals: the vendors' own pages for changes, by vendor.
    """

    def __init__(self, history: History, portals: Mapping[str, str]) -> None:
        self._history = history
        self._portals = portals

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        person = "/programs/{program}/candidates/{candidate_id}"
        return (
            Route(
                method="GET",
                path=f"{person}/appointments",
                handler=self.list_appointments,
                summary="A candidate's registrations and appointments, with every change",
                parameters=PersonPath,
                query=AppointmentsQuery,
                response=Page[AppointmentView],
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{person}/appointments.ics",
                handler=self.download_calendar,
                summary="All appointments that lie ahead, for a calendar",
                parameters=PersonPath,
                response=CalendarFile,
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{person}/appointments/{{appointment_id}}/calendar.ics",
                handler=self.download_appointment,
                summary="One appointment for a calendar, also one that was cancelled",
                parameters=AppointmentPath,
                response=CalendarFile,
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
        )

    async def list_appointments(self, call: Call[PersonPath, AppointmentsQuery]) -> Page[AppointmentView]:
        call.principal.require(call.path.program, call.path.candidate_id)
        after, query, now = _APPOINTMENTS.decode(call.query.cursor), call.query, self._history.clock.now()
        past = await self._history.past(call.path.program, call.path.candidate_id)
        rows = await self._history.store.appointments(
            call.path.program,
            call.path.candidate_id,
            only={"state": {"$in": list(COMING)}, "scheduled_at": {"$gt": now}} if query.coming else {},
            after=after,
            limit=query.limit + 1,
        )
        delivered = past.delivered
        return _APPOINTMENTS.page(
            Page[AppointmentView],
            rows,
            query.limit,
            key=lambda row: str(row["_id"]),
            show=lambda row: _view(row, past, now, delivered=(row["vendor"], row["registration_id"]) in delivered),
        )

    async def download_calendar(self, call: Call[PersonPath]) -> CalendarFile:
        rows = await self._appointments(call)
        now = self._history.clock.now()
        ahead = [row for row in rows if row["state"] != "no_show" and row["scheduled_at"] > now]
        return self._file(call, sorted(ahead, key=lambda row: (row["scheduled_at"], row["_id"])))

    async def download_appointment(self, call: Call[AppointmentPath]) -> CalendarFile:
        for row in await self._appointments(call):
            if appointment_id(row) == call.path.appointment_id:
                return self._file(call, [row])
        raise Problem(NOT_FOUND)

    async def _appointments(self, call: Call[Any]) -> list[Document]:
        """A person's appointments whose time is known."""
        call.principal.require(call.path.program, call.path.candidate_id)
        timed = {"scheduled_at": {"$ne": None}}
        return await self._history.store.appointments(
            call.path.program, call.path.candidate_id, only=timed, after=None, limit=None
        )

    def _file(self, call: Call[Any], rows: Sequence[Document]) -> CalendarFile:
        from services.exams.history.calendar_file import calendar_file  # noqa: PLC0415 some megabytes, for who asks

        program = self._history.program(call.path.program)
        bookings = [_booking(row, self._history, self._portals.get(row["vendor"])) for row in rows]
        return CalendarFile(CalendarFile.media_types[0], "exams.ics", calendar_file(program, bookings))


def appointment_id(row: Document) -> str:
    """The id of an appointment, good for a path: a vendor's number may hold a slash."""
    return derived_id("appointment", row["_id"])


def _view(row: Document, past: Past, now: datetime, *, delivered: bool) -> AppointmentView:
    exam = past.program.find_exam(row["exam_code"])
    ahead = row["state"] in COMING and row["scheduled_at"] is not None and row["scheduled_at"] > now
    booked: date | None = local_time(row["scheduled_at"], row.get("utc_offset")).date() if ahead else None
    waits = past.judgement.waits(exam.code, booked) if exam and booked and not delivered else []
    return AppointmentView(
        appointment_id=appointment_id(row),
        registration_id=row["registration_id"],
        program=row["program"],
        vendor=row["vendor"],
        exam_code=row["exam_code"],
        title=exam.title if exam else None,
        delivery=row["delivery"],
        site=row["site"],
        scheduled_at=row["scheduled_at"],
        local_time=at_the_place(row["scheduled_at"], row.get("utc_offset")) if row["scheduled_at"] else None,
        state="delivered" if delivered else row["state"],
        reason=row.get("reason"),
        history=[ChangeView.model_validate(step) for step in row.get("history", ())],
        retake=[Shown(past.program).wait(wait) for wait in waits],
    )


def _booking(row: Document, history: History, portal: str | None) -> Booking:
    exam = history.program(row["program"]).find_exam(row["exam_code"])
    steps = row["history"]
    return Booking(
        key=appointment_id(row),
        exam_code=row["exam_code"],
        title=exam.title if exam else None,
        scheduled_at=row["scheduled_at"],
        utc_offset=row.get("utc_offset"),
        delivery=row["delivery"],
        place=row["site"],
        registration_id=row["registration_id"],
        vendor=row["vendor"],
        url=portal,
        changes=len(steps) - 1,
        changed_at=max(step["known_at"] for step in steps),
        cancelled=row["state"] == "cancelled",
    )
