"""Decisions of staff as they were made: by whom, when and why; their effect is a fact in the candidate's ledger."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare

MIGRATION = Migration(
    5,
    "decisions of staff",
    declare(
        {
            "decisions": [
                IndexModel(
                    [("candidate_id", ASCENDING), ("decided_at", DESCENDING), ("_id", DESCENDING)], name="candidate"
                )
            ]
        }
    ),
)


class DecisionStore:
    """All queries about decisions. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._decisions = database["decisions"]

    async def add(self, session: Session, row: Document) -> None:
        await self._decisions.insert_one(row, session=session)

    async def get(self, decision_id: str, session: Session | None = None) -> Document | None:
        row: Document | None = await self._decisions.find_one({"_id": decision_id}, session=session)
        return row

    async def of_accounts(
        self, program: str, accounts: Sequence[str], *, before: tuple[datetime, str] | None, limit: int
    ) -> list[Document]:
        """Decisions about a candidate's accounts, the newest first, from the position `before` on."""
        query: Document = {"program": program, "candidate_id": {"$in": list(accounts)}}
        if before is not None:
            at, key = before
            query["$or"] = [{"decided_at": {"$lt": at}}, {"decided_at": at, "_id": {"$lt": key}}]
        order = [("decided_at", DESCENDING), ("_id", DESCENDING)]
        return await self._decisions.find(query).sort(order).to_list(limit)
