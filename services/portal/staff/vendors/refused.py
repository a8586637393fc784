"""The queue of vendors' messages that were refused."""

import asyncio
from typing import Any, Final

from aiohttp import web

from services.portal.backend.client import Refused as ServiceRefused
from services.portal.languages import say
from services.portal.staff.kit import Column, with_query
from services.portal.staff.listing import Listing, csv_file, filters_of, listed, page_of, path_of
from services.portal.staff.shell import side_of
from services.portal.staff.vendors import words
from services.portal.staff.vendors.queues import REFUSED
from services.portal.staff.vendors.shapes import Refused, RefusedPage, Samples, SamplesPage
from services.portal.web.vendor_names import vendor_name
from services.portal.web.visit import VISIT, Visit, part

_FILE_ROWS: Final = 2_000
_COLUMNS: Final = ("vendor", "refused_at", "message_id", "routing_key", "path", "code", "message")


class RefusedQueue:
    """Handlers of `/staff/refused-messages`."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get(REFUSED.address, self.show), web.get(f"{REFUSED.address}.csv", self.file)]

    async def show(self, request: web.Request) -> web.Response:
        visit, query, item_id = request[VISIT], filters_of(request), request.query.get("item")
        asked = {"vendor": query["vendor"]} if "vendor" in query else {}
        side, page = await asyncio.gather(side_of(visit), _page(visit, {**page_of(request), **asked}))
        one = await _one(visit, page, item_id, asked)
        listing = Listing(
            REFUSED,
            say("Refused messages, the latest first"),
            [
                Column(say("Refused"), sorted="descending"),
                Column(say("Vendor")),
                Column(say("Message")),
                Column(say("Path")),
                Column(say("Reason")),
            ],
            [words.refused_row(each) for each in page.items],
            words.refused_numbers(page.items, more=page.next is not None),
            query,
            page.next,
            "after" not in request.query,
            [(with_query(f"{REFUSED.address}.csv", asked), say("Download as CSV for the vendor"))],
        )
        names = sorted({each.vendor for each in page.items} | set(asked.values()))
        values: dict[str, Any] = {"vendors": [("", say("All vendors")), *((name, vendor_name(name)) for name in names)]}
        item = _shown(one, await _samples(visit, one.vendor)) if one else None
        return listed(visit, "staff/vendors/refused.html", side, listing, open_item=item_id, item=item, **values)

    async def file(self, request: web.Request) -> web.Response:
        """What a vendor is told, as a file."""
        visit, query = request[VISIT], filters_of(request)
        asked = {"limit": "200"} | ({"vendor": query["vendor"]} if "vendor" in query else {})
        found: list[Refused] = []
        page = await _page(visit, asked)
        found += page.items
        while page.next is not None and len(found) < _FILE_ROWS:
            page = await _page(visit, {**asked, "cursor": page.next})
            found += page.items
        return csv_file("refused-messages.csv", _COLUMNS, words.refused_lines(found))


async def _page(visit: Visit, query: dict[str, str]) -> RefusedPage:
    return await visit.backend.read(visit.browser, "exams", "/rejections", RefusedPage, query)


async def _one(visit: Visit, page: RefusedPage, item_id: str | None, asked: dict[str, str]) -> Refused | None:
    """The open message; it may be on a later page of the list. Raises `HTTPNotFound`."""
    if item_id is None:
        return None
    looked = 0
    while True:
        found = next((each for each in page.items if each.rejection_id == item_id), None)
        if found is not None:
            return found
        looked += len(page.items)
        if page.next is None or looked >= _FILE_ROWS:
            raise web.HTTPNotFound
        page = await _page(visit, {"limit": "200", "cursor": page.next, **asked})


async def _samples(visit: Visit, vendor: str) -> list[Samples]:
    """The vendor's latest messages by what became of them; none where nothing was heard of it in this program."""
    try:
        found = await part(visit.mine("exams", f"/vendors{path_of(vendor)}/samples", SamplesPage))
    except ServiceRefused:
        return []
    return [each for each in found.items if each.code is not None] if found else []


def _shown(one: Refused, samples: list[Samples]) -> dict[str, Any]:
    return {
        "label": one.message_id or one.rejection_id,
        "one": one,
        "chip": words.mender(one),
        "answer": words.answer_to(one),
        "samples": samples,
    }
