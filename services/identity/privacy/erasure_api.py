"""The HTTP API of erasures and of what holds them back, and of what a candidate has agreed to."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from libs.common.events.types import Remark
from libs.common.http.models import Body, View
from libs.common.http.principal import Kind
from libs.common.http.problems import FORBIDDEN, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import PRIVACY_MANAGE, PRIVACY_REQUEST, PROFILE_READ
from libs.common.mongo.client import Document
from services.identity.api import CandidatePath
from services.identity.login.problems import STEP_UP_NEEDED
from services.identity.login.second_factor import SecondFactors
from services.identity.login.sessions import Sessions
from services.identity.privacy.erasures import Erasures
from services.identity.privacy.export_api import proved
from services.identity.profile_api import ConsentView
from services.identity.store import IdentityStore


class ErasureBody(Body):
    reason: Annotated[Remark | None, Field(description="Needed where staff ask; forgotten with the person")] = None


class HoldBody(Body):
    reason: Annotated[Remark, Field(description="Shown to the candidate")]


class HoldView(View):
    """Why nothing is erased for now."""

    reason: str
    since: datetime


class ErasureView(View):
    erasure_id: str
    state: Literal["requested", "cancelled"]
    asked_by: Literal["candidate", "staff"]
    requested_at: datetime
    due_at: datetime
    """Until then it can be cancelled."""
    ended_at: datetime | None
    held: HoldView | None
    """What keeps it waiting; it is carried out when that is lifted, and not before it is due."""


class ConsentsView(View):
    """What a candidate has consented to and withdrawn, the oldest first; none is ever changed or removed.

    The acceptances of the certification agreement are with certs.
    """

    items: list[ConsentView]


class ErasureApi:
    """Handlers of the routes below."""

    def __init__(self, erasures: Erasures, accounts: IdentityStore, factors: SecondFactors, sessions: Sessions) -> None:
        self._erasures = erasures
        self._accounts = accounts
        self._factors = factors
        self._sessions = sessions

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        candidate = "/programs/{program}/candidates/{candidate_id}"
        return (
            *self._erasure_routes(f"{candidate}/erasure"),
            *self._hold_routes(f"{candidate}/erasure-hold"),
            Route(
                method="GET",
                path=f"{candidate}/consents",
                handler=self.list_consents,
                summary="What a candidate has consented to and withdrawn",
                parameters=CandidatePath,
                response=ConsentsView,
                scopes=PROFILE_READ,
                errors=(NOT_FOUND,),
            ),
        )

    def _erasure_routes(self, path: str) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="POST",
                path=path,
                handler=self.ask_for_erasure,
                summary="Ask for a candidate to be erased",
                parameters=CandidatePath,
                body=ErasureBody,
                response=ErasureView,
                status=202,
                scopes=PRIVACY_REQUEST,
                errors=(NOT_FOUND, FORBIDDEN, STEP_UP_NEEDED),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=path,
                handler=self.show_erasure,
                summary="The last erasure that was asked for, and what keeps it waiting",
                parameters=CandidatePath,
                response=ErasureView,
                scopes=PRIVACY_REQUEST,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="DELETE",
                path=path,
                handler=self.cancel_erasure,
                summary="Cancel an erasure before it is due",
                parameters=CandidatePath,
                response=None,
                status=204,
                scopes=PRIVACY_REQUEST,
                errors=(NOT_FOUND, FORBIDDEN),
            ),
        )

    def _hold_routes(self, path: str) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="PUT",
                path=path,
                handler=self.hold_erasure,
                summary="Let a candidate not be erased for now",
                parameters=CandidatePath,
                body=HoldBody,
                response=HoldView,
                scopes=PRIVACY_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="DELETE",
                path=path,
                handler=self.lift_hold,
                summary="Lift the hold; what is due is erased",
                parameters=CandidatePath,
                response=None,
                status=204,
                scopes=PRIVACY_MANAGE,
                errors=(NOT_FOUND,),
            ),
        )

    async def ask_for_erasure(self, call: Call[CandidatePath, Any, ErasureBody]) -> ErasureView:
        await proved(call, self._factors, self._sessions)
        own = call.principal.kind is Kind.CANDIDATE
        if not own and call.body.reason is None:
            raise invalid("body.reason", "missing", "staff say why")
        path = call.path
        row = await self._erasures.ask(
            call.operation_id,
            path.program,
            path.candidate_id,
            asked_by="candidate" if own else "staff",
            by=call.principal.subject,
            reason=call.body.reason,
        )
        return await self._view(row, call)

    async def show_erasure(self, call: Call[CandidatePath]) -> ErasureView:
        path = call.path
        call.principal.require(path.program, path.candidate_id)
        person = await self._erasures.people.of(path.program, path.candidate_id)
        row = await self._erasures.store.latest(person.accounts)
        if row is None:
            raise Problem(NOT_FOUND)
        return await self._view(row, call)

    async def cancel_erasure(self, call: Call[CandidatePath]) -> None:
        path = call.path
        call.principal.require(path.program, path.candidate_id)
        if call.principal.kind is not Kind.CANDIDATE:
            call.principal.require_scopes(PRIVACY_MANAGE)
        await self._erasures.cancel(path.program, path.candidate_id)

    async def hold_erasure(self, call: Call[CandidatePath, Any, HoldBody]) -> HoldView:
        path = call.path
        call.principal.require(path.program, path.candidate_id)
        row = await self._erasures.hold(
            path.program, path.candidate_id, reason=call.body.reason, by=call.principal.subject
        )
        return HoldView.model_validate(row)

    async def lift_hold(self, call: Call[CandidatePath]) -> None:
        path = call.path
        call.principal.require(path.program, path.candidate_id)
        await self._erasures.lift(path.program, path.candidate_id)

    async def list_consents(self, call: Call[CandidatePath]) -> ConsentsView:
        path = call.path
        call.principal.require(path.program, path.candidate_id)
        person = await self._erasures.people.of(path.program, path.candidate_id)
        rows = [await self._accounts.candidate(path.program, account) for account in person.accounts]
        found = [consent for row in rows if row for consent in row.get("consents", ())]
        return ConsentsView(items=[ConsentView.model_validate(one) for one in sorted(found, key=lambda one: one["at"])])

    async def _view(self, row: Document, call: Call[CandidatePath, Any, Any]) -> ErasureView:
        person = await self._erasures.people.of(call.path.program, call.path.candidate_id)
        hold = await self._erasures.store.hold(person.accounts)
        held = HoldView.model_validate(hold) if hold else None
        return ErasureView.model_validate({**row, "erasure_id": row["_id"], "held": held})
