"""The HTTP API of authorizations: for candidates to see, for staff and systems to grant, change and withdraw."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.events.types import Code, Identifier, Remark
from libs.common.http.models import Body, Day, Nothing, Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import CONFLICT, INVALID, NOT_FOUND
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import EXAMS_MANAGE, EXAMS_READ
from libs.common.mongo.client import Document
from libs.common.mongo.merges import Merges
from services.exams.api import CandidatePath
from services.exams.outgoing.authorizations import Authorizations, Terms
from services.exams.outgoing.standings import State
from services.exams.outgoing.store import OutgoingStore

Attempts = Annotated[int, Field(ge=1, le=99, description="How often the exam may be sat by it")]


class ProgramPath(Parameters):
    program: Identifier


class AuthorizationPath(ProgramPath):
    authorization_id: Identifier


class NewAuthorization(Body):
    vendor: Identifier
    exam_code: Code
    first: Annotated[Day, Field(description="The first day on which the exam may be sat, at the vendor's place")]
    last: Annotated[
        Day | None, Field(description="The last one; without it, as many days as agreed with the vendor")
    ] = None
    attempts: Attempts = 1
    accommodations: Annotated[Remark | None, Field(description="What was agreed to, as the vendor calls it")] = None


class AuthorizationChange(Body):
    """What is left out stays as it is."""

    exam_code: Code | None = None
    first: Day | None = None
    last: Day | None = None
    attempts: Attempts | None = None
    accommodations: Annotated[Remark | None, Field(description="Null takes them away")] = None


class Withdrawal(Body):
    reason: Annotated[Remark, Field(description="Why, for the staff who read it later")]


class StepView(View):
    """Something that happened to an authorization."""

    at: datetime
    what: Literal["granted", "changed", "withdrawn", "again", "sent", "answered", "expired"]
    state: State
    by: str
    note: str | None


class AuthorizationView(View):
    """A right to sit an exam with a vendor."""

    authorization_id: str
    """Its `ClientAuthorizationID` in files."""
    program: str
    vendor: str
    candidate_id: str
    exam_code: str
    first: date
    last: date
    attempts: int
    accommodations: str | None
    state: State
    warning: str | None
    """What the vendor has said beside accepting it."""
    reason: str | None
    """Why the vendor has refused it, or its withdrawal."""
    waits_for: Literal["demographics"] | None
    """What keeps it from being sent: the vendor does not know the candidate yet."""
    granted_at: datetime
    changed_at: datetime


class AuthorizationHistoryView(AuthorizationView):
    history: list[StepView]


class AuthorizationsQuery(PageQuery):
    vendor: Annotated[Identifier | None, Field(description="Only this vendor's")] = None
    state: Annotated[State | None, Field(description="Only those in this state")] = None


_OWN = Cursor("authorizations-own", str)
_ALL = Cursor("authorizations", str)


class AuthorizationsApi:
    """Handlers of the routes below."""

    def __init__(self, authorizations: Authorizations, store: OutgoingStore, merges: Merges) -> None:
        self._authorizations = authorizations
        self._store = store
        self._merges = merges

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        own = "/programs/{program}/candidates/{candidate_id}/authorizations"
        every = "/programs/{program}/authorizations"
        one = every + "/{authorization_id}"
        return (
            Route(
                method="GET",
                path=own,
                handler=self.list_authorizations,
                summary="What a candidate may sit with whom, from when until when",
                parameters=CandidatePath,
                query=PageQuery,
                response=Page[AuthorizationView],
                scopes=EXAMS_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=own,
                handler=self.grant_authorization,
                summary="Let a candidate sit an exam with a vendor",
                parameters=CandidatePath,
                body=NewAuthorization,
                response=AuthorizationHistoryView,
                status=201,
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND, INVALID),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=every,
                handler=self.list_all_authorizations,
                summary="All authorizations of a program",
                parameters=ProgramPath,
                query=AuthorizationsQuery,
                response=Page[AuthorizationView],
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=one,
                handler=self.show_authorization,
                summary="An authorization with its history",
                parameters=AuthorizationPath,
                response=AuthorizationHistoryView,
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="PATCH",
                path=one,
                handler=self.change_authorization,
                summary="Change an authorization; the vendor is told with the next file",
                parameters=AuthorizationPath,
                body=AuthorizationChange,
                response=AuthorizationHistoryView,
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND, CONFLICT, INVALID),
            ),
            Route(
                method="PUT",
                path=one + "/withdrawal",
                handler=self.withdraw_authorization,
                summary="Withdraw an authorization; the vendor is told with the next file",
                parameters=AuthorizationPath,
                body=Withdrawal,
                response=AuthorizationHistoryView,
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
            ),
            Route(
                method="POST",
                path=one + "/again",
                handler=self.send_authorization_again,
                summary="Send what the vendor has refused once more",
                parameters=AuthorizationPath,
                response=AuthorizationHistoryView,
                scopes=EXAMS_MANAGE,
                errors=(NOT_FOUND, CONFLICT),
                idempotent=True,
            ),
        )

    async def list_authorizations(self, call: Call[CandidatePath, PageQuery]) -> Page[AuthorizationView]:
        call.principal.require(call.path.program, call.path.candidate_id)
        accounts = await self._merges.family(None, call.path.candidate_id)
        after, limit = _OWN.decode(call.query.cursor), call.query.limit
        query = {"candidate_id": {"$in": accounts}, "program": call.path.program}
        rows = await self._store.authorization_page(query, after=after, limit=limit + 1)
        return _OWN.page(Page[AuthorizationView], rows, limit, key=_key, show=_view)

    async def grant_authorization(
        self, call: Call[CandidatePath, Nothing, NewAuthorization]
    ) -> AuthorizationHistoryView:
        path, body = call.path, call.body
        call.principal.require(path.program, path.candidate_id)
        terms = Terms(body.exam_code, body.first, body.last, body.attempts, body.accommodations)
        row = await self._authorizations.grant(
            path.program,
            path.candidate_id,
            body.vendor,
            terms,
            operation_id=call.operation_id,
            by=call.principal.subject,
        )
        return _history(row)

    async def list_all_authorizations(self, call: Call[ProgramPath, AuthorizationsQuery]) -> Page[AuthorizationView]:
        call.principal.require_program(call.path.program)
        after, limit = _ALL.decode(call.query.cursor), call.query.limit
        query: Document = {"program": call.path.program}
        if call.query.vendor is not None:
            query["vendor"] = call.query.vendor
        if call.query.state is not None:
            query["state"] = call.query.state
        rows = await self._store.authorization_page(query, after=after, limit=limit + 1)
        return _ALL.page(Page[AuthorizationView], rows, limit, key=_key, show=_view)

    async def show_authorization(self, call: Call[AuthorizationPath]) -> AuthorizationHistoryView:
        call.principal.require_program(call.path.program)
        return _history(await self._authorizations.get(call.path.program, call.path.authorization_id))

    async def change_authorization(
        self, call: Call[AuthorizationPath, Nothing, AuthorizationChange]
    ) -> AuthorizationHistoryView:
        call.principal.require_program(call.path.program)
        given = call.body.model_dump(exclude_unset=True)
        terms = {
            name: value for name, value in given.items() if value is not None or name in ("last", "accommodations")
        }
        row = await self._authorizations.change(
            call.path.program, call.path.authorization_id, terms, by=call.principal.subject
        )
        return _history(row)

    async def withdraw_authorization(
        self, call: Call[AuthorizationPath, Nothing, Withdrawal]
    ) -> AuthorizationHistoryView:
        call.principal.require_program(call.path.program)
        row = await self._authorizations.withdraw(
            call.path.program, call.path.authorization_id, reason=call.body.reason, by=call.principal.subject
        )
        return _history(row)

    async def send_authorization_again(self, call: Call[AuthorizationPath]) -> AuthorizationHistoryView:
        call.principal.require_program(call.path.program)
        row = await self._authorizations.send_again(
            call.path.program, call.path.authorization_id, by=call.principal.subject
        )
        return _history(row)


def _key(row: Document) -> str:
    return str(row["_id"])


def _view(row: Document) -> AuthorizationView:
    return AuthorizationView.model_validate(_shown(row))


def _history(row: Document) -> AuthorizationHistoryView:
    return AuthorizationHistoryView.model_validate(_shown(row))


def _shown(row: Document) -> Document:
    accepted = row["state"] == State.ACCEPTED
    blocked = row["waits"] and row["todo"] is not None
    return {
        **row,
        "authorization_id": row["_id"],
        "first": date.fromisoformat(row["first"]),
        "last": date.fromisoformat(row["last"]),
        "warning": row["text"] if accepted else None,
        "reason": None if accepted else row["text"],
        "waits_for": "demographics" if blocked else None,
    }
