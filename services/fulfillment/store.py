"""The fulfillment database: offers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pymongo import ASCENDING, IndexModel, InsertOne, ReplaceOne

from libs.common.mongo import merges
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.merges import Merges
from libs.common.mongo.migrations import COMMON, Migration, declare
from services.fulfillment.domain.offers import Entitlement, Offer, State, standing

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

    async def get(self, session: Session | None, offer_id: str) -> Entitlement | None:
        row = await self._offers.find_one({"_id": offer_id}, session=session)
        return None if row is None else _entitlement(row)

    async def of_person(self, session: Session | None, program: str, accounts: Sequence[str]) -> list[Entitlement]:
        """All that is known of the offers of a program to a person, in order of their ids."""
        known = await self.known(session, accounts)
        return [one for _, one in sorted(known.items()) if one.program == program]

    async def offers(
        self, program: str, candidate_id: str, now: datetime, *, after: str | None, limit: int
    ) -> list[tuple[Entitlement, State]]:
        """What a person may claim, has claimed, or has let pass, of all accounts that are one with this."""
        accounts = await self.merges.family(None, candidate_id)
        known = await self.of_person(None, program, accounts)
        stand = standing(known, accounts[0], now)
        passed: dict[str, State] = {one.offer.id: "expired" for one in known if _passed(one, now)}
        shown = passed | stand
        later = (one for one in known if after is None or one.offer.id > after)
        return [(one, shown[one.offer.id]) for one in later if one.offer.id in shown and one.since is not None][:limit]

    async def over(self, now: datetime, *, limit: int) -> list[str]:
        """Candidates with offers that were told, not claimed, and whose last day has passed."""
        query = {"state": "offered", "claim_until": {"$lte": now}}
        found = self._offers.find(query, {"candidate_id": 1}).sort("claim_until", ASCENDING).limit(limit)
        return sorted({row["candidate_id"] async for row in found})

    async def totals(self, kits: Mapping[str, Sequence[str]]) -> dict[str, int]:
        """How many offers were made in these programs, and how many of those are of the benefits named for each."""
        made = {"program": {"$in": sorted(kits)}, "awarded": {"$ne": False}}
        each = [{"program": program, "benefit": {"$in": list(benefits)}} for program, benefits in kits.items()]
        return {
            "offers": await self._offers.count_documents(made),
            "kits": await self._offers.count_documents({"awarded": {"$ne": False}, "$or": each}) if each else 0,
        }


def _passed(one: Entitlement, now: datetime) -> bool:
    """Whether its last day has passed, and nobody has claimed it."""
    return one.told == "expired" or (one.told == "offered" and one.is_over(now))


def _entitlement(row: Document) -> Entitlement:
    offer = Offer(
        id=row["_id"],
        candidate_id=row["candidate_id"],
        certification=row["certification"],
        benefit=row["benefit"],
        title=row["title"],
        scope=row.get("scope") or row["certification"],
        earned_on=date.fromisoformat(row["earned_on"]) if row.get("earned_on") else None,
        milestone=row.get("milestone", False),
    )
    return Entitlement(
        program=row["program"],
        offer=offer,
        version=row.get("version", 0),
        stands=row.get("stands", True),
        awarded=row.get("awarded", True),
        told=row["state"],
        told_version=row.get("told_version"),
        since=row["offered_at"],
        claim_until=row.get("claim_until"),
        order_id=row.get("order_id"),
        token=row.get("token"),
        history=tuple((entry["state"], entry["at"]) for entry in row.get("history", ())),
    )


def _row(one: Entitlement) -> Document:
    offer = one.offer
    return {
        "_id": offer.id,
        "program": one.program,
        "candidate_id": offer.candidate_id,
        "certification": offer.certification,
        "benefit": offer.benefit,
        "title": offer.title,
        "scope": offer.scope,
        "earned_on": offer.earned_on.isoformat() if offer.earned_on else None,
        "milestone": offer.milestone,
        "state": one.told,
        "told_version": one.told_version,
        "version": one.version,
        "stands": one.stands,
        "awarded": one.awarded,
        "offered_at": one.since,
        "claim_until": one.claim_until,
        "order_id": one.order_id,
        "token": one.token,
        "history": [{"state": state, "at": at} for state, at in one.history],
    }
