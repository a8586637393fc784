"""The HTTP API of identity: entering, and who a candidate is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel, StringConstraints, model_validator

from libs.common.events.types import Country, EmailAddress, Identifier, Line, ProgramId
from libs.common.http.models import Body, Parameters, View
from libs.common.http.paging import Page
from libs.common.http.problems import NOT_FOUND, UNAUTHENTICATED, Problem
from libs.common.http.routes import PUBLIC, Call, Route
from libs.common.http.scopes import OPERATIONS_READ, PROFILE_READ
from libs.common.http.server import Api
from libs.common.mongo.client import Document
from services.identity.access import LINK_INVALID, TOKEN_LASTS, Access
from services.identity.passwords import LONGEST, SHORTEST
from services.identity.store import IdentityStore

Password = Annotated[str, StringConstraints(min_length=SHORTEST, max_length=LONGEST)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class ClientCredentials(Body):
    """A system asks (RFC 6749, 4.4)."""

    grant_type: Literal["client_credentials"]
    client_id: Identifier
    client_secret: Secret


class PasswordLogin(Body):
    """A candidate asks."""

    grant_type: Literal["password"]
    program: ProgramId
    login: Annotated[Line, Field(description="Candidate ID or e-mail address")]
    password: Secret


class TokenRequest(RootModel[Annotated[ClientCredentials | PasswordLogin, Field(discriminator="grant_type")]]):
    """What an access token is asked with."""


class TokenView(View):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 the name of a scheme
    expires_in: int
    """Seconds."""


class Activation(Body):
    token: Annotated[Secret, Field(description="From the link in the mail")]
    password: Password


class KeySetView(View):
    """A JWK set (RFC 7517, 5)."""

    keys: list[dict[str, Any]]


class CandidatePath(Parameters):
    program: Identifier
    candidate_id: Identifier


class ExternalIdView(View):
    """A partner's id of the candidate, and how it was verified."""

    system: str
    external_id: str
    verified_by: str
    since: datetime


class CandidateView(View):
    candidate_id: str
    program: str
    given_name: str
    family_name: str
    email: str
    country: Country
    language: str | None
    created_at: datetime
    activated_at: datetime | None
    """When the candidate first set a password; null means "not activated"."""
    external_ids: list[ExternalIdView]
    merged_from: list[str]
    """Accounts that were merged into this one; their IDs answer with it."""


class CandidateSummary(View):
    candidate_id: str
    program: str
    given_name: str
    family_name: str
    activated_at: datetime | None
    merged_into: str | None
    """The account that goes on for it, where it was merged."""


class CandidatesQuery(Parameters):
    """By e-mail address, or by a partner's id."""

    program: ProgramId
    email: EmailAddress | None = None
    system: Identifier | None = None
    external_id: Identifier | None = None

    @model_validator(mode="after")
    def _something_to_go_by(self) -> "CandidatesQuery":
        by_partner = self.system is not None and self.external_id is not None
        if self.email is None and not by_partner:
            raise ValueError("give email, or system and external_id")
        return self


class TotalsView(View):
    accounts: int
    activated: int


_MOST_FOUND = 50


class IdentityApi:
    """Handlers of the routes below."""

    def __init__(self, store: IdentityStore, access: Access) -> None:
        self._store = store
        self._access = access

    def api(self, routes: tuple[Route[Any, Any, Any, Any], ...] = ()) -> Api:
        """The service's API, with the `routes` of its other parts."""
        return Api(
            service="identity",
            title="Certrail identity",
            description="Entering Certrail, and who a candidate is.",
            version="1.0.0",
            routes=(*self._access_routes(), *self._candidate_routes(), *routes),
        )

    def _access_routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="POST",
                path="/tokens",
                handler=self.issue_token,
                summary="Ask for an access token",
                body=TokenRequest,
                response=TokenView,
                scopes=PUBLIC,
                errors=(UNAUTHENTICATED,),
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
                errors=(LINK_INVALID,),
            ),
            Route(
                method="GET",
                path="/jwks.json",
                handler=self.show_keys,
                summary="The keys that verify access tokens",
                response=KeySetView,
                scopes=PUBLIC,
            ),
        )

    def _candidate_routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/candidates/{candidate_id}",
                handler=self.show_candidate,
                summary="A candidate's profile and partners' ids",
                parameters=CandidatePath,
                response=CandidateView,
                scopes=PROFILE_READ,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path="/candidates",
                handler=self.find_candidates,
                summary="Find candidates by e-mail address or by a partner's id",
                query=CandidatesQuery,
                response=Page[CandidateSummary],
                scopes=OPERATIONS_READ,
            ),
            Route(
                method="GET",
                path="/totals",
                handler=self.show_totals,
                summary="How many accounts there are",
                response=TotalsView,
                scopes=OPERATIONS_READ,
            ),
        )

    async def issue_token(self, call: Call[Parameters, Parameters, TokenRequest]) -> TokenView:
        asked = call.body.root
        if isinstance(asked, ClientCredentials):
            token = self._access.client_token(asked.client_id, asked.client_secret)
        else:
            token = await self._access.candidate_token(asked.program, asked.login, asked.password)
        return TokenView(access_token=token, expires_in=int(TOKEN_LASTS.total_seconds()))

    async def activate(self, call: Call[Parameters, Parameters, Activation]) -> None:
        await self._access.activate(call.body.token, call.body.password)

    async def show_keys(self, _call: Call) -> KeySetView:
        return KeySetView(keys=self._access.public_keys())

    async def show_candidate(self, call: Call[CandidatePath]) -> CandidateView:
        program, asked = call.path.program, call.path.candidate_id
        row = await self._store.standing(program, asked)
        seen = {asked, row["_id"]} if row else {asked}
        if row is None or not any(call.principal.may_see(program, one) for one in seen):
            raise Problem(NOT_FOUND)
        return candidate_view(row, await self._store.external_ids(row["_id"]))

    async def find_candidates(self, call: Call[Parameters, CandidatesQuery]) -> Page[CandidateSummary]:
        query = call.query
        if not call.principal.may_enter(query.program):
            return Page[CandidateSummary](items=[])
        rows = await self._store.find(
            query.program,
            email=query.email,
            system=query.system,
            external_id=query.external_id,
            limit=_MOST_FOUND,
        )
        return Page[CandidateSummary](items=[_summary(row) for row in rows])

    async def show_totals(self, call: Call) -> TotalsView:
        return TotalsView(**await self._store.totals(sorted(call.principal.programs)))


def candidate_view(row: Document, external_ids: Sequence[Document]) -> CandidateView:
    """An account with the partners' ids that are its own."""
    merged = {"merged_from": row.get("merged_from", [])}
    return CandidateView.model_validate({**row, **merged, "candidate_id": row["_id"], "external_ids": external_ids})


def _summary(row: Document) -> CandidateSummary:
    merged = {"merged_into": row.get("merged_into")}
    return CandidateSummary.model_validate({**row, **merged, "candidate_id": row["_id"]})
