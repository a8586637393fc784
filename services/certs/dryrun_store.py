"""Dry runs and what they have shown, in the certs database; both are forgotten after a month."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from pymongo import ASCENDING, DESCENDING, IndexModel

from libs.common.mongo.client import Database, Document, Session
from libs.common.mongo.migrations import Migration, declare

KEPT = timedelta(days=30)

MIGRATION = Migration(
    3,
    "dry runs",
    declare(
        {
            "dry_runs": [
                IndexModel([("state", ASCENDING), ("created_at", ASCENDING)], name="unfinished"),
                IndexModel([("created_at", ASCENDING)], name="kept", expireAfterSeconds=int(KEPT.total_seconds())),
            ],
            "dry_run_changes": [
                IndexModel([("run_id", ASCENDING), ("kind", ASCENDING), ("_id", ASCENDING)], name="run"),
                IndexModel([("at", ASCENDING)], name="kept", expireAfterSeconds=int(KEPT.total_seconds())),
            ],
            "candidates": [IndexModel([("program", ASCENDING), ("_id", ASCENDING)], name="program")],
        }
    ),
)


class DryRunStore:
    """All queries about dry runs."""

    def __init__(self, database: Database) -> None:
        self._runs = database["dry_runs"]
        self._changes = database["dry_run_changes"]
        self._candidates = database["candidates"]

    async def add(
        self,
        run_id: str,
        *,
        program: str,
        versions: tuple[int, int],
        definition: str,
        by: str,
        now: datetime,
    ) -> Document:
        """Ask for a run, to be worked on by whoever has the job. The same id again is the same run."""
        row = {
            "program": program,
            "from_version": versions[0],
            "to_version": versions[1],
            "definition": definition,
            "created_by": by,
            "created_at": now,
            "as_of": now,
            "state": "running",
            "total": await self._candidates.count_documents({"program": program, "merged_into": None}),
            "done": 0,
            "affected": 0,
            "after": None,
            "counts": {},
            "finished_at": None,
        }
        await self._runs.update_one({"_id": run_id}, {"$setOnInsert": row}, upsert=True)
        return {"_id": run_id, **row}

    async def run(self, program: str, run_id: str) -> Document | None:
        row: Document | None = await self._runs.find_one({"_id": run_id, "program": program}, {"definition": 0})
        return row

    async def latest(self, program: str, *, before: tuple[datetime, str] | None, limit: int) -> list[Document]:
        """Runs of a program, the latest first, from the position `before` on."""
        query: Document = {"program": program}
        if before is not None:
            at, key = before
            query["$or"] = [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": key}}]
        order = [("created_at", DESCENDING), ("_id", DESCENDING)]
        return await self._runs.find(query, {"definition": 0}).sort(order).to_list(limit)

    async def next_unfinished(self) -> Document | None:
        row: Document | None = await self._runs.find_one({"state": "running"}, sort=[("created_at", ASCENDING)])
        return row

    async def ledgers(self, program: str, after: str | None, limit: int) -> list[Document]:
        """Facts of the next candidates in the order of their ids; a merged account is part of another."""
        query: Document = {"program": program, "merged_into": None}
        if after is not None:
            query["_id"] = {"$gt": after}
        return (
            await self._candidates.find(query, {"facts": 1, "kin": 1})
            .sort("_id", ASCENDING)
            .limit(limit)
            .to_list(limit)
        )

    async def record(
        self,
        session: Session,
        run_id: str,
        *,
        after: str,
        done: int,
        affected: int,
        counts: Mapping[tuple[str, str], int],
        rows: Sequence[Document],
    ) -> None:
        """Write what a chunk has shown, and that the run has come so far. `counts` is by certification and kind."""
        # A dot in a name would make it a path.
        more = {f"counts.{_key(certification)}.{kind}": count for (certification, kind), count in counts.items()}
        change: dict[str, Any] = {"$set": {"after": after}, "$inc": {"done": done, "affected": affected, **more}}
        run = await self._runs.find_one_and_update({"_id": run_id}, change, session=session)
        if rows:
            dated = [{**row, "at": run["created_at"]} for row in rows]
            await self._changes.insert_many(dated, ordered=False, session=session)

    async def finish(self, run_id: str, now: datetime) -> None:
        await self._runs.update_one({"_id": run_id}, {"$set": {"state": "finished", "finished_at": now}})

    async def changes(self, run_id: str, *, kind: str | None, after: str | None, limit: int) -> list[Document]:
        """What a run has shown so far, in the order of candidates."""
        query: Document = {"run_id": run_id}
        if kind is not None:
            query["kind"] = kind
        if after is not None:
            query["_id"] = {"$gt": after}
        return await self._changes.find(query).sort("_id", ASCENDING).to_list(limit)


def _key(certification: str) -> str:
    return certification.replace("%", "%25").replace(".", "%2E").replace("$", "%24")


def certification_of(key: str) -> str:
    """The certification behind a key of `counts`."""
    return unquote(key)
