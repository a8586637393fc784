"""Publishes with confirms and `mandatory`: what returns without an error is on a durable queue."""

import asyncio
from collections.abc import Sequence
from typing import Literal

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import ChannelInvalidStateError, DeliveryError, PublishError
from prometheus_client import Counter, Gauge

from libs.common.bus.connection import LOST, keep_connected, loss_by_its_name
from libs.common.bus.messages import Outgoing
from libs.common.errors import Unavailable

PUBLISH_TIMEOUT = 10.0
"""Seconds for one message, the wait for a connection included. Past it the outcome is unknown."""

PUBLISHED = Counter("certrail_messages_published_total", "Messages confirmed by the broker", ["exchange"])
CONNECTED = Gauge("certrail_publisher_connected", "1 while the publishing connection is open")


class Refused(Exception):
    """The broker would not take this very message: nobody listens for its key, or it may not be sent."""


class Publisher:
    """One connection for publishing only, so that a blocked publisher never holds up acknowledgements."""

    def __init__(self, url: str, *, name: str) -> None:
        self._url = url
        self._name = name
        self._exchanges: dict[str, AbstractExchange] = {}
        self._channel: AbstractChannel | None = None
        self._open = asyncio.Event()

    @property
    def connected(self) -> bool:
        return self._open.is_set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Keep the connection until `stopping` is set."""
        await keep_connected(
            self._url, name=f"{self._name}-publish", use=lambda c: self._hold(c, stopping), stopping=stopping
        )

    async def _hold(self, connection: AbstractConnection, stopping: asyncio.Event) -> None:
        stop = asyncio.ensure_future(stopping.wait())
        try:
            while not (connection.is_closed or stopping.is_set()):
                channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
                self._channel, self._exchanges = channel, {}
                self._open.set()
                CONNECTED.set(1)
                gone = asyncio.ensure_future(channel.closed())
                await asyncio.wait([stop, gone], return_when=asyncio.FIRST_COMPLETED)
                self._close(gone)
        finally:
            stop.cancel()
            self._open.clear()
            CONNECTED.set(0)

    def _close(self, gone: "asyncio.Future[Literal[True]]") -> None:
        self._open.clear()
        if gone.done():
            gone.exception()
        else:
            gone.cancel()

    async def publish(self, message: Outgoing) -> None:
        """Publish one message and wait for its confirm.

        Raises:
            Refused: the broker returned or refused this message; the same will happen again.
            Unavailable: no broker, or no confirm in time; it may or may not have arrived.
        """
        try:
            with loss_by_its_name():
                async with asyncio.timeout(PUBLISH_TIMEOUT):
                    await self._open.wait()
                    exchange = await self._exchange(message.exchange)
                    await exchange.publish(_properties(message), message.routing_key, mandatory=True)
        except PublishError as error:
            raise Refused(f"no queue takes {message.routing_key}") from error
        except DeliveryError as error:
            raise Unavailable("the broker did not confirm") from error
        except ChannelInvalidStateError as error:
            raise Unavailable("the channel closed while publishing") from error
        except LOST as error:
            raise Unavailable(f"{type(error).__name__} while publishing") from error
        PUBLISHED.labels(message.exchange).inc()

    async def publish_all(self, messages: Sequence[Outgoing]) -> list[BaseException | None]:
        """Publish many at once; the outcome of each in their order."""
        outcomes = await asyncio.gather(*(self.publish(message) for message in messages), return_exceptions=True)
        return list(outcomes)

    async def _exchange(self, name: str) -> AbstractExchange:
        found = self._exchanges.get(name)
        if found is None:
            if self._channel is None:
                raise Unavailable("not connected")
            found = await self._channel.get_exchange(name, ensure=False)
            self._exchanges[name] = found
        return found


def _properties(message: Outgoing) -> Message:
    return Message(
        message.body,
        content_type=message.content_type,
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=message.id,
        type=message.type,
        headers=dict(message.headers),
        user_id=message.user_id,
    )
