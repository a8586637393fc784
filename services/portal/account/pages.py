"""The page that the account in the head leads to."""

from aiohttp import web

from services.portal.languages import say
from services.portal.web.look import shown
from services.portal.web.visit import VISIT


class AccountPages:
    """The handler of `/account`."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/account", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        visit.signed_in  # noqa: B018 raises where nobody is signed in
        await visit.introduce()
        return shown(visit, "account/account.html", say("Your account"))
