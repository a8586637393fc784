"""The queue of returned parcels, any other order, and the fulfilment houses."""

import asyncio
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from services.portal.backend.client import Nothing, Refused
from services.portal.languages import mark, say
from services.portal.staff.acts import Asked, Reason, confirm, done
from services.portal.staff.kit import Column, Number, next_after, with_query
from services.portal.staff.parcels import found_words, words
from services.portal.staff.parcels.shapes import DispatchPage, HousePage, Order, OrderListPage, OrderPage
from services.portal.staff.queues import HOUSES, PARCELS
from services.portal.staff.shell import on_desk, side_of
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Typed, Unfit, change_key, in_words, read, typed, unfit
from services.portal.web.visit import VISIT, Visit, part

_ROWS: Final = "50"
_LISTS: Final = "20"
_FIELDS: Final = {
    "body.address.lines": "lines",
    "body.address.city": "city",
    "body.address.region": "region",
    "body.address.postal_code": "postal_code",
    "body.address.country": "country",
    "body.address": "lines",
    "body.name": "name",
    "body.reason": "reason",
}
_SENTENCES: Final = {
    "lines": mark("Enter the street and number"),
    "city": mark("Enter the city"),
    "country": mark("Enter the country as two letters, like DE"),
    "reason": mark("Write the reason: the candidate is told it"),
    "reason.string_too_long": mark("Write at most 1000 characters"),
}


class Resending(Answers):
    """Where a parcel goes now; everything empty for the same address."""

    lines: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    name: str | None = None

    def body(self) -> dict[str, Any]:
        """As fulfilment takes it. Raises `Unfit` where an address is not whole."""
        given = self.model_dump(exclude_none=True)
        name = given.pop("name", None)
        if not given:
            return {"name": name} if name else {}
        missing = {field: say(_SENTENCES[field]) for field in ("lines", "country") if field not in given}
        if missing:
            raise Unfit(missing)
        lines = [line.strip() for line in given["lines"].splitlines() if line.strip()]
        address = given | {"lines": lines, "country": given["country"].upper()}
        return {"address": address} | ({"name": name} if name else {})


class Cancellation(Answers):
    reason: Reason


