"""The handlers of the certification agreement: read it, and accept it."""

import asyncio

from aiohttp import web

from services.portal.backend.client import Refused
from services.portal.certifications.shapes import Agreement
from services.portal.languages import say
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, change_key, read, typed
from services.portal.web.look import shown
from services.portal.web.visit import VISIT

_HERE = "/certifications/agreement"


class Chosen(Answers):
    version: str


class AgreementPages:
    """The handlers of `/certifications/agreement`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(_HERE, self.show),
            web.get(f"{_HERE}/accept", self.confirm),
            web.post(f"{_HERE}/accept", self.accept),
        ]

    async def show(self, request: web.Request) -> web.Response:
        return await self._shown(request, "certifications/agreement.html")

    async def confirm(self, request: web.Request) -> web.Response:
        return await self._shown(request, "certifications/accept.html")

    async def accept(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        version = read(Chosen, await typed(request), {}).version
        try:
            await visit.change(
                "POST",
                "certs",
                "/agreement/acceptance",
                Agreement,
                key=await change_key(request),
                body={"version": version},
            )
        except Refused as refusal:
            if refusal.problem.status != 409:  # noqa: PLR2004 another text is in force by now
                raise
            answer = redirect(_HERE)
            self._cookies.tell(answer, say("The text has changed since you opened it. Read it again."))
            return answer
        answer = redirect("/certifications")
        self._cookies.tell(answer, say("You accepted the agreement. What you earned becomes active in a few seconds."))
        return answer

    async def _shown(self, request: web.Request, template: str) -> web.Response:
        visit = request[VISIT]
        _, agreement = await asyncio.gather(visit.introduce(), visit.mine("certs", "/agreement", Agreement))
        return shown(visit, template, agreement.title, agreement=agreement)
