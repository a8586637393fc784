"""The handlers of kits: what is on its way, what can be claimed, and one order."""

import asyncio
from typing import Any, Final
from urllib.parse import quote, urlsplit

from aiohttp import web
from pydantic import BaseModel

from libs.common.ids import new_id
from libs.common.sealing import SecretBox
from services.portal.addresses.countries import country_name
from services.portal.backend.client import Down, Refused
from services.portal.kits import words
from services.portal.kits.shapes import Offer, OfferPage, Order, OrderPage, PaymentMade, Payments
from services.portal.languages import say
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import change_key
from services.portal.web.leaving import Leaving
from services.portal.web.look import shown
from services.portal.web.policy import policy_for
from services.portal.web.visit import VISIT, Visit, part

ALL: Final = "100"
_ROWS: Final = "25"


class Paying(BaseModel):
    """What is paid for."""

    order_id: str


class KitPages:
    """The handlers of `/kits` and of one order."""

    def __init__(self, cookies: Cookies, box: SecretBox) -> None:
        self._cookies = cookies
        self._leaving = Leaving(box, Paying)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/kits", self.list_all),
            web.get("/kits/{id}", self.show_one),
            web.get("/kits/{id}/cancel", self.ask_to_cancel),
            web.post("/kits/{id}/cancel", self.cancel),
            web.post("/kits/{id}/payment", self.pay),
            web.get("/kits/{id}/payment", self.go_and_pay),
        ]

    async def list_all(self, request: web.Request) -> web.Response:
        visit, after = request[VISIT], request.query.get("after")
        query = {"limit": _ROWS} | ({"cursor": after} if after else {})
        _, offers, orders = await asyncio.gather(
            visit.introduce(),
            visit.mine("fulfillment", "/offers", OfferPage, limit=ALL),
            visit.mine("fulfillment", "/orders", OrderPage, **query),
        )
        answer = words.heading_of(orders.items, offers.items)
        values: dict[str, Any] = {
            "answer": answer,
            "open": words.open_ones(orders.items),
            "claimable": [one for one in offers.items if one.state == "offered"],
            "over": [one for one in orders.items if words.is_over(one)],
            "missed": [one for one in offers.items if one.state == "expired"],
            "older": orders.next,
            "first": after is None,
            "level": words.first_kit(visit.theirs),
            "steps": [say(step) for step in words.STEPS],
            "words": words,
            "country_name": country_name,
        }
        return shown(visit, "kits/list.html", answer.text, **values)

    async def show_one(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["id"]
        try:
            _, order, payments = await asyncio.gather(
                visit.introduce(), order_of(visit, name), part(visit.mine("fulfillment", "/payments", Payments))
            )
        except Refused as refusal:
            if refusal.problem.status != 404:  # noqa: PLR2004 not found
                raise
            return redirect(_instead(await offer_of(visit, name)))
        values: dict[str, Any] = {
            "order": order,
            "steps": [say(step) for step in words.STEPS],
            "step": words.step_of(order),
            "payments": [one for one in payments.items if one.order_id == order.order_id] if payments else [],
            "price": visit.theirs.benefits[order.benefit].price if order.benefit in visit.theirs.benefits else None,
            "words": words,
            "country_name": country_name,
        }
        return shown(visit, "kits/order.html", order.title, **values)

    async def ask_to_cancel(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        _, order = await asyncio.gather(visit.introduce(), order_of(visit, request.match_info["id"]))
        if order.state != "pending":
            return redirect(f"/kits/{order.order_id}")
        return shown(visit, "kits/cancel.html", say("Call off {title}", title=order.title), order=order)

    async def cancel(self, request: web.Request) -> web.Response:
        name = quote(request.match_info["id"], safe="")
        key = await change_key(request)
        try:
            await request[VISIT].change("POST", "fulfillment", f"/orders/{name}/cancellation", Order, key=key)
        except Refused as refusal:
            return self._said(refusal, f"/kits/{name}", say("It is ordered already. To have it stopped, open a case."))
        answer = redirect("/kits")
        self._cookies.tell(answer, say("The order is called off. You can claim it again as long as it is offered."))
        return answer

    async def pay(self, request: web.Request) -> web.Response:
        order_id = request.match_info["id"]
        return self._leaving.to(f"/kits/{quote(order_id, safe='')}/payment", request[VISIT], Paying(order_id=order_id))

    async def go_and_pay(self, request: web.Request) -> web.Response:
        """The page that leads to the payment page; payment pages take each form once, so every look makes another."""
        visit, order_id = request[VISIT], request.match_info["id"]
        if self._leaving.choice(request, visit).order_id != order_id:
            raise web.HTTPNotFound
        name = quote(order_id, safe="")
        path = f"/orders/{name}/payments"
        body = {"return_to": f"/kits/{name}"}
        try:
            _, made = await asyncio.gather(
                visit.introduce(),
                visit.change("POST", "fulfillment", path, PaymentMade, key=new_id(), body=body),
            )
        except Refused as refusal:
            return self._said(refusal, f"/kits/{name}", say("This order waits for no payment."))
        except Down:
            heading, back = say("You can't pay right now"), f"/kits/{name}"
            return shown(visit, "kits/no_payment.html", heading, status=503, back=back)
        host = urlsplit(made.form.action).netloc
        answer = shown(
            visit,
            "kits/pay.html",
            say("Pay {price}", price=words.money(made)),
            made=made,
            host=host,
            back=f"/kits/{name}",
        )
        answer.headers["Content-Security-Policy"] = policy_for(made.form.action)
        return answer

    def _said(self, refusal: Refused, to: str, sentence: str) -> web.Response:
        """Back to where the order stands as it does now, with why it could not be done."""
        if refusal.problem.status != 409:  # noqa: PLR2004 conflict
            raise refusal
        answer = redirect(to)
        self._cookies.tell(answer, sentence)
        return answer


async def order_of(visit: Visit, order_id: str) -> Order:
    """An order of whoever is signed in. Raises `Refused` and `Down`."""
    return await visit.mine("fulfillment", f"/orders/{quote(order_id, safe='')}", Order)


async def offer_of(visit: Visit, offer_id: str) -> Offer:
    """An offer of theirs. Raises the answer 404 where there is none."""
    page = await visit.mine("fulfillment", "/offers", OfferPage, limit=ALL)
    one = next((each for each in page.items if each.offer_id == offer_id), None)
    if one is None:
        raise web.HTTPNotFound
    return one


def _instead(offer: Offer) -> str:
    """Where an offer is dealt with: at its order, or where it is claimed."""
    if offer.order_id is not None:
        return f"/kits/{offer.order_id}"
    return f"/kits/{offer.offer_id}/claim"
