"""The internal port tells the truth about the process, and a stop lets requests finish."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpClient

from libs.common.http.health import Readiness, internal_app
from libs.common.http.server import serve


async def works() -> None:
    await asyncio.sleep(0)


async def is_down() -> None:
    raise ConnectionRefusedError("mongodb://certs:secret@db")


async def hangs() -> None:
    await asyncio.sleep(60)


async def test_a_process_with_all_it_needs_is_ready(aiohttp_client: AiohttpClient) -> None:
    readiness = Readiness()
    readiness.register("mongo", works)
    client = await aiohttp_client(internal_app(readiness))
    response = await client.get("/readyz")
    assert response.status == 200
    assert await response.json() == {"status": "ready", "faults": {}}


async def test_what_is_not_ready_is_named_without_its_secrets(aiohttp_client: AiohttpClient) -> None:
    readiness = Readiness(deadline_seconds=0.05)
    for name, ping in (("mongo", is_down), ("amqp", hangs), ("jwks", works)):
        readiness.register(name, ping)
    client = await aiohttp_client(internal_app(readiness))
    response = await client.get("/readyz")
    assert response.status == 503
    faults = {"mongo": "ConnectionRefusedError", "amqp": "TimeoutError"}
    assert await response.json() == {"status": "not ready", "faults": faults}


async def test_a_process_that_stops_is_alive_and_not_ready(aiohttp_client: AiohttpClient) -> None:
    readiness = Readiness()
    client = await aiohttp_client(internal_app(readiness))
    readiness.leave()
    assert (await client.get("/readyz")).status == 503
    assert (await client.get("/healthz")).status == 200


def test_two_pings_of_one_name_are_refused() -> None:
    readiness = Readiness()
    readiness.register("mongo", works)
    with pytest.raises(ValueError, match="mongo"):
        readiness.register("mongo", works)


async def test_metrics_are_in_the_format_of_prometheus(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(internal_app(Readiness()))
    response = await client.get("/metrics")
    assert response.content_type == "text/plain"
    assert "# TYPE certrail_http_request_seconds histogram" in await response.text()


async def test_a_request_in_hand_is_finished_at_the_stop() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        entered.set()
        await leave.wait()
        return web.Response(text="done")

    app = web.Application()
    app.router.add_get("/", slow)
    async with aiohttp.ClientSession() as session:
        async with serve(app, "127.0.0.1", 0) as port:
            request = asyncio.create_task(session.get(f"http://127.0.0.1:{port}/"))
            await entered.wait()
            asyncio.get_running_loop().call_later(0.05, leave.set)
        assert await (await request).text() == "done"
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://127.0.0.1:{port}/")
