"""The HTTP API for staff who decide about certifications."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from libs.common.clock import Clock
from libs.common.errors import Unprocessable
from libs.common.events.types import Code, Remark
from libs.common.http.models import Body, Day, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import INVALID, NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import CERTS_DECIDE
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.certs.api import CertificationView, certification_view
from services.certs.deciding import NO_EFFECT, Deciding, Kind, checked, previewed
from services.certs.decision_store import DecisionStore
from services.certs.ledger import facts_on
from services.certs.outlook_views import FollowingView, difference_view
from services.certs.policies import Policies
from services.certs.store import CertsStore
from services.certs.views import CandidatePath

_DECISIONS = Cursor("decisions", tuple[datetime, str])


class DecisionBody(Body):
    """What is decided about one certification of the candidate."""

    kind: Annotated[
        Kind,
        Field(
            description="`grant` awards without requirements; `revoke` ends it, and what was in hand for it; "
            "`suspend` sets it aside while its dates run on; `reinstate` ends a suspension or undoes a revocation; "
            "`extend` moves its last active day to `until`; `emeritus` grants a year of emeritus, to be paid"
        ),
    ]
    certification: Code
    reason: Annotated[
        Remark,
        Field(description="Why, in words for the candidate: they read it in their account and in the mail about it"),
    ]
    on: Annotated[
        Day | None,
        Field(description="Day from which it counts, today unless given; a year ahead at most"),
    ] = None
    until: Annotated[
        Day | None,
        Field(description="Last active day: of an extension, and of a grant with an end of its own"),
    ] = None
    paid_on: Annotated[
        Day | None,
        Field(
            description="Day on which a year of emeritus was paid. Of one granted unpaid, send the same `on` again",
        ),
    ] = None


class DecisionView(View):
    """A decision of staff."""

    decision_id: str
    kind: Kind
    certification: str
    on: date
    until: date | None = None
    paid_on: date | None = None
    reason: str
    decided_by: str
    """The subject of the token it was made with."""
    decided_at: datetime


class DecidedView(View):
    """A decision, and the certification as it is now."""

    decision: DecisionView
    now: CertificationView | None
    """Null where the decision is dated ahead and the certification was never held."""


class DecisionsApi:
    """Handlers of the routes below."""

    def __init__(
        self,
        certs: CertsStore,
        store: DecisionStore,
        deciding: Deciding,
        policies: Policies,
        clock: Clock,
    ) -> None:
        self._certs = certs
        self._store = store
        self._deciding = deciding
        self._policies = policies
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        path = "/programs/{program}/candidates/{candidate_id}/decisions"
        return (
            Route(
                method="POST",
                path=f"{path}/preview",
                handler=self.preview_decision,
                summary="What a decision would change, before anybody makes it",
                parameters=CandidatePath,
                body=DecisionBody,
                response=FollowingView,
                scopes=CERTS_DECIDE,
                asks=True,
                errors=(NOT_FOUND, INVALID, NO_EFFECT),
            ),
            Route(
                method="POST",
                path=path,
                handler=self.decide_certification,
                summary="Grant, revoke, suspend, reinstate or extend a certification, or grant a year of emeritus",
                parameters=CandidatePath,
                body=DecisionBody,
                response=DecidedView,
                status=201,
                scopes=CERTS_DECIDE,
                errors=(NOT_FOUND, INVALID, NO_EFFECT),
                idempotent=True,
            ),
            Route(
                method="GET",
                path=path,
                handler=self.list_decisions,
                summary="Who decided what about a candidate, and why, the newest first",
                parameters=CandidatePath,
                query=PageQuery,
                response=Page[DecisionView],
                scopes=CERTS_DECIDE,
                errors=(NOT_FOUND,),
            ),
        )

    async def decide_certification(self, call: Call[CandidatePath, Any, DecisionBody]) -> DecidedView:
        policy, candidate_id = await self._policy(call), call.path.candidate_id
        today = policy.day_of(self._clock.now())
        decision = checked(policy, today, **dict(call.body))
        try:
            await self._deciding.decide(
                call.operation_id,
                decision,
                policy=policy,
                today=today,
                candidate_id=candidate_id,
                by=call.principal.subject,
            )
        except Unprocessable:
            raise Problem(NOT_FOUND) from None
        row = await self._store.get(call.operation_id)
        if row is None:
            raise LookupError("a decision that was recorded is gone")
        now = await self._certs.certifications(policy.id, candidate_id)
        entries = now["certifications"] if now else []
        held = next((entry for entry in entries if entry["certification"] == decision.certification), None)
        return DecidedView(decision=_decision(row), now=certification_view(held, today) if held else None)

    async def preview_decision(self, call: Call[CandidatePath, Any, DecisionBody]) -> FollowingView:
        policy, candidate_id = await self._policy(call), call.path.candidate_id
        now = self._clock.now()
        today = policy.day_of(now)
        decision = checked(policy, today, **dict(call.body))
        ledger = await self._certs.ledger(policy.id, candidate_id)
        if ledger is None and decision.kind != "grant":
            raise Problem(NOT_FOUND)
        facts = facts_on(ledger, policy, today)
        as_of, changes = await asyncio.to_thread(previewed, policy, facts, decision, now, today)
        return FollowingView(as_of=as_of, changes=[difference_view(each) for each in changes])

    async def list_decisions(self, call: Call[CandidatePath, PageQuery]) -> Page[DecisionView]:
        policy, candidate_id = await self._policy(call), call.path.candidate_id
        if await self._certs.certifications(policy.id, candidate_id) is None:
            raise Problem(NOT_FOUND)
        accounts = await self._certs.accounts(policy.id, candidate_id)
        rows = await self._store.of_accounts(
            policy.id, accounts, before=_DECISIONS.decode(call.query.cursor), limit=call.query.limit + 1
        )
        return _DECISIONS.page(
            Page[DecisionView],
            rows,
            call.query.limit,
            key=lambda row: (row["decided_at"], row["_id"]),
            show=_decision,
        )

    async def _policy(self, call: Call[CandidatePath, Any, Any]) -> Program:
        return await self._policies.entered(call.principal, call.path.program, call.path.candidate_id)


def _decision(row: Document) -> DecisionView:
    return DecisionView.model_validate({**row, "decision_id": row["_id"]})
