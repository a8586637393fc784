"""The code flow of our provider: a ticket in place of a browser's session, then code, tokens and claims.

Exactly one flow is offered: code with PKCE (S256), for a confidential client, with addresses compared letter by letter.
"""

import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, NamedTuple
from urllib.parse import urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt

from libs.common.clock import Clock, as_stored
from libs.common.http.principal import Principal
from libs.common.http.problems import NOT_FOUND, UNAUTHENTICATED, Problem, ProblemType, invalid
from libs.common.http.tokens import Algorithms, algorithm_of
from libs.common.ids import new_secret
from libs.common.mongo.client import Document
from services.identity.login.sessions import Sessions
from services.identity.provider.clients import Client, ProviderClients
from services.identity.provider.store import ProviderStore
from services.identity.signing.keys import SigningKeys
from services.identity.store import IdentityStore
from services.identity.systems.clients import INVALID_CLIENT

INVALID_REQUEST = ProblemType("authorization-invalid", "The request is not one of this flow", 400, "invalid_request")
INVALID_GRANT = ProblemType("invalid-grant", "The code is not good, or not for this", 400, "invalid_grant")
UNSUPPORTED_GRANT = ProblemType(
    "unsupported-code-grant", "Only authorization_code is taken here", 400, "unsupported_grant_type"
)

_CHALLENGE_LENGTH: Final = 43
"""Of a SHA-256 in base64url without padding (RFC 7636, 4.2)."""

_SECONDS = re.compile(r"[0-9]{1,9}")


class Ticket(NamedTuple):
    """What stands for a signed-in browser, once."""

    ticket: str
    """Goes to the vendor as `login_hint` and comes back from it."""
    binding: str
    """Stays in the browser; the ticket counts in no other."""
    expires_at: datetime


class Authorization(NamedTuple):
    """The parameters of an authorization request (OpenID Connect Core 1.0, 3.1.2.1); None for one that is missing."""

    client_id: str
    redirect_uri: str
    parameters: Mapping[str, str]


class Exchange(NamedTuple):
    """The parameters of a token request (3.1.3.1)."""

    grant_type: str | None
    code: str | None
    redirect_uri: str | None
    code_verifier: str | None


class Granted(NamedTuple):
    access_token: str
    id_token: str
    scopes: list[str]


