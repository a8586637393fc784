"""The HTTP API of systems, for those who manage a program."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from libs.common.events.types import Identifier, Line
from libs.common.http.models import Body, Nothing, View
from libs.common.http.paging import Page
from libs.common.http.problems import CONFLICT, NOT_FOUND
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import STAFF_MANAGE, SYSTEM
from libs.common.mongo.client import Document
from services.identity.api import ProgramPath, entered
from services.identity.systems.clients import Clients, NewSecret

OLD_WORKS_DAYS = 7


def _for_systems(scope: str) -> str:
    if scope not in SYSTEM:
        raise ValueError(f"must be one of {', '.join(sorted(SYSTEM))}")
    return scope


Scope = Annotated[str, AfterValidator(_for_systems), Field(json_schema_extra={"enum": sorted(SYSTEM)})]


class SystemPath(ProgramPath):
    client_id: Identifier


class SystemBody(Body):
    description: Annotated[Line, Field(description="Whose it is and what for")]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(SYSTEM))]


class Rotation(Body):
    old_works_days: Annotated[
        int, Field(ge=0, le=30, description="Days that the secret of before goes on; 0 where it has leaked")
    ] = OLD_WORKS_DAYS


class SecretView(View):
    """A secret, by when it works. What it is has been shown once."""

    made_at: datetime
    valid_until: datetime | None
    """Null until another follows it."""


class SystemView(View):
    client_id: str
    program: str
    description: str
    scopes: list[str]
    secrets: list[SecretView]
    created_at: datetime
    created_by: str
    last_used_on: date | None
    """The last day, in UTC, on which it asked for a token."""
    disabled_at: datetime | None


class SystemSecretView(SystemView):
    """A system with its new secret, which is shown this once."""

    client_secret: str


class SystemsApi:
    """Handlers of the routes below."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        systems = "/programs/{program}/systems"
        return (
            Route(
                method="GET",
                path=systems,
                handler=self.list_systems,
                summary="A program's systems",
                parameters=ProgramPath,
                response=Page[SystemView],
                scopes=STAFF_MANAGE,
                errors=(NOT_FOUND,),
            ),
            # Not idempotent by key: the answer would be kept, and the secret with it.
            Route(
                method="POST",
                path=systems,
                handler=self.add_system,
                summary="Make a system; shows its secret, this once",
                parameters=ProgramPath,
                body=SystemBody,
                response=SystemSecretView,
                status=201,
                scopes=STAFF_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=systems + "/{client_id}",
                handler=self.show_system,
                summary="One system",
                parameters=SystemPath,
                response=SystemView,
                scopes=STAFF_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="DELETE",
                path=systems + "/{client_id}",
                handler=self.disable_system,
                summary="End a system for good",
                parameters=SystemPath,
                response=None,
                status=204,
                scopes=STAFF_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=systems + "/{client_id}/secrets",
                handler=self.rotate_secret,
                summary="Give a system a new secret; shows it, this once",
                parameters=SystemPath,
                body=Rotation,
                response=SystemSecretView,
                status=201,
                scopes=STAFF_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
        )

    async def list_systems(self, call: Call[ProgramPath]) -> Page[SystemView]:
        rows = await self._clients.of_program(entered(call))
        return Page[SystemView](items=[SystemView.model_validate(_shown(row)) for row in rows])

    async def add_system(self, call: Call[ProgramPath, Nothing, SystemBody]) -> SystemSecretView:
        program = entered(call)
        body, by = call.body, call.principal.subject
        return _with_secret(await self._clients.add(program, body.description, body.scopes, by=by))

    async def show_system(self, call: Call[SystemPath]) -> SystemView:
        program = entered(call)
        return SystemView.model_validate(_shown(await self._clients.get(program, call.path.client_id)))

    async def disable_system(self, call: Call[SystemPath]) -> None:
        await self._clients.disable(entered(call), call.path.client_id)

    async def rotate_secret(self, call: Call[SystemPath, Nothing, Rotation]) -> SystemSecretView:
        program = entered(call)
        old_works_for = timedelta(days=call.body.old_works_days)
        return _with_secret(await self._clients.rotate(program, call.path.client_id, old_works_for))


def _shown(row: Document) -> dict[str, Any]:
    return {**row, "client_id": row["_id"], "secrets": _secrets(row["secrets"])}


def _secrets(rows: Sequence[Document]) -> list[SecretView]:
    return [SecretView(made_at=row["made_at"], valid_until=row["valid_until"]) for row in rows]


def _with_secret(made: NewSecret) -> SystemSecretView:
    return SystemSecretView.model_validate({**_shown(made.system), "client_secret": made.secret})
