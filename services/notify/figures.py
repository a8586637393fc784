"""The numbers that monitoring watches of mails: how many are due or under way, and for how long nobody has come."""

import asyncio
from typing import ClassVar

import structlog
from prometheus_client import Gauge

from libs.common.bus.connection import wait_or_stop
from libs.common.clock import Clock
from libs.common.mongo.faults import database_faults
from services.notify.store import NotifyStore

QUEUED = Gauge("certrail_mails_queued", "Mails that are due, claimed, or will be tried again")
OVERDUE = Gauge("certrail_mails_overdue_seconds", "Since when the most overdue mail waits for somebody to send it")

log = structlog.get_logger(__name__)


class MailFigures:
    """Keeps the gauges of this process; every process says the same."""

    EVERY_SECONDS: ClassVar = 30.0

    def __init__(self, store: NotifyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Count until `stopping` is set."""
        while not stopping.is_set():
            async with database_faults(log):
                await self.count()
            await wait_or_stop(stopping, self.EVERY_SECONDS)

    async def count(self) -> None:
        """Set both gauges to what is so now."""
        count, first_due = await self._store.backlog()
        QUEUED.set(count)
        late = 0.0 if first_due is None else (self._clock.now() - first_due).total_seconds()
        OVERDUE.set(max(late, 0.0))
