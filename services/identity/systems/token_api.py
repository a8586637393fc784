"""The token endpoint as other people's OAuth libraries expect it: a form, and the client in the header or the form."""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import unquote_plus

from pydantic import Field, StringConstraints

from libs.common.http.forms import Form
from libs.common.http.models import Nothing, View
from libs.common.http.problems import Problem, ProblemType, invalid
from libs.common.http.routes import PUBLIC, Call, Route
from services.identity.login.addresses import AddressLimit
from services.identity.login.problems import TOO_MANY_TRIES
from services.identity.login.tokens import TOKEN_LASTS, Tokens
from services.identity.systems.clients import INVALID_CLIENT, INVALID_SCOPE, Clients

UNSUPPORTED_GRANT = ProblemType(
    "unsupported-grant-type", "Systems get tokens by client_credentials", 400, "unsupported_grant_type"
)

_SCHEME = "basic "

Word = Annotated[str, StringConstraints(max_length=512)]


class TokenForm(Form):
    """A system asks (RFC 6749, 4.4.2)."""

    grant_type: Word
    scope: Annotated[Word | None, Field(description="Parted by spaces; all that the system has unless given")] = None
    client_id: Annotated[Word | None, Field(description="Unless it comes by HTTP Basic")] = None
    client_secret: Word | None = None


class OAuthTokenView(View):
    """RFC 6749, 5.1."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 the name of a scheme
    expires_in: int = int(TOKEN_LASTS.total_seconds())
    """Seconds."""
    scope: str


class OAuthApi:
    """The handler of the route below."""

    def __init__(self, clients: Clients, tokens: Tokens, limit: AddressLimit) -> None:
        self._clients = clients
        self._tokens = tokens
        self._limit = limit

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="POST",
                path="/oauth/token",
                handler=self.issue_client_token,
                summary="Ask for an access token as a system, the way of OAuth 2.0",
                body=TokenForm,
                response=OAuthTokenView,
                scopes=PUBLIC,
                errors=(INVALID_CLIENT, INVALID_SCOPE, UNSUPPORTED_GRANT, TOO_MANY_TRIES),
            ),
        )

    async def issue_client_token(self, call: Call[Nothing, Nothing, TokenForm]) -> OAuthTokenView:
        form = call.body
        if form.grant_type != "client_credentials":
            raise Problem(UNSUPPORTED_GRANT)
        client_id, secret = _credentials(form, call.headers)
        tried = await self._limit.count(call.remote, call.headers)
        holder = await self._clients.prove(client_id, secret, form.scope)
        await self._limit.give_back(tried)
        return OAuthTokenView(access_token=await self._tokens.of(holder), scope=" ".join(sorted(holder.scopes)))


def _credentials(form: TokenForm, headers: Mapping[str, str]) -> tuple[str, str]:
    """Client and secret, from the header or from the form (RFC 6749, 2.3.1).

    Raises the problems `invalid-client`, and `invalid-request` where they come both ways (RFC 6749, 2.3).
    """
    basic = basic_credentials(headers.get("Authorization"))
    if basic is None:
        return form.client_id or "", form.client_secret or ""
    if form.client_secret is not None or form.client_id not in (None, basic[0]):
        raise invalid("body.client_secret", "twice", "comes in the header already")
    return basic


def basic_credentials(authorization: str | None) -> tuple[str, str] | None:
    """Client and secret of an `Authorization` header (RFC 6749, 2.3.1): two empty texts for what cannot be read."""
    if authorization is None or authorization[: len(_SCHEME)].lower() != _SCHEME:
        return None
    try:
        plain = base64.b64decode(authorization[len(_SCHEME) :].strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return "", ""
    client_id, _, secret = plain.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)
