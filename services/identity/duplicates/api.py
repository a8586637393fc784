"""The HTTP API that suggests to staff which accounts may be of one person, and takes their word that two are not."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from libs.common.clock import Clock
from libs.common.events.types import Identifier, Remark
from libs.common.http.models import Body, View
from libs.common.http.problems import INVALID, NOT_FOUND, Problem, invalid
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import ACCOUNTS_MANAGE
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import UnitOfWork
from services.identity.api import CandidatePath, ProgramPath, entered
from services.identity.domain.similarity import Reason, compare, similar
from services.identity.duplicates.comparing import person_of
from services.identity.duplicates.store import DuplicateStore, pair_id
from services.identity.store import IdentityStore

MOST_PAIRS = 100
"""Pairs in one answer: more than staff work off in a day."""


class SimilarView(View):
    """An account that may be of the same person, and what speaks for it."""

    candidate_id: str
    given_name: str
    family_name: str
    score: float
    """From 0 to 1."""
    reasons: list[Reason]


class SimilarSideView(View):
    """One of two accounts."""

    candidate_id: str
    given_name: str
    family_name: str
    email: str
    created_at: datetime


class SimilarsView(View):
    """The likeliest first."""

    items: list[SimilarView]


class PairView(View):
    """Two accounts that may be of one person."""

    one: SimilarSideView
    other: SimilarSideView
    score: float
    """From 0 to 1."""
    reasons: list[Reason]
    found_at: datetime


class PairsView(View):
    """The likeliest first."""

    items: list[PairView]
    more: bool
    """Whether there are more pairs."""


class DismissalBody(Body):
    """Two accounts that are not of one person; in either order."""

    one: Identifier
    other: Identifier
    reason: Annotated[Remark, Field(description="Kept with the pair, for staff")]


class DismissalView(View):
    """Two accounts that are never offered as a pair again."""

    one: SimilarSideView
    other: SimilarSideView
    reason: str
    dismissed_by: str
    """The subject of the token."""
    dismissed_at: datetime


class DuplicatesApi:
    """Handlers of the routes below."""

    def __init__(self, store: DuplicateStore, accounts: IdentityStore, unit_of_work: UnitOfWork, clock: Clock) -> None:
        self._store = store
        self._accounts = accounts
        self._unit_of_work = unit_of_work
        self._clock = clock

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        pairs = "/programs/{program}/suspected-duplicates"
        return (
            Route(
                method="GET",
                path="/programs/{program}/candidates/{candidate_id}/similar",
                handler=self.list_similar,
                summary="Accounts that may be of the same person",
                parameters=CandidatePath,
                response=SimilarsView,
                scopes=ACCOUNTS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="GET",
                path=pairs,
                handler=self.list_pairs,
                summary="Accounts that may be of one person, two by two, with what is alike",
                parameters=ProgramPath,
                response=PairsView,
                scopes=ACCOUNTS_MANAGE,
                errors=(NOT_FOUND,),
            ),
            Route(
                method="POST",
                path=f"{pairs}/dismissals",
                handler=self.dismiss_pair,
                summary="Say that two accounts are not of one person, so that they are not offered again",
                parameters=ProgramPath,
                body=DismissalBody,
                response=DismissalView,
                scopes=ACCOUNTS_MANAGE,
                errors=(NOT_FOUND, INVALID),
                idempotent=True,
            ),
        )

    async def list_pairs(self, call: Call[ProgramPath]) -> PairsView:
        pairs = await self._store.offered(entered(call), MOST_PAIRS + 1)
        found = await self._store.standing(each for pair in pairs for each in pair["accounts"])
        accounts = {row["_id"]: row for row in found}
        # What has just been merged or erased is offered until it is looked at again, which is seconds.
        whole = [pair for pair in pairs[:MOST_PAIRS] if accounts.keys() >= set(pair["accounts"])]
        return PairsView(items=[_pair(pair, accounts) for pair in whole], more=len(pairs) > MOST_PAIRS)

    async def list_similar(self, call: Call[CandidatePath]) -> SimilarsView:
        program = entered(call)
        account = await self._accounts.standing(program, call.path.candidate_id)
        if account is None:
            raise Problem(NOT_FOUND)
        apart = await self._store.dismissed_with(account["_id"])
        rows = {row["_id"]: row for row in await self._accounts.resembling(account) if row["_id"] not in apart}
        return SimilarsView(
            items=[
                SimilarView(
                    candidate_id=likeness.id,
                    given_name=rows[likeness.id]["given_name"],
                    family_name=rows[likeness.id]["family_name"],
                    score=round(likeness.score, 3),
                    reasons=list(likeness.reasons),
                )
                for likeness in similar(person_of(account), map(person_of, rows.values()))
            ]
        )

    async def dismiss_pair(self, call: Call[ProgramPath, Any, DismissalBody]) -> DismissalView:
        program, body = entered(call), call.body
        if body.one == body.other:
            raise invalid("body.other", "same", "name two accounts")
        found = [await self._accounts.candidate(program, each) for each in sorted((body.one, body.other))]
        one, other = found
        if one is None or other is None:
            raise Problem(NOT_FOUND)
        now, likeness = self._clock.now(), compare(person_of(one), person_of(other))
        pair = {
            "_id": pair_id(one["_id"], other["_id"]),
            "program": program,
            "accounts": [one["_id"], other["_id"]],
            "state": "dismissed",
            "score": round(likeness.score, 3),
            "reasons": list(likeness.reasons),
            "found_at": now,
            "dismissed_at": now,
            "dismissed_by": call.principal.subject,
            "reason": body.reason,
        }
        kept = await self._unit_of_work.run(lambda transaction: self._store.dismiss(transaction.session, pair))
        return DismissalView.model_validate({**kept, "one": _side(one), "other": _side(other)})


def _pair(pair: Document, accounts: dict[str, Document]) -> PairView:
    one, other = (_side(accounts[each]) for each in pair["accounts"])
    return PairView.model_validate({**pair, "one": one, "other": other})


def _side(row: Document) -> SimilarSideView:
    return SimilarSideView.model_validate({**row, "candidate_id": row["_id"]})
