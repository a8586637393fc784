"""What a message does to the database, one message at a time: shared by the references that do not batch."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from aiosmtplib import SMTP
from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo.errors import DuplicateKeyError

from tests.bench import case
from tests.bench.reference import MAILED, Database

POLL_SECONDS = 0.1
POLL_ROWS = 100

Work: TypeAlias = Callable[[AsyncIOMotorClientSession], Awaitable[None]]
Publish: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
"""Publishes one outbox row and returns once the broker has confirmed it."""


async def once(database: Database, event_id: str, work: Work) -> None:
    """Run `work` in one transaction with the inbox entry of the event; nothing at all if the entry exists."""

    async def transaction(session: AsyncIOMotorClientSession) -> None:
        await database["inbox"].insert_one({"_id": event_id}, session=session)
        await work(session)

    async with await database.client.start_session() as session:
        try:
            await session.with_transaction(transaction)
        except DuplicateKeyError:
            return  # delivered before, and committed


async def put_event(
    database: Database, event: case.Event, routing_key: str, session: AsyncIOMotorClientSession
) -> None:
    """An outbox row, for the relay to publish."""
    row = {"_id": event["id"], "routing_key": routing_key, "body": case.dump(event), "state": "pending"}
    await database["outbox"].insert_one(row, session=session)


async def record_result(database: Database, report: case.Report) -> None:
    async def work(session: AsyncIOMotorClientSession) -> None:
        key = {"_id": report.data.vendor_candidate_id}
        candidate = await database["candidates"].find_one(key, session=session)
        if candidate is None:
            raise LookupError(f"{key} is no candidate")
        result = case.result_document(report, candidate["candidate_id"])
        await database["results"].insert_one(result, session=session)
        await put_event(database, case.passed_event(report, result), case.PASSED, session)

    await once(database, report.id, work)


async def award(database: Database, event: case.Event) -> None:
    async def work(session: AsyncIOMotorClientSession) -> None:
        certification = case.certification_document(event)
        await database["facts"].insert_one(case.fact_document(event), session=session)
        await database["certifications"].insert_one(certification, session=session)
        await put_event(database, case.awarded_event(event, certification), case.AWARDED, session)

    await once(database, event["id"], work)


async def offer_kit(database: Database, event: case.Event) -> None:
    async def work(session: AsyncIOMotorClientSession) -> None:
        kit = case.kit_document(event)
        await database["kits"].insert_one(kit, session=session)
        await put_event(database, case.offered_event(event, kit), case.OFFERED, session)

    await once(database, event["id"], work)


async def send_mail(database: Database, smtp: SMTP, event: case.Event) -> None:
    """Claim, send, mark. A mail claimed but not marked was interrupted: it is sent again under the same Message-ID."""
    if event["type"].removeprefix("certrail.") not in MAILED:
        return
    contact = await database["contacts"].find_one({"_id": event["data"]["candidate_id"]})
    if contact is None:
        raise LookupError(f"{event['data']['candidate_id']} has no contact")
    letter = case.letter(event, contact)
    try:
        await database["mails"].insert_one({"_id": letter.id, "state": "claimed"})
    except DuplicateKeyError:
        if await database["mails"].find_one({"_id": letter.id, "state": "sent"}):
            return
    await smtp.sendmail(case.SENDER, letter.recipient, letter.content)
    await database["mails"].update_one({"_id": letter.id}, {"$set": {"state": "sent"}})


async def relay(database: Database, publish: Publish) -> None:
    """Publish the waiting rows, for ever."""
    await database["outbox"].create_index([("state", 1), ("_id", 1)])
    while True:
        rows = await database["outbox"].find({"state": "pending"}).sort("_id").limit(POLL_ROWS).to_list(POLL_ROWS)
        await asyncio.gather(*(publish(row) for row in rows))
        if rows:
            ids = [row["_id"] for row in rows]
            await database["outbox"].update_many({"_id": {"$in": ids}}, {"$set": {"state": "sent"}})
        if len(rows) < POLL_ROWS:
            await asyncio.sleep(POLL_SECONDS)
