"""The handlers of mails."""

import asyncio
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from services.portal.backend.shapes import MessagePage, Words
from services.portal.languages import say
from services.portal.mails.words import Address, mail_number, state_of, trouble_of
from services.portal.web.answers import redirect
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, Visit, part

_ROWS: Final = "25"


class MailPages:
    """The handlers of `/mails`."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/mails", self.list_all), web.get("/mails/{message_id}", self.show_one)]

    async def list_all(self, request: web.Request) -> web.Response:
        """All of them; with `number` in the address, the one with that number."""
        visit, after, asked = request[VISIT], request.query.get("after"), request.query.get("number", "").strip()
        if asked:
            return await self._search(visit, asked)
        query = {"limit": _ROWS} | ({"cursor": after} if after else {})
        _, page, address = await asyncio.gather(
            visit.introduce(),
            visit.mine("notify", "/messages", MessagePage, **query),
            part(visit.mine("notify", "/suppression", Address)),
        )
        values: dict[str, Any] = {
            "mails": [(one, state_of(one.state)) for one in page.items],
            "older": page.next,
            "first": after is None,
            "trouble": trouble_of(address),
        }
        return shown(visit, "mails/list.html", say("Mails we sent you"), **values)

    async def show_one(self, request: web.Request) -> web.Response:
        """One with its words; an address may hold its number instead of its id."""
        visit = request[VISIT]
        visit.signed_in  # noqa: B018 raises where nobody is signed in
        if mail_number(request.match_info["message_id"]) is not None:
            return await self._search(visit, request.match_info["message_id"])
        message_id = quote(request.match_info["message_id"], safe="")
        _, mail = await asyncio.gather(
            visit.introduce(),
            visit.backend.read(visit.browser, "notify", f"/messages/{message_id}", Words),
        )
        return shown(visit, "mails/one.html", mail.subject, mail=mail, state=state_of(mail.state))

    async def _search(self, visit: Visit, asked: str) -> web.Response:
        number = mail_number(asked)
        found = await visit.mine("notify", "/messages", MessagePage, number=number) if number else None
        if found is not None and found.items:
            return redirect(f"/mails/{found.items[0].message_id}")
        await visit.introduce()
        heading = say("We didn't send a mail with this number to you")
        return shown(visit, "mails/unknown.html", heading, status=404, number=asked, readable=number is not None)
