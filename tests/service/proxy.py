"""A TCP proxy that stands for the network between a process and a server: it can be cut and mended.

It runs in a thread of its own, because drivers now and then block the event loop of the test.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

_HOST = "127.0.0.1"
_CHUNK = 65_536
_PATIENCE_SECONDS = 10
T = TypeVar("T")


class Proxy:
    """Forwards bytes both ways between whoever connects and one server."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._call(self._listen(0))
        self._port = int(self._server.sockets[0].getsockname()[1])
        self.address = f"{_HOST}:{self._port}"

    def cut(self) -> None:
        """Break every connection without a goodbye, and take no new one until `mend`."""
        self._call(self._cut())

    def mend(self) -> None:
        """Let connections through again."""
        self._server = self._call(self._listen(self._port))

    def stop(self) -> None:
        """End for good."""
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_SECONDS)
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_SECONDS)

    async def _listen(self, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._forward, _HOST, port)

    async def _cut(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _stop(self) -> None:
        await self._cut()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)  # also those that were just being accepted
        await asyncio.sleep(0)  # aborted connections are closed a turn of the loop later

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if not self._server.is_serving():
                return  # it came in just before the cut
            upstream_reader, upstream_writer = await asyncio.open_connection(*self._upstream)
            self._writers.add(upstream_writer)
            try:
                await asyncio.gather(_pump(reader, upstream_writer), _pump(upstream_reader, writer))
            finally:
                self._writers.discard(upstream_writer)
                upstream_writer.transport.abort()
        except OSError:
            return  # the server itself is away: whoever asked sees a broken connection
        finally:
            self._writers.discard(writer)
            writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward one way until it ends; then end the other way too, as a broken connection does."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    finally:
        writer.transport.abort()


@contextmanager
def proxy_to(url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy before the server of `url`, and the same address by way of it."""
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "", parts.port or 0)
    credentials = parts.netloc.rpartition("@")[0]
    # A replica set tells its clients its own address, past the proxy, unless they ask for one server only.
    query = parts.query.replace("replicaSet=rs0", "directConnection=true")
    try:
        yield proxy, urlunsplit(parts._replace(netloc=f"{credentials}@{proxy.address}", query=query))
    finally:
        proxy.stop()
