"""The HTTP API by which staff enter: open the account, log in to a program, log out."""

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from libs.common.events.types import EmailAddress, ProgramId
from libs.common.http.models import Body, Nothing, View
from libs.common.http.problems import CONFLICT, FORBIDDEN, UNAUTHENTICATED
from libs.common.http.routes import ANY_CALLER, PUBLIC, Call, Route
from services.identity.login.addresses import AddressLimit
from services.identity.login.api import AccessRequestView, Password, Refresh, Secret, TokenView
from services.identity.login.problems import LINK_INVALID, SECOND_FACTOR_NEEDED, TOO_MANY_TRIES
from services.identity.login.second_factor_api import Code, EnrolmentView
from services.identity.login.tokens import Tokens
from services.identity.staff.entrance import Entered, StaffEntrance
from services.identity.staff.invitations import Invitations


class StaffLogin(Body):
    """Somebody asks for a token of one program."""

    grant_type: Literal["password"]
    program: ProgramId
    email: EmailAddress
    password: Secret
    code: Annotated[Code | None, Field(description="Of the app, or for recovery; every login needs one")] = None


class StaffTokenRequest(RootModel[Annotated[StaffLogin | Refresh, Field(discriminator="grant_type")]]):
    """What staff ask for an access token with."""


class StaffAccessRequest(Body):
    """Somebody who has forgotten the password."""

    program: ProgramId
    email: EmailAddress


class LinkBody(Body):
    token: Annotated[Secret, Field(description="From the link in the mail")]


class StaffActivation(LinkBody):
    password: Password
    code: Annotated[Code, Field(description="Of the app just enrolled, or of the one that the account has")]


class StaffActivationView(View):
    recovery_codes: list[str]
    """Of a new app, shown this once: each stands in for a code of the app, once. None where there was an app."""


class StaffEntranceApi:
    """Handlers of the routes below."""

    def __init__(self, entrance: StaffEntrance, invitations: Invitations, tokens: Tokens, limit: AddressLimit) -> None:
        self._entrance = entrance
        self._invitations = invitations
        self._tokens = tokens
        self._limit = limit

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (*self._opening(), *self._sessions())

    def _opening(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="POST",
                path="/staff/access-requests",
                handler=self.request_staff_access,
                summary="Ask for a link, as staff who forgot the password",
                body=StaffAccessRequest,
                response=AccessRequestView,
                status=202,
                scopes=PUBLIC,
                errors=(TOO_MANY_TRIES,),
            ),
            Route(
                method="POST",
                path="/staff/enrolments",
                handler=self.enrol_staff,
                summary="Begin with an authenticator app, by a link",
                body=LinkBody,
                response=EnrolmentView,
                status=201,
                scopes=PUBLIC,
                errors=(LINK_INVALID, CONFLICT, TOO_MANY_TRIES),
            ),
            Route(
                method="POST",
                path="/staff/activations",
                handler=self.activate_staff,
                summary="Set a password with a link and the app's code; all sessions end",
                body=StaffActivation,
                response=StaffActivationView,
                scopes=PUBLIC,
                errors=(LINK_INVALID, CONFLICT, TOO_MANY_TRIES),
            ),
        )

    def _sessions(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="POST",
                path="/staff/tokens",
                handler=self.issue_staff_token,
                summary="Ask for an access token of one program, as staff",
                body=StaffTokenRequest,
                response=TokenView,
                scopes=PUBLIC,
                errors=(UNAUTHENTICATED, SECOND_FACTOR_NEEDED, TOO_MANY_TRIES),
            ),
            Route(
                method="DELETE",
                path="/staff/sessions",
                handler=self.end_staff_sessions,
                summary="Log out everywhere, as staff",
                response=None,
                status=204,
                scopes=ANY_CALLER,
                errors=(FORBIDDEN,),
            ),
        )

    async def request_staff_access(self, call: Call[Nothing, Nothing, StaffAccessRequest]) -> AccessRequestView:
        await self._limit.count(call.remote, call.headers)
        await self._invitations.ask(call.body.program, call.body.email)
        return AccessRequestView()

    async def enrol_staff(self, call: Call[Nothing, Nothing, LinkBody]) -> EnrolmentView:
        tried = await self._limit.count(call.remote, call.headers)
        enrolment = await self._entrance.enrol(call.body.token)
        await self._limit.give_back(tried)
        return EnrolmentView(secret=enrolment.secret, otpauth_uri=enrolment.uri)

    async def activate_staff(self, call: Call[Nothing, Nothing, StaffActivation]) -> StaffActivationView:
        tried, given = await self._limit.count(call.remote, call.headers), call.body
        codes = await self._entrance.activate(given.token, given.password, given.code)
        await self._limit.give_back(tried)
        return StaffActivationView(recovery_codes=codes)

    async def issue_staff_token(self, call: Call[Nothing, Nothing, StaffTokenRequest]) -> TokenView:
        asked = call.body.root
        if isinstance(asked, Refresh):
            return await self._issued(await self._entrance.refresh(asked.refresh_token))
        tried = await self._limit.count(call.remote, call.headers)
        entered = await self._entrance.enter(asked.program, asked.email, asked.password, asked.code)
        await self._limit.give_back(tried)
        return await self._issued(entered)

    async def _issued(self, entered: Entered) -> TokenView:
        return TokenView(access_token=await self._tokens.of(entered.principal), refresh_token=entered.refresh_token)

    async def end_staff_sessions(self, call: Call) -> None:
        await self._entrance.leave(call.principal)
