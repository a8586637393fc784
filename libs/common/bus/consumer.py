"""The consumer: takes what has arrived, handles it in one transaction, then acknowledges it all at once.

Order of arrival is kept within a queue but nothing may depend on it. A batch that fails is halved until the one
bad event stands alone; that one is set aside and its neighbours pass.
"""

import asyncio
import logging
import math
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any

import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelInvalidStateError
from aiormq.abc import AbstractChannel, DeliveredMessage
from prometheus_client import Counter, Gauge, Histogram

from libs.common.bus.connection import keep_connected, wait_or_stop
from libs.common.bus.failures import RetryLadder
from libs.common.bus.messages import Delivery, Item, Undecodable
from libs.common.bus.publisher import Refused
from libs.common.errors import Contended, Unavailable
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.tracing import Tracing

BATCH_BYTES = 262_144
"""A batch takes no further message past this, because one message may hold a hundred events."""
QUIET = 4
"""Times as long as a batch is gathered: what arrives when none has begun for so long comes alone, and does not wait."""
LONGEST_PAUSE = 5.0
"""Seconds between two probes while something we depend on is down."""

CONSUMED = Counter("certrail_events_consumed_total", "Events handled and committed", ["queue"])
BATCH = Histogram(
    "certrail_batch_events",
    "Events in one transaction",
    ["queue"],
    buckets=(1, 2, 5, 10, 25, 50, 100, 200, 1000),
)
CIRCUIT = Gauge("certrail_circuit_open", "1 while a consumer waits for a dependency to come back", ["queue"])

log = structlog.get_logger(__name__)

Work = Callable[[Transaction, Sequence[Any]], Awaitable[None]]


Decode = Callable[[Delivery], Sequence[Item | Undecodable]]
"""Reads a delivery into the things to handle."""


