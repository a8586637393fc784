"""The HTTP API of the way in: tokens, links, sessions."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel, StringConstraints, model_validator

from libs.common.events.types import Identifier, Line, ProgramId
from libs.common.http.models import Body, Nothing, Parameters, View
from libs.common.http.paging import Page
from libs.common.http.problems import FORBIDDEN, NOT_FOUND, UNAUTHENTICATED
from libs.common.http.routes import ANY_CALLER, PUBLIC, Call, Route
from services.identity.access import Access
from services.identity.login.access_requests import AccessRequests
from services.identity.login.addresses import AddressLimit
from services.identity.login.password_changes import PasswordChanges
from services.identity.login.problems import (
    LINK_INVALID,
    LOCAL_PASSWORDS_OFF,
    SECOND_FACTOR_NEEDED,
    STEP_UP_NEEDED,
    TOO_MANY_TRIES,
)
from services.identity.login.rotation import Opened
from services.identity.login.second_factor import SecondFactors
from services.identity.login.second_factor_api import Code
from services.identity.login.sessions import Sessions, is_current
from services.identity.login.tokens import TOKEN_LASTS, Tokens
from services.identity.passwords import LONGEST, SHORTEST
from services.identity.systems.clients import INVALID_CLIENT, INVALID_SCOPE, Clients

Password = Annotated[str, StringConstraints(min_length=SHORTEST, max_length=LONGEST)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class ClientCredentials(Body):
    """A system asks (RFC 6749, 4.4)."""

    grant_type: Literal["client_credentials"]
    client_id: Identifier
    client_secret: Secret
    scope: Annotated[Line | None, Field(description="Parted by spaces; all that the system has unless given")] = None


class PasswordLogin(Body):
    """A candidate asks."""

    grant_type: Literal["password"]
    program: ProgramId
    login: Annotated[Line, Field(description="Candidate ID or e-mail address")]
    password: Secret
    code: Annotated[
        Code | None, Field(description="Where the account has a second factor: of the app, or for recovery")
    ] = None


class Refresh(Body):
    """A session goes on (RFC 6749, 6)."""

    grant_type: Literal["refresh_token"]
    refresh_token: Secret


class TokenRequest(
    RootModel[Annotated[ClientCredentials | PasswordLogin | Refresh, Field(discriminator="grant_type")]]
):
    """What an access token is asked with."""


class TokenView(View):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 the name of a scheme
    expires_in: int = int(TOKEN_LASTS.total_seconds())
    """Seconds."""
    refresh_token: str | None = None
    """For the next access token of a candidate or of staff. It works once, and comes with its successor."""


class Activation(Body):
    token: Annotated[Secret, Field(description="From the link in the mail")]
    password: Password


class AccessRequest(Body):
    """Whoever cannot get in says who they are."""

    program: ProgramId
    login: Annotated[Line, Field(description="Candidate ID or e-mail address")]


class AccessRequestView(View):
    """The same whether there is such an account or not."""

    detail: str = "If there is such an account, a mail with its ID and a single-use link is on its way."


class SessionPath(Parameters):
    session_id: Identifier


class SessionView(View):
    session_id: str
    user_agent: str
    """Browser and system, as far as they say so."""
    created_at: datetime
    used_at: datetime
    """When it was last refreshed."""
    expires_at: datetime
    """When it ends unless it is refreshed before."""
    current: bool
    """Whether it is the one of the token that asks."""


class StepUp(Body):
    """Who somebody is, proved again: by a code where the account has a second factor, else by the password."""

    password: Secret | None = None
    code: Code | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "StepUp":
        if (self.password is None) == (self.code is None):
            raise ValueError("give password or code")
        return self


class NewPassword(Body):
    password: Password


class LoginApi:
    """Handlers of the routes below."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        clients: Clients,
        access: Access,
        sessions: Sessions,
        access_requests: AccessRequests,
        changes: PasswordChanges,
        limit: AddressLimit,
        factors: SecondFactors,
    ) -> None:
        self._factors = factors
        self._limit = limit
        self._tokens = tokens
        self._clients = clients
        self._access = access
        self._sessions = sessions
        self._access_requests = access_requests
        self._changes = changes

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (*self._entrance(), *self._session_routes())

    def _entrance(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="POST",
                path="/tokens",
                handler=self.issue_token,
                summary="Ask for an access token",
                body=TokenRequest,
                response=TokenView,
                scopes=PUBLIC,
                errors=(
                    UNAUTHENTICATED,
                    INVALID_CLIENT,
                    INVALID_SCOPE,
                    SECOND_FACTOR_NEEDED,
                    LOCAL_PASSWORDS_OFF,
                    TOO_MANY_TRIES,
                ),
            ),
            Route(
                method="POST",
                path="/access-requests",
                handler=self.request_access,
                summary="Ask for a link: first login, forgotten password, forgotten ID",
                body=AccessRequest,
                response=AccessRequestView,
                status=202,
                scopes=PUBLIC,
                errors=(TOO_MANY_TRIES,),
            ),
            Route(
                method="POST",
                path="/activations",
                handler=self.activate,
                summary="Set a password with a single-use link",
                body=Activation,
                response=None,
                status=204,
                scopes=PUBLIC,
                errors=(LINK_INVALID, LOCAL_PASSWORDS_OFF, TOO_MANY_TRIES),
            ),
        )

    def _session_routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/sessions",
                handler=self.list_sessions,
                summary="Where the caller is logged in",
                response=Page[SessionView],
                scopes=ANY_CALLER,
                errors=(FORBIDDEN,),
            ),
            Route(
                method="DELETE",
                path="/sessions",
                handler=self.end_sessions,
                summary="Log out everywhere",
                response=None,
                status=204,
                scopes=ANY_CALLER,
                errors=(FORBIDDEN,),
            ),
            Route(
                method="DELETE",
                path="/sessions/{session_id}",
                handler=self.end_session,
                summary="Log out in one place",
                parameters=SessionPath,
                response=None,
                status=204,
                scopes=ANY_CALLER,
                errors=(FORBIDDEN, NOT_FOUND),
            ),
            Route(
                method="POST",
                path="/step-up",
                handler=self.step_up,
                summary="Prove again who the caller is, for what asks for a recent proof",
                body=StepUp,
                response=TokenView,
                scopes=ANY_CALLER,
                errors=(FORBIDDEN, SECOND_FACTOR_NEEDED, LOCAL_PASSWORDS_OFF),
            ),
            Route(
                method="PUT",
                path="/password",
                handler=self.change_password,
                summary="Choose another password; all other sessions end",
                body=NewPassword,
                response=None,
                status=204,
                scopes=ANY_CALLER,
                errors=(FORBIDDEN, STEP_UP_NEEDED, LOCAL_PASSWORDS_OFF),
            ),
        )

    async def issue_token(self, call: Call[Nothing, Nothing, TokenRequest]) -> TokenView:
        asked = call.body.root
        if isinstance(asked, Refresh):
            return await self._issued(await self._sessions.refresh(asked.refresh_token))
        tried = await self._limit.count(call.remote, call.headers)
        if isinstance(asked, ClientCredentials):
            holder = await self._clients.prove(asked.client_id, asked.client_secret, asked.scope)
            await self._limit.give_back(tried)
            return TokenView(access_token=await self._tokens.of(holder))
        proof = await self._access.prove(asked.program, asked.login, asked.password, asked.code)
        await self._limit.give_back(tried)
        return await self._issued(
            await self._sessions.open(proof.account, proof.acr, call.headers.get("User-Agent", ""))
        )

    async def _issued(self, opened: Opened) -> TokenView:
        access_token = await self._tokens.of_session(opened.session)
        return TokenView(access_token=access_token, refresh_token=opened.refresh_token)

    async def request_access(self, call: Call[Nothing, Nothing, AccessRequest]) -> AccessRequestView:
        await self._limit.count(call.remote, call.headers)
        await self._access_requests.ask(call.body.program, call.body.login)
        return AccessRequestView()

    async def activate(self, call: Call[Nothing, Nothing, Activation]) -> None:
        tried = await self._limit.count(call.remote, call.headers)
        await self._changes.by_link(call.body.token, call.body.password)
        await self._limit.give_back(tried)

    async def list_sessions(self, call: Call) -> Page[SessionView]:
        rows = await self._sessions.of(call.principal)
        return Page[SessionView](
            items=[
                SessionView.model_validate(
                    {**row, "session_id": row["_id"], "current": is_current(row, call.principal)}
                )
                for row in rows
            ]
        )

    async def end_sessions(self, call: Call) -> None:
        await self._sessions.end_all(call.principal)

    async def end_session(self, call: Call[SessionPath]) -> None:
        await self._sessions.end(call.principal, call.path.session_id)

    async def step_up(self, call: Call[Nothing, Nothing, StepUp]) -> TokenView:
        session = await self._sessions.current(call.principal)
        proof = await self._access.prove_again(
            session["program"], session["candidate_id"], password=call.body.password, code=call.body.code
        )
        session = await self._sessions.step_up(session, proof.acr)
        return TokenView(access_token=await self._tokens.of_session(session))

    async def change_password(self, call: Call[Nothing, Nothing, NewPassword]) -> None:
        session = await self._factors.fresh(self._sessions, call.principal)
        await self._changes.in_session(session, call.body.password)
