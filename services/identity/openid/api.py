"""The HTTP API of signing in with a program's provider."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel, StringConstraints

from libs.common.events.types import Line
from libs.common.http.models import Body, Nothing, View
from libs.common.http.problems import CONFLICT, NOT_FOUND, UNAUTHENTICATED, Problem
from libs.common.http.routes import PUBLIC, Call, Route
from libs.common.programs import Program
from services.identity.api import ProgramPath
from services.identity.login.addresses import AddressLimit
from services.identity.login.api import Password, Secret, TokenView
from services.identity.login.problems import LINK_INVALID, LOCAL_PASSWORDS_OFF, SECOND_FACTOR_NEEDED, TOO_MANY_TRIES
from services.identity.login.second_factor_api import Code
from services.identity.login.sessions import Sessions
from services.identity.login.tokens import Tokens
from services.identity.openid.problems import SIGN_IN_INVALID, SIGN_IN_REFUSED
from services.identity.openid.provider import Returned
from services.identity.openid.signing_in import (
    ATTEMPT_LASTS,
    PENDING_LASTS,
    ByCode,
    ByLink,
    ByPassword,
    Entered,
    SigningIn,
    Wanting,
)

Answered = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class ProviderView(View):
    name: str


class WaysView(View):
    """How a program's candidates sign in."""

    local_passwords: bool
    provider: ProviderView | None


class Authorization(Body):
    """A person wants to sign in with the provider."""

    fresh: Annotated[
        bool, Field(description="Whether the provider asks anew who they are, for what needs a recent proof")
    ] = False


class AuthorizationView(View):
    """Send the person to the URL, and keep the rest in their browser."""

    authorization_url: str
    state: str
    """Comes back with the answer. Another one is not the answer to this."""
    binding: str
    """Only the browser that began can finish, because it alone has this. Never send it to the provider."""
    provider_logout_url: str | None
    """Where a session at the provider ends, which goes on after logging out here; null where it has no such page."""
    expires_in: int = int(ATTEMPT_LASTS.total_seconds())
    """Seconds."""


class Return(Body):
    """What came back with the person: the parameters of the address that the provider sent them to."""

    state: Secret
    code: Answered
    iss: Answered | None = None
    binding: Secret


class CodeProof(Body):
    """The second factor, where the sign-in wants that."""

    kind: Literal["code"]
    pending: Secret
    code: Code


class PasswordProof(Body):
    """Whose account it is, by a login with the password."""

    kind: Literal["password"]
    pending: Secret
    login: Annotated[Line, Field(description="Candidate ID or e-mail address")]
    password: Password
    code: Annotated[Code | None, Field(description="Where the account has a second factor")] = None


class LinkProof(Body):
    """Whose account it is, by a mail to it."""

    kind: Literal["link"]
    pending: Secret
    link: Annotated[Secret, Field(description="The token of the mail's link")]
    code: Annotated[Code | None, Field(description="Where the account has a second factor")] = None


class ProofBody(RootModel[Annotated[CodeProof | PasswordProof | LinkProof, Field(discriminator="kind")]]):
    """What a sign-in still wants."""


class SignInView(View):
    state: Literal["signed_in", "second_factor_needed", "account_needed"]
    """`account_needed`: no account is known to be this person's, and whose it is has to be proved once."""
    tokens: TokenView | None = None
    pending: str | None = None
    """What `/openid/proofs` takes, for half an hour."""
    pending_expires_in: int | None = None
    """Seconds."""


