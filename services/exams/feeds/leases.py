"""Keeps a lease while long work runs: fetching and examining a large file takes longer than a lease."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog

from libs.common.mongo.faults import database_faults

log = structlog.get_logger(__name__)


@asynccontextmanager
async def keeping(every: timedelta, renew: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Renew a lease while the block runs. A database that is away ends nothing: the lease lapses by itself.

    `every` is some times shorter than the lease.
    """
    beating = asyncio.create_task(_beat(every, renew))
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


async def _beat(every: timedelta, renew: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(every.total_seconds())
        async with database_faults(log):
            await renew()
