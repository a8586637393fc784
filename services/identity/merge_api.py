"""The HTTP API for staff who merge accounts of one person."""

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import Field

from libs.common.events.types import Identifier, Remark
from libs.common.http.models import Body, Parameters, View
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import ACCOUNTS_MANAGE
from libs.common.mongo.client import Document
from services.identity.api import CandidateView, ProgramPath, candidate_view, entered
from services.identity.domain.similarity import Reason, compare
from services.identity.duplicates.comparing import person_of
from services.identity.merging import MERGE_REFUSED, NOT_REVERSIBLE, Merging
from services.identity.store import IdentityStore

_From = Annotated[Identifier, Field(alias="from", description="The account that ends")]
_Into = Annotated[Identifier, Field(description="The account that goes on")]
_Why = Annotated[Remark, Field(description="Kept with the merge, for staff")]


class MergePath(Parameters):
    program: Identifier
    merge_id: Identifier


class PreviewQuery(Parameters):
    source: _From
    into: _Into


class MergeBody(Body):
    source: _From
    into: _Into
    reason: _Why


class ReversalBody(Body):
    reason: _Why


class SideView(View):
    """One of the two accounts."""

    profile: CandidateView
    holds: str
    """Where certs says what it holds; ask with the same token."""


class PreviewView(View):
    """The two accounts beside each other, before anything is decided."""

    merged: SideView
    survivor: SideView
    score: float
    """How likely they are of one person, from 0 to 1."""
    reasons: list[Reason]
    """What is alike."""
    refusal: str | None
    """Why they cannot be merged as they are; null where they can."""
    outcome: str
    """Where certs says what the survivor would hold; ask with the same token."""


class MergeView(View):
    """A merge, and how far it has come."""

    merge_id: str
    state: Literal["requested", "announced", "done", "reversed"]
    merged_id: str
    """The account that ended; its ID answers with the other."""
    candidate_id: str
    """The account that goes on."""
    reason: str
    by: str
    """The subject of the token it was made with."""
    requested_at: datetime
    announced_at: datetime | None = None
    done_at: datetime | None = None
    reversed_at: datetime | None = None
    reversed_by: str | None = None
    reversal_reason: str | None = None


class MergeApi:
    """Handlers of the routes below."""

    def __init__(self, store: IdentityStore, merging: Merging) -> None:
        self._store = store
        self._merging = merging

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/merges/preview",
                handler=self.preview_merge,
                summary="Two accounts beside each other, and whether they can be merged",
                parameters=ProgramPath,
                query=PreviewQuery,
                response=PreviewView,
                scopes=ACCOUNTS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/programs/{program}/merges",
                handler=self.merge_accounts,
                summary="Merge two accounts of one person",
                parameters=ProgramPath,
                body=MergeBody,
                response=MergeView,
                status=201,
                scopes=ACCOUNTS_MANAGE,
                errors=(NOT_FOUND, MERGE_REFUSED),
                idempotent=True,
            ),
            Route(
                method="GET",
                path="/programs/{program}/merges/{merge_id}",
                handler=self.show_merge,
                summary="How far a merge has come",
                parameters=MergePath,
                response=MergeView,
                scopes=ACCOUNTS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/programs/{program}/merges/{merge_id}/reversal",
                handler=self.reverse_merge,
                summary="Undo a merge",
                parameters=MergePath,
                body=ReversalBody,
                response=MergeView,
                scopes=ACCOUNTS_MANAGE,
                errors=(NOT_FOUND, NOT_REVERSIBLE),
                idempotent=True,
            ),
        )

    async def preview_merge(self, call: Call[ProgramPath, PreviewQuery]) -> PreviewView:
        program = entered(call)
        source, into = call.query.source, call.query.into
        refusal = await self._merging.preview(program, source, into)
        ends, goes_on = await self._account(program, source), await self._account(program, into)
        likeness = compare(person_of(ends), person_of(goes_on))
        return PreviewView(
            merged=await self._side(ends),
            survivor=await self._side(goes_on),
            score=round(likeness.score, 3),
            reasons=list(likeness.reasons),
            refusal=refusal,
            outcome=f"/api/certs/v1/programs/{program}/merge-preview?{urlencode({'from': source, 'into': into})}",
        )

    async def merge_accounts(self, call: Call[ProgramPath, Any, MergeBody]) -> MergeView:
        row = await self._merging.merge(
            call.operation_id,
            program=entered(call),
            source=call.body.source,
            into=call.body.into,
            by=call.principal.subject,
            reason=call.body.reason,
        )
        return _merge(row)

    async def show_merge(self, call: Call[MergePath]) -> MergeView:
        program = entered(call)
        row = await self._merging.store.get(None, call.path.merge_id)
        if row is None or row["program"] != program:
            raise Problem(NOT_FOUND)
        return _merge(row)

    async def reverse_merge(self, call: Call[MergePath, Any, ReversalBody]) -> MergeView:
        row = await self._merging.reverse(
            call.path.merge_id, program=entered(call), by=call.principal.subject, reason=call.body.reason
        )
        return _merge(row)

    async def _account(self, program: str, candidate_id: str) -> Document:
        row = await self._store.candidate(program, candidate_id)
        if row is None:
            raise Problem(NOT_FOUND)
        return row

    async def _side(self, row: Document) -> SideView:
        return SideView(
            profile=candidate_view(row, await self._store.external_ids(row["_id"])),
            holds=f"/api/certs/v1/programs/{row['program']}/candidates/{row['_id']}/certifications",
        )


def _merge(row: Document) -> MergeView:
    return MergeView.model_validate({**row, "merge_id": row["_id"]})
