"""Notify as it is composed, with people and systems that manage hooks, and receivers that do as they are told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from standardwebhooks import Webhook

from libs.common.bus import topology
from libs.common.bus.messages import Delivery, Undecodable
from libs.common.events import EventData
from libs.common.mongo.client import Document
from libs.common.programs import Program
from libs.common.service import Parts, Platform, Subscription
from services.notify.app import SERVICE as NOTIFY
from tests.service.rig import ERASURE_KEY, Base, eventually
from tests.service.samples import outgoing
from tests.service.surfaces.surface import PROGRAM, Surface, staff

Answer = int | Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Got:
    """A message as it arrived."""

    body: bytes
    headers: dict[str, str]

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found

    def read(self, secret: str) -> Any:
        """As the library of Standard Webhooks reads it; raises where the signature is not right."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """A subscriber's server.

    Attributes:
        answers: what it says to the next messages, each a status or something that makes an answer; then 204.
        under_way: messages that it has in hand, and how many it ever had at once.
    """

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    always: Answer = 204
    under_way: int = 0
    most: int = 0

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.got.append(Got(await request.read(), headers))
            answer = self.answers.pop(0) if self.answers else self.always
            return web.Response(status=answer) if isinstance(answer, int) else await answer(request)
        finally:
            self.under_way -= 1

    async def until(self, count: int) -> list[Got]:
        async def look() -> list[Got]:
            return self.got

        return await eventually(look, lambda got: len(got) >= count)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.add_routes([web.post("/{tail:.*}", found.take), web.get("/{tail:.*}", found.take)])
    async with TestServer(app) as server:
        found.url = f"http://127.0.0.1:{server.port}/hook"
        yield found


class HookStation:
    """One process of notify, on the database of a test."""

    def __init__(self, base: Base, programs: Mapping[str, Program], *, owner: str = "first", **settings: Any) -> None:
        self.base = base
        self._programs, self._settings = programs, settings
        given: dict[str, Any] = {
            "erasure_key": ERASURE_KEY,
            "hooks_secret": SecretStr("h" * 32),
            "hooks_private_networks": "127.0.0.0/8",
            **settings,
        }
        platform = Platform(base.database, base.unit_of_work, programs, base.clock, owner)
        self.parts: Parts = NOTIFY.build(platform, NOTIFY.settings.model_construct(**given))
        self.surface = Surface(self.parts, base)
        *_, self.send = self.parts.background

    def another(self, owner: str = "second", **settings: Any) -> "HookStation":
        """Another process of the service."""
        return HookStation(self.base, self._programs, owner=owner, **self._settings | settings)

    async def ask(self, method: str, path: str, expect: int = 200, by: Any = None, **content: Any) -> Any:
        """Ask the API below the program's hooks."""
        base = f"{self.parts.api.base}/programs/{PROGRAM}/hooks"
        kind = "application/json" if "json" in content else None
        status, body = await self.surface.send(method, base + path, by or staff(), media_type=kind, **content)
        assert status == expect, (status, body)
        return orjson.loads(body) if body else None

    async def hook(self, url: str, *events: type[EventData], personal: bool = False) -> dict[str, Any]:
        """A new hook, with its secret."""
        keys = [event.event_key for event in events]
        body = {"url": url, "events": keys, "description": "Their CRM", "personal_data": personal}
        made: dict[str, Any] = await self.ask("POST", "", 201, json=body)
        return made

    async def happens(self, *data: EventData, program: str = PROGRAM, times: int = 1) -> None:
        """Services say something, so many times."""
        for service in dict.fromkeys(each.publisher for each in data):
            for message in outgoing(service, [each for each in data if each.publisher == service], program=program):
                delivery = Delivery(
                    message.body, topology.EVENTS, message.routing_key, message.content_type, message.type,
                    message.id, None, message.headers,
                )  # fmt: skip
                for _ in range(times):
                    await self.take(delivery)

    async def take(self, delivery: Delivery) -> None:
        items = self.subscription.decode(delivery)
        assert not [item for item in items if isinstance(item, Undecodable)]
        if items:
            await self.base.handle(self.subscription.work, *items)

    @property
    def subscription(self) -> Subscription:
        """What it does with all that happens."""
        return next(each for each in self.parts.subscriptions if each.queue == topology.HOOKS)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.send(stopping))
            try:
                yield
            finally:
                stopping.set()

    async def rows(self, **query: Any) -> list[Document]:
        return await self.base.rows("hook_deliveries", **query)

    async def settled(self, state: str, count: int = 1) -> list[Document]:
        """Wait until so many messages are in a state."""
        return await eventually(lambda: self.rows(state=state), lambda rows: len(rows) >= count)
