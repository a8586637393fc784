"""The queue of addresses that get no mail: seen, and lifted."""

import asyncio
from typing import Any

from aiohttp import web

from services.portal.backend.client import Nothing, Refused
from services.portal.languages import say
from services.portal.staff.acts import Asked, confirm, done
from services.portal.staff.kit import Column, Number, with_query
from services.portal.staff.listing import Listing, filters_of, listed, page_of, path_of
from services.portal.staff.mail_troubles import words
from services.portal.staff.mail_troubles.shapes import AddressState, Suppression, SuppressionPage
from services.portal.staff.queues import MAIL_TROUBLES
from services.portal.staff.shell import side_of
from services.portal.web.cookies import Cookies
from services.portal.web.forms import change_key
from services.portal.web.visit import VISIT, Visit


class MailTroubleQueue:
    """Handlers of `/staff/mail-troubles`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(MAIL_TROUBLES.address, self.listing),
            web.post(f"{MAIL_TROUBLES.address}/{{candidate_id}}/lifting", self.lift),
        ]

    async def listing(self, request: web.Request) -> web.Response:
        visit, item = request[VISIT], request.query.get("item")
        side, page, opened = await asyncio.gather(
            side_of(visit),
            visit.mine("notify", "/suppressions", SuppressionPage, **page_of(request)),
            _opened(visit, item),
        )
        shown: dict[str, Any] | None = None
        if opened is not None:
            shown = {
                "label": opened.address,
                "one": opened,
                "chip": words.chip_of(opened),
                "why": words.why(opened),
                "facts": words.facts_of(opened),
                "may_lift": visit.at_desk.may("messages:manage"),
            }
        waiting = f"{len(page.items)}+" if page.next else len(page.items)
        listing = Listing(
            MAIL_TROUBLES,
            say("Addresses without mail, the latest first"),
            [
                Column(say("Address")),
                Column(say("Candidate")),
                Column(say("Reason")),
                Column(say("Since"), sorted="descending"),
            ],
            [words.row_of(one) for one in page.items],
            [Number(waiting, say("addresses get nothing"))],
            filters_of(request),
            older=page.next,
            first="after" not in request.query,
        )
        open_item = opened.candidate_id if opened else None
        return listed(visit, "staff/mail_troubles/list.html", side, listing, open_item=open_item, item=shown)

    async def lift(self, request: web.Request) -> web.Response:
        """Show what follows, then send to the address again."""
        visit, form, candidate_id = request[VISIT], await request.post(), request.match_info["candidate_id"]
        path = _path(candidate_id)
        if form.get("sure"):
            try:
                await visit.change("DELETE", "notify", path, Nothing, key=await change_key(request))
            except Refused as refusal:
                if refusal.code != "not-found":
                    raise
                # It was lifted meanwhile, by a colleague or by a new address: what was asked for is so.
            return done(self._cookies, MAIL_TROUBLES, None, say("mails are sent there again"))
        side, one = await asyncio.gather(side_of(visit), _opened(visit, candidate_id))
        if one is None:
            raise web.HTTPNotFound
        asked = Asked(
            action=f"{MAIL_TROUBLES.address}{path_of(candidate_id)}/lifting",
            button=say("Send to this address again"),
            follows=words.follows(one),
            back=with_query(MAIL_TROUBLES.address, {}, item=candidate_id),
        )
        return confirm(visit, say("Send to {address} again?", address=one.address), side, asked)


async def _opened(visit: Visit, candidate_id: str | None) -> Suppression | None:
    """What stands against a candidate's address; None where nothing does any more."""
    if not candidate_id:
        return None
    return (await visit.mine("notify", _path(candidate_id), AddressState)).suppression


def _path(candidate_id: str) -> str:
    return f"/candidates{path_of(candidate_id)}/suppression"
