"""The network between the platform's processes and their servers, by TCP proxies, and what can go wrong with it.

Every connection passes a link. Troubles on links slow its bytes down, hold them up, or break it; a trouble may
concern everybody, or only connections that certain processes have made. Held up is not broken: nobody is told, as when
packets are dropped, and what was held up arrives at the end.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psutil

from deploy.local.settings import LOOPBACK

_CHUNK = 65_536

Pids = Callable[[], Iterable[int]]
"""The processes that a trouble concerns, as they are now: one that was started again has another id."""


@dataclass(eq=False)
class Trouble:
    """What is wrong with some links."""

    links: frozenset[str]
    pids: Pids | None = None
    """Whose connections are concerned; None means everybody's."""
    held_up: bool = False
    broken: bool = False
    """Connections are cut, and new ones are cut at once."""
    only_open: bool = False
    """Concerned are the connections that exist when it begins; new ones are not."""
    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    bytes_per_second: float = 0.0
    """0 means as fast as it goes."""


@dataclass(eq=False)
class _Connection:
    """One connection through a link."""

    link: str
    port: int
    """The port from which it was made: whose that is says whose it is."""
    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    troubles: set[Trouble] = field(default_factory=set)

    def abort(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class Network:
    """Links, the connections that pass them, and the troubles on them."""

    def __init__(self) -> None:
        self._servers: list[asyncio.Server] = []
        self._connections: set[_Connection] = set()
        self._troubles: list[Trouble] = []
        self._changed = asyncio.Event()

    async def link(self, name: str, port: int, upstreams: Sequence[int]) -> None:
        """Listen on `port` and lead each connection to one of the upstreams that takes it, chosen anew each time."""

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._forward(name, upstreams, reader, writer)

        self._servers.append(await asyncio.start_server(forward, LOOPBACK, port))

    async def begin(self, trouble: Trouble) -> int:
        """Let a trouble begin. Returns how many open connections it concerns."""
        self._troubles.append(trouble)
        concerned = await self._concerned(trouble, self._connections)
        for connection in concerned:
            connection.troubles.add(trouble)
            if trouble.broken:
                connection.abort()
        return len(concerned)

    def end(self, trouble: Trouble, *, breaking: bool = False) -> None:
        """Let it end; what was held up goes on, or breaks where `breaking` says so."""
        self._troubles.remove(trouble)
        for connection in list(self._connections):
            if trouble in connection.troubles:
                connection.troubles.discard(trouble)
                if breaking:
                    connection.abort()
        self._changed.set()
        self._changed = asyncio.Event()

    async def close(self) -> None:
        """End every connection and listen no more."""
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.troubles.clear()
            connection.abort()
        self._changed.set()
        while self._connections:  # noqa: ASYNC110 the transports tell nobody when they have gone
            await asyncio.sleep(0.01)

    async def _concerned(self, trouble: Trouble, among: Iterable[_Connection]) -> list[_Connection]:
        on_links = [connection for connection in among if connection.link in trouble.links]
        if trouble.pids is None or not on_links:
            return on_links
        ports = await asyncio.to_thread(_ports_of, tuple(trouble.pids()))
        return [connection for connection in on_links if connection.port in ports]

    async def _forward(
        self, link: str, upstreams: Sequence[int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        onward = await _connect(upstreams)
        if onward is None:
            writer.transport.abort()
            return
        connection = _Connection(link, int(writer.get_extra_info("peername")[1]), (writer, onward[1]))
        self._connections.add(connection)
        try:
            for trouble in [one for one in self._troubles if not one.only_open]:
                connection.troubles |= {trouble} if await self._concerned(trouble, [connection]) else set()
            if any(trouble.broken for trouble in connection.troubles):
                return
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pump(connection, reader, onward[1]))
                ways.create_task(self._pump(connection, onward[0], writer))
        finally:
            self._connections.discard(connection)
            connection.abort()

    async def _pump(self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one way until it ends; then the other way ends too."""
        try:
            while data := await reader.read(_CHUNK):
                if connection.troubles:
                    await self._endure(connection, len(data))
                writer.write(data)
                await writer.drain()
        except OSError:
            return  # broken by one of its ends, or by us
        finally:
            connection.abort()

    async def _endure(self, connection: _Connection, size: int) -> None:
        slow = [trouble for trouble in connection.troubles if not trouble.held_up]
        delays = (trouble.delay_seconds + random.uniform(0, trouble.jitter_seconds) for trouble in slow)
        rates = (size / trouble.bytes_per_second for trouble in slow if trouble.bytes_per_second)
        await asyncio.sleep(sum(delays) + sum(rates))
        while any(trouble.held_up for trouble in connection.troubles):
            await self._changed.wait()


async def _connect(upstreams: Sequence[int]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """A connection to one of the upstreams, or None where none of them takes one."""
    for port in random.sample(upstreams, len(upstreams)):
        try:
            return await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            continue
    return None


def _ports_of(pids: Iterable[int]) -> set[int]:
    """The local ports of processes' connections."""
    ports: set[int] = set()
    for pid in pids:
        try:
            ports |= {int(one.laddr.port) for one in psutil.Process(pid).net_connections("tcp4")}
        except psutil.NoSuchProcess:
            continue  # gone, and its connections with it
    return ports


@asynccontextmanager
async def open_network() -> AsyncIterator[Network]:
    """A network whose links end with the block."""
    network = Network()
    try:
        yield network
    finally:
        await network.close()
