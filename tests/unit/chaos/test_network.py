"""The network of the chaos suite does to connections what a trouble says, and only to those whom it concerns."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.local.ports import free_ports
from deploy.local.settings import LOOPBACK
from tests.chaos.suite.network import Network, Trouble, open_network

LINK = frozenset({"echo"})
MOMENT = 0.05
PATIENCE = 10.0


class Caller:
    """Somebody who is connected through the link, and is answered with what it says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, word: bytes) -> None:
        self._writer.write(word)
        await self._writer.drain()

    async def hear(self, word: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self._reader.readexactly(len(word))

    async def hears_nothing(self) -> bool:
        """Whether no answer comes within a moment in which it would have come many times."""
        try:
            async with asyncio.timeout(MOMENT):
                await self._reader.readexactly(1)
        except TimeoutError:
            return True
        return False

    async def is_cut(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            try:
                return await self._reader.read(1) == b""
            except ConnectionError:
                return True

    def leave(self) -> None:
        self._writer.transport.abort()


_callers: list[Caller] = []
"""Who is still connected."""


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1_024):
            writer.write(data)
    except ConnectionError:
        return
    finally:
        writer.transport.abort()


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[Network, int]]:
    """A server that answers with what it hears, behind a link; the port is the link's."""
    behind, before, away = free_ports(3)
    server = await asyncio.start_server(answer, LOOPBACK, behind)
    async with open_network() as network:
        await network.link("echo", before, [behind, away])
        try:
            yield network, before
        finally:
            while _callers:
                _callers.pop().leave()
            server.close()


async def call(port: int) -> Caller:
    caller = Caller(*await asyncio.open_connection(LOOPBACK, port))
    _callers.append(caller)
    return caller


async def test_bytes_pass_and_a_server_that_is_away_is_left_out() -> None:
    async with echo() as (_, port):
        for _ in range(8):  # one of the two upstreams takes no connections
            caller = await call(port)
            await caller.say(b"hello")
            assert await caller.hear(b"hello") == b"hello"
            caller.leave()


async def test_what_is_held_up_arrives_at_the_end() -> None:
    async with echo() as (network, port):
        caller = await call(port)
        await caller.say(b"before")
        assert await caller.hear(b"before") == b"before"
        trouble = Trouble(LINK, held_up=True)
        assert await network.begin(trouble) == 1
        await caller.say(b"during")
        assert await caller.hears_nothing()
        network.end(trouble)
        assert await caller.hear(b"during") == b"during"


async def test_new_connections_are_held_up_too_unless_only_the_open_ones_are() -> None:
    async with echo() as (network, port):
        trouble = Trouble(LINK, held_up=True)
        await network.begin(trouble)
        held = await call(port)
        await held.say(b"x")
        assert await held.hears_nothing()
        network.end(trouble)
        assert await held.hear(b"x") == b"x"
        half_open = Trouble(LINK, held_up=True, only_open=True)
        assert await network.begin(half_open) == 1
        fresh = await call(port)
        await fresh.say(b"y")
        assert await fresh.hear(b"y") == b"y"
        await held.say(b"z")
        assert await held.hears_nothing()
        network.end(half_open, breaking=True)
        assert await held.is_cut()


async def test_a_broken_link_cuts_everybody_until_its_end() -> None:
    async with echo() as (network, port):
        caller = await call(port)
        await caller.say(b"x")
        assert await caller.hear(b"x") == b"x"
        trouble = Trouble(LINK, broken=True)
        await network.begin(trouble)
        assert await caller.is_cut()
        assert await (await call(port)).is_cut()
        network.end(trouble)
        again = await call(port)
        await again.say(b"y")
        assert await again.hear(b"y") == b"y"


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "anothers"])
async def test_a_trouble_concerns_the_processes_that_it_names(ours: bool) -> None:
    async with echo() as (network, port):
        caller = await call(port)
        await caller.say(b"x")
        assert await caller.hear(b"x") == b"x"
        other = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
        concerned = os.getpid() if ours else other.pid
        trouble = Trouble(LINK, lambda: [concerned], held_up=True)
        assert await network.begin(trouble) == ours
        await caller.say(b"y")
        assert await caller.hears_nothing() == ours
        other.kill()
        await other.wait()
