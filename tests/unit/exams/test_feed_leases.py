"""Leases of vendors' files are kept while a file is in hand, through a fault of the database, and no longer."""

import asyncio
from datetime import timedelta

from pymongo.errors import AutoReconnect

from services.exams.feeds.leases import keeping

OFTEN = timedelta(microseconds=1)


async def test_a_lease_is_renewed_until_the_work_is_done_and_outlives_a_fault() -> None:
    calls, renewed_again = 0, asyncio.Event()

    async def renew() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise AutoReconnect
        if calls == 3:
            renewed_again.set()

    async with asyncio.timeout(30), keeping(OFTEN, renew):
        await renewed_again.wait()
    before = calls
    for _ in range(10):
        await asyncio.sleep(0.001)
    assert calls == before, "what is done holds nothing"
