"""The HTTP API that suggests to staff which accounts may be of one person."""

from typing import Any, Literal

from libs.common.http.models import View
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import Call, Route
from libs.common.http.scopes import ACCOUNTS_MANAGE
from libs.common.mongo.client import Document
from services.identity.api import CandidatePath, entered
from services.identity.domain.similarity import Person, similar
from services.identity.store import IdentityStore


class SimilarView(View):
    """An account that may be of the same person, and what speaks for it."""

    candidate_id: str
    given_name: str
    family_name: str
    score: float
    """From 0 to 1."""
    reasons: list[Literal["email", "name", "address", "country"]]


class SimilarsView(View):
    """The likeliest first."""

    items: list[SimilarView]


class SimilarApi:
    """The handler of the route below."""

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
        )

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
