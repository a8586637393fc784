"""Notify as it is composed, with a mail server, and with what comes back of its mails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from pydantic import SecretStr

from libs.common.clock import FixedClock
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Principal
from libs.common.http.server import build_app, serve
from libs.common.mongo.client import Document
from libs.common.service import Platform
from services.notify.app import SERVICE
from tests.servers import MongoUnderTest
from tests.service.notify_station import ADA, NOON, PROGRAMS, PROGRAMS_DIR, Mailbox, registered
from tests.service.rig import ERASURE_KEY, Base, eventually, kept_answers, open_base, said
from tests.service.surfaces.surface import KEY, Surface, candidate, staff

RETURN_PATH = "bounces@mail.example"


@dataclass
class FeedbackStation:
    """A surface of notify whose mails go to `mailbox`, and whose reports are read from `folder`."""

    surface: Surface
    base: Base
    mailbox: Mailbox
    folder: Path

    async def send(self, *items: Any) -> Document:
        """Take in events that call for one mail, and return that mail once it is settled."""
        self.base.clock.advance(timedelta(seconds=1))
        known = {row["_id"] for row in await self.base.rows("messages")}
        await self.surface.events(*items)
        found = await eventually(lambda: self._settled(known), bool)
        assert found is not None
        return found

    async def settled(self, message_id: str) -> Document:
        """A mail, once it is settled."""
        found = {"_id": message_id, "due_at": {"$exists": False}}
        return (await eventually(lambda: self.base.rows("messages", **found), bool))[0]

    async def _settled(self, known: set[str]) -> Document | None:
        rows = await self.base.rows("messages", due_at={"$exists": False})
        return next((row for row in rows if row["_id"] not in known), None)

    async def ask(
        self, method: str, path: str, *, by: Principal | None = None, data: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Ask the API: as staff, where nobody else is named."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["Authorization"] = f"Bearer {self.surface.token(by or staff())}"
        if data is not None:
            named["Content-Type"] = "message/rfc822"
        async with self.surface.client.request(method, f"/api/notify/v1{path}", data=data, headers=named) as response:
            body = await response.read()
            return response.status, orjson.loads(body) if body else None

    async def report(self, raw: bytes) -> Any:
        """Give in a report, and return what it was taken for."""
        status, answer = await self.ask("POST", "/programs/cisco/mail-reports", data=raw)
        assert status == 200, answer
        return answer["kind"]

    async def log(self, query: str = "") -> list[Any]:
        path = f"/programs/cisco/candidates/{ADA}/messages{query}"
        status, page = await self.ask("GET", path, by=candidate(ADA, self.base))
        assert status == 200, page
        items: list[Any] = page["items"]
        return items

    def told(self, *names: str) -> list[str]:
        """The events of these names that were told, in order, each with its reason where it has one."""
        events = [(event["type"].split(".")[2], event["data"]) for event in said(self.base)]
        return [" ".join(filter(None, (name, data.get("reason")))) for name, data in events if name in names]


@asynccontextmanager
async def open_feedback(mongo: MongoUnderTest, folder: Path) -> AsyncIterator[FeedbackStation]:
    """The station, with a candidate; its mails are sent while it is open."""
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir()
    mailbox, clock = Mailbox(), FixedClock(NOON)
    async with mailbox.open(), open_base("notify", mongo.url("notify"), clock) as base:
        settings = SERVICE.settings(
            mongo_url=SecretStr(mongo.url("notify")),
            amqp_url=SecretStr(""),
            programs_dir=PROGRAMS_DIR,
            erasure_key=ERASURE_KEY,
            smtp_port=mailbox.port,
            return_path=RETURN_PATH,
            mail_reports_dir=folder,
        )
        platform = Platform(base.database, base.unit_of_work, PROGRAMS, clock, base.owner)
        surface = Surface(SERVICE.build(platform, settings), base)
        verifier = TokenVerifier(StaticKeys(KEY), "certrail", clock)
        app = build_app(surface.parts.api, verifier, idempotency=kept_answers(base.database, clock))
        stopping = asyncio.Event()
        async with serve(app, "127.0.0.1", 0) as port, asyncio.TaskGroup() as tasks:
            for loop in surface.parts.background:
                tasks.create_task(loop(stopping))
            try:
                async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as surface.client:
                    await surface.events(registered())
                    yield FeedbackStation(surface, base, mailbox, folder)
            finally:
                stopping.set()
