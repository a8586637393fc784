"""Unmatched results by age, what staff have done about them, and where to look for whose they may be."""

import base64
import binascii
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING

from libs.common.mongo.client import Database, Document, Session

_UNMATCHED: Document = {"candidate_id": None, "link": {"$ne": None}}


def item_id(key: str) -> str:
    """A result's key as a part of a path: vendors' ids may hold slashes."""
    return base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()


def key_of(item: str) -> str | None:
    """The key that an item's id stands for; None where it is none."""
    try:
        plain = base64.b64decode(item + "=" * (-len(item) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        return None
    return plain if item_id(plain) == item else None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which unmatched results; None is any."""

    vendor: str | None = None
    exam_code: str | None = None
    received_before: datetime | None = None
    asked_vendor: bool | None = None
    owner: Document = field(default_factory=dict)
    """As `libs.common.casework.owner.query` says it."""


class Unmatched:
    """All queries about unmatched results. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._results = database["results"]
        self._links = database["links"]

    async def page(
        self,
        program: str,
        filters: Filters,
        *,
        oldest_first: bool,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[Document]:
        """Unmatched results of a program by age, from the position `after` on."""
        query = _query(program, filters)
        if after is not None:
            at, key = after
            way = "$gt" if oldest_first else "$lt"
            query["$or"] = [{"received_at": {way: at}}, {"received_at": at, "_id": {way: key}}]
        order = ASCENDING if oldest_first else DESCENDING
        return await self._results.find(query).sort([("received_at", order), ("_id", order)]).to_list(limit)

    async def count(self, program: str, filters: Filters) -> int:
        return await self._results.count_documents(_query(program, filters))

    async def figures(self, programs: Collection[str]) -> list[Document]:
        """How many wait since when, by program and vendor."""
        parts = {"program": "$program", "vendor": "$vendor"}
        group = {"_id": parts, "count": {"$sum": 1}, "oldest_at": {"$min": "$received_at"}}
        stages = [{"$match": _UNMATCHED | {"program": {"$in": sorted(programs)}}}, {"$group": group}]
        found = self._results.aggregate(stages)
        rows = [{**row["_id"], "count": row["count"], "oldest_at": row["oldest_at"]} async for row in found]
        return sorted(rows, key=lambda row: (row["program"], row["vendor"]))

    async def get(self, program: str, key: str, session: Session | None = None) -> Document | None:
        """A result that is unmatched, or that staff have assigned."""
        ours = {"$or": [_UNMATCHED, {"assigned": {"$exists": True}}]}
        row: Document | None = await self._results.find_one({"_id": key, "program": program, **ours}, session=session)
        return row

    async def save(self, session: Session, row: Document) -> None:
        await self._results.replace_one({"_id": row["_id"]}, row, session=session)

    async def owners(self, links: Iterable[str]) -> dict[str, str]:
        """The candidates of those links that have one."""
        found = self._links.find({"_id": {"$in": sorted(set(links))}, "candidate_id": {"$ne": None}})
        return {row["_id"]: row["candidate_id"] async for row in found}

    async def assigned_of(self, link: str) -> list[Document]:
        """Results of an id that staff have assigned."""
        return await self._results.find({"link": link, "assigned": {"$exists": True}}).to_list(50)

    async def of_registrations(self, program: str, numbers: Sequence[str]) -> list[Document]:
        """Unmatched results that name one of these registrations."""
        query = _UNMATCHED | {"program": program, "registration_id": {"$in": sorted(set(numbers))}}
        return await self._results.find(query).to_list(None)


def _query(program: str, filters: Filters) -> Document:
    query: dict[str, Any] = {**_UNMATCHED, "program": program, **filters.owner}
    if filters.vendor is not None:
        query["vendor"] = filters.vendor
    if filters.exam_code is not None:
        query["exam_code"] = filters.exam_code
    if filters.received_before is not None:
        query["received_at"] = {"$lt": filters.received_before}
    if filters.asked_vendor is not None:
        query["asked_vendor_at"] = {"$exists": filters.asked_vendor}
    return query