class _Refused(Exception):
    """Goes back to the client with the browser."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.parameters = {"error": error, "error_description": description}


class Provider:
    """Tells vendors who comes to them.

    Args:
        issuer: our name in tokens, and where the discovery document is found.
    """

    TICKET_LASTS: ClassVar = timedelta(minutes=2)
    CODE_LASTS: ClassVar = timedelta(minutes=1)
    ACCESS_LASTS: ClassVar = timedelta(minutes=5)
    KEPT: ClassVar = timedelta(minutes=15)
    """How long a used code is remembered: one that comes again ends what it was used for."""

    def __init__(
        self,
        store: ProviderStore,
        accounts: IdentityStore,
        clients: ProviderClients,
        sessions: Sessions,
        keys: SigningKeys,
        *,
        issuer: str,
        clock: Clock,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._clients = clients
        self._sessions = sessions
        self._keys = keys
        self.issuer = issuer
        self._clock = clock

    async def ticket(self, principal: Principal, program: str, candidate_id: str, client_id: str) -> Ticket:
        """A ticket for whoever has a session, to be shown by one client.

        Raises the problems `not-found`, `unauthenticated` where the session has ended, and `invalid-request` for a
        client that may not be told of the program's candidates.
        """
        session = await self._sessions.current(principal)
        account = await self._accounts.standing(program, candidate_id)
        if account is None:
            raise Problem(NOT_FOUND)
        client = self._clients.find(client_id)
        if client is None or program not in client.programs:
            raise invalid("body.client_id", "unknown", "is no client that the program's candidates go to")
        made = Ticket(new_secret(), new_secret(), as_stored(self._clock.now() + self.TICKET_LASTS))
        row = {
            "client_id": client_id,
            "program": program,
            "candidate_id": account["_id"],
            "authenticated_at": session["authenticated_at"],
            "expires_at": made.expires_at,
        }
        await self._store.add_ticket(made.ticket, made.binding, row)
        return made

    async def authorize(self, asked: Authorization, binding: str | None) -> str:
        """Where the browser goes on, with a code or with what is wrong.

        Raises the problem `authorization-invalid` where nobody may be sent to the address, whatever is wrong.
        """
        client = self._clients.find(asked.client_id)
        if client is None or asked.redirect_uri not in client.redirect_uris:
            raise Problem(INVALID_REQUEST, "the client is unknown, or the redirect_uri is none of its addresses")
        try:
            answer = {"code": await self._code(client, asked, binding)}
        except _Refused as refused:
            answer = refused.parameters
        if "state" in asked.parameters:
            answer["state"] = asked.parameters["state"]
        mark = "&" if "?" in asked.redirect_uri else "?"
        return f"{asked.redirect_uri}{mark}{urlencode({**answer, 'iss': self.issuer})}"  # `iss`: RFC 9207

    async def _code(self, client: Client, asked: Authorization, binding: str | None) -> str:
        given = asked.parameters
        _check(given)
        scopes = sorted(client.scopes & set(given.get("scope", "").split()))
        if "openid" not in scopes:
            raise _Refused("invalid_scope", "scope must contain openid")
        now = self._clock.now()
        ticket = None
        if binding is not None and "login_hint" in given:
            ticket = await self._store.take_ticket(given["login_hint"], binding, asked.client_id, now)
        if ticket is None or ticket["program"] not in client.programs:
            raise _Refused("login_required", "login_hint is no ticket of this browser's for this client")
        if _is_too_long_ago(ticket["authenticated_at"], given.get("max_age"), now):
            raise _Refused("login_required", "the person has to sign in anew")
        code = new_secret()
        row = {
            "client_id": asked.client_id,
            "redirect_uri": asked.redirect_uri,
            "code_challenge": given["code_challenge"],
            "nonce": given.get("nonce"),
            "scopes": scopes,
            "good_until": as_stored(now + self.CODE_LASTS),
            "expires_at": as_stored(now + self.KEPT),
            **{name: ticket[name] for name in ("program", "candidate_id", "authenticated_at")},
        }
        await self._store.add_code(code, row)
        return code

    async def exchange(self, client_id: str, secret: str, asked: Exchange) -> Granted:
        """Tokens for a code, once (RFC 6749, 4.1.3; RFC 7636, 4.6).

        Raises the problems `invalid-client`, `unsupported-code-grant`, `authorization-invalid` and `invalid-grant`.
        """
        client = self._clients.find(client_id)
        if client is None or not client.knows(secret):
            raise Problem(INVALID_CLIENT, headers={"WWW-Authenticate": 'Basic realm="certrail"'})
        if asked.grant_type != "authorization_code":
            raise Problem(UNSUPPORTED_GRANT)
        if asked.code is None or asked.redirect_uri is None or asked.code_verifier is None:
            raise Problem(INVALID_REQUEST, "code, redirect_uri and code_verifier are needed")
        row, now = await self._store.code(asked.code), self._clock.now()
        if row is None or row["client_id"] != client_id:
            raise Problem(INVALID_GRANT)
        access = new_secret()
        right = (
            now < row["good_until"]
            and row["redirect_uri"] == asked.redirect_uri
            and row["program"] in client.programs
            and _proves(asked.code_verifier, row["code_challenge"])
            and await self._store.use_code(asked.code, access, as_stored(now + self.ACCESS_LASTS))
        )
        account = await self._account(row) if right else None
        if account is None:
            # Used before, or shown by somebody who does not know all: whatever it was good for ends (4.1.2).
            await self._store.drop_code(asked.code)
            raise Problem(INVALID_GRANT)
        return Granted(access, await self._id_token(row, account, now), row["scopes"])

    async def claims(self, access: str) -> dict[str, Any]:
        """What the client may know of the person (5.3.2). Raises the problem `unauthenticated`."""
        row = await self._store.by_access(access, self._clock.now())
        account = await self._account(row) if row is not None else None
        if row is None or account is None:
            raise Problem(UNAUTHENTICATED, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        found: dict[str, Any] = {"sub": account["_id"]}
        if "profile" in row["scopes"]:
            given, family = account["given_name"], account["family_name"]
            found |= {"name": f"{given} {family}", "given_name": given, "family_name": family}
            if account["language"] is not None:
                found["locale"] = account["language"]
        if "email" in row["scopes"]:
            found |= {"email": account["email"], "email_verified": account["activated_at"] is not None}
        return found

    async def algorithms(self) -> list[str]:
        """What ID tokens are signed with."""
        return [algorithm_of(await self._keys.signing())]

    async def _account(self, row: Document) -> Document | None:
        """The account that goes on; None where the person is gone."""
        return await self._accounts.standing(row["program"], row["candidate_id"])

    async def _id_token(self, row: Document, account: Document, now: datetime) -> str:
        key = await self._keys.signing()
        issued = int(now.timestamp())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": account["_id"],
            "aud": row["client_id"],
            "iat": issued,
            "exp": issued + int(self.ACCESS_LASTS.total_seconds()),
            "auth_time": int(row["authenticated_at"].timestamp()),
        }
        if row["nonce"] is not None:
            claims["nonce"] = row["nonce"]
        algorithm = algorithm_of(key)
        header = {"alg": algorithm, "kid": key.kid, "typ": "JWT"}
        return jwt.encode(header, claims, key, registry=Algorithms(algorithms=[algorithm]))


def _check(given: Mapping[str, str]) -> None:
    """Whether it is the one flow that is offered."""
    for name, error in (("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")):
        if name in given:
            raise _Refused(error, f"{name} is not taken here")
    if given.get("response_type") != "code":
        raise _Refused("unsupported_response_type", "response_type must be code")
    if given.get("response_mode", "query") != "query":
        raise _Refused("invalid_request", "response_mode must be query")
    challenge = given.get("code_challenge", "")
    if given.get("code_challenge_method") != "S256" or len(challenge) != _CHALLENGE_LENGTH:
        raise _Refused("invalid_request", "code_challenge by S256 is needed")
    if not _SECONDS.fullmatch(given.get("max_age", "0")):
        raise _Refused("invalid_request", "max_age must be a number of seconds")
    prompts = set(given.get("prompt", "").split())
    if "none" in prompts and len(prompts) > 1:
        raise _Refused("invalid_request", "prompt none stands alone")
    if prompts & {"login", "select_account"}:
        raise _Refused("login_required", "nobody can sign in here; begin anew where the person came from")


def _is_too_long_ago(authenticated_at: datetime, max_age: str | None, now: datetime) -> bool:
    return max_age is not None and now - authenticated_at > timedelta(seconds=int(max_age))


def _proves(verifier: str, challenge: str) -> bool:
    if not verifier.isascii():
        return False
    return hmac.compare_digest(create_s256_code_challenge(verifier).encode(), challenge.encode())
