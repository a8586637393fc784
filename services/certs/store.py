"""The certs database: one document a candidate, holding the ledger of facts and what was derived from it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo import ASCENDING, IndexModel, InsertOne, ReplaceOne

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.gathered import GatheredReads
from libs.common.mongo.migrations import COMMON, Migration, declare

MIGRATIONS = [
    Migration(
        1,
        "collections and indexes",
        declare(
            {
                **COMMON,
                "candidates": [
                    IndexModel(
                        [("program", ASCENDING), ("next_transition_on", ASCENDING)],
                        name="due",
                        partialFilterExpression={"next_transition_on": {"$type": "string"}},
                    )
                ],
            }
        ),
    )
]

_SHOWN = {"program": 1, "certifications": 1, "version": 1}


class CertsStore:
    """All queries of the service. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._candidates = database["candidates"]
        self._shown = GatheredReads(database, "candidates", _SHOWN)

    async def ledgers(self, session: Session, candidates: Iterable[str]) -> dict[str, Document]:
        found = self._candidates.find({"_id": {"$in": list(set(candidates))}}, session=session)
        return {row["_id"]: row async for row in found}

    async def save(self, session: Session, rows: Mapping[str, Document], known: Iterable[str]) -> None:
        stored = set(known)
        writes: list[Any] = [
            ReplaceOne({"_id": key}, row) if key in stored else InsertOne(row) for key, row in rows.items()
        ]
        if writes:
            await self._candidates.bulk_write(writes, ordered=False, session=session)

    async def due(self, session: Session, program: str, today: str, limit: int) -> list[Document]:
        """Candidates of a program whose certifications change by time on or before `today` (ISO date)."""
        query = {"program": program, "next_transition_on": {"$type": "string", "$lte": today}}
        found = self._candidates.find(query, session=session).sort("next_transition_on", ASCENDING)
        return await found.to_list(limit)

    async def certifications(self, program: str, candidate_id: str) -> Document | None:
        """What a candidate holds and has held, without the facts behind it."""
        row = await self._shown.get(candidate_id)
        return row if row is not None and row["program"] == program else None

    async def totals(self, programs: Sequence[str], today: Mapping[str, str]) -> dict[str, int]:
        """Counts for the account of a run; `today` is each program's calendar day."""
        active = expired = candidates = 0
        for program in programs:
            candidates += await self._candidates.count_documents({"program": program})
            pipeline: list[Document] = [
                {"$match": {"program": program}},
                {"$unwind": "$certifications"},
                {
                    "$group": {
                        "_id": {
                            "$and": [
                                {"$eq": [{"$ifNull": ["$certifications.status", "active"]}, "active"]},
                                {
                                    "$or": [
                                        {"$eq": ["$certifications.expires_on", None]},
                                        {"$gte": ["$certifications.expires_on", today[program]]},
                                    ]
                                },
                            ]
                        },
                        "count": {"$sum": 1},
                    }
                },
            ]
            async for group in self._candidates.aggregate(pipeline):
                if group["_id"]:
                    active += group["count"]
                else:
                    expired += group["count"]
        return {"candidates": candidates, "active": active, "expired": expired}
