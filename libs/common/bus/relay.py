"""The relay: publishes what transactions have committed, and sweeps up what a crash has left behind."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Gauge

from libs.common.bus.connection import wait_or_stop
from libs.common.bus.messages import Outgoing
from libs.common.bus.publisher import Publisher, Refused
from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.mongo.faults import database_faults
from libs.common.mongo.outbox import LEASE, Outbox

IN_FLIGHT = 50
"""Messages published at once; each may hold a hundred events."""
MEMORY = 2_000
"""Messages kept in memory at most. More than these stay in the outbox, for the sweep."""
SWEEP_SECONDS = 1.0
REMOVE_SECONDS = 0.25
"""How long rows that the broker has confirmed are gathered before they are removed together. A crash meanwhile makes
them be published once more, and every consumer knows their events."""

HANDED_OVER = Counter("certrail_outbox_published_total", "Outbox rows published", ["by"])
PARKED = Counter("certrail_outbox_parked_total", "Outbox rows parked because the broker refused them")
UNSENT = Gauge("certrail_outbox_unsent", "Outbox rows waiting")
PARKED_NOW = Gauge("certrail_outbox_parked_rows", "Outbox rows parked")
OLDEST = Gauge("certrail_outbox_oldest_seconds", "Age of the oldest unsent outbox row")

log = structlog.get_logger(__name__)


class Relay:
    """Publishes a process's own messages from memory, straight after their commit."""

    def __init__(self, publisher: Publisher, outbox: Outbox, *, owner: str, clock: Clock) -> None:
        self._publisher = publisher
        self._outbox = outbox
        self._owner = owner
        self._clock = clock
        self._waiting: deque[Outgoing] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._confirmed: list[str] = []

    def hand_over(self, messages: Sequence[Outgoing]) -> None:
        """Take committed messages. What does not fit into memory is left to the sweep."""
        room = MEMORY - len(self._waiting)
        self._waiting.extend(messages[:room])
        self._idle.clear()
        self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Publish until `stopping` is set; `flush` first, or what is left waits for another process's sweep."""
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._remove_confirmed(ended))
            try:
                await self._publish_handed_over(stopping)
            finally:
                ended.set()

    async def _publish_handed_over(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            if not self._waiting:
                self._idle.set()
                self._wake.clear()
                await _first(self._wake, stopping)
                continue
            chunk = [self._waiting.popleft() for _ in range(min(IN_FLIGHT, len(self._waiting)))]
            left = await self._publish_until_settled(chunk, stopping)
            if left:
                await self._give_back(left)

    async def flush(self, seconds: float) -> bool:
        """Wait until everything handed over is published, for at most `seconds`. Returns whether it is."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def _publish_until_settled(self, chunk: list[Outgoing], stopping: asyncio.Event) -> list[Outgoing]:
        pause = 0.1
        while chunk and not stopping.is_set():
            outcome = await publish_rows(chunk, self._publisher, self._outbox, self._clock, by="memory")
            self._confirmed += outcome.confirmed
            chunk = outcome.unknown
            if chunk:
                await wait_or_stop(stopping, pause)
                pause = min(pause * 2, LEASE.total_seconds() / 4)
                async with database_faults(log):
                    ids = [message.id for message in chunk]
                    await self._outbox.extend(ids, owner=self._owner, now=self._clock.now())
        return chunk

    async def _remove_confirmed(self, ended: asyncio.Event) -> None:
        while True:
            last = await wait_or_stop(ended, REMOVE_SECONDS)
            ids, self._confirmed = self._confirmed, []
            if ids:
                async with database_faults(log):
                    await self._outbox.remove(ids)
            if last:
                return

    async def _give_back(self, messages: list[Outgoing]) -> None:
        messages.extend(self._waiting)
        async with database_faults(log):
            await self._outbox.release([message.id for message in messages], self._clock.now())


class OutboxSweep:
    """Takes over rows whose process has died, and watches the backlog."""

    def __init__(self, publisher: Publisher, outbox: Outbox, *, owner: str, clock: Clock) -> None:
        self._publisher = publisher
        self._outbox = outbox
        self._owner = owner
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Look for stragglers, at start and then every second, until `stopping` is set."""
        while not stopping.is_set():
            found = 0
            async with database_faults(log):
                found = await self.once()
            if found < IN_FLIGHT:
                await wait_or_stop(stopping, SWEEP_SECONDS)

    async def once(self) -> int:
        """One look. Returns how many rows were taken over."""
        now = self._clock.now()
        rows = (
            await self._outbox.claim(owner=self._owner, now=now, limit=IN_FLIGHT) if self._publisher.connected else []
        )
        if rows:
            log.info("outbox_taken_over", count=len(rows))
            outcome = await publish_rows(rows, self._publisher, self._outbox, self._clock, by="sweep")
            if outcome.confirmed:
                await self._outbox.remove(outcome.confirmed)
        unsent, parked, oldest = await self._outbox.backlog(now)
        UNSENT.set(unsent)
        PARKED_NOW.set(parked)
        OLDEST.set(oldest)
        return len(rows)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of rows: the ids that the broker has confirmed, and the rows to be tried again."""

    confirmed: list[str]
    unknown: list[Outgoing]


async def publish_rows(rows: list[Outgoing], publisher: Publisher, outbox: Outbox, clock: Clock, *, by: str) -> Outcome:
    """Publish rows. Those that the broker refuses are settled here; the confirmed are for the caller to remove."""
    results = await publisher.publish_all(rows)
    outcome = Outcome([], [])
    for row, result in zip(rows, results, strict=True):
        if result is None:
            outcome.confirmed.append(row.id)
        elif isinstance(result, Refused):
            async with database_faults(log):
                if await outbox.refused(row, error=str(result), now=clock.now()):
                    PARKED.inc()
                    log.error("outbox_row_parked", message_id=row.id, routing_key=row.routing_key)
        elif isinstance(result, Unavailable):
            outcome.unknown.append(row)
        else:
            raise result
    if outcome.confirmed:
        HANDED_OVER.labels(by).inc(len(outcome.confirmed))
    return outcome


async def _first(one: asyncio.Event, other: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(one.wait()), asyncio.ensure_future(other.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
