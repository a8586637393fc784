"""Lists of fulfilment houses that were compared with our orders, and what is done about each difference."""

import asyncio
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import BeforeValidator, StringConstraints

from services.portal.backend.client import Nothing, Refused
from services.portal.languages import mark, say
from services.portal.languages.days import minute
from services.portal.staff.acts import one_line
from services.portal.staff.kit import Column, with_query
from services.portal.staff.listing import page_of, path_of
from services.portal.staff.parcels import found_words as words
from services.portal.staff.parcels.shapes import Finding, FindingPage, OrderList
from services.portal.staff.people import names_at
from services.portal.staff.queues import HOUSES
from services.portal.staff.shell import on_desk, side_of
from services.portal.web.answers import passed_on, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Typed, Unfit, change_key, in_words, read, typed
from services.portal.web.vendor_names import vendor_name
from services.portal.web.visit import VISIT, Visit

_SENTENCES: Final = {
    "action": mark("Choose what to do"),
    "reason": mark("Write why nothing is done about it, in at most 1000 characters"),
}


class Decision(Answers):
    action: Literal["send_again", "ask_house", "dismiss"]
    reason: Annotated[str | None, BeforeValidator(one_line), StringConstraints(max_length=1000)] = None


class OrderLists:
    """Handlers of `/staff/fulfilment-houses/lists`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = f"{HOUSES.address}/lists/{{list_id}}"
        return [
            web.get(one, self.show),
            web.get(f"{one}/findings.csv", self.file),
            web.post(f"{one}/findings/{{finding_id}}", self.act),
        ]

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request, request.query.get("item"))

    async def file(self, request: web.Request) -> web.Response:
        return passed_on(await request[VISIT].fetch_mine("fulfillment", f"{_path(request)}/findings.csv"))

    async def act(self, request: web.Request) -> web.Response:
        visit, given, item_id = request[VISIT], await typed(request), request.match_info["finding_id"]
        try:
            decision = _read(given)
            path = f"{_path(request)}/findings{path_of(item_id)}/action"
            body, key = decision.model_dump(exclude_none=True), await change_key(request)
            await visit.change("PUT", "fulfillment", path, Nothing, key=key, body=body)
        except Unfit as wrong:
            return await self._page(request, item_id, wrong.faults, given)
        except Refused as refusal:
            if refusal.code == "not-found":
                raise
            said = [fault.message for fault in refusal.problem.errors] or [refusal.problem.detail or ""]
            return await self._page(request, item_id, {"action": said[0] or refusal.problem.title}, given)
        answer = redirect(with_query(_address(request), {}, open="true"))
        self._cookies.tell(answer, say("Done: {sentence}", sentence=words.done_said(decision.action)))
        return answer

    async def _page(
        self, request: web.Request, item_id: str | None, faults: Faults | None = None, given: Typed | None = None
    ) -> web.Response:
        visit, path = request[VISIT], _path(request)
        query = {name: value for name, value in request.query.items() if name in ("kind", "open") and value}
        side, names, run, page, one = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            visit.mine("fulfillment", path, OrderList),
            visit.mine("fulfillment", f"{path}/findings", FindingPage, **page_of(request), **query),
            _opened(visit, path, item_id),
        )
        here = _address(request)
        heading = say("{house}, {time}", house=vendor_name(run.house), time=str(minute(run.made_at).striptags()))
        values: dict[str, Any] = {
            "heading_of_list": heading,
            "state": words.list_chip(run),
            "reason_of_list": run.reason,
            "numbers": words.numbers_of(run),
            "kinds": [("", say("All")), *((name, say(text)) for name, text in words.KINDS.items())],
            "query": query,
            "here": here,
            "base": with_query(here, query),
            "columns": [Column(title) for title in words.titles()],
            "rows": [words.finding_row(each) for each in page.items],
            "first": "after" not in request.query,
            "caption": say("Differences, by order"),
            "files": [],
            "older": page.next,
            "open": item_id,
            "item": words.shown(one, names) if one else None,
            "faults": faults or {},
            "given": given or {},
        }
        return on_desk(visit, "staff/parcels/order_list.html", heading, side, problem=bool(faults), **values)


def _read(given: Typed) -> Decision:
    """What was decided. Raises `Unfit`."""
    decision = read(Decision, given, in_words(_SENTENCES))
    if decision.action == "dismiss" and not decision.reason:
        raise Unfit({"reason": say(_SENTENCES["reason"])})
    return decision


async def _opened(visit: Visit, path: str, item_id: str | None) -> Finding | None:
    """The open finding; it may be on another page of the list. Raises `HTTPNotFound`."""
    if not item_id:
        return None
    after: dict[str, str] = {}
    while True:
        page = await visit.mine("fulfillment", f"{path}/findings", FindingPage, limit="200", **after)
        found = next((each for each in page.items if each.finding_id == item_id), None)
        if found is not None:
            return found
        if page.next is None:
            raise web.HTTPNotFound
        after = {"cursor": page.next}


def _path(request: web.Request) -> str:
    return f"/order-lists{path_of(request.match_info['list_id'])}"


def _address(request: web.Request) -> str:
    return f"{HOUSES.address}/lists{path_of(request.match_info['list_id'])}"
