"""Cases as they are stored: queries that are the same for whatever staff decide."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.casework.progress import FOR_STAFF
from libs.common.mongo.client import Document, Session

INDEXES = [
    IndexModel([("program", ASCENDING), ("state", ASCENDING), ("due_on", ASCENDING), ("_id", ASCENDING)], name="queue"),
    IndexModel([("candidate_id", ASCENDING), ("opened_at", DESCENDING), ("_id", DESCENDING)], name="candidate"),
]


class CaseRows:
    """A collection of cases. Methods with a session are part of its transaction."""

    def __init__(self, collection: Any) -> None:
        self._cases = collection

    async def get(self, program: str, case_id: str, session: Session | None = None) -> Document | None:
        row: Document | None = await self._cases.find_one({"_id": case_id, "program": program}, session=session)
        return row

    async def opened_since(self, session: Session, candidate_id: str, moment: datetime) -> int:
        query = {"candidate_id": candidate_id, "opened_at": {"$gt": moment}}
        return int(await self._cases.count_documents(query, session=session))

    async def add(self, session: Session, row: Document) -> None:
        await self._cases.insert_one(row, session=session)

    async def save(self, session: Session, row: Document) -> None:
        await self._cases.replace_one({"_id": row["_id"]}, row, session=session)

    async def of_accounts(
        self, program: str, accounts: Sequence[str], *, before: tuple[Any, str] | None, limit: int
    ) -> list[Document]:
        """The cases of a candidate's accounts, the newest first, from the position `before` on."""
        query: Document = {"program": program, "candidate_id": {"$in": list(accounts)}}
        if before is not None:
            at, key = before
            query["$or"] = [{"opened_at": {"$lt": at}}, {"opened_at": at, "_id": {"$lt": key}}]
        order = [("opened_at", DESCENDING), ("_id", DESCENDING)]
        rows: list[Document] = await self._cases.find(query).sort(order).to_list(limit)
        return rows

    async def queue(
        self,
        program: str,
        *,
        states: Iterable[str],
        filters: Document,
        overdue_on: date | None,
        after: tuple[str, str] | None,
        limit: int,
    ) -> list[Document]:
        """A program's cases, what is due first at the front, from the position `after` on: a due day and an id.

        Args:
            program: the tenant.
            states: any of these.
            filters: fields and what they must be.
            overdue_on: only what waits for staff and was due before this day.
            after: as above.
            limit: at most so many.
        """
        wanted = set(states) if overdue_on is None else set(states) & FOR_STAFF
        query: Document = {"program": program, "state": {"$in": sorted(wanted)}, **filters}
        if overdue_on is not None:
            query["due_on"] = {"$lt": overdue_on.isoformat()}
        if after is not None:
            day, key = after
            query["$or"] = [{"due_on": {"$gt": day}}, {"due_on": day, "_id": {"$gt": key}}]
        order = [("due_on", ASCENDING), ("_id", ASCENDING)]
        rows: list[Document] = await self._cases.find(query).sort(order).to_list(limit)
        return rows


def is_overdue(case: Document, today: date) -> bool:
    """Whether it waits for staff and should have been decided."""
    return case["state"] in FOR_STAFF and case["due_on"] < today.isoformat()
