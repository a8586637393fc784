"""The HTTP API of identity: entering, and who a candidate is."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import model_validator

from libs.common.events.types import Country, EmailAddress, Identifier, ProgramId
from libs.common.http.models import Parameters, View
from libs.common.http.paging import Page
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import OPERATIONS_READ, PROFILE_READ
from libs.common.http.server import Api
from libs.common.mongo.client import Document
from services.identity.store import IdentityStore


class ProgramPath(Parameters):
    program: Identifier


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
    """When the candidate first came in, by a password or by the program's provider; null means "not activated"."""
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

    def __init__(self, store: IdentityStore) -> None:
        self._store = store

    def api(self, more: Iterable[Route[Any, Any, Any, Any]] = ()) -> Api:
        """The whole API; `more` are routes of other parts of the service."""
        return Api(
            service="identity",
            title="Certrail identity",
            description="Entering Certrail, and who a candidate is.",
            version="1.0.0",
            routes=(*more, *self._candidate_routes()),
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
                audited=False,
            ),
        )

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


def entered(call: Call[Any, Any, Any]) -> str:
    """The program of a path, if the caller may enter it. Raises the problem `not-found`."""
    program: str = call.path.program
    call.principal.require_program(program)
    return program
