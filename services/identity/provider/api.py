"""The HTTP API of our OpenID provider."""

from collections.abc import Mapping
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from libs.common.http.auth import bearer_token
from libs.common.http.forms import Form
from libs.common.http.lost_ways import page_for
from libs.common.http.models import Body, Nothing, Parameters, View
from libs.common.http.principal import Kind
from libs.common.http.problems import FORBIDDEN, INVALID, NOT_FOUND, UNAUTHENTICATED, Problem
from libs.common.http.routes import PUBLIC, Call, Reply, Route
from libs.common.http.scopes import EXAMS_BOOK
from services.identity.api import CandidatePath
from services.identity.login.addresses import AddressLimit
from services.identity.login.problems import TOO_MANY_TRIES
from services.identity.provider.clients import ClientId
from services.identity.provider.provider import (
    INVALID_GRANT,
    INVALID_REQUEST,
    UNSUPPORTED_GRANT,
    Authorization,
    Exchange,
    Provider,
)
from services.identity.systems.clients import INVALID_CLIENT
from services.identity.systems.token_api import basic_credentials

COOKIE = "__Host-certrail-ticket"

Given = Annotated[str | None, StringConstraints(max_length=2000)]


class TicketBody(Body):
    client_id: Annotated[ClientId, Field(description="The vendor that the candidate goes to")]


class TicketView(View):
    """Send `login_hint` to the vendor with the browser that has got the cookie of this answer."""

    login_hint: str
    expires_at: datetime


class AuthorizationQuery(Parameters):
    """OpenID Connect Core 1.0, 3.1.2.1. Parameters that are not known are ignored, as they have to be."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    client_id: Given = None
    redirect_uri: Given = None
    response_type: Given = None
    response_mode: Given = None
    scope: Given = None
    state: Given = None
    nonce: Given = None
    code_challenge: Given = None
    code_challenge_method: Given = None
    login_hint: Given = None
    prompt: Given = None
    max_age: Given = None
    request: Given = None
    request_uri: Given = None


class CodeForm(Form):
    """A vendor asks for tokens (3.1.3.1), and shows who it is by HTTP Basic."""

    grant_type: Given = None
    code: Given = None
    redirect_uri: Given = None
    code_verifier: Given = None


class CodeTokenView(View):
    """3.1.3.3."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 the name of a scheme
    expires_in: int = int(Provider.ACCESS_LASTS.total_seconds())
    """Seconds."""
    scope: str
    id_token: str


class ClaimsView(View):
    """5.3.2: what the client's scopes allow; the rest is left out."""

    model_config = ConfigDict(frozen=True, extra="allow", json_schema_serialization_defaults_required=False)

    sub: str


class LocationView(View):
    """For whoever follows no redirection."""

    location: str


