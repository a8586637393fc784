"""The HTTP API that suggests to staff which accounts may be of one person."""

from datetime import datetime
from itertools import combinations
from typing import Any, Literal

from libs.common.http.models import View
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import ACCOUNTS_MANAGE
from libs.common.mongo.client import Document
from services.identity.api import CandidatePath, ProgramPath, entered
from services.identity.domain.similarity import WORTH_A_LOOK, Person, compare, similar
from services.identity.store import IdentityStore

MOST_SHARED = 100
"""Addresses that are looked at for one answer: more than staff work off in a day."""
MOST_OF_ONE = 10
"""Accounts of one address that are compared with each other: a school may have hundreds."""


class SimilarView(View):
    """An account that may be of the same person, and what speaks for it."""

    candidate_id: str
    given_name: str
    family_name: str
    score: float
    """From 0 to 1."""
    reasons: list[Literal["email", "name", "address", "country"]]


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
    reasons: list[Literal["email", "name", "address", "country"]]


class PairsView(View):
    """The likeliest first."""

    items: list[PairView]
    more: bool
    """Whether there are more addresses shared by accounts than were looked at."""


class SimilarApi:
    """Handlers of the routes below."""

    def __init__(self, store: IdentityStore) -> None:
        self._store = store

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
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
                path="/programs/{program}/suspected-duplicates",
                handler=self.list_pairs,
                summary="Accounts that share an address for mail, two by two, with what else is alike",
                parameters=ProgramPath,
                response=PairsView,
                scopes=ACCOUNTS_MANAGE,
                errors=(NOT_FOUND,),
            ),
        )

    async def list_pairs(self, call: Call[ProgramPath]) -> PairsView:
        groups = await self._store.sharing_address(entered(call), MOST_SHARED + 1)
        pairs = [
            _pair(one, other) for group in groups[:MOST_SHARED] for one, other in combinations(group[:MOST_OF_ONE], 2)
        ]
        worth = sorted((pair for pair in pairs if pair.score >= WORTH_A_LOOK), key=lambda pair: -pair.score)
        return PairsView(items=worth, more=len(groups) > MOST_SHARED)

    async def list_similar(self, call: Call[CandidatePath]) -> SimilarsView:
        program = entered(call)
        account = await self._store.standing(program, call.path.candidate_id)
        if account is None:
            raise Problem(NOT_FOUND)
        rows = {row["_id"]: row for row in await self._store.resembling(account)}
        found = similar(_person(account), map(_person, rows.values()))
        return SimilarsView(
            items=[
                SimilarView(
                    candidate_id=likeness.id,
                    given_name=rows[likeness.id]["given_name"],
                    family_name=rows[likeness.id]["family_name"],
                    score=round(likeness.score, 3),
                    reasons=list(likeness.reasons),
                )
                for likeness in found
            ]
        )


def _pair(one: Document, other: Document) -> PairView:
    likeness = compare(_person(one), _person(other))
    return PairView(one=_side(one), other=_side(other), score=round(likeness.score, 3), reasons=list(likeness.reasons))


def _side(row: Document) -> SimilarSideView:
    return SimilarSideView.model_validate({**row, "candidate_id": row["_id"]})


def _person(row: Document) -> Person:
    native, address = row.get("native_name"), row.get("address") or {}
    names = [f"{row['given_name']} {row['family_name']}"]
    if native:
        names.append(f"{native['given_name']} {native['family_name']}")
    where = [*address.get("lines", []), address.get("city"), address.get("postal_code")]
    return Person(
        id=row["_id"],
        names=tuple(names),
        email=row["email_key"],
        country=row["country"],
        address=" ".join(part for part in where if part),
        merged=bool(row.get("merged_into")),
    )