class Consumer:
    """Reads one queue on a connection of its own."""

    def __init__(
        self,
        queue: str,
        *,
        url: str,
        name: str,
        decode: Decode,
        work: Work,
        unit_of_work: UnitOfWork,
        ladder: RetryLadder,
        tracing: Tracing,
        batch_size: int,
        prefetch: int,
        gather_seconds: float = 0.0,
    ) -> None:
        self.queue = queue
        self._url = url
        self._name = name
        self._decode = decode
        self._work = work
        self._unit_of_work = unit_of_work
        self._ladder = ladder
        self._tracing = tracing
        self._batch_size = batch_size
        self._prefetch = prefetch
        self._whole = min(batch_size, prefetch)
        """Messages for which a batch does not wait: more of them would not fit, or would not come."""
        self._gather_seconds = gather_seconds
        self._due_at = 0.0
        """When the batch begins that is being gathered, on the event loop's clock."""
        self._began_at = -math.inf
        self._arrived: deque[tuple[int, Delivery]] = deque()
        self._wake = asyncio.Event()
        self._consuming = False
        self._outage = False

    @property
    def ready(self) -> bool:
        """Whether it reads its queue and can handle what it reads."""
        return self._consuming and not self._outage

    async def run(self, stopping: asyncio.Event) -> None:
        """Consume until `stopping` is set; what is in hand by then is finished and acknowledged."""
        await keep_connected(
            self._url,
            name=f"{self._name}-consume",
            use=lambda c: self._consume(c, stopping),
            stopping=stopping,
        )

    async def _consume(self, connection: AbstractConnection, stopping: asyncio.Event) -> None:
        self._arrived.clear()
        channel = await connection.channel(publisher_confirms=False)
        await channel.set_qos(prefetch_count=self._prefetch)
        # The layer below aio-pika's message objects: they cost more than all our own work on a result.
        underlay = await channel.get_underlay_channel()
        await underlay.basic_consume(self.queue, self._arrive)
        ends = [asyncio.ensure_future(stopping.wait()), asyncio.ensure_future(channel.closed())]
        for end in ends:
            end.add_done_callback(lambda _: self._wake.set())
        self._consuming = True
        try:
            while not any(end.done() for end in ends):
                pause = self._pause()
                if pause == 0.0:
                    await self._take_batch(underlay, stopping)
                    continue
                self._wake.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
        finally:
            self._consuming = False
            for end in ends:
                if end.done() and not end.cancelled():
                    end.exception()
                end.cancel()

    def _pause(self) -> float | None:
        """Seconds until the next batch begins; None while there is nothing for it."""
        if not self._arrived:
            return None
        if len(self._arrived) >= self._whole:
            return 0.0
        return max(self._due_at - asyncio.get_running_loop().time(), 0.0)

    async def _arrive(self, message: DeliveredMessage) -> None:
        if not self._arrived:
            now = asyncio.get_running_loop().time()
            alone = now - self._began_at > QUIET * self._gather_seconds
            self._due_at = now if alone else now + self._gather_seconds
        self._arrived.append((message.delivery_tag or 0, _delivery(message)))
        if len(self._arrived) in (1, self._whole):
            self._wake.set()

    async def _take_batch(self, channel: AbstractChannel, stopping: asyncio.Event) -> None:
        self._began_at = asyncio.get_running_loop().time()
        batch: list[Delivery] = []
        tag = size = 0
        while self._arrived and len(batch) < self._batch_size and size < BATCH_BYTES:
            tag, delivery = self._arrived.popleft()
            batch.append(delivery)
            size += len(delivery.body)
        if await self._settle_despite_outages(batch, stopping):
            try:
                await channel.basic_ack(tag, multiple=True)
            except ChannelInvalidStateError:
                # The connection went meanwhile: the messages come again, and the inbox knows them.
                log.info("acknowledgement_lost", queue=self.queue, count=len(batch))

    async def _settle_despite_outages(self, batch: Sequence[Delivery], stopping: asyncio.Event) -> bool:
        """Returns False where a stop came before the batch could be settled; it is then redelivered."""
        pause = 0.1
        while True:
            try:
                await self.settle(batch)
            except Unavailable as error:
                self._set_outage(down=True, cause=error)
                if await wait_or_stop(stopping, pause * random.uniform(0.5, 1.0)):  # noqa: S311 jitter
                    return False
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                self._set_outage(down=False, cause=None)
                return True

    def _set_outage(self, *, down: bool, cause: Exception | None) -> None:
        if down != self._outage:
            self._outage = down
            CIRCUIT.labels(self.queue).set(down)
            log.warning("circuit_open" if down else "circuit_closed", queue=self.queue, cause=str(cause or ""))

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Handle deliveries so that each may be acknowledged.

        Raises:
            Unavailable: none of those not yet committed may be acknowledged; try the same again.
        """
        items: list[Item] = []
        for delivery in deliveries:
            for part in self._decode(delivery):
                if isinstance(part, Undecodable):
                    await self._set_aside(part.body, part.content_type, part.delivery, part.error)
                else:
                    items.append(part)
        for start in range(0, len(items), self._batch_size):
            await self._settle_items(items[start : start + self._batch_size])

    async def _settle_items(self, items: Sequence[Item]) -> None:
        try:
            await self._commit(items)
        except Contended:
            if len(items) == 1:
                raise
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 whatever a handler raises is set aside with its cause
            if len(items) == 1:
                body, content_type = items[0].alone()
                await self._set_aside(body, content_type, items[0].delivery, error)
                return
        else:
            return
        middle = len(items) // 2
        await self._settle_items(items[:middle])
        await self._settle_items(items[middle:])

    async def _commit(self, items: Sequence[Item]) -> None:
        correlations = [item.correlation_id for item in items]
        parents = [item.parent for item in items]
        spans = self._tracing.begin(f"{self.queue} process", parents, correlations=correlations, queue=self.queue)
        traced = [item.traced(parent) for item, parent in zip(items, spans.traceparents, strict=True)]
        try:
            with _spoken_of(correlations):
                await self._unit_of_work.run(lambda transaction: self._work(transaction, traced))
        except BaseException as error:
            spans.end(error)
            raise
        spans.end()
        CONSUMED.labels(self.queue).inc(len(items))
        BATCH.labels(self.queue).observe(len(items))
        if log.is_enabled_for(logging.DEBUG):  # calls that write nothing cost a hundredth of all that an event costs
            _tell(self.queue, items)

    async def _set_aside(self, body: bytes, content_type: str, delivery: Delivery, error: Exception) -> None:
        try:
            await self._ladder.set_aside(body, content_type, delivery, error)
        except Refused as refusal:
            # Without its retry and parked queues this consumer would lose messages: it waits for an operator.
            log.critical("cannot_set_aside", queue=self.queue)
            raise Unavailable(str(refusal)) from refusal


def _tell(queue: str, items: Sequence[Item]) -> None:
    """Say in the log what was handled."""
    for item in items:
        log.debug(
            "message_handled",
            queue=queue,
            correlation_id=item.correlation_id,
            message_id=item.delivery.message_id,
            event_type=item.delivery.type,
        )


def _spoken_of(correlations: Sequence[str | None]) -> AbstractContextManager[object]:
    """Has log entries name the chain that a batch is about, where it is about one."""
    one = correlations[0] if len(set(correlations)) == 1 else None
    return structlog.contextvars.bound_contextvars(**({"correlation_id": one} if one else {}))


def _delivery(message: DeliveredMessage) -> Delivery:
    properties = message.header.properties
    return Delivery(
        body=message.body,
        exchange=message.exchange or "",
        routing_key=message.routing_key or "",
        content_type=properties.content_type,
        type=properties.message_type,
        message_id=properties.message_id,
        user_id=properties.user_id,
        headers=properties.headers or {},
    )
