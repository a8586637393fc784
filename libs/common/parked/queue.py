"""Messages that a service could not handle and set aside: reads them without disturbing them, and puts them back.

A broker has no way to look at a message without taking it in hand. So each is taken and given back, which some versions
count as a delivery (the policy on parked queues allows a million) and which puts it behind those not looked at. Nothing
here depends on the broker's order; what people see is sorted by the last failure.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aio_pika
import orjson
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage

from libs.common.bus.failures import CODE, ERROR, FIRST_FAILURE, KEY, LAST_FAILURE, QUEUE, STACK, TRIES, VENDOR
from libs.common.bus.topology import VENDORS, consumed_queues, parked_queue, retry_exchange
from libs.common.ids import derived_id

LIMIT_CODE = "delivery_limit"
"""Code of a message that the broker itself parked: it kept killing whoever had it in hand."""

_OF_THE_FAILURE = frozenset({TRIES, QUEUE, FIRST_FAILURE, LAST_FAILURE, ERROR, CODE, STACK})
_OF_THE_BROKER = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count")
_CONFIRM_SECONDS = 10
_RETURN_SECONDS = 2.0
_POLL_SECONDS = 0.02


class Homeless(Exception):
    """The message does not say which queue it failed in, so it cannot be given back to it."""


@dataclass(frozen=True)
class Parked:
    """One parked message, in hand until its channel closes."""

    service: str
    message: AbstractIncomingMessage

    @property
    def id(self) -> str:
        """The event's id, which `events tail` shows too; else the message's; else one made from its content."""
        content = self.content
        if isinstance(content, dict) and isinstance(content.get("id"), str) and content["id"]:
            return str(content["id"])
        return self.message.message_id or derived_id("parked", self.message.body.hex())

    @property
    def content(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return orjson.loads(self.message.body)
        except orjson.JSONDecodeError:
            return None

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events that it holds, one or a batch, as far as they can be read."""
        content = self.content
        return [each for each in (content if isinstance(content, list) else [content]) if isinstance(each, dict)]

    @property
    def code(self) -> str:
        return self.header(CODE) or LIMIT_CODE

    @property
    def queue(self) -> str:
        """The queue that it was read from when it failed."""
        return self.header(QUEUE) or str(self._death.get("queue") or "")

    @property
    def routing_key(self) -> str:
        """Under which it was first published."""
        keys = self._death.get("routing-keys") or [self.message.routing_key]
        return self.header(KEY) or str(keys[0])

    @property
    def vendor(self) -> str | None:
        """Who published it, where that was a vendor: as the ladder noted, else as the broker has checked it."""
        if self._death.get("exchange") == VENDORS:
            return self.message.user_id
        return self.header(VENDOR) or None

    @property
    def _death(self) -> dict[str, Any]:
        """The broker's note of how it parked the message; empty where the service did."""
        deaths: Any = self.message.headers.get("x-death")
        return dict(deaths[0]) if isinstance(deaths, list) and deaths else {}

    def header(self, name: str) -> str | None:
        """What the ladder noted; nothing where a vendor may have written it: such a message never was on the ladder."""
        value = None if self._death.get("exchange") == VENDORS else self.message.headers.get(name)
        return None if value is None else str(value)

    @property
    def last_failure(self) -> str | None:
        """ISO 8601, in UTC."""
        return self.header(LAST_FAILURE)

    def again(self) -> aio_pika.Message:
        """The message as for its first try: without counters and causes, and with the vendor who sent it."""
        headers = {
            name: value
            for name, value in self.message.headers.items()
            if name not in _OF_THE_FAILURE and not name.startswith(_OF_THE_BROKER)
        }
        headers[KEY] = self.routing_key
        if self.vendor is not None:
            headers[VENDOR] = self.vendor
        return aio_pika.Message(
            self.message.body,
            headers=headers,
            content_type=self.message.content_type,
            message_id=self.message.message_id,
            type=self.message.type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )


Wanted = Callable[[Parked], bool]


class ParkedQueue:
    """The parked messages of one service."""

    def __init__(self, service: str, channel: AbstractChannel, exchange: AbstractExchange) -> None:
        self.service = service
        self._channel = channel
        self._exchange = exchange
        self._in_hand: list[AbstractIncomingMessage] = []

    async def read(self, wanted: Wanted, limit: int) -> AsyncIterator[Parked]:
        """Up to `limit` wanted messages. All that are passed over stay in hand meanwhile."""
        queue = await self._channel.get_queue(parked_queue(self.service), ensure=False)
        found = 0
        while found < limit:
            message = await queue.get(fail=False, timeout=_CONFIRM_SECONDS)
            if message is None:
                return
            self._in_hand.append(message)
            parked = Parked(self.service, message)
            if wanted(parked):
                found += 1
                yield parked

    async def replay(self, parked: Parked) -> None:
        """Publish it to the queue it failed in, and only then take it off the parked ones.

        Raises:
            Homeless: its queue is unknown.
            AMQPError: the broker did not confirm; it stays parked.
        """
        if parked.queue not in consumed_queues(self.service):
            raise Homeless(f"message {parked.id} does not say which queue of {self.service} it failed in")
        await self._exchange.publish(parked.again(), parked.queue, mandatory=True, timeout=_CONFIRM_SECONDS)
        await parked.message.ack()

    async def drop(self, parked: Parked) -> None:
        """Take it off for good."""
        await parked.message.ack()

    async def give_back(self) -> None:
        """Put back what was read and not settled, and wait until the next reader will find it."""
        left = [message for message in self._in_hand if not message.processed]
        for message in left:
            await message.nack(requeue=True)
        try:
            async with asyncio.timeout(_RETURN_SECONDS if left else None):
                while await self._length() < len(left):  # noqa: ASYNC110 the broker tells nobody when it is done
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            return  # somebody else has taken some of them in hand meanwhile

    async def _length(self) -> int:
        queue = await self._channel.declare_queue(parked_queue(self.service), passive=True)
        return queue.declaration_result.message_count or 0


@asynccontextmanager
async def open_parked(connection: AbstractConnection, service: str) -> AsyncIterator[ParkedQueue]:
    """The parked queue of a service; what is in hand at the end goes back."""
    async with connection.channel(on_return_raises=True) as channel:
        exchange = await channel.get_exchange(retry_exchange(service), ensure=False)
        queue = ParkedQueue(service, channel, exchange)
        try:
            yield queue
        finally:
            await queue.give_back()
