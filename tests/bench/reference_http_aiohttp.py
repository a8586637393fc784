"""HTTP reference (d): a bare aiohttp handler on uvloop: a cached token check, one `find_one`, a pydantic dump."""

import asyncio

import uvloop
from aiohttp import web

from tests.bench.http_case import (
    HttpReference,
    HttpReferenceSettings,
    RefusedError,
    TokenCheck,
    open_database,
    read_certifications,
)


class BareAiohttp(HttpReference):
    name = "aiohttp bare"
    module = "tests.bench.reference_http_aiohttp"


def build_app(settings: HttpReferenceSettings) -> web.Application:
    check = TokenCheck(settings.jwk)
    database = open_database(settings)

    async def certifications(request: web.Request) -> web.Response:
        try:
            candidate = check.subject(request.headers.get("Authorization"))
        except RefusedError:
            return web.Response(status=401)
        found = await read_certifications(database, candidate)
        if found is None:
            return web.Response(status=404)
        return web.Response(body=found.model_dump_json().encode(), content_type="application/json")

    app = web.Application()
    app.router.add_get("/certifications", certifications)
    return app


async def serve(settings: HttpReferenceSettings) -> None:
    runner = web.AppRunner(build_app(settings), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", settings.api_port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(HttpReferenceSettings()))
