"""The HTTP API for staff who are about to merge two accounts: what the one that goes on would then hold.

It is derived by the same `evaluate` that decides, from the facts of both, and changes nothing.
"""

import asyncio
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from libs.common.clock import Clock
from libs.common.events.types import Identifier
from libs.common.http.models import Parameters, View
from libs.common.http.problems import NOT_FOUND
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import ACCOUNTS_MANAGE
from libs.common.programs import Program
from services.certs.domain.comparison import compare
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import Fact
from services.certs.ledger import facts_on
from services.certs.outlook_views import DifferenceView, StandingView, difference_view, standing_view
from services.certs.policies import Policies
from services.certs.store import CertsStore
from services.certs.views import ProgramPath


class MergePreviewQuery(Parameters):
    source: Annotated[Identifier, Field(alias="from", description="The account that would end")]
    into: Annotated[Identifier, Field(description="The account that would go on")]


class MergePreviewView(View):
    """The certifications of two accounts taken for one, and how that differs from what each holds."""

    merged_id: str
    candidate_id: str
    as_of: date
    policy_version: int
    certifications: list[StandingView]
    """What the account that goes on would hold."""
    changes_for_survivor: list[DifferenceView]
    """Against what that account holds now."""
    changes_for_merged: list[DifferenceView]
    """Against what the account that ends holds now."""


class MergePreviewApi:
    """The handler of the route below."""

    def __init__(self, store: CertsStore, policies: Policies, clock: Clock) -> None:
        self._store = store
        self._policies = policies
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/programs/{program}/merge-preview",
                handler=self.preview_certifications,
                summary="What an account would hold if another were merged into it",
                parameters=ProgramPath,
                query=MergePreviewQuery,
                response=MergePreviewView,
                scopes=ACCOUNTS_MANAGE,
                errors=(NOT_FOUND,),
            ),
        )

    async def preview_certifications(self, call: Call[ProgramPath, MergePreviewQuery]) -> MergePreviewView:
        """An account of which nothing is known here holds nothing; whether it exists is for identity to say."""
        policy = await self._policies.entered(call.principal, call.path.program)
        today = policy.day_of(self._clock.now())
        source, into = [
            facts_on(await self._store.ledger(policy.id, account), policy, today)
            for account in (call.query.source, call.query.into)
        ]
        return await asyncio.to_thread(_preview, policy, call.query, source, into, today)


def _preview(
    policy: Program, asked: MergePreviewQuery, source: list[Fact], into: list[Fact], today: date
) -> MergePreviewView:
    together = evaluate(policy, [*into, *(fact for fact in source if fact not in into)], today)
    return MergePreviewView(
        merged_id=asked.source,
        candidate_id=asked.into,
        as_of=today,
        policy_version=policy.version,
        certifications=[standing_view(policy, each) for each in together.certifications.values()],
        changes_for_survivor=[difference_view(each) for each in compare(evaluate(policy, into, today), together)],
        changes_for_merged=[difference_view(each) for each in compare(evaluate(policy, source, today), together)],
    )
