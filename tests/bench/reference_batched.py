"""Reference (c): a bare pipeline that works in batches, on aio-pika and motor: the yardstick.

A service takes what has arrived, up to 200 events, and does all of it in one transaction of a few commands: which
events the inbox knows, then inbox, state and outbox in bulk. After the commit the outbox rows are handed to the relay
in memory; the stored ones are read only at the start. One row is one message is up to a hundred events of one type (the
JSON batch format of CloudEvents). Messages are acknowledged all at once. `notify` claims, sends over four SMTP
connections, and marks, each for the whole batch.

It has nothing else that a product needs: no retries, no parking, no rejections, no bisection around a bad message, no
policy, no versions, no logs, no metrics, no traces, no graceful stop, no sweep for what another replica left behind.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage
from motor.motor_asyncio import AsyncIOMotorClientSession

from libs.common.events import BATCH
from libs.common.ids import new_id
from tests.bench import case
from tests.bench.reference import (
    EVENTS_EXCHANGE,
    MAILED,
    Database,
    ReferencePipeline,
    ReferenceSettings,
    database_name,
    open_client,
    queue_name,
    run_service,
)
from tests.bench.smtp_senders import PipeliningSender, PlainSender, Sender

BATCH_EVENTS = 200
ENVELOPE_EVENTS = 100
PREFETCH = 2 * BATCH_EVENTS
SMTP_CONNECTIONS = 4

Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Effects:
    """What a batch does: documents by collection, and one type of event to publish."""

    documents: dict[str, list[case.Document]]
    routing_key: str
    events: list[case.Event]


Decide: TypeAlias = Callable[[Database, dict[str, Any]], Awaitable[Effects]]
"""From the batch's new events by id to what they do."""
Read: TypeAlias = Callable[[bytes], Iterable[tuple[str, Any]]]
"""From a message's body to its events by id."""


OpenSender: TypeAlias = Callable[[str, int], Awaitable[Sender]]


class Batched(ReferencePipeline):
    name = "batched"
    module = "tests.bench.reference_batched"


class BatchedAiosmtplib(Batched):
    """The same with mails sent through aiosmtplib, which does not pipeline: what that alone costs."""

    name = "batched-aiosmtplib"
    notifier = ("notify", "aiosmtplib")


def read_report(body: bytes) -> Iterable[tuple[str, case.Report]]:
    report = case.read_report(body)
    return ((report.id, report),)


def read_events(body: bytes) -> Iterable[tuple[str, case.Event]]:
    return ((event["id"], event) for event in case.read_events(body))


async def decide_results(database: Database, reports: dict[str, case.Report]) -> Effects:
    ids = [report.data.vendor_candidate_id for report in reports.values()]
    found = await database["candidates"].find({"_id": {"$in": ids}}).to_list(None)
    known = {candidate["_id"]: candidate["candidate_id"] for candidate in found}
    results, events = [], []
    for report in reports.values():
        result = case.result_document(report, known[report.data.vendor_candidate_id])
        results.append(result)
        events.append(case.passed_event(report, result))
    return Effects({"results": results}, case.PASSED, events)


async def decide_awards(_database: Database, passed: dict[str, case.Event]) -> Effects:
    facts = [case.fact_document(event) for event in passed.values()]
    earned = [case.certification_document(event) for event in passed.values()]
    events = [case.awarded_event(cause, each) for cause, each in zip(passed.values(), earned, strict=True)]
    return Effects({"facts": facts, "certifications": earned}, case.AWARDED, events)


async def decide_kits(_database: Database, awarded: dict[str, case.Event]) -> Effects:
    kits = [case.kit_document(event) for event in awarded.values()]
    events = [case.offered_event(cause, kit) for cause, kit in zip(awarded.values(), kits, strict=True)]
    return Effects({"kits": kits}, case.OFFERED, events)


def envelopes(effects: Effects) -> list[Row]:
    """The events as outbox rows, each the body of one message."""
    bodies = [case.dump(event) for event in effects.events]
    chunks = (bodies[start : start + ENVELOPE_EVENTS] for start in range(0, len(bodies), ENVELOPE_EVENTS))
    return [
        {"_id": new_id(), "routing_key": effects.routing_key, "body": b"[" + b",".join(chunk) + b"]"}
        for chunk in chunks
    ]


