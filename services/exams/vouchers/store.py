"""Codes and their uses in the exams database."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from pymongo import ASCENDING, IndexModel, InsertOne, ReplaceOne

from libs.common.mongo.client import Database, Document, Session
from services.exams.store import registration_key
from services.exams.vouchers.states import State

COLLECTIONS = {
    "vouchers": [
        IndexModel([("program", ASCENDING), ("_id", ASCENDING)], name="program"),
        IndexModel(
            [("program", ASCENDING), ("batch", ASCENDING), ("state", ASCENDING), ("valid_until", ASCENDING)],
            name="batch",
        ),
        IndexModel([("candidate_id", ASCENDING)], name="candidate"),
        IndexModel([("used.candidate_id", ASCENDING)], name="user"),
        IndexModel([("operation", ASCENDING)], name="operation", sparse=True),
        IndexModel([("waits", ASCENDING)], name="waits", partialFilterExpression={"waits": True}),
        IndexModel([("noted_at", ASCENDING)], name="noted", sparse=True),
    ],
}

_ENDLESS = "9999-12-31"
"""Stands for no last day, so that codes which end sooner sort first."""


def last_day(valid_until: date | None) -> str:
    return valid_until.isoformat() if valid_until else _ENDLESS


def day_of(text: str) -> date | None:
    """The last day again; None for no end."""
    return None if text == _ENDLESS else date.fromisoformat(text)


class VoucherStore:
    """All queries about codes. Methods with a session are part of its transaction."""

    def __init__(self, database: Database) -> None:
        self._rows = database["vouchers"]
        self._registrations = database["registrations"]
        self._results = database["results"]

    async def many(self, session: Session, ids: Iterable[str]) -> dict[str, Document]:
        """Codes by their names, also those that are not in the registry and have uses alone: their state is None."""
        found = self._rows.find({"_id": {"$in": sorted(set(ids))}}, session=session)
        return {row["_id"]: row async for row in found}

    async def get(self, session: Session | None, program: str, voucher_id: str) -> Document | None:
        query = {"_id": voucher_id, "program": program, "state": {"$ne": None}}
        row: Document | None = await self._rows.find_one(query, session=session)
        return row

    async def save(self, session: Session, rows: Sequence[Document], known: Collection[str]) -> None:
        """Write codes; those that are not among the known ones are new."""
        writes: list[Any] = [
            ReplaceOne({"_id": row["_id"]}, row) if row["_id"] in known else InsertOne(row) for row in rows
        ]
        if writes:
            await self._rows.bulk_write(writes, session=session, ordered=False)

    async def save_one(self, session: Session, row: Document) -> None:
        """Write a known code."""
        await self._rows.replace_one({"_id": row["_id"]}, row, session=session)

    async def by_operation(self, session: Session, program: str, operation: str) -> Document | None:
        """What an assignment by rule has assigned before, where it comes again."""
        row: Document | None = await self._rows.find_one({"operation": operation, "program": program}, session=session)
        return row

    async def free(
        self, session: Session, program: str, batch: str, *, today: date, exam: str | None, limit: int
    ) -> list[Document]:
        """Free codes of a batch that are good on a day, those that end soonest first."""
        query: Document = {
            "program": program,
            "batch": batch,
            "state": State.FREE,
            "valid_until": {"$gte": today.isoformat()},
            "valid_from": {"$not": {"$gt": today.isoformat()}},
        }
        if exam is not None:
            query["exams"] = {"$in": [exam, []]}
        return await self._rows.find(query, session=session).sort("valid_until", ASCENDING).to_list(limit)

    async def has_batch(self, program: str, batch: str) -> bool:
        return await self._rows.find_one({"program": program, "batch": batch}, {"_id": 1}) is not None

    async def page(self, program: str, wanted: Mapping[str, Any], *, after: str | None, limit: int) -> list[Document]:
        query: Document = {"program": program, "state": {"$ne": None}, **wanted}
        if after is not None:
            query["_id"] = {"$gt": after}
        return await self._rows.find(query).sort("_id", ASCENDING).to_list(limit)

    async def of_accounts(self, program: str, accounts: Collection[str], limit: int) -> list[Document]:
        """A person's codes, those that end soonest first."""
        query = {"program": program, "candidate_id": {"$in": list(accounts)}}
        order = [("valid_until", ASCENDING), ("_id", ASCENDING)]
        return await self._rows.find(query).sort(order).to_list(limit)

    async def batches(self, programs: Collection[str]) -> list[tuple[str, str, dict[str, int]]]:
        """Program, batch, and how many codes of it are in which state."""
        steps: list[Document] = [
            {"$match": {"program": {"$in": list(programs)}, "state": {"$ne": None}}},
            {
                "$group": {
                    "_id": {"program": "$program", "batch": "$batch", "state": "$state"},
                    "count": {"$sum": 1},
                }
            },
        ]
        counts: dict[tuple[str, str], dict[str, int]] = {}
        async for row in self._rows.aggregate(steps):
            key = row["_id"]
            counts.setdefault((key["program"], key["batch"]), {})[key["state"]] = row["count"]
        return [(*key, counts[key]) for key in sorted(counts)]

    async def over(self, program: str, today: date, limit: int) -> list[str]:
        """Codes that nobody has used and whose last day is past."""
        query = {
            "program": program,
            "state": {"$in": [State.FREE, State.ASSIGNED]},
            "valid_until": {"$lt": today.isoformat()},
        }
        return [row["_id"] async for row in self._rows.find(query, {"_id": 1}).limit(limit)]

    async def expire(self, ids: Sequence[str], entry: Document) -> None:
        """End codes, unless somebody has used or withdrawn them meanwhile."""
        query = {"_id": {"$in": list(ids)}, "state": {"$in": [State.FREE, State.ASSIGNED]}}
        await self._rows.update_many(query, {"$set": {"state": State.EXPIRED}, "$push": {"history": entry}})

    async def waiting(self, session: Session, after: str, limit: int) -> list[Document]:
        """Codes used by somebody who was not known, or by another: what may be otherwise by now."""
        query = {"waits": True, "_id": {"$gt": after}}
        return await self._rows.find(query, session=session).sort("_id", ASCENDING).to_list(limit)

    async def user(self, session: Session, program: str, vendor: str, registration_id: str) -> str | None:
        """Whose a registration is, by itself or by its result; None while that is not known."""
        key = {"_id": registration_key(program, vendor, registration_id)}
        row = await self._registrations.find_one(key, {"candidate_id": 1}, session=session)
        if row is not None and row["candidate_id"] is not None:
            return str(row["candidate_id"])
        query = {"registration_id": registration_id, "vendor": vendor, "program": program}
        row = await self._results.find_one(query, {"candidate_id": 1}, session=session)
        return None if row is None else row["candidate_id"]