class ParcelQueue:
    """Handlers of `/staff/returned-parcels` and `/staff/fulfilment-houses`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        order = f"{PARCELS.address}/{{order_id}}"
        return [
            web.get(PARCELS.address, self.listing),
            web.post(f"{order}/resending", self.resend),
            web.post(f"{order}/cancellation", self.cancel),
            web.get(HOUSES.address, self.houses),
            web.post(f"{HOUSES.address}/{{order_id}}/again", self.again),
        ]

    async def listing(self, request: web.Request) -> web.Response:
        return await self._page(request, request.query.get("item"))

    async def resend(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        order_id = request.match_info["order_id"]
        try:
            asked_for = read(Resending, given, in_words(_SENTENCES))
            body = asked_for.body()
            if "sure" not in given:
                return await self._ask_resending(request, asked_for, body)
            key = await change_key(request)
            await visit.change("POST", "fulfillment", f"{_path(request)}/resending", Nothing, key=key, body=body)
        except Unfit as wrong:
            return await self._page(request, order_id, wrong.faults, given)
        except Refused as refusal:
            wrong_at = unfit(refusal.problem, _FIELDS, in_words(_SENTENCES)) or Unfit(
                {"lines": refusal.problem.detail or refusal.problem.title}
            )
            return await self._page(request, order_id, wrong_at.faults, given)
        return await self._next(visit, order_id, say("it is sent again, and a mail says so"))

    async def _ask_resending(self, request: web.Request, given: Resending, body: dict[str, Any]) -> web.Response:
        visit = request[VISIT]
        side, order = await asyncio.gather(side_of(visit), visit.mine("fulfillment", _path(request), Order))
        address = body.get("address")
        to = (
            say(", ").join((*address["lines"], *(address[name] for name in ("city", "country") if name in address)))
            if address
            else say(", ").join((*order.ship_to.lines, order.ship_to.country))
            if order.ship_to
            else say("the address of the profile")
        )
        asked = Asked(
            action=f"{PARCELS.address}/{quote(order.order_id, safe='')}/resending",
            button=say("Send it again"),
            follows=[
                say("A new order of {title} goes to {address}.", title=order.title, address=to),
                say("It is free of charge for the candidate. A mail tells them."),
            ],
            back=with_query(PARCELS.address, {}, item=order.order_id),
            hidden=given.model_dump(exclude_none=True),
        )
        return confirm(visit, say("Send {title} again?", title=order.title), side, asked)

    async def cancel(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        order_id, faults = request.match_info["order_id"], None
        if "sure" in given:
            try:
                body = read(Cancellation, given, in_words(_SENTENCES)).model_dump()
                key = await change_key(request)
                path = f"{_path(request)}/cancellation"
                await visit.change("POST", "fulfillment", path, Nothing, key=key, body=body)
                return await self._next(visit, order_id, say("the order is cancelled, and a mail says so"))
            except Unfit as wrong:
                faults = wrong.faults
            except Refused as refusal:
                faults = {"reason": refusal.problem.detail or refusal.problem.title}
        side, order = await asyncio.gather(side_of(visit), visit.mine("fulfillment", _path(request), Order))
        asked = Asked(
            action=f"{PARCELS.address}/{quote(order_id, safe='')}/cancellation",
            button=say("Cancel the order"),
            follows=[say("Its house is told not to send it. A mail tells the candidate, with your reason.")],
            back=with_query(PARCELS.address, {}, item=order_id),
            for_good=[say("A cancelled order stays cancelled. What was offered can be claimed again.")],
            reason=say("Reason"),
            reason_hint=say("The candidate is told it."),
            danger=True,
        )
        heading = say("Cancel the order of {title}?", title=order.title)
        return confirm(visit, heading, side, asked, faults=faults, reason=given.get("reason", ""))

    async def houses(self, request: web.Request) -> web.Response:
        visit, after = request[VISIT], request.query.get("after")
        cursor = {"cursor": after} if after else {}
        lists_after = request.query.get("lists_after")
        lists_cursor = {"cursor": lists_after} if lists_after else {}
        side, houses, lists, refused = await asyncio.gather(
            side_of(visit),
            part(visit.mine("fulfillment", "/houses", HousePage)),
            part(visit.mine("fulfillment", "/order-lists", OrderListPage, limit=_LISTS, **lists_cursor)),
            part(visit.mine("fulfillment", "/dispatches", DispatchPage, state="refused", limit=_ROWS, **cursor)),
        )
        values: dict[str, Any] = {
            "houses": [(house, words.house_chip(house)) for house in houses.items] if houses else None,
            "lists": None if lists is None else [found_words.list_row(one, HOUSES.address) for one in lists.items],
            "list_columns": [
                Column(say("Taken in")),
                Column(say("House")),
                Column(say("Lines")),
                Column(say("Differences")),
                Column(say("State")),
            ],
            "older_lists": with_query(HOUSES.address, {}, lists_after=lists.next) if lists and lists.next else None,
            "refused": refused,
            "first": after is None,
            "queue": HOUSES,
            "parcels": PARCELS,
        }
        return on_desk(visit, "staff/parcels/houses.html", say(HOUSES.title), side, **values)

    async def again(self, request: web.Request) -> web.Response:
        """Send an order that a house refused once more, under its number."""
        visit = request[VISIT]
        path = f"/dispatches/{quote(request.match_info['order_id'], safe='')}/again"
        await visit.change("POST", "fulfillment", path, Nothing, key=await change_key(request))
        answer = redirect(HOUSES.address)
        self._cookies.tell(answer, say("Done: {sentence}", sentence=say("the house gets the order once more")))
        return answer

    async def _next(self, visit: Visit, order_id: str, sentence: str) -> web.Response:
        page = await part(visit.mine("fulfillment", "/orders", OrderPage, limit=_ROWS, state="returned"))
        left = [each.order_id for each in page.items if not each.replaced_by] if page else []
        return done(self._cookies, PARCELS, next_after(left, order_id), sentence)

    async def _page(
        self, request: web.Request, item: str | None, faults: Faults | None = None, given: Typed | None = None
    ) -> web.Response:
        visit = request[VISIT]
        query = {name: value for name, value in request.query.items() if name in ("state", "late") and value}
        after = request.query.get("after")
        asked = {"state": "returned", **query} if query.get("late") is None else query
        side, page, order = await asyncio.gather(
            side_of(visit),
            visit.mine(
                "fulfillment", "/orders", OrderPage, limit=_ROWS, **asked, **({"cursor": after} if after else {})
            ),
            _opened(visit, item),
        )
        left = sum(each.replaced_by is None for each in page.items)
        values: dict[str, Any] = {
            "queue": PARCELS,
            "columns": _columns(),
            "rows": [words.row_of(each) for each in page.items],
            "numbers": [
                Number(left, say("waiting")),
                Number(len(page.items) - left, say("sent again")),
            ]
            if not query
            else (),
            "states": [(name, say(chip.word)) for name, chip in words.STATES.items()],
            "older": page.next,
            "first": after is None,
            "query": query,
            "base": with_query(PARCELS.address, query),
            "open": order.order_id if order else None,
            "item": order,
            "chip_of": words.chip_of,
            "facts_of": words.facts_of,
            "steps_of": words.steps_of,
            "may_resend": order is not None and words.may_resend(order),
            "may_cancel": order is not None and words.may_cancel(order),
            "faults": faults or {},
            "given": given or {},
        }
        return on_desk(visit, "staff/parcels/list.html", say(PARCELS.title), side, problem=bool(faults), **values)


async def _opened(visit: Visit, item: str | None) -> Order | None:
    return await visit.mine("fulfillment", f"/orders/{quote(item, safe='')}", Order) if item else None


def _columns() -> list[Column]:
    return [
        Column(say("Since")),
        Column(say("Item")),
        Column(say("Candidate")),
        Column(say("Reason")),
        Column(say("Next")),
        Column(say("State")),
    ]


def _path(request: web.Request) -> str:
    return f"/orders/{quote(request.match_info['order_id'], safe='')}"
