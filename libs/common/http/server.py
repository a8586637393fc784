"""Builds a service's HTTP application from its routes, and runs it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from libs.common.http.audit import Trail
from libs.common.http.auth import TokenVerifier
from libs.common.http.dispatch import Endpoint
from libs.common.http.idempotency import LEASE, IdempotencyStore
from libs.common.http.observe import Observer
from libs.common.http.openapi import openapi
from libs.common.http.responses import JSON_HEADERS
from libs.common.http.routes import Route
from libs.common.tracing import Tracing

OPENAPI_PATH = "/openapi.json"
KEEPALIVE_SECONDS = 75.0
"""Longer than a gateway keeps an idle connection, so that it is never we who close one in use."""

LONGEST_LINE_BYTES = 65_536
"""Of a first line. The gateway takes less; what gets here is answered as the document says, not by the parser."""


@dataclass(frozen=True)
class Api:
    """What a service offers over HTTP.

    Attributes:
        service: its name in paths: `/api/<service>/v1`.
        version: of the document; the path changes only with a breaking change.
        closing: what is finished after the last request.
    """

    service: str
    title: str
    description: str
    version: str
    routes: Sequence[Route[Any, Any, Any, Any]]
    closing: Sequence[Callable[[], Awaitable[None]]] = ()

    @property
    def base(self) -> str:
        return f"/api/{self.service}/v1"


@dataclass(frozen=True)
class Limits:
    """What a request may take."""

    body_bytes: int = 1_048_576
    timeout_seconds: float = 10.0


_DEFAULT_LIMITS = Limits()


def build_app(
    api: Api,
    verifier: TokenVerifier,
    *,
    idempotency: IdempotencyStore | None = None,
    limits: Limits = _DEFAULT_LIMITS,
    tracing: Tracing | None = None,
    outages: tuple[type[Exception], ...] = (),
    trail: Trail | None = None,
) -> web.Application:
    """The application of a service.

    Args:
        api: its routes and what the document says about it.
        verifier: checks access tokens.
        idempotency: needed where a route is idempotent.
        limits: per request.
        tracing: where spans go.
        outages: exceptions, beside `Unavailable` and those of the network, that mean 503.
        trail: where the audit log is kept; None keeps none, which is for tests of something else.
    """
    if idempotency is None and any(route.idempotent for route in api.routes):
        raise ValueError(f"{api.service} has idempotent routes and nowhere to keep their answers")
    if limits.timeout_seconds >= LEASE.total_seconds():
        raise ValueError(f"timeout_seconds must be below {LEASE.total_seconds():g}, the lease of a claimed key")
    observer = Observer(tracing or Tracing(), limits.timeout_seconds, outages)
    app = web.Application(middlewares=[observer.handle], client_max_size=limits.body_bytes)
    for route in api.routes:
        endpoint = Endpoint(route, verifier, idempotency, trail)
        for method in ("GET", "HEAD") if route.method == "GET" else (route.method,):
            app.router.add_route(method, api.base + route.path, endpoint.handle)
    app.router.add_get(api.base + OPENAPI_PATH, _serve_document(api))
    app.on_cleanup.extend(_ending(close) for close in api.closing)
    return app


def _ending(close: Callable[[], Awaitable[None]]) -> Callable[[web.Application], Awaitable[None]]:
    async def end(_app: web.Application) -> None:
        await close()

    return end


def _serve_document(api: Api) -> Handler:
    document = orjson.dumps(openapi(api.title, api.description, api.version, api.base, api.routes))

    async def show_openapi(_request: web.Request) -> web.Response:
        headers = {**JSON_HEADERS, "Cache-Control": "public, max-age=300"}
        return web.Response(body=document, headers=headers)

    return show_openapi


@asynccontextmanager
async def serve(
    app: web.Application, host: str, port: int, *, drain_seconds: float = 10.0, leave_seconds: float = 0.0
) -> AsyncIterator[int]:
    """Listen while the block runs, and yield the port (the one given, or a free one for 0).

    At the end everybody is answered as before for `leave_seconds`, so that a gateway can lead requests elsewhere before
    it meets a closed port. Then no connection is taken any more, requests in hand have `drain_seconds` to finish, and
    the application's own clean-up runs.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=KEEPALIVE_SECONDS,
        shutdown_timeout=drain_seconds,
        max_line_size=LONGEST_LINE_BYTES,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield site.port
        await asyncio.sleep(leave_seconds)
    finally:
        await runner.cleanup()
