"""Reads `certrail.log`: every event that any service has published, in the order of the bus."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import aio_pika
import orjson
from aio_pika.abc import AbstractIncomingMessage

from libs.common.bus import topology
from libs.common.events import BATCH, EventData
from libs.common.ids import new_id
from tests.servers import BrokerUnderTest

READ_SECONDS = 120.0
Event = dict[str, Any]


async def read_log(broker: BrokerUnderTest) -> list[Event]:
    """All events that were published before this call; one that was published twice is there twice."""
    bodies: list[tuple[str | None, bytes]] = []
    end, ended = new_id(), asyncio.Event()

    async def receive(message: AbstractIncomingMessage) -> None:
        await message.ack()
        if message.message_id == end:
            ended.set()
        elif (message.type or "").startswith("certrail."):
            bodies.append((message.content_type, message.body))

    async with await aio_pika.connect(broker.admin_url) as connection, connection.channel() as channel:
        await channel.set_qos(prefetch_count=1_000)
        events = await channel.get_exchange(topology.EVENTS, ensure=False)
        mark = {"id": end, "type": "tests.EndOfLog.v1", "time": datetime.now(UTC).isoformat()}
        await events.publish(aio_pika.Message(orjson.dumps(mark), message_id=end), "tests.EndOfLog.v1")
        log = await channel.get_queue(topology.LOG, ensure=False)
        tag = await log.consume(receive, arguments={"x-stream-offset": "first"})
        async with asyncio.timeout(READ_SECONDS):
            await ended.wait()
        await log.cancel(tag)
    return [event for content_type, body in bodies for event in _events(content_type, body)]


def of_type(events: Sequence[Event], model: type[EventData]) -> list[Event]:
    """Those of one type, each once however often it was published."""
    return list({event["id"]: event for event in events if event["type"] == model.event_type}.values())


def _events(content_type: str | None, body: bytes) -> list[Event]:
    content = orjson.loads(body)
    return content if content_type == BATCH else [content]
