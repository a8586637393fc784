"""Lets a background loop look at once when something of this process has made work for it."""

import asyncio


class Wake:
    """A bell for one loop."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def ring(self) -> None:
        self._news.set()

    async def wait(self, stopping: asyncio.Event, seconds: float) -> None:
        """Until it rings, `stopping` is set, or so long."""
        waiting = [asyncio.ensure_future(one.wait()) for one in (self._news, stopping)]
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
        self._news.clear()
