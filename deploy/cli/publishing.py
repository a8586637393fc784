"""Publishes many messages at once, confirmed, in their order, at a rate if one is wanted."""

import asyncio
from collections.abc import Callable, Iterable, Iterator

import aio_pika

from deploy.cli.errors import CliError
from libs.common.bus.messages import Outgoing
from libs.common.bus.publisher import Publisher, Refused
from libs.common.errors import Unavailable

IN_FLIGHT = 500
"""Messages sent and not yet confirmed, at most."""
TRIES = 6
"""Attempts at one message, each as long as the publisher's own patience: a broker may restart meanwhile."""
CONNECT_SECONDS = 10


async def publish_all(
    url: str, messages: Iterable[Outgoing], *, rate: float | None, on_confirmed: Callable[[], None]
) -> int:
    """Publish every message and wait for all confirms. Returns how many.

    What was sent and not confirmed is sent again under the same id; whoever receives it takes it once.

    Args:
        url: of the broker, with the account to publish as.
        messages: taken one by one, as room in flight allows.
        rate: messages a second at most; None for as fast as the broker confirms.
        on_confirmed: called after each confirm.

    Raises:
        CliError: the broker refuses a message, or stays away.
        AMQPError: it cannot be reached or does not know the account.
    """
    await _try_account(url)
    stopping = asyncio.Event()
    publisher = Publisher(url, name="certrail-feed")
    batch = _Batch(publisher, iter(messages), rate, on_confirmed)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publisher.run(stopping))
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(IN_FLIGHT):
                    workers.create_task(batch.work())
        finally:
            stopping.set()
    return batch.confirmed


async def _try_account(url: str) -> None:
    """The publisher keeps trying for ever; a wrong password shall be told at once."""
    connection = await aio_pika.connect(url, timeout=CONNECT_SECONDS)
    await connection.close()


class _Batch:
    """What the workers share. Each takes the next message, so they are sent in order."""

    def __init__(
        self, publisher: Publisher, messages: Iterator[Outgoing], rate: float | None, on_confirmed: Callable[[], None]
    ) -> None:
        self._publisher = publisher
        self._messages = messages
        self._interval = 1 / rate if rate else 0.0
        self._due = asyncio.get_running_loop().time()
        self._on_confirmed = on_confirmed
        self.confirmed = 0

    async def work(self) -> None:
        for message in self._messages:
            if self._interval:
                await self._wait_turn()
            await self._publish(message)
            self.confirmed += 1
            self._on_confirmed()

    async def _wait_turn(self) -> None:
        now = asyncio.get_running_loop().time()
        self._due = max(self._due, now - 1) + self._interval  # at most a second is caught up
        await asyncio.sleep(self._due - now)

    async def _publish(self, message: Outgoing) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                await self._publisher.publish(message)
            except Refused as error:
                raise CliError(f"the broker refuses message {message.id}: {error}") from error
            except Unavailable as error:
                if attempt == TRIES:
                    raise CliError(
                        f"the broker stays away ({error}); {self.confirmed} messages were confirmed before",
                        hint="run the same command again later: what has arrived is not counted twice",
                    ) from error
            else:
                return
