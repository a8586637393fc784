"""The handler of exams."""

import asyncio
from typing import Any

from aiohttp import web

from services.portal.backend.shapes import AttemptPage, ExpectedList
from services.portal.exams.words import chip_of
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, part

_ROWS = "25"


class ExamPages:
    """The handler of `/exams`."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/exams", self.list_all)]

    async def list_all(self, request: web.Request) -> web.Response:
        visit, after = request[VISIT], request.query.get("after")
        query = {"limit": _ROWS} | ({"cursor": after} if after else {})
        _, expected, page = await asyncio.gather(
            visit.introduce(),
            part(visit.mine("exams", "/expected-results", ExpectedList)),
            visit.mine("exams", "/history", AttemptPage, **query),
        )
        values: dict[str, Any] = {
            "expected": expected.items if expected else None,
            "attempts": [(one, chip_of(one)) for one in page.items],
            "older": page.next,
            "first": after is None,
        }
        return shown(visit, "exams/list.html", "Exams", **values)
