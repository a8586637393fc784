"""Reference (a): the pipeline as a careful team writes it by hand, one message at a time, on aio-pika and motor.

Each message is one transaction of inbox, state and outbox; a loop reads the outbox every 100 ms, publishes up to a
hundred rows in flight, waits for their confirms and marks them in one update. Twenty messages are in hand at a time.
`notify` claims each mail, sends it over one SMTP connection that stays open, and marks it.

It does not batch anything on the way in, does not tell the relay that a row waits, and packs no two events into one
message.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

import aio_pika
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage
from aiosmtplib import SMTP

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

Handler: TypeAlias = Callable[[bytes], Awaitable[None]]
Effect: TypeAlias = Callable[[Database, bytes], Awaitable[None]]


class Naive(ReferencePipeline):
    name = "naive"
    share = 0.05
    module = "tests.bench.reference_naive"


async def on_report(database: Database, body: bytes) -> None:
    await record_result(database, case.read_report(body))


async def on_passed(database: Database, body: bytes) -> None:
    await award(database, case.read_event(body))


async def on_awarded(database: Database, body: bytes) -> None:
    await offer_kit(database, case.read_event(body))


async def on_news(database: Database, smtp: SMTP, body: bytes) -> None:
    await send_mail(database, smtp, case.read_event(body))


async def publish(exchange: AbstractExchange, row: dict[str, Any]) -> None:
    message = aio_pika.Message(
        row["body"],
        message_id=row["_id"],
        content_type=SINGLE,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
    await exchange.publish(message, row["routing_key"])


async def consume(settings: ReferenceSettings, service: str, handle: Handler) -> None:
    """Call `handle` for each message of the service's queue, `PREFETCH` at a time; acknowledge after it returns."""
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def on_message(message: AbstractIncomingMessage) -> None:
        try:
            await handle(message.body)
        except Exception as error:  # noqa: BLE001 whatever it is, the process ends with it
            if not failed.done():
                failed.set_exception(error)
            return
        await message.ack()

    async with await aio_pika.connect(settings.amqp_url) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=PREFETCH)
        queue = await channel.get_queue(queue_name(service))
        await queue.consume(on_message)
        await failed


async def stateful(service: str, handle: Effect, settings: ReferenceSettings) -> None:
    """A service that records and publishes."""
    database = open_client(settings.mongo_url)[database_name(service)]
    async with await aio_pika.connect(settings.amqp_url) as connection:
        channel = await connection.channel(on_return_raises=True)
        exchange = await channel.get_exchange(EVENTS_EXCHANGE)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(relay(database, partial(publish, exchange)))
            tasks.create_task(consume(settings, service, partial(handle, database)))


async def notify(settings: ReferenceSettings) -> None:
    database = open_client(settings.mongo_url)[database_name("notify")]
    smtp = SMTP(hostname=settings.smtp_host, port=settings.smtp_port, start_tls=False)
    async with smtp:
        await consume(settings, "notify", partial(on_news, database, smtp))


if __name__ == "__main__":
    run_service(
        {
            "exams": partial(stateful, "exams", on_report),
            "certs": partial(stateful, "certs", on_passed),
            "fulfillment": partial(stateful, "fulfillment", on_awarded),
            "notify": notify,
        }
    )
