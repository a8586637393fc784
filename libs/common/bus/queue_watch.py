"""Looks at a service's own queues: what waits there and what was parked shows without the broker's exporter."""

import asyncio
from collections.abc import Iterable

from aio_pika.abc import AbstractConnection
from prometheus_client import Gauge

from libs.common.bus.connection import keep_connected, wait_or_stop
from libs.common.bus.topology import consumed_queues, parked_queue
from libs.common.clock import Clock

EVERY_SECONDS = 15.0
"""As often as monitoring usually asks; a look is one round trip for each queue."""

WAITING = Gauge("certrail_queue_messages", "Messages in a queue that nobody has in hand", ["queue"])
BEHIND = Gauge("certrail_queue_behind_seconds", "Since when a queue was not seen empty", ["queue"])
PARKED = Gauge("certrail_parked_messages", "Messages that the service could not handle and set aside", ["queue"])


class QueueWatch:
    """Keeps the gauges of one service's queues. Every process that runs it says the same.

    Args:
        service: whose queues.
        url: the broker, as the service's account, which may look at its own queues.
        name: of the connection.
        clock: tells since when.
    """

    def __init__(self, service: str, url: str, *, name: str, clock: Clock) -> None:
        self._url = url
        self._name = name
        self._clock = clock
        self._queues = tuple(consumed_queues(service))
        self._parked = parked_queue(service)
        self._since: dict[str, float] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until `stopping` is set."""
        await keep_connected(
            self._url, name=f"{self._name}-watch", use=lambda it: self._look(it, stopping), stopping=stopping
        )

    async def _look(self, connection: AbstractConnection, stopping: asyncio.Event) -> None:
        channel = await connection.channel(publisher_confirms=False)
        while not (stopping.is_set() or connection.is_closed):
            counts = {}
            for queue in (*self._queues, self._parked):
                found = await channel.declare_queue(queue, passive=True)
                counts[queue] = found.declaration_result.message_count or 0
            self.note(counts.items())
            await wait_or_stop(stopping, EVERY_SECONDS)

    def note(self, counts: Iterable[tuple[str, int]]) -> None:
        """Set the gauges to what was seen."""
        now = self._clock.now().timestamp()
        for queue, count in counts:
            if queue == self._parked:
                PARKED.labels(queue).set(count)
                continue
            WAITING.labels(queue).set(count)
            if count == 0:
                self._since.pop(queue, None)
            BEHIND.labels(queue).set(now - self._since.setdefault(queue, now) if count else 0.0)