class Relay:
    """Publishes outbox rows and removes them once the broker has confirmed them."""

    def __init__(self, database: Database, exchange: AbstractExchange) -> None:
        self._outbox = database["outbox"]
        self._exchange = exchange
        self._waiting: asyncio.Queue[list[Row]] = asyncio.Queue()

    def hand_over(self, rows: list[Row]) -> None:
        """Take rows that have just been committed."""
        self._waiting.put_nowait(rows)

    async def run(self) -> None:
        """Publish what an earlier life of this process left behind, then what is handed over, for ever."""
        rows: list[Row] = await self._outbox.find().sort("_id").to_list(None)
        while True:
            if rows:
                await asyncio.gather(*(self._publish(row) for row in rows))
                await self._outbox.delete_many({"_id": {"$in": [row["_id"] for row in rows]}})
            rows = await self._waiting.get()
            while not self._waiting.empty():
                rows = rows + self._waiting.get_nowait()

    async def _publish(self, row: Row) -> None:
        message = aio_pika.Message(
            row["body"],
            message_id=row["_id"],
            content_type=BATCH,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await self._exchange.publish(message, row["routing_key"])


class Batches:
    """A queue's messages as batches of what has arrived."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()

    async def on_message(self, message: AbstractIncomingMessage) -> None:
        self._arrived.put_nowait(message)

    async def next(self) -> tuple[dict[str, Any], AbstractIncomingMessage]:
        """At least one message's events by id, and the last message, whose acknowledgement covers the others."""
        message = await self._arrived.get()
        events = dict(self._read(message.body))
        while len(events) < BATCH_EVENTS and not self._arrived.empty():
            message = self._arrived.get_nowait()
            events.update(self._read(message.body))
        return events, message


async def commit(database: Database, events: dict[str, Any], decide: Decide) -> list[Row]:
    """One transaction for the whole batch. The outbox rows that it has stored."""

    async def transaction(session: AsyncIOMotorClientSession) -> list[Row]:
        known = await database["inbox"].find({"_id": {"$in": list(events)}}, session=session).to_list(None)
        seen = {entry["_id"] for entry in known}
        fresh = {key: event for key, event in events.items() if key not in seen}
        if not fresh:
            return []
        effects = await decide(database, fresh)
        rows = envelopes(effects)
        documents = {"inbox": [{"_id": key} for key in fresh], **effects.documents, "outbox": rows}
        for collection, content in documents.items():
            await database[collection].insert_many(content, ordered=False, session=session)
        return rows

    async with await database.client.start_session() as session:
        stored: list[Row] = await session.with_transaction(transaction)
    return stored


async def consume(channel: AbstractChannel, service: str, batches: Batches) -> None:
    await channel.set_qos(prefetch_count=PREFETCH)
    queue = await channel.get_queue(queue_name(service))
    await queue.consume(batches.on_message)


async def stateful(service: str, read: Read, decide: Decide, settings: ReferenceSettings) -> None:
    """A service that records and publishes, on one connection for each direction."""
    database = open_client(settings.mongo_url)[database_name(service)]
    async with (
        await aio_pika.connect(settings.amqp_url) as publishing,
        await aio_pika.connect(settings.amqp_url) as consuming,
    ):
        channel = await publishing.channel(on_return_raises=True)
        relay = Relay(database, await channel.get_exchange(EVENTS_EXCHANGE))
        batches = Batches(read)
        await consume(await consuming.channel(), service, batches)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(relay.run())
            tasks.create_task(work(database, batches, decide, relay))


async def work(database: Database, batches: Batches, decide: Decide, relay: Relay) -> None:
    while True:
        events, last = await batches.next()
        rows = await commit(database, events, decide)
        await last.ack(multiple=True)
        if rows:
            relay.hand_over(rows)


async def notify(open_sender: OpenSender, settings: ReferenceSettings) -> None:
    database = open_client(settings.mongo_url)[database_name("notify")]
    batches = Batches(read_events)
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(await aio_pika.connect(settings.amqp_url))
        senders = [await open_sender(settings.smtp_host, settings.smtp_port) for _ in range(SMTP_CONNECTIONS)]
        for sender in senders:
            stack.push_async_callback(sender.close)
        await consume(await connection.channel(), "notify", batches)
        while True:
            events, last = await batches.next()
            letters = await claim(database, events)
            await asyncio.gather(
                *(sender.send_all(letters[number::SMTP_CONNECTIONS]) for number, sender in enumerate(senders))
            )
            if letters:
                ids = [letter.id for letter in letters]
                await database["mails"].update_many({"_id": {"$in": ids}}, {"$set": {"state": "sent"}})
            await last.ack(multiple=True)


async def claim(database: Database, events: dict[str, case.Event]) -> list[case.Letter]:
    """Record the mails to send. One that was claimed and not marked is sent again, under the same Message-ID."""
    wanted = {key: event for key, event in events.items() if event["type"].removeprefix("certrail.") in MAILED}
    if not wanted:
        return []
    found = await database["mails"].find({"_id": {"$in": list(wanted)}}).to_list(None)
    known = {mail["_id"]: mail["state"] for mail in found}
    fresh = [{"_id": key, "state": "claimed"} for key in wanted if key not in known]
    if fresh:
        await database["mails"].insert_many(fresh, ordered=False)
    ids = list({event["data"]["candidate_id"] for event in wanted.values()})
    people = await database["contacts"].find({"_id": {"$in": ids}}).to_list(None)
    contacts = {contact["_id"]: contact for contact in people}
    return [
        case.letter(event, contacts[event["data"]["candidate_id"]])
        for key, event in wanted.items()
        if known.get(key) != "sent"
    ]


if __name__ == "__main__":
    run_service(
        {
            "exams": partial(stateful, "exams", read_report, decide_results),
            "certs": partial(stateful, "certs", read_events, decide_awards),
            "fulfillment": partial(stateful, "fulfillment", read_events, decide_kits),
            "notify": partial(notify, PipeliningSender.open),
            "notify aiosmtplib": partial(notify, PlainSender.open),
        }
    )
