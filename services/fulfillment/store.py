"""The fulfillment database: offers."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from pymongo import ASCENDING, IndexModel, InsertOne, ReplaceOne

from libs.common.mongo import merges
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.merges import Merges
from libs.common.mongo.migrations import COMMON, Migration, declare
from services.fulfillment.domain.offers import Entitlement, Offer, standing

MIGRATIONS = [
    Migration(
        1,
        "collections and indexes",
        declare(
            {
                **COMMON,
                "offers": [IndexModel([("candidate_id", ASCENDING), ("_id", ASCENDING)], name="candidate")],
            }
        ),
    ),
    Migration(2, "merges", declare({merges.COLLECTION: merges.INDEXES})),
]


class FulfillmentStore:
    """All queries of the service. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self.merges = Merges(database)
        self._offers = database["offers"]

    async def known(self, session: Session | None, candidates: Iterable[str]) -> dict[str, Entitlement]:
        """What is known of the offers of these candidates, by their ids."""
        wanted = sorted(set(candidates))
        if not wanted:
            return {}
        found = self._offers.find({"candidate_id": {"$in": wanted}}, session=session)
        return {row["_id"]: _entitlement(row) async for row in found}

    async def save(self, session: Session, changed: Iterable[Entitlement], known: Collection[str]) -> None:
        writes: list[Any] = []
        for one in changed:
            row = _row(one)
            writes.append(ReplaceOne({"_id": row["_id"]}, row) if row["_id"] in known else InsertOne(row))
        if writes:
            await self._offers.bulk_write(writes, ordered=False, session=session)

    async def offers(self, program: str, candidate_id: str, *, after: str | None, limit: int) -> list[Entitlement]:
        """What a person may claim, of all accounts that are one with this."""
        accounts = await self.merges.family(None, candidate_id)
        known = await self.known(None, accounts)
        stand = standing(known.values(), accounts[0])
        later = [one for key, one in sorted(known.items()) if key in stand and (after is None or key > after)]
        return [one for one in later if one.program == program][:limit]

    async def totals(self, programs: Sequence[str]) -> dict[str, int]:
        made = {"program": {"$in": list(programs)}, "awarded": {"$ne": False}}
        return {"offers": await self._offers.count_documents(made)}


def _entitlement(row: Document) -> Entitlement:
    offer = Offer(row["_id"], row["candidate_id"], row["certification"], row["benefit"], row["title"])
    return Entitlement(
        program=row["program"],
        offer=offer,
        version=row.get("version", 0),
        stands=row.get("stands", True),
        awarded=row.get("awarded", True),
        told=row["state"],
        told_version=row.get("told_version"),
        since=row["offered_at"],
    )


def _row(one: Entitlement) -> Document:
    return {
        "_id": one.offer.id,
        "program": one.program,
        "candidate_id": one.offer.candidate_id,
        "certification": one.offer.certification,
        "benefit": one.offer.benefit,
        "title": one.offer.title,
        "state": one.told,
        "told_version": one.told_version,
        "version": one.version,
        "stands": one.stands,
        "awarded": one.awarded,
        "offered_at": one.since,
    }
