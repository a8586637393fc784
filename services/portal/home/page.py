"""The handler of the first page. What it needs is asked side by side; what does not answer costs its part."""

import asyncio
from datetime import date
from typing import Any

from aiohttp import web

from services.portal.backend.client import Down
from services.portal.backend.shapes import (
    Certifications,
    ExpectedList,
    History,
    OfferPage,
    Renewals,
)
from services.portal.certifications.board import board_of
from services.portal.certifications.words import happened_to
from services.portal.home.answer import heading_of, tasks_of
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, part

_ACTIVITY = 5


class Home:
    """The handler of `/`."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        _, held, history, expected, renewals, offers = await asyncio.gather(
            visit.introduce(),
            part(visit.mine("certs", "/certifications", Certifications)),
            part(visit.mine("certs", "/history", History)),
            part(visit.mine("exams", "/expected-results", ExpectedList)),
            part(visit.mine("certs", "/renewals", Renewals)),
            part(visit.mine("fulfillment", "/offers", OfferPage)),
        )
        if held is None and expected is None:
            raise Down("certs")
        certifications = held.certifications if held else []
        today = held.as_of if held else date.today()  # noqa: DTZ011 only for how far days are away
        tasks = tasks_of(
            certifications,
            today,
            expected=expected.items if expected else (),
            renewals=renewals.renewals if renewals else (),
            offers=offers.items if offers else (),
        )
        heading = heading_of(certifications, today) if held else None
        titles = {one.certification: one.title for one in certifications}
        values: dict[str, Any] = {
            "tasks": tasks,
            "primary": next((task for task in tasks if task.by), None),
            "missing": [name for name, answer in (("Certifications", held), ("Exams", expected)) if answer is None],
            "activity": [(line, happened_to(line, titles)) for line in history.lines[:_ACTIVITY]] if history else None,
            "board": board_of(certifications, history.lines if history else (), today) if held else None,
            "as_table": request.query.get("view") == "table",
            "today": today,
            "lead": heading.lead if heading else None,
        }
        return shown(visit, "home/home.html", heading.text if heading else "Welcome", **values)
