"""The handlers of mails."""

import asyncio
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from services.portal.backend.shapes import MessagePage, Words
from services.portal.web.chips import Chip
from services.portal.web.look import shown
from services.portal.web.visit import VISIT

_ROWS: Final = "25"
_CHIPS: Final = {
    "sent": Chip("ok", "Sent"),
    "delivered": Chip("ok", "Delivered"),
    "bounced": Chip("bad", "Came back"),
    "complained": Chip("warn", "Reported as unwanted"),
    "refused": Chip("bad", "Came back"),
    "waiting": Chip("wait", "Waiting"),
    "queued": Chip("wait", "Waiting"),
    "sending": Chip("wait", "Waiting"),
}
_UNKNOWN: Final = Chip("off", "Not sent")


class MailPages:
    """The handlers of `/mails`."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/mails", self.list_all), web.get("/mails/{message_id}", self.show_one)]

    async def list_all(self, request: web.Request) -> web.Response:
        visit, after = request[VISIT], request.query.get("after")
        query = {"limit": _ROWS} | ({"cursor": after} if after else {})
        _, page = await asyncio.gather(
            visit.introduce(),
            visit.mine("notify", "/messages", MessagePage, **query),
        )
        values: dict[str, Any] = {
            "mails": [(one, _CHIPS.get(one.state, _UNKNOWN)) for one in page.items],
            "older": page.next,
            "first": after is None,
        }
        return shown(visit, "mails/list.html", "Mails we sent you", **values)

    async def show_one(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        _, mail = await asyncio.gather(
            visit.introduce(),
            self._mail(request),
        )
        return shown(visit, "mails/one.html", mail.subject, mail=mail, state=_CHIPS.get(mail.state, _UNKNOWN))

    async def _mail(self, request: web.Request) -> Words:
        visit = request[VISIT]
        visit.signed_in  # noqa: B018 raises where nobody is signed in
        message_id = quote(request.match_info["message_id"], safe="")
        return await visit.backend.read(visit.browser, "notify", f"/messages/{message_id}", Words)
