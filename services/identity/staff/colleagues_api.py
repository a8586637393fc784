"""The HTTP API by which staff see who they are, and whose names stand behind what was done."""

from typing import Any

from libs.common.http.models import View
from libs.common.http.paging import Page
from libs.common.http.problems import FORBIDDEN, NOT_FOUND, Problem
from libs.common.http.routes import ANY_CALLER, Call, Route
from libs.common.http.scopes import OPERATIONS_READ
from libs.common.mongo.client import Document
from services.identity.api import ProgramPath, entered
from services.identity.staff.entrance import staff_of
from services.identity.staff.roles import Role
from services.identity.staff.store import StaffStore


class RolesView(View):
    program: str
    roles: list[Role]


class MeView(View):
    """Whoever asks, as one of staff."""

    staff_id: str
    email: str
    name: str
    programs: list[RolesView]
    """Every program in which they have a role; a token is of one."""


class ColleagueView(View):
    subject: str
    """As owners of items and in histories."""
    name: str
    roles: list[Role]
    """In this program."""


class ColleaguesApi:
    """Handlers of the routes below."""

    def __init__(self, store: StaffStore) -> None:
        self._store = store

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/staff/me",
                handler=self.show_me,
                summary="Who the caller is, and in which programs they work, as staff",
                response=MeView,
                scopes=ANY_CALLER,
                errors=(FORBIDDEN, NOT_FOUND),
            ),
            Route(
                method="GET",
                path="/programs/{program}/colleagues",
                handler=self.list_colleagues,
                summary="The names of those who work for a program, for whoever works there",
                parameters=ProgramPath,
                response=Page[ColleagueView],
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
        )

    async def show_me(self, call: Call) -> MeView:
        account = await self._store.account(staff_of(call.principal))
        if account is None:
            raise Problem(NOT_FOUND)
        programs = [RolesView(program=program, roles=roles) for program, roles in sorted(account["roles"].items())]
        return MeView(staff_id=account["_id"], email=account["email"], name=account["name"], programs=programs)

    async def list_colleagues(self, call: Call[ProgramPath]) -> Page[ColleagueView]:
        program = entered(call)
        rows = await self._store.of_program(program)
        return Page[ColleagueView](items=[_colleague(row, program) for row in rows])


def _colleague(row: Document, program: str) -> ColleagueView:
    return ColleagueView(subject=f"staff:{row['_id']}", name=row["name"], roles=row["roles"][program])
