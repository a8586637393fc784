"""Where files come from by themselves: each folder or server is looked at by one process at a time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import ClassVar, Protocol

import structlog
from prometheus_client import Counter, Gauge
from pymongo.errors import PyMongoError

from libs.common.bus.connection import wait_or_stop
from libs.common.clock import Clock, as_stored
from libs.common.mongo.client import Document
from libs.common.mongo.faults import database_faults
from services.exams.feeds.leases import keeping
from services.exams.feeds.store import SOURCE_LEASE, FeedStore

LOOKS = Counter("certrail_feed_looks_total", "Looks at folders and servers for vendors' files", ["source", "outcome"])
FAULT = Gauge("certrail_feed_fault", "1 while a vendor's folder or server cannot be read", ["source"])

log = structlog.get_logger(__name__)


class SourceFaultError(Exception):
    """A folder or server cannot be read, or something in it.

    Attributes:
        code: a stable word.
        taken: files that were taken all the same.
    """

    def __init__(self, code: str, message: str, *, taken: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.taken = taken


class UnsettledError(Exception):
    """A file changed while it was read: it was not whole."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look has brought.

    Attributes:
        again_in: the time until the next one.
        taken: how many files were read, the ones known before with them.
    """

    again_in: timedelta
    taken: int


class FileSource(Protocol):
    """A place that files lie in."""

    key: str
    vendor: str

    async def look(self) -> Look:
        """Take what is whole there. Raises `SourceFaultError`."""

    def pause_after(self, failures: int) -> timedelta:
        """The time until the next try, after so many faults in a row."""


class Sources:
    """Looks wherever it is this process's turn."""

    POLL_SECONDS: ClassVar = 1.0

    def __init__(self, feeds: FeedStore, sources: Sequence[FileSource], clock: Clock, *, owner: str) -> None:
        self._feeds = feeds
        self._sources = sources
        self._clock = clock
        self._owner = owner

    async def run(self, stopping: asyncio.Event) -> None:
        """Look again and again until `stopping` is set."""
        if not self._sources:
            return
        async with asyncio.TaskGroup() as tasks:
            for source in self._sources:
                tasks.create_task(self._watch(source, stopping))

    async def _watch(self, source: FileSource, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            async with database_faults(log):
                await self.turn(source)
            await wait_or_stop(stopping, self.POLL_SECONDS)

    async def turn(self, source: FileSource) -> None:
        """Look, if it is time and nobody else does."""
        if not await self._feeds.claim_source(source.key, source.vendor, self._owner, self._clock.now()):
            return
        try:
            async with keeping(SOURCE_LEASE / 4, partial(self._renew, source.key)):
                look = await source.look()
        except SourceFaultError as fault:
            await self._failed(source, fault)
        except PyMongoError:
            raise
        except Exception as error:
            # Whatever a server makes the client library raise, the other sources go on.
            log.exception("feed_look_failed", vendor=source.vendor, path=source.key)
            await self._failed(source, SourceFaultError("failed", type(error).__name__))
        else:
            await self._succeeded(source, look)

    async def _succeeded(self, source: FileSource, look: Look) -> None:
        now = as_stored(self._clock.now())
        before = await self._feeds.source(source.key)
        if before is not None and before["fault"] is not None:
            log.info("feed_source_back", vendor=source.vendor, path=source.key)
        change: Document = {"fault": None, "failures": 0, "looked_at": now, "next_look_at": now + look.again_in}
        await self._note(source, change, look.taken)
        FAULT.labels(source.key).set(0)
        LOOKS.labels(source.key, "taken" if look.taken else "nothing").inc()

    async def _failed(self, source: FileSource, fault: SourceFaultError) -> None:
        now = as_stored(self._clock.now())
        before = await self._feeds.source(source.key) or {}
        known = before.get("fault")
        same = known is not None and known["code"] == fault.code
        failures = before.get("failures", 0) + 1
        change: Document = {
            "fault": {"code": fault.code, "message": str(fault), "since": known["since"] if known and same else now},
            "failures": failures,
            "looked_at": now,
            "next_look_at": now + source.pause_after(failures),
        }
        await self._note(source, change, fault.taken)
        FAULT.labels(source.key).set(1)
        LOOKS.labels(source.key, fault.code).inc()
        if not same:
            log.error("feed_source_fault", vendor=source.vendor, path=source.key, code=fault.code)

    async def _note(self, source: FileSource, change: Document, taken: int) -> None:
        if taken:
            change["last_file_at"] = change["looked_at"]
        await self._feeds.change_source(source.key, self._owner, {"$set": change, "$inc": {"taken": taken}})

    async def _renew(self, key: str) -> None:
        until = self._clock.now() + SOURCE_LEASE
        await self._feeds.change_source(key, self._owner, {"$set": {"lease_until": until}})
