"""Reference (b): the same pipeline on FastStream, written as its documentation teaches and made as durable as (a).

Handlers are functions under `@broker.subscriber`; the framework acknowledges after they return and hands back what
fails (`NACK_ON_ERROR`); decoders read the bodies; the broker object publishes. What the framework lacks, an inbox and
an outbox, is that of the hand-written reference: the same transaction a message, the same relay that polls. Its log of
every message is off, as in the other references.

It does not batch: FastStream has no batches on RabbitMQ.
"""

import asyncio
from functools import partial
from typing import Any

from aiosmtplib import SMTP
from faststream import AckPolicy, FastStream
from faststream.rabbit import (
    Channel,
    ExchangeType,
    QueueType,
    RabbitBroker,
    RabbitExchange,
    RabbitMessage,
    RabbitQueue,
)

from libs.common.events import SINGLE
from tests.bench import case
from tests.bench.per_message import award, offer_kit, record_result, relay, send_mail
from tests.bench.reference import (
    EVENTS_EXCHANGE,
    Database,
    ReferencePipeline,
    ReferenceSettings,
    database_name,
    open_client,
    queue_name,
    run_service,
)

PREFETCH = 20

EVENTS = RabbitExchange(EVENTS_EXCHANGE, type=ExchangeType.TOPIC, durable=True, declare=False)


class OnFastStream(ReferencePipeline):
    name = "faststream"
    share = 0.05
    module = "tests.bench.reference_faststream"


async def decode_report(message: RabbitMessage) -> case.Report:
    return case.read_report(message.body)


async def decode_event(message: RabbitMessage) -> case.Event:
    return case.read_event(message.body)


def queue(service: str) -> RabbitQueue:
    """The service's queue, which exists and is bound already."""
    return RabbitQueue(queue_name(service), queue_type=QueueType.QUORUM, durable=True, declare=False)


def open_broker(settings: ReferenceSettings) -> RabbitBroker:
    channel = Channel(prefetch_count=PREFETCH, on_return_raises=True)
    return RabbitBroker(settings.amqp_url, default_channel=channel, ack_policy=AckPolicy.NACK_ON_ERROR, logger=None)


async def publish(broker: RabbitBroker, row: dict[str, Any]) -> None:
    await broker.publish(
        row["body"],
        exchange=EVENTS,
        routing_key=row["routing_key"],
        message_id=row["_id"],
        content_type=SINGLE,
        persist=True,
    )


async def run_with_relay(broker: RabbitBroker, database: Database) -> None:
    """The application, with the relay running from the broker's start to its end."""
    app = FastStream(broker, logger=None)
    relaying: list[asyncio.Task[None]] = []

    @app.after_startup
    async def start_relay() -> None:
        relaying.append(asyncio.create_task(relay(database, partial(publish, broker))))

    @app.on_shutdown
    async def stop_relay() -> None:
        for task in relaying:
            task.cancel()

    await app.run()


async def exams(settings: ReferenceSettings) -> None:
    broker = open_broker(settings)
    database = open_client(settings.mongo_url)[database_name("exams")]

    @broker.subscriber(queue("exams"), decoder=decode_report)
    async def on_report(report: case.Report) -> None:
        await record_result(database, report)

    await run_with_relay(broker, database)


async def certs(settings: ReferenceSettings) -> None:
    broker = open_broker(settings)
    database = open_client(settings.mongo_url)[database_name("certs")]

    @broker.subscriber(queue("certs"), decoder=decode_event)
    async def on_passed(event: case.Event) -> None:
        await award(database, event)

    await run_with_relay(broker, database)


async def fulfillment(settings: ReferenceSettings) -> None:
    broker = open_broker(settings)
    database = open_client(settings.mongo_url)[database_name("fulfillment")]

    @broker.subscriber(queue("fulfillment"), decoder=decode_event)
    async def on_awarded(event: case.Event) -> None:
        await offer_kit(database, event)

    await run_with_relay(broker, database)


async def notify(settings: ReferenceSettings) -> None:
    broker = open_broker(settings)
    database = open_client(settings.mongo_url)[database_name("notify")]
    smtp = SMTP(hostname=settings.smtp_host, port=settings.smtp_port, start_tls=False)

    @broker.subscriber(queue("notify"), decoder=decode_event)
    async def on_news(event: case.Event) -> None:
        await send_mail(database, smtp, event)

    async with smtp:
        await FastStream(broker, logger=None).run()


if __name__ == "__main__":
    run_service({"exams": exams, "certs": certs, "fulfillment": fulfillment, "notify": notify})
