"""Exams as it is composed, asked by its API, with a clock moved by hand."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from pydantic import SecretStr

from libs.common.http.principal import Principal
from libs.common.programs import Program
from libs.common.service import Platform
from services.exams.app import SERVICE
from tests.service.rig import ERASURE_KEY, Base, said
from tests.service.surfaces.surface import Surface, candidate, staff


class ExamsStation:
    """The service's handlers, jobs and API."""

    def __init__(self, base: Base, surface: Surface) -> None:
        self.base = base
        self.surface = surface

    async def vendors(self, *items: Any) -> None:
        """Take in what vendors say, as one batch."""
        await self.surface.vendors(*items)

    async def events(self, *items: Any) -> None:
        """Take in what services say, as one batch."""
        await self.surface.events(*items)

    async def run(self, job: str) -> None:
        await self.surface.run(job)

    async def wait(self, **time: float) -> None:
        """Let time pass, with the results watch looking every twelve hours and at the end."""
        end = self.base.clock.now() + timedelta(**time)
        while self.base.clock.now() + timedelta(hours=12) < end:
            self.base.clock.advance(timedelta(hours=12))
            await self.run("results-watch")
        self.base.clock.advance(end - self.base.clock.now())
        await self.run("results-watch")

    async def candidate(self, who: str, path: str, **query: str) -> Any:
        """What a candidate reads below their own path."""
        principal = candidate(who, self.base)
        return await self._ask("GET", f"/programs/cisco/candidates/{who}/{path}", principal, params=query)

    async def staff(self, method: str, path: str, *, by: str = "staff:ada", program: str = "cisco", **more: Any) -> Any:
        """What staff read (`params`) or do (`json`) below their program."""
        who = replace(staff(program), subject=by)
        return await self._ask(method, f"/programs/{program}/{path}", who, **more)

    async def _ask(self, method: str, path: str, who: Principal, **more: Any) -> Any:
        media_type = "application/json" if "json" in more else None
        status, body = await self.surface.send(method, f"/api/exams/v1{path}", who, media_type=media_type, **more)
        return status, orjson.loads(body)

    def said(self, *models: Any) -> list[dict[str, Any]]:
        types = {model.event_type for model in models}
        return [event for event in said(self.base) if event["type"] in types]


@asynccontextmanager
async def exams_station(base: Base, programs: Mapping[str, Program], folder: Path) -> AsyncIterator[ExamsStation]:
    settings = SERVICE.settings(
        mongo_url=SecretStr(""), amqp_url=SecretStr(""), programs_dir=folder, erasure_key=ERASURE_KEY
    )
    platform = Platform(base.database, base.unit_of_work, programs, base.clock, base.owner)
    async with Surface(SERVICE.build(platform, settings), base).serving() as surface:
        yield ExamsStation(base, surface)