class OpenIdApi:
    """Handlers of the routes below."""

    def __init__(
        self,
        signing_in: SigningIn,
        sessions: Sessions,
        tokens: Tokens,
        limit: AddressLimit,
        programs: Mapping[str, Program],
    ) -> None:
        self._signing_in = signing_in
        self._sessions = sessions
        self._tokens = tokens
        self._limit = limit
        self._programs = programs

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/sign-in",
                handler=self.show_ways,
                summary="How a program's candidates sign in",
                parameters=ProgramPath,
                response=WaysView,
                scopes=PUBLIC,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/programs/{program}/openid/authorizations",
                handler=self.begin_sign_in,
                summary="Begin to sign in with the program's provider",
                parameters=ProgramPath,
                body=Authorization,
                response=AuthorizationView,
                status=201,
                scopes=PUBLIC,
                errors=(NOT_FOUND, TOO_MANY_TRIES),
            ),
            Route(
                method="POST",
                path="/programs/{program}/openid/sessions",
                handler=self.finish_sign_in,
                summary="Sign in with what came back from the provider",
                parameters=ProgramPath,
                body=Return,
                response=SignInView,
                scopes=PUBLIC,
                errors=(SIGN_IN_REFUSED, NOT_FOUND, CONFLICT, SIGN_IN_INVALID, TOO_MANY_TRIES),
            ),
            Route(
                method="POST",
                path="/programs/{program}/openid/proofs",
                handler=self.prove_sign_in,
                summary="Prove what a sign-in still wants: the second factor, or once whose account it is",
                parameters=ProgramPath,
                body=ProofBody,
                response=SignInView,
                scopes=PUBLIC,
                errors=(
                    UNAUTHENTICATED,
                    SECOND_FACTOR_NEEDED,
                    LOCAL_PASSWORDS_OFF,
                    NOT_FOUND,
                    CONFLICT,
                    SIGN_IN_INVALID,
                    LINK_INVALID,
                    TOO_MANY_TRIES,
                ),
            ),
        )

    async def show_ways(self, call: Call[ProgramPath]) -> WaysView:
        program = self._programs.get(call.path.program)
        if program is None:
            raise Problem(NOT_FOUND)
        ways = program.sign_in
        provider = None if ways.openid is None else ProviderView(name=ways.openid.name)
        return WaysView(local_passwords=ways.local_passwords, provider=provider)

    async def begin_sign_in(self, call: Call[ProgramPath, Nothing, Authorization]) -> AuthorizationView:
        counted = await self._limit.count(call.remote, call.headers)
        begun = await self._signing_in.begin(call.path.program, fresh=call.body.fresh, counted=counted)
        return AuthorizationView(
            authorization_url=begun.authorization_url,
            state=begun.state,
            binding=begun.binding,
            provider_logout_url=begun.logout_url,
        )

    async def finish_sign_in(self, call: Call[ProgramPath, Nothing, Return]) -> SignInView:
        counted = await self._limit.count(call.remote, call.headers)
        attempt, outcome = await self._signing_in.finish(
            call.path.program,
            state=call.body.state,
            binding=call.body.binding,
            returned=Returned(call.body.code, call.body.iss),
        )
        await self._limit.give_back(counted)
        await self._limit.give_back(attempt.counted)
        if isinstance(outcome, Wanting):
            return SignInView(
                state="second_factor_needed" if outcome.second_factor else "account_needed",
                pending=outcome.token,
                pending_expires_in=int(PENDING_LASTS.total_seconds()),
            )
        return await self._signed_in(call.headers, outcome)

    async def prove_sign_in(self, call: Call[ProgramPath, Nothing, ProofBody]) -> SignInView:
        counted = await self._limit.count(call.remote, call.headers)
        given = call.body.root
        entered = await self._signing_in.complete(call.path.program, given.pending, _own(given))
        await self._limit.give_back(counted)
        return await self._signed_in(call.headers, entered)

    async def _signed_in(self, headers: Mapping[str, str], entered: Entered) -> SignInView:
        opened = await self._sessions.open(
            entered.account,
            entered.acr,
            headers.get("User-Agent", ""),
            authenticated_at=entered.authenticated_at,
        )
        access_token = await self._tokens.of_session(opened.session)
        tokens = TokenView(access_token=access_token, refresh_token=opened.refresh_token)
        return SignInView(state="signed_in", tokens=tokens)


def _own(given: CodeProof | PasswordProof | LinkProof) -> ByCode | ByPassword | ByLink:
    if isinstance(given, CodeProof):
        return ByCode(given.code)
    if isinstance(given, LinkProof):
        return ByLink(given.link, given.code)
    return ByPassword(given.login, given.password, given.code)
