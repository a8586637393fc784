"""What the portal asks of services belongs to the request that it answers."""

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from libs.common.tracing import begun_by_request
from services.portal.backend.client import Backend, Browser, Nothing

TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


async def test_a_service_is_asked_in_the_trace_of_the_page() -> None:
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("traceparent"))
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/api/exams/v1/totals", answer)
    async with TestServer(app) as server, ClientSession() as session:
        backend = Backend(session, {"exams": str(server.make_url("")).rstrip("/")}, 5)
        browser = Browser("192.0.2.1", "test")
        with begun_by_request(TRACE):
            await backend.read(browser, "exams", "/totals", Nothing)
        await backend.read(browser, "exams", "/totals", Nothing)
    assert seen == [TRACE, None]
