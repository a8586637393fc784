"""Keeps mail off the event loop: one thread commits all that has arrived since its last commit, at once."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.mailcatcher.storage import Delivery, MailStore

BATCH = 500


class MailWriter:
    """Accepts mails from any number of SMTP sessions; `keep` returns when the mail is committed."""

    def __init__(self, file: Path) -> None:
        self._waiting: asyncio.Queue[tuple[Delivery, asyncio.Future[None]]] = asyncio.Queue()
        # SQLite's object belongs to the thread that made it, so it is made, used and closed on this one.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail-store")
        self._store = self._thread.submit(MailStore, file).result()

    async def keep(self, delivery: Delivery) -> None:
        """Store one mail. Raises `sqlite3.Error` where the file cannot be written."""
        kept = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((delivery, kept))
        await kept

    async def clear(self) -> None:
        """Forget every mail."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._store.clear)

    async def run(self) -> None:
        """Commit mails until cancelled."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._commit(batch)

    def close(self) -> None:
        self._thread.submit(self._store.close).result()
        self._thread.shutdown()

    async def _commit(self, batch: list[tuple[Delivery, "asyncio.Future[None]"]]) -> None:
        loop = asyncio.get_running_loop()
        outcome = await asyncio.gather(
            loop.run_in_executor(self._thread, self._store.add, [delivery for delivery, _ in batch]),
            return_exceptions=True,
        )
        for _, kept in batch:
            if kept.done():
                continue  # its session has gone
            if isinstance(outcome[0], BaseException):
                kept.set_exception(outcome[0])
            else:
                kept.set_result(None)
