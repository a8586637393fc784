"""The HTTP API about files to vendors: what vendors know of candidates, what was sent, and what was answered."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.events.types import Identifier
from libs.common.http.models import View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import EXAMS_MANAGE, EXAMS_READ
from libs.common.mongo.client import Document
from libs.common.mongo.merges import Merges
from services.exams.api import CandidatePath
from services.exams.outgoing.authorizations_api import ProgramPath
from services.exams.outgoing.profiles import Profiles
from services.exams.outgoing.standings import ProfileState
from services.exams.outgoing.store import OutgoingStore

Kind = Literal["demographics", "authorizations"]


class ProfilePath(CandidatePath):
    vendor: Identifier


class FilePath(ProgramPath):
    vendor_file_id: Identifier


class ProblemView(View):
    """Why a vendor cannot take something of a profile."""

    field: str
    """Of the profile, like `family_name` or `address.city`."""
    code: Literal["letters", "too_long", "missing"]
    reason: str


class VendorProfileView(View):
    """What a vendor is told of a candidate, and what it has answered."""

    vendor: str
    candidate_id: str
    state: ProfileState
    problems: list[ProblemView]
    """What the candidate has to change first."""
    sent_at: datetime | None
    answered_at: datetime | None
    warning: str | None
    reason: str | None
    """Why the vendor has refused it."""


class FileView(View):
    """A file for a vendor."""

    vendor_file_id: str
    vendor: str
    kind: Kind
    number: int
    name: str
    state: Literal["made", "delivered"]
    lines: int
    unanswered: int
    made_at: datetime
    delivered_at: datetime | None
    tries: int
    error: str | None
    """Why it is not with the vendor yet."""
    silent: bool
    """Whether the vendor has not answered all of it in time."""


class LineView(View):
    """A line of a file."""

    number: int
    record: str
    """The candidate's ID, or the authorization's."""
    candidate_id: str
    type: Literal["Add", "Update", "Delete"] | None
    state: Literal["sent", "accepted", "warned", "refused"]
    text: str | None
    """The warning, or why it was refused."""
    answered_at: datetime | None


class FaultView(View):
    line: int
    """0 for the file as a whole."""
    record: str | None
    code: Literal["unreadable", "no_record", "unknown_status", "unknown_record"]


class ConfirmationView(View):
    """An answer of a vendor's, and what in it fits nothing of ours."""

    name: str
    vendor: str
    kind: Kind
    read_at: datetime
    accepted: int
    warned: int
    refused: int
    repeated: int
    """Lines that say what was said before."""
    faults: list[FaultView]
    """The first thousand."""
    faults_total: int


class ExchangeView(View):
    """How it goes with a vendor's folders."""

    vendor: str
    reached_at: datetime | None
    failing_since: datetime | None
    failures: int
    try_at: datetime | None
    """When they are tried next; null for with the next run."""
    error: str | None
    undelivered: int
    """Files that wait."""


class ProfilesQuery(PageQuery):
    vendor: Identifier | None = None
    state: ProfileState | None = None


class FilesQuery(PageQuery):
    vendor: Identifier | None = None
    kind: Kind | None = None
    silent: Annotated[Literal["true"] | None, Field(description="Only those that are answered late")] = None


class LinesQuery(PageQuery):
    state: Literal["sent", "accepted", "warned", "refused"] | None = None


_PROFILES = Cursor("vendor-profiles", str)
_FILES = Cursor("vendor-files", str)
_LINES = Cursor("vendor-file-lines", int)
_CONFIRMATIONS = Cursor("vendor-confirmations", tuple[datetime, str])


