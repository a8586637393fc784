"""The HTTP API of staff, for those who manage a program."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from libs.common.events.types import EmailAddress, Identifier, PersonName
from libs.common.http.models import Body, Nothing, View
from libs.common.http.paging import Page
from libs.common.http.problems import CONFLICT, FORBIDDEN, NOT_FOUND
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import STAFF_MANAGE
from libs.common.mongo.client import Document
from services.identity.api import ProgramPath
from services.identity.staff.accounts import StaffAccounts
from services.identity.staff.roles import Role, checked

Roles = Annotated[
    list[Annotated[Role, Field(strict=False)]], Field(min_length=1, max_length=len(Role)), AfterValidator(checked)
]


class StaffPath(ProgramPath):
    staff_id: Identifier


class NewStaff(Body):
    email: EmailAddress
    name: PersonName
    roles: Roles


class NewRoles(Body):
    roles: Roles


class NewInvitation(Body):
    forget_second_factor: Annotated[
        bool, Field(description="For whoever lost app and recovery codes; the account is shut until the link is used")
    ] = False


class StaffView(View):
    staff_id: str
    email: str
    name: str
    roles: list[Role]
    """In this program."""
    created_at: datetime
    activated_at: datetime | None
    """When the account was opened; null while the invitation waits."""


class StaffApi:
    """Handlers of the routes below."""

    def __init__(self, accounts: StaffAccounts) -> None:
        self._accounts = accounts

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (*self._of_program(), *self._of_person())

    def _of_program(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/staff",
                handler=self.list_staff,
                summary="Who works for a program, in which roles",
                parameters=ProgramPath,
                response=Page[StaffView],
                scopes=STAFF_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/programs/{program}/staff",
                handler=self.add_staff,
                summary="Give somebody roles in a program; a mail invites whoever has no account yet",
                parameters=ProgramPath,
                body=NewStaff,
                response=StaffView,
                status=201,
                scopes=STAFF_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
        )

    def _of_person(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        person = "/programs/{program}/staff/{staff_id}"
        return (
            Route(
                method="GET",
                path=person,
                handler=self.show_staff,
                summary="One who works for a program",
                parameters=StaffPath,
                response=StaffView,
                scopes=STAFF_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PUT",
                path=person + "/roles",
                handler=self.set_roles,
                summary="Give other roles; they hold from the next refresh on",
                parameters=StaffPath,
                body=NewRoles,
                response=StaffView,
                scopes=STAFF_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="DELETE",
                path=person,
                handler=self.remove_staff,
                summary="Take all roles in a program away; sessions there end at once",
                parameters=StaffPath,
                response=None,
                status=204,
                scopes=STAFF_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="POST",
                path=person + "/invitations",
                handler=self.invite_staff,
                summary="Mail a new link",
                parameters=StaffPath,
                body=NewInvitation,
                response=None,
                status=204,
                scopes=STAFF_MANAGE,
                errors=(NOT_FOUND, CONFLICT, FORBIDDEN),
            ),
        )

    async def list_staff(self, call: Call[ProgramPath]) -> Page[StaffView]:
        rows = await self._accounts.of_program(call.principal, call.path.program)
        return Page[StaffView](items=[_view(row, call.path.program) for row in rows])

    async def add_staff(self, call: Call[ProgramPath, Nothing, NewStaff]) -> StaffView:
        program, given = call.path.program, call.body
        added = await self._accounts.add(call.principal, program, email=given.email, name=given.name, roles=given.roles)
        return _view(added, program)

    async def show_staff(self, call: Call[StaffPath]) -> StaffView:
        program = call.path.program
        return _view(await self._accounts.get(call.principal, program, call.path.staff_id), program)

    async def set_roles(self, call: Call[StaffPath, Nothing, NewRoles]) -> StaffView:
        program, staff_id = call.path.program, call.path.staff_id
        return _view(await self._accounts.set_roles(call.principal, program, staff_id, call.body.roles), program)

    async def remove_staff(self, call: Call[StaffPath]) -> None:
        await self._accounts.set_roles(call.principal, call.path.program, call.path.staff_id, ())

    async def invite_staff(self, call: Call[StaffPath, Nothing, NewInvitation]) -> None:
        forget = call.body.forget_second_factor
        await self._accounts.invite(call.principal, call.path.program, call.path.staff_id, forget_second_factor=forget)


def _view(row: Document, program: str) -> StaffView:
    return StaffView.model_validate({**row, "staff_id": row["_id"], "roles": row["roles"][program]})
