"""A server that leaves goes on answering until its gateways have noticed, and then listens no more."""

import asyncio

import aiohttp
import pytest
from aiohttp import web

from deploy.local.ports import free_ports
from deploy.local.settings import LOOPBACK
from libs.common.http.server import serve

FOR_EVER = 86_400.0


async def hello(_request: web.Request) -> web.Response:
    return web.Response(text="hello")


class Leaving:
    """A server that is told to leave."""

    def __init__(self, leave_seconds: float) -> None:
        (port,) = free_ports(1)
        self.url = f"http://{LOOPBACK}:{port}/"
        self._told = asyncio.Event()
        self.listening = asyncio.Event()
        self.task = asyncio.create_task(self._serve(port, leave_seconds))

    async def _serve(self, port: int, leave_seconds: float) -> None:
        app = web.Application()
        app.router.add_get("/", hello)
        async with serve(app, LOOPBACK, port, leave_seconds=leave_seconds):
            self.listening.set()
            await self._told.wait()

    def tell(self) -> None:
        self._told.set()


async def asked(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text()


async def test_a_server_that_leaves_goes_on_answering() -> None:
    server = Leaving(FOR_EVER)
    await server.listening.wait()
    server.tell()
    for _ in range(3):  # each takes many turns of the loop, far more than closing a port does
        assert await asked(server.url) == "hello"
    assert not server.task.done()
    server.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await server.task
    with pytest.raises(aiohttp.ClientConnectorError):
        await asked(server.url)


async def test_a_server_that_need_not_wait_is_gone_at_once() -> None:
    server = Leaving(0)
    await server.listening.wait()
    server.tell()
    await server.task
    with pytest.raises(aiohttp.ClientConnectorError):
        await asked(server.url)