class MetadataView(View):
    """OpenID Connect Discovery 1.0, 3."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    scopes_supported: tuple[str, ...] = ("openid", "profile", "email")
    response_types_supported: tuple[str, ...] = ("code",)
    response_modes_supported: tuple[str, ...] = ("query",)
    grant_types_supported: tuple[str, ...] = ("authorization_code",)
    subject_types_supported: tuple[str, ...] = ("public",)
    id_token_signing_alg_values_supported: list[str]
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    code_challenge_methods_supported: tuple[str, ...] = ("S256",)
    claims_supported: tuple[str, ...] = (
        "sub",
        "name",
        "given_name",
        "family_name",
        "locale",
        "email",
        "email_verified",
    )
    request_parameter_supported: bool = False
    request_uri_parameter_supported: bool = False
    authorization_response_iss_parameter_supported: bool = True


class ProviderApi:
    """Handlers of the routes below.

    Args:
        public_url: how people reach us.
    """

    def __init__(self, provider: Provider, limit: AddressLimit, *, public_url: str) -> None:
        self._provider = provider
        self._limit = limit
        self._public_url = public_url

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            # Not idempotent by key: the answer would be kept, and the ticket with it.
            Route(
                method="POST",
                path="/programs/{program}/candidates/{candidate_id}/provider-tickets",
                handler=self.issue_ticket,
                summary="A ticket with which a vendor's login finds the candidate, once and for two minutes",
                parameters=CandidatePath,
                body=TicketBody,
                response=TicketView,
                status=201,
                scopes=EXAMS_BOOK,
                errors=(NOT_FOUND, FORBIDDEN, UNAUTHENTICATED, INVALID),
            ),
            Route(
                method="GET",
                path="/provider/.well-known/openid-configuration",
                handler=self.show_metadata,
                summary="What our provider offers, for vendors' libraries",
                response=MetadataView,
                scopes=PUBLIC,
            ),
            Route(
                method="GET",
                path="/provider/authorize",
                handler=self.authorize,
                summary="A vendor sends the browser here to learn who it is",
                query=AuthorizationQuery,
                response=LocationView,
                status=303,
                scopes=PUBLIC,
                errors=(INVALID_REQUEST,),
            ),
            Route(
                method="POST",
                path="/provider/token",
                handler=self.exchange_code,
                summary="A vendor gets tokens for a code, once",
                body=CodeForm,
                response=CodeTokenView,
                scopes=PUBLIC,
                errors=(INVALID_CLIENT, INVALID_REQUEST, INVALID_GRANT, UNSUPPORTED_GRANT, TOO_MANY_TRIES),
            ),
            Route(
                method="GET",
                path="/provider/userinfo",
                handler=self.show_claims,
                summary="What a vendor may know of the person",
                response=ClaimsView,
                scopes=PUBLIC,
                errors=(UNAUTHENTICATED,),
            ),
        )

    async def issue_ticket(self, call: Call[CandidatePath, Nothing, TicketBody]) -> Reply[TicketView]:
        path, principal = call.path, call.principal
        principal.require(path.program, path.candidate_id)
        if principal.kind is not Kind.CANDIDATE:
            raise Problem(FORBIDDEN, "only the candidate is signed on as the candidate")
        made = await self._provider.ticket(principal, path.program, path.candidate_id, call.body.client_id)
        lasts = int(Provider.TICKET_LASTS.total_seconds())
        cookie = f"{COOKIE}={made.binding}; Path=/; Max-Age={lasts}; Secure; HttpOnly; SameSite=Lax"
        return Reply(TicketView(login_hint=made.ticket, expires_at=made.expires_at), {"Set-Cookie": cookie})

    async def show_metadata(self, _call: Call) -> MetadataView:
        base = self._provider.issuer
        return MetadataView(
            issuer=base,
            authorization_endpoint=f"{base}/authorize",
            token_endpoint=f"{base}/token",
            userinfo_endpoint=f"{base}/userinfo",
            jwks_uri=f"{base.removesuffix('/provider')}/jwks.json",
            id_token_signing_alg_values_supported=await self._provider.algorithms(),
        )

    async def authorize(self, call: Call[Nothing, AuthorizationQuery]) -> Reply[LocationView]:
        given = call.query.model_dump(exclude_none=True)
        asked = Authorization(given.pop("client_id", ""), given.pop("redirect_uri", ""), given)
        try:
            location = await self._provider.authorize(asked, _cookie(call.headers))
        except Problem:
            page = page_for(call.headers, self._public_url)
            if page is None:
                raise
            location = page
        return Reply(LocationView(location=location), {"Location": location})

    async def exchange_code(self, call: Call[Nothing, Nothing, CodeForm]) -> CodeTokenView:
        client_id, secret = basic_credentials(call.headers.get("Authorization")) or ("", "")
        tried = await self._limit.count(call.remote, call.headers)
        form = call.body
        asked = Exchange(form.grant_type, form.code, form.redirect_uri, form.code_verifier)
        granted = await self._provider.exchange(client_id, secret, asked)
        await self._limit.give_back(tried)
        return CodeTokenView(
            access_token=granted.access_token, id_token=granted.id_token, scope=" ".join(granted.scopes)
        )

    async def show_claims(self, call: Call) -> ClaimsView:
        return ClaimsView.model_validate(await self._provider.claims(bearer_token(call.headers.get("Authorization"))))


def _cookie(headers: Mapping[str, str]) -> str | None:
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(headers.get("Cookie", ""))
    except CookieError:
        return None
    return cookies[COOKIE].value if COOKIE in cookies else None
