"""Challenges and rulings in the exams database."""

from collections.abc import Iterable
from typing import Any

from pymongo import ASCENDING, IndexModel

from libs.common.casework import evidence, rows
from libs.common.casework.rows import CaseRows
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare

_CHALLENGES, FILES, _RULINGS = "challenges", "challenge_evidence", "rulings"

_ONCE = IndexModel([("result_id", ASCENDING)], name="once", unique=True, partialFilterExpression={"closed": False})
"""Of one result there is one at a time that is not decided."""
_OF_RESULT = IndexModel([("result_id", ASCENDING), ("opened_at", ASCENDING)], name="result")

_INDEXES = {
    _CHALLENGES: [*rows.INDEXES, _OF_RESULT, _ONCE],
    FILES: evidence.INDEXES,
    _RULINGS: [_OF_RESULT, _ONCE, IndexModel([("candidate_id", ASCENDING)], name="candidate")],
}


class ChallengeStore(CaseRows):
    """All queries about challenges. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        super().__init__(database[_CHALLENGES])

    async def of_result(self, session: Session | None, result_id: str) -> list[Document]:
        """The challenges of a result, oldest first."""
        return await _of_result(self._cases, session, result_id)


class RulingStore:
    """All queries about rulings. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._rulings = database[_RULINGS]
        self._challenges = database[_CHALLENGES]

    async def of_result(self, session: Session | None, result_id: str) -> list[Document]:
        """The rulings on a result, oldest first."""
        return await _of_result(self._rulings, session, result_id)

    async def save(self, session: Session, row: Document) -> None:
        await self._rulings.replace_one({"_id": row["_id"]}, row, upsert=True, session=session)

    async def mark_overtaken(self, session: Session, marks: Iterable[tuple[str, bool]]) -> None:
        """Say of rulings whether their vendor has said something new since; each and its challenge have one id."""
        for ruling_id, overtaken in marks:
            # Most words of vendors change nothing here, and what is not written conflicts with nobody.
            stale = {"_id": ruling_id, "overtaken": not overtaken}
            for each in (self._rulings, self._challenges):
                await each.update_one(stale, {"$set": {"overtaken": overtaken}}, session=session)


async def _of_result(collection: Any, session: Session | None, result_id: str) -> list[Document]:
    found = collection.find({"result_id": result_id}, session=session)
    order = [("opened_at", ASCENDING), ("_id", ASCENDING)]
    rows: list[Document] = await found.sort(order).to_list(None)
    return rows


async def _apply(database: Database) -> None:
    await declare(_INDEXES)(database)
    # Days count from the day a result was told; of those told before, from when its last word was known.
    last = {"$last": "$revisions.known_at"}
    told = {"told": {"$ne": None}, "told.at": {"$exists": False}}
    await database["results"].update_many(told, [{"$set": {"told.at": last}}])


MIGRATION = Migration(12, "challenges and rulings", _apply)
