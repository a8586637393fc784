"""Keeps requests below a rate by spreading them evenly."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic


class Pace:
    """Lets one request pass at a time.

    Args:
        a_minute: requests at most.
        timer: seconds, from wherever.
        sleep: waits so many of them.
    """

    def __init__(
        self,
        a_minute: int,
        *,
        timer: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.a_minute = a_minute
        self._timer = timer
        self._sleep = sleep
        self._next = timer()

    async def turn(self) -> None:
        """Wait until the next request may be sent."""
        now = self._timer()
        at = max(self._next, now)
        self._next = at + 60 / self.a_minute
        if at > now:
            await self._sleep(at - now)
