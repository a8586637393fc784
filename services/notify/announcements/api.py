"""The HTTP API of announcements: staff write, publish and withdraw them; candidates read what is meant for them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.clock import Clock
from libs.common.events.types import Code, Identifier, Language, Line, Remark
from libs.common.http.models import Body, Day, Nothing, Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import MESSAGES_MANAGE, MESSAGES_READ
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.notify.announcements.publishing import Publishing
from services.notify.announcements.store import AnnouncementStore, audience_of, texts_of
from services.notify.domain.announcements import SEVERITIES, Severity, choose
from services.notify.reminders.standings import Standings
from services.notify.rows import known_recipient
from services.notify.store import NotifyStore

_MOST_LANGUAGES = 20
_MOST_NAMES = 200
_MOST_PARAGRAPHS = 20
_LIST = Cursor("announcements", tuple[datetime, str])

StateName = Literal["draft", "published", "withdrawn"]


class ProgramPath(Parameters):
    program: Identifier


class AnnouncementPath(ProgramPath):
    announcement_id: Identifier


class CandidatePath(ProgramPath):
    candidate_id: Identifier


class AnnouncementsQuery(PageQuery):
    state: StateName | None = None


class ReadingQuery(Parameters):
    language: Annotated[Language | None, Field(description="Instead of the one in the profile (BCP 47)")] = None


class AudienceBody(Body):
    """Who holds any of these now; everybody where both are empty."""

    certifications: Annotated[list[Code], Field(max_length=_MOST_NAMES)] = Field(default=[])
    levels: Annotated[list[Line], Field(max_length=_MOST_NAMES)] = Field(default=[])


class TextBody(Body):
    """The announcement in one language, as plain text."""

    language: Language
    title: Line
    paragraphs: Annotated[list[Remark], Field(min_length=1, max_length=_MOST_PARAGRAPHS)]


class AnnouncementBody(Body):
    severity: Severity = "info"
    audience: AudienceBody = AudienceBody()
    texts: Annotated[list[TextBody], Field(min_length=1, max_length=_MOST_LANGUAGES)]
    first_day: Annotated[Day, Field(description="In the program's calendar")]
    last_day: Annotated[Day, Field(description="On which it is still shown")]


class Publication(Body):
    mail: Annotated[bool, Field(description="Also as a mail, to those of the audience who agreed to news")] = False


class Withdrawal(Body):
    reason: Remark


class AudienceView(View):
    certifications: list[str]
    levels: list[str]


class TextView(View):
    language: str
    title: str
    paragraphs: list[str]


class StepView(View):
    what: Literal["written", "changed", "published", "withdrawn"]
    at: datetime
    by: str
    reason: str | None


class MailingView(View):
    """How far its mails have come."""

    mails: int
    """That were written; whether each was sent is in the log of mails."""
    done_at: datetime | None


class AnnouncementView(View):
    """An announcement, as staff see it."""

    announcement_id: str
    program: str
    state: StateName
    severity: Severity
    audience: AudienceView
    texts: list[TextView]
    first_day: date
    last_day: date
    created_at: datetime
    mailing: MailingView | None = None
    """Null where it is not mailed."""
    history: list[StepView]


class ReadView(TextView):
    """An announcement, as a candidate reads it."""

    announcement_id: str
    severity: Severity
    first_day: date
    last_day: date


class ReadingView(View):
    items: list[ReadView]
    """The gravest first, and among those the latest."""


class AnnouncementsApi:
    """Handlers of the routes below."""

    def __init__(  # noqa: PLR0917
        self,
        announcements: AnnouncementStore,
        publishing: Publishing,
        store: NotifyStore,
        standings: Standings,
        programs: Mapping[str, Program],
        clock: Clock,
    ) -> None:
        self._announcements = announcements
        self._publishing = publishing
        self._store = store
        self._standings = standings
        self._programs = programs
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        path = "/programs/{program}/announcements"
        one = f"{path}/{{announcement_id}}"
        return (
            Route(
                method="GET",
                path="/programs/{program}/candidates/{candidate_id}/announcements",
                handler=self.read_announcements,
                summary="What the program announces to a candidate today",
                parameters=CandidatePath,
                query=ReadingQuery,
                response=ReadingView,
                scopes=MESSAGES_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=path,
                handler=self.list_announcements,
                summary="All announcements of a program, the latest first",
                parameters=ProgramPath,
                query=AnnouncementsQuery,
                response=Page[AnnouncementView],
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=path,
                handler=self.write_announcement,
                summary="Write a draft",
                parameters=ProgramPath,
                body=AnnouncementBody,
                response=AnnouncementView,
                status=201,
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND, INVALID),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=one,
                handler=self.show_announcement,
                summary="One announcement with its history",
                parameters=AnnouncementPath,
                response=AnnouncementView,
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PUT",
                path=one,
                handler=self.change_announcement,
                summary="Change one that is not withdrawn",
                parameters=AnnouncementPath,
                body=AnnouncementBody,
                response=AnnouncementView,
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND, CONFLICT, INVALID),
            ),
            Route(
                method="POST",
                path=f"{one}/publication",
                handler=self.publish_announcement,
                summary="Let candidates see it within its days",
                parameters=AnnouncementPath,
                body=Publication,
                response=AnnouncementView,
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="POST",
                path=f"{one}/withdrawal",
                handler=self.withdraw_announcement,
                summary="Let nobody see it any more",
                parameters=AnnouncementPath,
                body=Withdrawal,
                response=AnnouncementView,
                scopes=MESSAGES_MANAGE,
                errors=(NOT_FOUND,),
            ),
        )

    # Candidates

    async def read_announcements(self, call: Call[CandidatePath, ReadingQuery]) -> ReadingView:
        call.principal.require(call.path.program, call.path.candidate_id)
        program = self._program(call.path.program)
        family = await self._store.merges.family(None, call.path.candidate_id)
        found = await self._store.recipients(None, family)
        recipient = known_recipient(found.get(family[0]))
        if any(row.get("program", program.id) != program.id for row in found.values()):
            raise Problem(NOT_FOUND)
        standings = await self._standings.of(None, family)
        held = {certification for (_, certification), standing in standings.items() if standing.active}
        language = call.query.language or (recipient.language if recipient else None)
        rows = await self._announcements.shown(program.id, program.day_of(self._clock.now()))
        meant = [row for row in rows if audience_of(row).includes(held, program)]
        return ReadingView(
            items=[_read(row, language) for row in sorted(meant, key=lambda row: SEVERITIES.index(row["severity"]))]
        )

    # Staff

    async def list_announcements(self, call: Call[ProgramPath, AnnouncementsQuery]) -> Page[AnnouncementView]:
        call.principal.require_program(call.path.program)
        before = _LIST.decode(call.query.cursor)
        limit = call.query.limit
        rows = await self._announcements.page(call.path.program, call.query.state, before=before, limit=limit + 1)
        return _LIST.page(
            Page[AnnouncementView], rows, limit, key=lambda row: (row["created_at"], row["_id"]), show=_view
        )

    async def show_announcement(self, call: Call[AnnouncementPath]) -> AnnouncementView:
        call.principal.require_program(call.path.program)
        row = await self._announcements.get(call.path.program, call.path.announcement_id)
        if row is None:
            raise Problem(NOT_FOUND)
        return _view(row)

    async def write_announcement(self, call: Call[ProgramPath, Nothing, AnnouncementBody]) -> AnnouncementView:
        fields = self._fields(call.path.program, call)
        by = call.principal.subject
        return _view(await self._publishing.write(call.operation_id, call.path.program, fields, by=by))

    async def change_announcement(self, call: Call[AnnouncementPath, Nothing, AnnouncementBody]) -> AnnouncementView:
        fields = self._fields(call.path.program, call)
        where = (call.path.announcement_id, call.path.program)
        return _view(await self._publishing.change(*where, fields, by=call.principal.subject))

    async def publish_announcement(self, call: Call[AnnouncementPath, Nothing, Publication]) -> AnnouncementView:
        call.principal.require_program(call.path.program)
        where = (call.path.announcement_id, call.path.program)
        return _view(await self._publishing.publish(*where, mail=call.body.mail, by=call.principal.subject))

    async def withdraw_announcement(self, call: Call[AnnouncementPath, Nothing, Withdrawal]) -> AnnouncementView:
        call.principal.require_program(call.path.program)
        where = (call.path.announcement_id, call.path.program)
        return _view(await self._publishing.withdraw(*where, reason=call.body.reason, by=call.principal.subject))

    def _fields(self, program_id: str, call: Call[Any, Nothing, AnnouncementBody]) -> Document:
        """What is stored of a body. Raises the problem `invalid-request` for what no schema can say."""
        call.principal.require_program(program_id)
        body = call.body
        if body.last_day < body.first_day:
            raise invalid("body.last_day", "order", "is before the first day")
        languages = [text.language.lower() for text in body.texts]
        if len(set(languages)) < len(languages):
            raise invalid("body.texts", "twice", "has a language twice")
        fields = body.model_dump(mode="json")
        faults = audience_of(fields).faults(self._program(program_id))
        if faults:
            raise invalid("body.audience", "unknown", f"the program has no {faults[0]}")
        return fields

    def _program(self, program_id: str) -> Program:
        program = self._programs.get(program_id)
        if program is None:
            raise Problem(NOT_FOUND)
        return program


def _view(row: Document) -> AnnouncementView:
    return AnnouncementView.model_validate({**row, "announcement_id": row["_id"]})


def _read(row: Document, wanted: str | None) -> ReadView:
    language, words = choose(texts_of(row), wanted)
    return ReadView(
        announcement_id=row["_id"],
        severity=row["severity"],
        first_day=row["first_day"],
        last_day=row["last_day"],
        language=language,
        title=words.title,
        paragraphs=list(words.paragraphs),
    )
