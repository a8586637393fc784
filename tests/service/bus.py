"""The tests' side of the bus: publish as anyone, listen to what is published, look into queues."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import orjson
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from libs.common.bus import topology
from libs.common.bus.messages import Outgoing
from libs.common.events import BATCH, EventData
from tests.servers import BrokerUnderTest
from tests.service.samples import Letter

PATIENCE_SECONDS = 20.0
"""How long to wait for what must come; far longer than it takes, so that a slow machine fails no test."""

Event = dict[str, Any]


class Heard:
    """What a subscriber has received so far, event by event."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()

    def receive(self, message: AbstractIncomingMessage) -> None:
        body = orjson.loads(message.body)
        self.events += body if message.content_type == BATCH else [body]
        self._news.set()

    def of(self, model: type[EventData], subject: str | None = None) -> list[Event]:
        """The events of a type, each id once however often it came, in order of arrival."""
        found = {event["id"]: event for event in self.events if event["type"] == model.event_type}
        return [event for event in found.values() if subject in (None, event["subject"])]

    def times(self, event_id: str) -> int:
        return sum(event["id"] == event_id for event in self.events)

    async def until(self, model: type[EventData], count: int = 1, subject: str | None = None) -> list[Event]:
        """Wait until that many different events of a type have come."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(found := self.of(model, subject)) < count:
                self._news.clear()
                await self._news.wait()
        return found


class Bus:
    """Connections to the broker under test, one for each account used, opened when first needed."""

    def __init__(self, broker: BrokerUnderTest) -> None:
        self._broker = broker
        self._connections: dict[str, AbstractConnection] = {}
        self._channels: dict[str, AbstractChannel] = {}

    async def channel(self, user: str = "") -> AbstractChannel:
        """A channel of a service's or vendor's account; the administrator's without a name."""
        found = self._channels.get(user)
        if found is None or found.is_closed:
            url = self._broker.url(user) if user else self._broker.admin_url
            connection = self._connections.get(user)
            if connection is None or connection.is_closed:
                connection = self._connections[user] = await aio_pika.connect(url)
            found = self._channels[user] = await connection.channel(on_return_raises=True)
        return found

    async def close(self) -> None:
        for connection in self._connections.values():
            await connection.close()

    async def publish(self, *messages: Outgoing, user: str) -> None:
        """Publish as a service does."""
        channel = await self.channel(user)
        for message in messages:
            exchange = await channel.get_exchange(message.exchange, ensure=False)
            properties = aio_pika.Message(
                message.body,
                content_type=message.content_type,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                message_id=message.id,
                type=message.type,
                headers=dict(message.headers),
            )
            await exchange.publish(properties, message.routing_key, timeout=PATIENCE_SECONDS)

    async def send(self, letter: Letter, *, user_id: str | None = "") -> None:
        """Publish as a vendor does; `user_id` is the vendor's own unless given."""
        channel = await self.channel(letter.vendor)
        exchange = await channel.get_exchange(topology.VENDORS, ensure=False)
        properties = aio_pika.Message(
            letter.body,
            content_type=letter.content_type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=letter.message_id,
            type=letter.routing_key,
            user_id=letter.vendor if user_id == "" else user_id,
        )
        await exchange.publish(properties, letter.routing_key, timeout=PATIENCE_SECONDS)

    async def take(self, queue: str) -> AbstractIncomingMessage:
        """The next message of a queue, which must come."""
        source = await (await self.channel()).get_queue(queue, ensure=False)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (message := await source.get(no_ack=True, fail=False)) is None:  # noqa: ASYNC110 the broker sets no event of ours
                await asyncio.sleep(0.02)
        return message

    async def take_all(self, queue: str) -> list[AbstractIncomingMessage]:
        """Everything that lies in a queue now; stop its consumer first."""
        source = await (await self.channel()).get_queue(queue, ensure=False)
        taken: list[AbstractIncomingMessage] = []
        while (message := await source.get(no_ack=True, fail=False)) is not None:
            taken.append(message)
        return taken

    async def ready(self, queue: str) -> int:
        """Messages that wait in a queue and are in nobody's hands."""
        channel = await self.channel()
        declared = await channel.declare_queue(queue, passive=True)
        return int(declared.declaration_result.message_count or 0)

    async def readers(self, queue: str) -> int:
        """How many consume a queue."""
        channel = await self.channel()
        declared = await channel.declare_queue(queue, passive=True)
        return int(declared.declaration_result.consumer_count or 0)

    @asynccontextmanager
    async def listening(self, *keys: str) -> AsyncIterator[Heard]:
        """A subscriber of its own to `certrail.events`, for those routing keys."""
        heard = Heard()
        connection = await aio_pika.connect(self._broker.admin_url)
        async with connection, connection.channel() as channel:
            queue = await channel.declare_queue(exclusive=True)
            for key in keys or ("#",):
                await queue.bind(topology.EVENTS, key)
            await queue.consume(_receiver(heard), no_ack=True)
            yield heard


def _receiver(heard: Heard) -> Any:
    async def receive(message: AbstractIncomingMessage) -> None:
        heard.receive(message)

    return receive