class FilesApi:
    """Handlers of the routes below."""

    def __init__(self, store: OutgoingStore, profiles: Profiles, merges: Merges) -> None:
        self._store = store
        self._profiles = profiles
        self._merges = merges

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        own = "/programs/{program}/candidates/{candidate_id}/vendor-profiles"
        files = "/programs/{program}/vendor-files"
        return (
            Route(
                method="GET",
                path=own,
                handler=self.list_own_vendor_profiles,
                summary="What vendors are told of a candidate, and what the candidate has to change first",
                parameters=CandidatePath,
                response=Page[VendorProfileView],
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=own + "/{vendor}/again",
                handler=self.send_vendor_profile_again,
                summary="Tell a vendor once more what it has refused",
                parameters=ProfilePath,
                response=None,
                status=204,
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
                idempotent=True,
            ),
            Route(
                method="GET",
                path="/programs/{program}/vendor-profiles",
                handler=self.list_vendor_profiles,
                summary="What vendors know of a program's candidates",
                parameters=ProgramPath,
                query=ProfilesQuery,
                response=Page[VendorProfileView],
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=files,
                handler=self.list_vendor_files,
                summary="Files for vendors, by vendor and kind, the latest number first",
                parameters=ProgramPath,
                query=FilesQuery,
                response=Page[FileView],
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=files + "/{vendor_file_id}",
                handler=self.show_vendor_file,
                summary="One file",
                parameters=FilePath,
                response=FileView,
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=files + "/{vendor_file_id}/lines",
                handler=self.list_vendor_file_lines,
                summary="The lines of a file, and what the vendor has answered to each",
                parameters=FilePath,
                query=LinesQuery,
                response=Page[LineView],
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/programs/{program}/vendor-confirmations",
                handler=self.list_vendor_confirmations,
                summary="Answers of vendors that were read, the latest first",
                parameters=ProgramPath,
                query=PageQuery,
                response=Page[ConfirmationView],
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/programs/{program}/vendor-exchanges",
                handler=self.list_vendor_exchanges,
                summary="How it goes with each vendor's folders",
                parameters=ProgramPath,
                response=Page[ExchangeView],
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
        )

    async def list_own_vendor_profiles(self, call: Call[CandidatePath]) -> Page[VendorProfileView]:
        call.principal.require(call.path.program, call.path.candidate_id)
        rows = await self._store.profiles_of(await self._merges.family(None, call.path.candidate_id))
        told = [row for row in rows if row["program"] == call.path.program and row["wanted"] is not None]
        return Page[VendorProfileView](items=[_profile(row) for row in told])

    async def send_vendor_profile_again(self, call: Call[ProfilePath]) -> None:
        call.principal.require(call.path.program, call.path.candidate_id)
        await self._profiles.send_again(call.path.program, call.path.candidate_id, call.path.vendor)

    async def list_vendor_profiles(self, call: Call[ProgramPath, ProfilesQuery]) -> Page[VendorProfileView]:
        call.principal.require_program(call.path.program)
        query = _query(call, "vendor", "state")
        after, limit = _PROFILES.decode(call.query.cursor), call.query.limit
        rows = await self._store.profile_page(query, after=after, limit=limit + 1)
        return _PROFILES.page(Page[VendorProfileView], rows, limit, key=lambda row: str(row["_id"]), show=_profile)

    async def list_vendor_files(self, call: Call[ProgramPath, FilesQuery]) -> Page[FileView]:
        call.principal.require_program(call.path.program)
        query = _query(call, "vendor", "kind") | ({"silent": True} if call.query.silent else {})
        before, limit = _FILES.decode(call.query.cursor), call.query.limit
        rows = await self._store.file_page(query, before=before, limit=limit + 1)
        return _FILES.page(Page[FileView], rows, limit, key=lambda row: str(row["_id"]), show=_file)

    async def show_vendor_file(self, call: Call[FilePath]) -> FileView:
        return _file(await self._file(call))

    async def list_vendor_file_lines(self, call: Call[FilePath, LinesQuery]) -> Page[LineView]:
        file = await self._file(call)
        query = {"file_id": file["_id"]} | ({"state": call.query.state} if call.query.state else {})
        after, limit = _LINES.decode(call.query.cursor) or 0, call.query.limit
        rows = await self._store.line_page(query, after=after, limit=limit + 1)
        return _LINES.page(
            Page[LineView], rows, limit, key=lambda row: int(row["number"]), show=LineView.model_validate
        )

    async def list_vendor_confirmations(self, call: Call[ProgramPath, PageQuery]) -> Page[ConfirmationView]:
        call.principal.require_program(call.path.program)
        before, limit = _CONFIRMATIONS.decode(call.query.cursor), call.query.limit
        query = {"program": call.path.program}
        rows = await self._store.confirmation_page(query, before=before, limit=limit + 1)
        return _CONFIRMATIONS.page(
            Page[ConfirmationView],
            rows,
            limit,
            key=lambda row: (row["read_at"], row["_id"]),
            show=ConfirmationView.model_validate,
        )

    async def list_vendor_exchanges(self, call: Call[ProgramPath]) -> Page[ExchangeView]:
        program = call.path.program
        call.principal.require_program(program)
        items = [
            ExchangeView(
                vendor=row["vendor"],
                reached_at=row.get("reached_at"),
                failing_since=row["failing_since"] if row.get("failures") else None,
                failures=row.get("failures", 0),
                try_at=row.get("try_at"),
                error=row.get("error"),
                undelivered=await self._store.undelivered(program, row["vendor"]),
            )
            for row in await self._store.exchanges(program)
        ]
        return Page[ExchangeView](items=items)

    async def _file(self, call: Call[FilePath, Any]) -> Document:
        call.principal.require_program(call.path.program)
        row = await self._store.file(None, call.path.vendor_file_id)
        if row is None or row["program"] != call.path.program:
            raise Problem(NOT_FOUND)
        return row


def _query(call: Call[ProgramPath, Any], *filters: str) -> Document:
    given = {name: getattr(call.query, name) for name in filters}
    return {"program": call.path.program} | {name: value for name, value in given.items() if value is not None}


def _profile(row: Document) -> VendorProfileView:
    answer = row["answer"] or {}
    text = answer.get("text")
    return VendorProfileView(
        vendor=row["vendor"],
        candidate_id=row["candidate_id"],
        state=row["state"],
        problems=[ProblemView.model_validate(one) for one in row["problems"]],
        sent_at=row["sent"]["at"] if row["sent"] else None,
        answered_at=answer.get("at"),
        warning=text if answer.get("accepted") else None,
        reason=None if answer.get("accepted") else text,
    )


def _file(row: Document) -> FileView:
    return FileView.model_validate({**row, "vendor_file_id": row["_id"]})
