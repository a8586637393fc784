"""The HTTP API about partners' ids: candidates claim them, staff move them and see their history."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from libs.common.bus.topology import VENDOR_NAME
from libs.common.events.types import Identifier, PartnerId, Remark
from libs.common.http.models import Body, Parameters, View
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import ACCOUNTS_MANAGE, PROFILE_WRITE
from libs.common.mongo.client import Document
from libs.common.mongo.links import link_id
from services.identity.api import CandidatePath, ProgramPath, entered
from services.identity.claiming import Claiming

System = Annotated[str, StringConstraints(pattern=f"^{VENDOR_NAME.pattern}$"), Field(description="The partner")]
"""Without a colon: it is a part of the id's key."""


class ClaimBody(Body):
    """An id that is said to be one's own."""

    system: System
    external_id: PartnerId
    registration_id: Annotated[PartnerId, Field(description="As it stands on a score report")]


class ClaimView(View):
    state: Literal["linked", "in_review"]
    """`in_review` says nothing of why: the registration may not fit, or the id may be another's."""
    case_id: str | None = None
    """The case in which it is reviewed."""


class ChangeBody(Body):
    """Whose an id is from now on."""

    system: System
    external_id: PartnerId
    to: Annotated[Identifier | None, Field(description="The candidate; null unlinks")]
    reason: Remark


class ExternalIdQuery(Parameters):
    system: System
    external_id: PartnerId


class FormerView(View):
    """Whose the id was."""

    candidate_id: str
    verified_by: str
    by: str | None
    """Who linked it; null for a vendor's registration."""
    since: datetime
    until: datetime
    ended_by: str
    reason: str
    """Why it ended."""


class MappingView(View):
    """A partner's id with its history, the oldest first."""

    system: str
    external_id: str
    candidate_id: str | None
    verified_by: str | None
    by: str | None
    since: datetime
    history: list[FormerView]


class MappingApi:
    """Handlers of the routes below."""

    def __init__(self, claiming: Claiming) -> None:
        self._claiming = claiming

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="POST",
                path="/programs/{program}/candidates/{candidate_id}/external-ids",
                handler=self.claim_external_id,
                summary="Claim a partner's id as one's own",
                parameters=CandidatePath,
                body=ClaimBody,
                response=ClaimView,
                scopes=PROFILE_WRITE,
                errors=(NOT_FOUND, CONFLICT),
                idempotent=True,
            ),
            Route(
                method="GET",
                path="/programs/{program}/external-ids",
                handler=self.show_external_id,
                summary="Whose a partner's id is and was",
                parameters=ProgramPath,
                query=ExternalIdQuery,
                response=MappingView,
                scopes=ACCOUNTS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path="/programs/{program}/external-ids/changes",
                handler=self.change_external_id,
                summary="Move or unlink a partner's id",
                parameters=ProgramPath,
                body=ChangeBody,
                response=MappingView,
                scopes=ACCOUNTS_MANAGE,
                errors=(NOT_FOUND,),
                idempotent=True,
            ),
        )

    async def claim_external_id(self, call: Call[CandidatePath, Any, ClaimBody]) -> ClaimView:
        call.principal.require(call.path.program, call.path.candidate_id)
        case = await self._claiming.claim(
            call.path.program,
            call.path.candidate_id,
            case_id=call.operation_id,
            by=call.principal.subject,
            **dict(call.body),
        )
        return ClaimView(state="in_review", case_id=case["_id"]) if case else ClaimView(state="linked")

    async def show_external_id(self, call: Call[ProgramPath, ExternalIdQuery]) -> MappingView:
        key = link_id(entered(call), call.query.system, call.query.external_id)
        row = await self._claiming.mapping.store.get(None, key)
        if row is None:
            raise Problem(NOT_FOUND)
        return _mapping(row)

    async def change_external_id(self, call: Call[ProgramPath, Any, ChangeBody]) -> MappingView:
        row = await self._claiming.change(entered(call), by=call.principal.subject, **dict(call.body))
        return _mapping(row)


def _mapping(row: Document) -> MappingView:
    return MappingView.model_validate({"by": None, "history": [], **row})
