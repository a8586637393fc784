"""A service's own parked messages, within its reach: a connection for each look, for looks are few and far between."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import aio_pika

from libs.common.bus.connection import LOST, close_quietly, loss_by_its_name
from libs.common.errors import Unavailable
from libs.common.parked.queue import Parked, ParkedQueue, Wanted, open_parked

MOST: Final = 1_000
"""Messages in hand for one look; more are a fault that the command line is for."""
_CONNECT_SECONDS: Final = 3.0
_LOOKS: Final = 2
_PAUSE_SECONDS: Final = 0.2

Act = Callable[[ParkedQueue, Parked], Awaitable[None]]


class ParkedDesk:
    """Reads and settles parked messages. One look at a time: what one has in hand, another would not find.

    Args:
        service: whose they are.
        url: of the broker, with the service's own account, which reads its own parked queue and no other.
    """

    def __init__(self, service: str, url: str) -> None:
        self.service = service
        self._url = url
        self._turn = asyncio.Lock()

    async def read(self, wanted: Wanted) -> list[Parked]:
        """All wanted messages, the earliest last failure first; they stay where they are. Raises `Unavailable`."""
        async with self._queue() as queue:
            found = [parked async for parked in queue.read(wanted, MOST)]
        return sorted(found, key=order)

    async def settle(self, wanted: Wanted, act: Act) -> Parked | None:
        """Do something to the first wanted message; None where there is none.

        Raises:
            Homeless: it is to be replayed and says not where.
            Unavailable: no broker; it stays parked, or was settled all the same.
        """
        for look in range(_LOOKS):  # another process may have it in hand for a moment
            if look:
                await asyncio.sleep(_PAUSE_SECONDS)
            async with self._queue() as queue:
                async for parked in queue.read(wanted, 1):
                    await act(queue, parked)
                    return parked
        return None

    @asynccontextmanager
    async def _queue(self) -> AsyncIterator[ParkedQueue]:
        async with self._turn:
            try:
                with loss_by_its_name():
                    connection = await aio_pika.connect(self._url, timeout=_CONNECT_SECONDS)
                    try:
                        async with open_parked(connection, self.service) as queue:
                            yield queue
                    finally:
                        await close_quietly(connection)
            except LOST as error:
                raise Unavailable(f"{type(error).__name__} while looking at parked messages") from error


def order(parked: Parked) -> tuple[str, str]:
    """The earliest last failure first; before it what the broker parked, which notes none."""
    return parked.last_failure or "", parked.id
