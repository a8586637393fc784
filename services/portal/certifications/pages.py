"""The handlers of certifications."""

import asyncio
from typing import Any

from aiohttp import web

from services.portal.backend.shapes import Certifications, History, Renewals
from services.portal.certifications.board import board_of
from services.portal.certifications.words import happened
from services.portal.home.answer import chip_of, heading_of, in_days
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, part

_HISTORY = 6


class CertificationPages:
    """The handlers of `/certifications`."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/certifications", self.list_all),
            web.get("/certifications/{certification}", self.show_one),
        ]

    async def list_all(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        _, held, history = await asyncio.gather(
            visit.introduce(),
            visit.mine("certs", "/certifications", Certifications),
            part(visit.mine("certs", "/history", History)),
        )
        values: dict[str, Any] = {
            "board": board_of(held.certifications, history.lines if history else (), held.as_of),
            "answer": heading_of(held.certifications, held.as_of),
            "as_table": request.query.get("view") == "table",
        }
        return shown(visit, "certifications/list.html", "Certifications", **values)

    async def show_one(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["certification"]
        program = visit.theirs
        _, held, history, renewals = await asyncio.gather(
            visit.introduce(),
            visit.mine("certs", "/certifications", Certifications),
            part(visit.mine("certs", "/history", History)),
            part(visit.mine("certs", "/renewals", Renewals)),
        )
        one = next((each for each in held.certifications if each.certification == name), None)
        if one is None:
            raise web.HTTPNotFound
        lines = [line for line in history.lines if line.certification == name] if history else None
        renewal = next((each for each in renewals.renewals if each.certification == name), None) if renewals else None
        left = in_days(one.expires_on, held.as_of) if one.expires_on and one.expires_on >= held.as_of else ""
        values: dict[str, Any] = {
            "one": one,
            "state": chip_of(one, held.as_of),
            "left": left,
            "board": board_of([one], lines or (), held.as_of),
            "lines": [(line, happened(line)) for line in lines[:_HISTORY]] if lines is not None else None,
            "renewal": renewal,
            "renewals_down": renewals is None,
            "clauses": {reason.clause: program.clause(reason.clause).wording for reason in one.because},
            "as_table": request.query.get("view") == "table",
        }
        return shown(visit, "certifications/one.html", one.title, **values)
