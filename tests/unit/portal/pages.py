"""Pages over services that answer what a test says, without any of them."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import unescape
from typing import Any, cast

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from deploy.local.platform import PROGRAMS
from libs.common.programs.loader import load_programs
from services.portal.backend.client import Backend, Browser, Down, Fetched, Problem, Refused
from services.portal.web.sessions import Session, StaffSession
from services.portal.web.visit import VISIT, Visit

CISCO = load_programs(PROGRAMS)["cisco"]
PROFILE = {"candidate_id": "CSCO1", "given_name": "Ann", "family_name": "Lee", "country": "US"}


class Services:
    """Stands for the services: what they answer, by the last parts of a path, and what they were asked to change."""

    def __init__(self, first: Mapping[str, Any], others: Mapping[str, Any]) -> None:
        self._answers = {**first, **{path: answer for path, answer in others.items() if path not in first}}
        self.asked: list[tuple[str, str, Any]] = []

    def answer(self, path: str, answer: Any) -> None:
        """Answer otherwise from now on."""
        self._answers[path] = answer

    async def read(self, _browser: Browser, _service: str, path: str, into: Any, _query: Any = None) -> Any:
        return self._answer(path, into)

    async def send(
        self, _browser: Browser, method: str, service: str, path: str, into: Any, *, body: Any = None, key: str = ""
    ) -> Any:
        assert key or service == "identity", "what others change, they change once"
        self.asked.append((method, path.rpartition("CSCO1")[2], body))
        return self._answer(path, into)

    async def send_for_cookie(self, browser: Browser, method: str, *where: Any, body: Any) -> tuple[Any, str]:
        return await self.send(browser, method, *where, body=body), "bound=1; Path=/; HttpOnly"

    async def fetch(self, _browser: Browser, _service: str, path: str, _query: Any = None) -> Any:
        return self._answer(path, Fetched)

    def _answer(self, path: str, into: Any) -> Any:
        found = next((answer for end, answer in self._answers.items() if path.endswith(end)), None)
        if isinstance(found, (Refused, Down)):
            raise found
        if found is None:
            raise Refused(Problem(status=404))
        return found if isinstance(found, into) else into.model_validate(found)


@asynccontextmanager
async def browser(
    routes: Iterable[web.RouteDef], services: Services, staff: StaffSession | None = None
) -> AsyncIterator[Any]:
    """A browser in which a candidate of the program `cisco` is signed in, or somebody of staff."""

    @web.middleware
    async def visiting(request: web.Request, handler: Any) -> web.StreamResponse:
        request[VISIT] = Visit(
            backend=cast("Backend", services),
            browser=Browser("", ""),
            path=request.path,
            anchor="",
            form_token="t",
            session=None if staff else Session("", "cisco", "CSCO1", "", datetime(2026, 11, 22, tzinfo=UTC)),
            staff=staff,
            program=CISCO,
        )
        return cast("web.StreamResponse", await handler(request))

    app = web.Application(middlewares=[visiting])
    app.add_routes(routes)
    async with TestClient(TestServer(app)) as client:
        yield client


async def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status == status
    text = unescape(re.sub("<[^>]+>", " ", str(await answer.text())))
    return " ".join(text.replace("\xa0", " ").split())
