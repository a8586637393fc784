"""Alive, ready, and the figures: the internal port of every role, not reachable through the gateway."""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Ping = Callable[[], Awaitable[object]]

DEADLINE_SECONDS = 2.0
"""Time for each ping; they run side by side, so a probe takes no longer than one of them."""


class Readiness:
    """Whether this process can work: everything that it needs answers, and it is not on its way out."""

    def __init__(self, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._pings: dict[str, Ping] = {}
        self._deadline = deadline_seconds
        self._leaving = False

    def register(self, name: str, ping: Ping) -> None:
        """Ask `ping` at each probe; it raises when what it stands for cannot be used."""
        if name in self._pings:
            raise ValueError(f"a ping is already registered as {name}")
        self._pings[name] = ping

    def leave(self) -> None:
        """Not ready from now on: the first step of a clean stop."""
        self._leaving = True

    async def faults(self) -> dict[str, str]:
        """What is not ready, with the kind of its fault; empty when all is."""
        if self._leaving:
            return {"process": "stopping"}
        answers = await asyncio.gather(*(self._fault(ping) for ping in self._pings.values()))
        return {name: fault for name, fault in zip(self._pings, answers, strict=True) if fault is not None}

    async def _fault(self, ping: Ping) -> str | None:
        try:
            async with asyncio.timeout(self._deadline):
                await ping()
        except Exception as error:  # noqa: BLE001 any failure of a dependency is the answer, not an accident
            return type(error).__name__
        return None


def internal_app(readiness: Readiness) -> web.Application:
    """The application of the internal port."""

    async def healthz(_request: web.Request) -> web.Response:
        return _json({"status": "alive"}, 200)

    async def readyz(_request: web.Request) -> web.Response:
        faults = await readiness.faults()
        status = "ready" if not faults else "not ready"
        return _json({"status": status, "faults": faults}, 200 if not faults else 503)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


def _json(body: object, status: int) -> web.Response:
    return web.Response(
        body=orjson.dumps(body),
        status=status,
        headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
    )
