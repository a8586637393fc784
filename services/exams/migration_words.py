"""Brings results and appointments to the form that keeps every word on them."""

from collections.abc import AsyncIterator
from typing import Any

from pymongo import ASCENDING, IndexModel, ReplaceOne, UpdateOne

from libs.common.mongo.client import Database, Document
from libs.common.mongo.links import own_link
from libs.common.mongo.migrations import Migration, declare
from services.exams.domain.results import Act, Grade, Status, Word, in_order, outcomes

_SLICE = 500
INDEXES = [
    IndexModel([("registration_id", ASCENDING), ("vendor", ASCENDING)], name="registration"),
    IndexModel(
        [("result_id", ASCENDING), ("vendor", ASCENDING)],
        name="named_later",
        partialFilterExpression={"named_later": True},
    ),
]
_BEGINNING: Document = {"history": [], "reason": None, "utc_offset": 0}


async def _apply(database: Database) -> None:
    await declare({"results": INDEXES})(database)
    async for rows in _slices(database["results"].find({"state": {"$exists": False}})):
        await database["results"].bulk_write([ReplaceOne({"_id": row["_id"]}, _result(row)) for row in rows])
    async for rows in _slices(database["registrations"].find({"history": {"$exists": False}})):
        await database["registrations"].bulk_write(
            [UpdateOne({"_id": row["_id"]}, {"$set": _BEGINNING}) for row in rows]
        )
    async for rows in _slices(database["links"].find({"candidate_id": {"$ne": None}})):
        await database["links"].bulk_write([_own(row) for row in rows])


MIGRATION = Migration(6, "every word on results and appointments", _apply)


async def _slices(found: Any) -> AsyncIterator[list[Document]]:
    rows: list[Document] = []
    async for row in found:
        rows.append(row)
        if len(rows) == _SLICE:
            yield rows
            rows = []
    if rows:
        yield rows


def _result(row: Document) -> Document:
    revisions = [_revision(kept) for kept in row["revisions"]]
    words = [
        Word(kept["source"]["ref"], kept["said_at"], Act.REPORT, kept["revision"], None, Grade(kept["grade"]))
        for kept in revisions
    ]
    ordered = in_order(words)
    current = outcomes(ordered)[-1]
    told, moves = row["told"], row.pop("moves", 0)
    return row | {
        "revisions": revisions,
        "reporter": next(at for at, word in enumerate(words) if word is ordered[-1]),
        "state": current.state if current else None,
        "status": Status.PROVISIONAL if row["grade"] == Grade.PENDING else Status.FINAL,
        "told": {"grade": told["grade"], "score": told["score"]} if told else None,
        # A retraction was told one above all that was reported.
        "told_revision": row["revision"] + moves,
        **dict.fromkeys(("receipt_url", "form", "attempt", "site", "language")),
        "utc_offset": 0,
    }


def _revision(kept: Document) -> Document:
    return {
        "revision": kept["revision"],
        "act": Act.REPORT,
        "status": None,
        "grade": kept["grade"],
        "score": kept["score"],
        "said_at": kept["known_at"],
        "effective_at": None,
        "known_at": kept["known_at"],
        "source": {"kind": "bus", "ref": kept["event_id"]},
        "raw": None,
    }


def _own(row: Document) -> UpdateOne:
    program, candidate_id = row["_id"].partition(":")[0], row["candidate_id"]
    link: Document = {"candidate_id": candidate_id, "waiting": 0}
    return UpdateOne({"_id": own_link(program, candidate_id)}, {"$setOnInsert": link}, upsert=True)
