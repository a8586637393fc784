"""Submissions and whose a provider's id is, in the certs database."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, InsertOne, ReplaceOne

from libs.common.mongo import links
from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.links import Links
from libs.common.mongo.migrations import Migration, declare
from services.certs.domain.submissions import Submission

OPEN = ("pending", "unmatched")
"""States that wait for a reviewer."""

MIGRATION = Migration(
    4,
    "submissions, their evidence, and whose a provider's id is",
    declare(
        {
            "submissions": [
                IndexModel([("candidate_id", ASCENDING), ("_id", DESCENDING)], name="candidate"),
                IndexModel([("program", ASCENDING), ("state", ASCENDING), ("due_on", ASCENDING), ("_id", ASCENDING)]),
                IndexModel([("link", ASCENDING)], name="unmatched", partialFilterExpression={"state": "unmatched"}),
            ],
            links.COLLECTION: links.INDEXES,
            "evidence": [
                IndexModel([("candidate_id", ASCENDING)], name="candidate"),
                IndexModel([("expires_at", ASCENDING)], name="kept", expireAfterSeconds=0),
            ],
        }
    ),
)


class SubmissionStore:
    """All queries about submissions. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._submissions = database["submissions"]
        self.links = Links(database)

    async def waiting(self, session: Session, links: Iterable[str]) -> list[Document]:
        """Unmatched submissions under these links."""
        query = {"state": "unmatched", "link": {"$in": list(links)}}
        return await self._submissions.find(query, session=session).to_list(None)

    async def present(self, session: Session, keys: Iterable[str]) -> set[str]:
        """Which of these submissions are there."""
        found = self._submissions.find({"_id": {"$in": list(keys)}}, {"_id": 1}, session=session)
        return {row["_id"] async for row in found}

    async def save(self, session: Session, rows: Iterable[Document], *, new: bool) -> None:
        writes: list[Any] = [InsertOne(row) if new else ReplaceOne({"_id": row["_id"]}, row) for row in rows]
        if writes:
            await self._submissions.bulk_write(writes, ordered=False, session=session)

    async def get(self, program: str, submission_id: str, session: Session | None = None) -> Document | None:
        query = {"_id": submission_id, "program": program}
        row: Document | None = await self._submissions.find_one(query, session=session)
        return row

    async def of_accounts(
        self, program: str, accounts: Sequence[str], *, before: str | None, limit: int
    ) -> list[Document]:
        """The submissions of a candidate's accounts, newest first."""
        query: Document = {"program": program, "candidate_id": {"$in": list(accounts)}}
        if before is not None:
            query["_id"] = {"$lt": before}
        return await self._submissions.find(query).sort("_id", DESCENDING).to_list(limit)

    async def queue(
        self, program: str, states: Iterable[str], filters: Document, *, after: tuple[str, str] | None, limit: int
    ) -> list[Document]:
        """Submissions in these states, what is due first at the front; `after` is a day and an id."""
        query: Document = {"program": program, "state": {"$in": list(states)}, **filters}
        if after is not None:
            day, key = after
            query["$or"] = [{"due_on": {"$gt": day}}, {"due_on": day, "_id": {"$gt": key}}]
        order = [("due_on", ASCENDING), ("_id", ASCENDING)]
        return await self._submissions.find(query).sort(order).to_list(limit)


def submission_of(row: Document) -> Submission:
    """The part of a document that an evaluation needs."""
    return Submission(
        submission_id=row["_id"],
        kind=row["kind"],
        origin=row["origin"],
        item=row["item"],
        completed_on=date.fromisoformat(row["completed_on"]),
        state=row["state"],
        submitted_on=date.fromisoformat(row["submitted_on"]),
        credits=row["credits"],
        level=row["level"],
        track=row["track"],
        delivery=row["delivery"],
        decided_on=_day(row["decided_on"]),
        held_until=_day(row["held_until"]),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
