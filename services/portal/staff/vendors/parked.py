"""The queue of messages that services could not handle."""

import asyncio
from typing import Any, Final, Literal

from aiohttp import web

from libs.common.events import SERVICES
from services.portal.backend.client import Nothing, Refused
from services.portal.languages import mark, say
from services.portal.staff.acts import Asked, confirm, done
from services.portal.staff.kit import Column, next_after, with_query
from services.portal.staff.listing import Listing, filters_of, listed, path_of
from services.portal.staff.shell import side_of
from services.portal.staff.vendors import words
from services.portal.staff.vendors.counts import count_parked, parked_pages
from services.portal.staff.vendors.queues import PARKED
from services.portal.staff.vendors.shapes import ParkedWhole
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Typed, Unfit, change_key, in_words, read, typed
from services.portal.web.visit import VISIT, Visit

_ROWS: Final = "100"
_SENTENCES: Final = {"reason": mark("Choose why it is dropped")}


class Drop(Answers):
    reason: Literal["handled_otherwise", "repeated", "trial", "no_longer_needed"]


class ParkedQueue:
    """Handlers of `/staff/parked-messages`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = PARKED.address + "/{service}/{parked_id}"
        return [
            web.get(PARKED.address, self.show),
            web.post(f"{one}/replay", self.replay),
            web.post(f"{one}/drop", self.drop),
        ]

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request, request.query.get("item"))

    async def replay(self, request: web.Request) -> web.Response:
        visit, key = request[VISIT], await change_key(request)
        try:
            await visit.change("POST", _service(request), f"{_path(request)}/replay", Nothing, key=key)
        except Refused as refusal:
            if refusal.code == "not-found":
                raise
            said = say("It doesn't say which queue it failed in, so it can't be tried again. It can only be dropped.")
            return await self._page(request, _item(request), {"replay": said})
        sentence = say("the message is tried again. If it fails once more, it comes back here within 12 minutes")
        return await self._next(visit, _item(request), sentence)

    async def drop(self, request: web.Request) -> web.Response:
        """Ask once more, then drop it for good."""
        visit, given = request[VISIT], await typed(request)
        try:
            why = read(Drop, given, in_words(_SENTENCES))
        except Unfit as unfit:
            return await self._page(request, _item(request), unfit.faults, given)
        if "sure" not in given:
            reason = say(words.DROP_REASONS[why.reason])
            asked = Asked(
                action=f"{PARKED.address}{path_of(_service(request), request.match_info['parked_id'])}/drop",
                button=say("Drop the message"),
                follows=[
                    say("What it says never takes effect."),
                    say("Your reason, and that it was you, go to the audit log: {reason}.", reason=reason),
                ],
                back=with_query(PARKED.address, {}, item=_item(request)),
                for_good=[say("Nobody can bring it back. If the vendor sends it again, that is another message.")],
                hidden={"reason": why.reason},
                danger=True,
            )
            return confirm(visit, say("Drop this message for good?"), await side_of(visit), asked)
        key = await change_key(request)
        below = f"{_path(request)}/drop/{why.reason}"
        await visit.change("POST", _service(request), below, Nothing, key=key)
        return await self._next(visit, _item(request), say("the message is dropped"))

    async def _next(self, visit: Visit, item: str, sentence: str) -> web.Response:
        pages = await parked_pages(visit, _ROWS)
        if any(pages):
            count_parked.learn(visit, pages)
        left = words.earliest_first(one for page in pages if page for one in page.items)
        return done(self._cookies, PARKED, next_after([words.item_of(one) for one in left], item), sentence)

    async def _page(
        self, request: web.Request, item_id: str | None, faults: Faults | None = None, given: Typed | None = None
    ) -> web.Response:
        visit, query = request[VISIT], filters_of(request)
        pages, one = await asyncio.gather(parked_pages(visit, _ROWS), _opened(visit, item_id))
        count_parked.learn(visit, pages)
        side = await side_of(visit)
        found = words.earliest_first(each for page in pages if page for each in page.items)
        shown = [each for each in found if query.get("service") in (None, each.service)]
        listing = Listing(
            PARKED,
            say("Parked messages, the earliest first"),
            [
                Column(say("Since"), sorted="ascending"),
                Column(say("Kind")),
                Column(say("Where")),
                Column(say("Tries")),
                Column(say("Reason")),
            ],
            [words.parked_row(each) for each in shown],
            words.parked_numbers(found, sum(page.count for page in pages if page)),
            query,
            down=[
                say(words.SERVICE_NAMES[service]) for service, page in zip(SERVICES, pages, strict=True) if page is None
            ],
        )
        values: dict[str, Any] = {
            "services": [("", say("All")), *((name, say(words.SERVICE_NAMES[name])) for name in SERVICES)]
        }
        item = _shown(one) if one else None
        template = "staff/vendors/parked.html"
        return listed(
            visit, template, side, listing, open_item=item_id, item=item, faults=faults, given=given, **values
        )


def _service(request: web.Request) -> str:
    """Raises `HTTPNotFound` for what is no service."""
    service = request.match_info["service"]
    if service not in SERVICES:
        raise web.HTTPNotFound
    return service


def _path(request: web.Request) -> str:
    return f"/parked-messages{path_of(request.match_info['parked_id'])}"


def _item(request: web.Request) -> str:
    return f"{_service(request)}:{request.match_info['parked_id']}"


async def _opened(visit: Visit, item: str | None) -> ParkedWhole | None:
    """The message whole; the service logs who saw it. Raises `HTTPNotFound` for what names no service."""
    if item is None:
        return None
    service, _, parked_id = item.partition(":")
    if service not in SERVICES:
        raise web.HTTPNotFound
    return await visit.mine(service, f"/parked-messages{path_of(parked_id)}", ParkedWhole)


def _shown(one: ParkedWhole) -> dict[str, Any]:
    return {
        "label": words.kind_of(one),
        "one": one,
        "kind": words.kind_of(one),
        "service": words.SERVICE_NAMES.get(one.service, one.service),
        "tried": words.tried(one),
        "facts": words.parked_facts(one),
        "code": words.CODES.get(one.code, one.code),
        "reasons": [(name, say(text), None) for name, text in words.DROP_REASONS.items()],
    }
