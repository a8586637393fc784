"""The HTTP API of exports: ask for one, see how far it is, download it."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from libs.common.clock import Clock
from libs.common.events.types import Identifier
from libs.common.http.files import Download
from libs.common.http.models import View
from libs.common.http.paging import Page
from libs.common.http.principal import Kind
from libs.common.http.problems import CONFLICT, FORBIDDEN, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import PRIVACY_MANAGE, PRIVACY_REQUEST
from libs.common.mongo.client import Document
from services.identity.api import CandidatePath
from services.identity.login.problems import STEP_UP_NEEDED
from services.identity.login.second_factor import SecondFactors
from services.identity.login.sessions import Sessions
from services.identity.privacy.export_store import READY
from services.identity.privacy.exports import MOST_KEPT, OTHERS, OVERDUE, Exports, answered
from services.identity.privacy.people import People


class ExportPath(CandidatePath):
    export_id: Identifier


class Archive(Download):
    """Everything in one file."""

    media_types = ("application/zip",)


class ServiceProgress(View):
    service: str
    state: Literal["waiting", "overdue", "answered"]


class ExportView(View):
    export_id: str
    candidate_id: str
    state: Literal["collecting", "ready"]
    requested_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    """When it is deleted."""
    services: list[ServiceProgress]
    """Empty once it is ready."""
    archive: str | None = Field(default=None)
    """Where it is downloaded, by the candidate alone."""


class ExportApi:
    """Handlers of the routes below."""

    def __init__(
        self, exports: Exports, people: People, factors: SecondFactors, sessions: Sessions, clock: Clock
    ) -> None:
        self._exports = exports
        self._people = people
        self._factors = factors
        self._sessions = sessions
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        path = "/programs/{program}/candidates/{candidate_id}/exports"
        return (
            Route(
                method="POST",
                path=path,
                handler=self.ask_for_export,
                summary="Ask for everything that is held about a candidate",
                parameters=CandidatePath,
                response=ExportView,
                status=202,
                scopes=PRIVACY_REQUEST,
                errors=(NOT_FOUND, FORBIDDEN, CONFLICT, STEP_UP_NEEDED),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=path,
                handler=self.list_exports,
                summary="A candidate's exports, newest first",
                parameters=CandidatePath,
                response=Page[ExportView],
                scopes=PRIVACY_REQUEST,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{path}/{{export_id}}",
                handler=self.show_export,
                summary="How far an export is",
                parameters=ExportPath,
                response=ExportView,
                scopes=PRIVACY_REQUEST,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=f"{path}/{{export_id}}/archive",
                handler=self.download_export,
                summary="Download an export; for the candidate alone",
                parameters=ExportPath,
                response=Archive,
                scopes=PRIVACY_REQUEST,
                errors=(NOT_FOUND, FORBIDDEN),
            ),
        )

    async def ask_for_export(self, call: Call[CandidatePath]) -> ExportView:
        await proved(call, self._factors, self._sessions)
        path = call.path
        row = await self._exports.ask(call.operation_id, path.program, path.candidate_id, by=call.principal.subject)
        return await self._view(row)

    async def list_exports(self, call: Call[CandidatePath]) -> Page[ExportView]:
        rows = await self._of(call)
        return Page[ExportView](items=[await self._view(row) for row in rows])

    async def show_export(self, call: Call[ExportPath]) -> ExportView:
        return await self._view(await self._one(call))

    async def download_export(self, call: Call[ExportPath]) -> Archive:
        row = await self._one(call)
        if call.principal.kind is not Kind.CANDIDATE:
            raise Problem(FORBIDDEN, "only the candidate downloads it")
        if row["state"] != READY:
            raise Problem(NOT_FOUND, "it is not ready yet")
        name = f"{row['program']}-{row['candidate_id']}-{row['requested_at']:%Y-%m-%d}.zip"
        return Archive("application/zip", name, self._exports.store.archive(row["archive_id"]))

    async def _of(self, call: Call[Any]) -> list[Document]:
        """The exports that the caller may see and that are not over."""
        path = call.path
        call.principal.require(path.program, path.candidate_id)
        person = await self._people.of(path.program, path.candidate_id)
        rows = await self._exports.store.latest(person.accounts, 2 * MOST_KEPT)
        now = self._clock.now()
        return [row for row in rows if row["expires_at"] is None or row["expires_at"] > now]

    async def _one(self, call: Call[ExportPath]) -> Document:
        row = next((row for row in await self._of(call) if row["_id"] == call.path.export_id), None)
        if row is None:
            raise Problem(NOT_FOUND)
        return row

    async def _view(self, row: Document) -> ExportView:
        services: list[ServiceProgress] = []
        archive = None
        if row["state"] == READY:
            archive = (
                f"/api/identity/v1/programs/{row['program']}/candidates/{row['candidate_id']}"
                f"/exports/{row['_id']}/archive"
            )
        else:
            whole = answered(await self._exports.store.arrived(row["_id"]))
            late = row["requested_at"] + OVERDUE <= self._clock.now()
            waiting: Literal["waiting", "overdue"] = "overdue" if late else "waiting"
            services = [ServiceProgress(service=one, state="answered" if one in whole else waiting) for one in OTHERS]
        return ExportView.model_validate({**row, "export_id": row["_id"], "services": services, "archive": archive})


async def proved(call: Call[Any, Any, Any], factors: SecondFactors, sessions: Sessions) -> None:
    """Let candidates ask for themselves with a proof from the last minutes, and staff of the program for anybody.

    Raises the problems `not-found`, `forbidden` and `step-up-needed`.
    """
    call.principal.require(call.path.program, call.path.candidate_id)
    if call.principal.kind is Kind.CANDIDATE:
        await factors.fresh(sessions, call.principal)
    else:
        call.principal.require_scopes(PRIVACY_MANAGE)
