"""Handlers of the page of the badge provider."""

import asyncio
from typing import Any, Final

from aiohttp import web

from services.portal.backend.client import Nothing, Refused
from services.portal.languages import say
from services.portal.staff.acts import Asked, confirm, done
from services.portal.staff.badges import words
from services.portal.staff.badges.shapes import Provider, Strays, Trouble, Troubles
from services.portal.staff.kit import Column, with_query
from services.portal.staff.listing import Listing, filters_of, listed, page_of, path_of
from services.portal.staff.queues import BADGES
from services.portal.staff.shell import side_of
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import change_key, typed
from services.portal.web.visit import VISIT, Visit, part

_STRAYS: Final = "50"


class BadgeQueue:
    """Handlers of `/staff/badge-provider`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(BADGES.address, self.show),
            web.post(f"{BADGES.address}/{{trouble_id}}/retry", self.retry),
        ]

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request, request.query.get("item"))

    async def retry(self, request: web.Request) -> web.Response:
        """Say what it will do, then try it again."""
        visit, given, trouble_id = request[VISIT], await typed(request), request.match_info["trouble_id"]
        if "sure" in given:
            path, key = f"/badge-provider/troubles{path_of(trouble_id)}/retry", await change_key(request)
            try:
                await visit.change("POST", "certs", path, Nothing, key=key)
            except Refused as refusal:
                if refusal.code != "conflict":
                    raise
                answer = redirect(BADGES.address)
                self._cookies.tell(answer, say("It is being tried already, or nothing is wrong with it any more."))
                return answer
            return done(self._cookies, BADGES, None, say("it is tried again within a minute"))
        side, one = await asyncio.gather(side_of(visit), _one(visit, trouble_id))
        asked = Asked(
            action=f"{BADGES.address}{path_of(trouble_id)}/retry",
            button=_button(one),
            follows=words.follows(one),
            back=with_query(BADGES.address, {}, item=trouble_id),
        )
        heading = say(
            "Try the badge {certification} of {candidate} again?",
            certification=one.certification,
            candidate=one.candidate_id,
        )
        return confirm(visit, heading, side, asked)

    async def _page(self, request: web.Request, item_id: str | None) -> web.Response:
        visit, query = request[VISIT], filters_of(request)
        kind = {"kind": query["kind"]} if query.get("kind") in words.KINDS else {}
        side, provider, page, strays, one = await asyncio.gather(
            side_of(visit),
            visit.mine("certs", "/badge-provider", Provider),
            visit.mine("certs", "/badge-provider/troubles", Troubles, **page_of(request), **kind),
            part(visit.mine("certs", "/badge-provider/strays", Strays, limit=_STRAYS)),
            _opened(visit, item_id),
        )
        listing = Listing(
            BADGES,
            say("Badges that wait for a person"),
            [
                Column(say("Since")),
                Column(say("Certification")),
                Column(say("Candidate")),
                Column(say("Reason")),
                Column(say("Kind")),
            ],
            [words.row_of(each) for each in page.items],
            words.numbers_of(provider),
            query,
            page.next,
            "after" not in request.query,
        )
        values: dict[str, Any] = {
            "state": words.provider_chip(provider),
            "standing": words.standing(provider),
            "kinds": [("", say("All")), *((name, say(chip.word)) for name, chip in words.KINDS.items())],
            "strays": None
            if strays is None
            else [(each, say(words.STATES.get(each.state, each.state))) for each in strays.items],
        }
        item = _shown(visit, one) if one else None
        return listed(visit, "staff/badges/list.html", side, listing, open_item=item_id, item=item, **values)


async def _opened(visit: Visit, item_id: str | None) -> Trouble | None:
    return await _one(visit, item_id) if item_id else None


async def _one(visit: Visit, trouble_id: str) -> Trouble:
    """A badge that waits for a person. Raises `HTTPNotFound`: it may have been settled meanwhile."""
    after: dict[str, str] = {}
    while True:
        page = await visit.mine("certs", "/badge-provider/troubles", Troubles, limit="200", **after)
        found = next((each for each in page.items if each.trouble_id == trouble_id), None)
        if found is not None:
            return found
        if page.next is None:
            raise web.HTTPNotFound
        after = {"cursor": page.next}


def _button(one: Trouble) -> str:
    return say("Send it again") if one.kind == "refused" else say("Issue it anew")


def _shown(visit: Visit, one: Trouble) -> dict[str, Any]:
    return {
        "label": one.certification,
        "one": one,
        "chip": words.chip_of(one),
        "means": words.means(one),
        "facts": words.facts_of(one),
        "follows": words.follows(one),
        "button": _button(one),
        "may_retry": visit.at_desk.may("certs:decide"),
    }
