"""The HTTP API of the search for staff."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from libs.common.http.models import Parameters, View
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import OPERATIONS_READ
from libs.common.programs import Program
from services.identity.api import ProgramPath, entered
from services.identity.search.finding import Finding, Found, Reason
from services.identity.search.store import SearchStore


class SearchQuery(Parameters):
    q: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        Field(description="A candidate's, a partner's or a registration's id, a case, an address for mail, or a name"),
    ]
    limit: Annotated[int, Field(ge=1, le=100, description="Items at most")] = 20


class FoundView(View):
    """An account that may be meant, and by what it was found, the best first."""

    candidate_id: str
    given_name: str
    family_name: str
    native_name: str | None
    """As its own language orders it: the family name first."""
    email: str
    activated_at: datetime | None
    merged_into: str | None
    """The account that goes on for it, where it was merged."""
    score: float
    """From 0 to 1."""
    reasons: list[Reason]


class FoundsView(View):
    """The best fit first."""

    items: list[FoundView]
    more: bool
    """Whether there are more than are shown: type more."""


class SearchApi:
    """The handler of the route below."""

    def __init__(self, store: SearchStore, programs: Mapping[str, Program]) -> None:
        self._finding = Finding(store)
        self._programs = programs

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/search",
                handler=self.search,
                summary="Find candidates by any id, address for mail, or name, also misspelt and in any script",
                parameters=ProgramPath,
                query=SearchQuery,
                response=FoundsView,
                scopes=OPERATIONS_READ,
                errors=(NOT_FOUND,),
            ),
        )

    async def search(self, call: Call[ProgramPath, SearchQuery]) -> FoundsView:
        program = self._programs.get(entered(call))
        if program is None:
            raise Problem(NOT_FOUND)
        found = await self._finding.find(program, call.query.q)
        limit = call.query.limit
        return FoundsView(items=[_view(each) for each in found[:limit]], more=len(found) > limit)


def _view(found: Found) -> FoundView:
    account = found.account
    native = account.get("native_name")
    return FoundView(
        candidate_id=account["_id"],
        given_name=account["given_name"],
        family_name=account["family_name"],
        native_name=f"{native['family_name']} {native['given_name']}" if native else None,
        email=account["email"],
        activated_at=account["activated_at"],
        merged_into=account.get("merged_into"),
        score=round(found.score, 3),
        reasons=list(found.reasons),
    )
