"""The handlers of `/privacy`, `/accessibility` and `/language`; anybody may see them."""

from aiohttp import web

from libs.common.languages import language_of
from services.portal.languages import say
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies, is_ours
from services.portal.web.look import shown
from services.portal.web.visit import VISIT


class Papers:
    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/privacy", self.privacy),
            web.get("/accessibility", self.accessibility),
            web.get("/language", self.speak),
        ]

    async def privacy(self, request: web.Request) -> web.Response:
        await self._introduce(request)
        return shown(request[VISIT], "papers/privacy.html", say("What we keep about you, and why"))

    async def accessibility(self, request: web.Request) -> web.Response:
        await self._introduce(request)
        return shown(request[VISIT], "papers/accessibility.html", say("Everybody can use these pages"))

    async def speak(self, request: web.Request) -> web.Response:
        """Keep a language in the browser, and go back to where it was chosen."""
        back = request.query.get("back", "/")
        answer = redirect(back if is_ours(back) else "/")
        language = language_of(request.query.get("to"))
        if language is not None:
            self._cookies.keep_language(answer, language)
        return answer

    async def _introduce(self, request: web.Request) -> None:
        visit = request[VISIT]
        if visit.session is not None:
            await visit.introduce()
