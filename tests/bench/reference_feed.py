"""A plain import of the same file with the same durability: `python -m tests.bench.reference_feed FILE`.

It reads with `zipfile` and `csv`, finds the candidates, and records 500 rows in a transaction with an outbox row for
each hundred events and how far it has come; the events are then published with confirms, and their rows removed. A file
that was read half-way is read on. It checks no more than that dates and numbers can be read, and keeps no history of a
result: no revisions, no vendor's row, no bad rows, no reasons, no archive, no lease, no bomb is looked for.
"""

import asyncio
import csv
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from itertools import islice
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import aio_pika
import uvloop
from motor.motor_asyncio import AsyncIOMotorClientSession

from libs.common.ids import new_id
from tests.bench import case
from tests.bench.feed_case import MEMBER
from tests.bench.population import PROGRAM, VENDOR
from tests.bench.reference import EVENTS_EXCHANGE, Database, open_client
from tests.bench.reference_batched import Effects, Relay, envelopes

DATABASE = "bench_feed"
ROWS = 500
ZONE = ZoneInfo("America/Chicago")

Cells = dict[str, str]


@contextmanager
def rows_of(path: str, done: int) -> Iterator[Iterator[Cells]]:
    """The rows after the first `done`."""
    with ZipFile(path) as archive, archive.open(MEMBER) as member:
        text = TextIOWrapper(member, encoding="cp1252", newline="")
        yield islice(csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE), done, None)


def result_document(row: Cells, candidate_id: str) -> case.Document:
    taken_at = datetime.strptime(row["ExamDate"], "%Y/%m/%d %H:%M:%S").replace(tzinfo=ZONE)
    return {
        "_id": f"{PROGRAM}:{VENDOR}:{row['RegistrationID']}",
        "program": PROGRAM,
        "vendor": VENDOR,
        "candidate_id": candidate_id,
        "registration_id": row["RegistrationID"],
        "exam_code": row["ExamSeriesCode"],
        "taken_at": taken_at,
        "taken_on": taken_at.date().isoformat(),
        "grade": row["Grade"],
        "score": float(row["Score"]),
        "passing_score": float(row["PassingScore"]),
        "form": row["Form"],
        "language": row["ExamLanguage"],
        "site": row["TCID"],
        "attempt": int(row["Attempt"]),
        "known_at": datetime.now(UTC),
    }


def event_of(result: case.Document) -> case.Event:
    names = ("candidate_id", "registration_id", "exam_code", "taken_on", "taken_at", "known_at", "score")
    return {
        "specversion": "1.0",
        "id": new_id(),
        "source": "bench/exams",
        "type": "certrail.exams.ExamPassed.v1",
        "subject": result["candidate_id"],
        "time": datetime.now(UTC),
        "datacontenttype": "application/json",
        "program": PROGRAM,
        "data": {"result_id": result["_id"], "revision": 1, **{name: result[name] for name in names}},
    }


async def record(database: Database, batch: list[Cells], done: int) -> list[dict[str, Any]]:
    """One transaction. The outbox rows that it has stored."""

    async def transaction(session: AsyncIOMotorClientSession) -> list[dict[str, Any]]:
        ids = [row["ClientCandidateID"] for row in batch]
        known = {row["_id"] async for row in database["candidates"].find({"_id": {"$in": ids}}, session=session)}
        results = [result_document(row, row["ClientCandidateID"]) for row in batch if row["ClientCandidateID"] in known]
        stored = envelopes(Effects({}, case.PASSED, [event_of(result) for result in results]))
        await database["results"].insert_many(results, ordered=False, session=session)
        await database["outbox"].insert_many(stored, ordered=False, session=session)
        progress = {"$set": {"done": done + len(batch)}}
        await database["progress"].update_one({"_id": "file"}, progress, upsert=True, session=session)
        return stored

    async with await database.client.start_session() as session:
        stored: list[dict[str, Any]] = await session.with_transaction(transaction)
        return stored


async def main(path: str) -> None:
    """Import the file, and leave once every event is confirmed."""
    database = open_client(os.environ["CERTRAIL_MONGO_URL"])[DATABASE]
    async with await aio_pika.connect(os.environ["CERTRAIL_AMQP_URL"]) as connection, connection.channel() as channel:
        exchange = await channel.declare_exchange(EVENTS_EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
        relay = Relay(database, exchange)
        relaying = asyncio.create_task(relay.run())
        progress = await database["progress"].find_one({"_id": "file"})
        done = progress["done"] if progress else 0
        began = datetime.now(UTC)
        with rows_of(path, done) as rows:
            while batch := list(islice(rows, ROWS)):
                relay.hand_over(await record(database, batch, done))
                done += len(batch)
        times = {"started_at": began, "finished_at": datetime.now(UTC)}
        await database["progress"].update_one({"_id": "file"}, {"$set": times})
        while await database["outbox"].find_one() is not None:  # noqa: ASYNC110 another task removes them
            await asyncio.sleep(0.05)
        relaying.cancel()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
