"""Who is there, what their roles allow, and the way to their other programs."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from libs.common.programs import Program
from services.portal.languages import mark, say
from services.portal.staff.shell import ROLES, on_desk, side_of
from services.portal.web.visit import VISIT

_ALLOWS: Final = {
    "support": mark("See candidates, their exams, certifications, kits and mails. Change nothing."),
    "reviewer": mark("See the same. Decide cases, claims and challenges, assign results, merge accounts, send kits."),
    "manager": mark(
        "Do what a reviewer does. Grant and revoke certifications, publish, and say who works for the program."
    ),
    "auditor": mark("See the same as support, and who saw and changed what. Change nothing."),
}


class StaffAccountPage:
    """The handler of `/staff/account`."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self._programs = programs

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/staff/account", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        staff, side = visit.at_desk, await side_of(visit)
        allowed = [(say(ROLES[role]), say(_ALLOWS[role])) for role in staff.roles if role in ROLES]
        others = [self._programs[name] for name in staff.programs if name != staff.program and name in self._programs]
        return on_desk(visit, "staff/home/account.html", staff.name, side, allowed=allowed, others=others)
