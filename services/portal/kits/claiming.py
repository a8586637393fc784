"""The handlers that post parcels: a claim, another address, and a second try with what came back."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from services.portal.backend.client import Refused
from services.portal.kits import posting, words
from services.portal.kits.pages import offer_of, order_of
from services.portal.kits.posting import Parcel
from services.portal.kits.shapes import Offer, Order
from services.portal.languages import say
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Typed, change_key, typed
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, Visit, part

Post = Callable[[Typed], Awaitable[Order]]


class KitClaimPages:
    """The handlers of `/kits/{id}/claim`, `/kits/{id}/address` and `/kits/{id}/resend`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/kits/{id}/claim", self.claim),
            web.post("/kits/{id}/claim", self.claim),
            web.get("/kits/{id}/address", self.readdress),
            web.post("/kits/{id}/address", self.readdress),
            web.get("/kits/{id}/resend", self.resend),
            web.post("/kits/{id}/resend", self.resend),
        ]

    async def claim(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["id"]
        offer, addressee = await asyncio.gather(offer_of(visit, name), part(posting.introduced(visit)))
        if offer.state != "offered":
            return await _had(visit, offer)
        parcel = _claimed(offer)

        async def post(answers: Typed) -> Order:
            body = posting.body_of(parcel, answers) | {"token": offer.token}
            path = f"/offers/{offer.offer_id}/claim"
            return await visit.change("POST", "fulfillment", path, Order, key=await change_key(request), body=body)

        said = say("It is ordered: {title}.", title=offer.title)
        return await self._go(request, parcel, posting.begun(addressee), post, said)

    async def readdress(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        order, addressee = await asyncio.gather(
            order_of(visit, request.match_info["id"]), part(posting.introduced(visit))
        )
        if order.state != "pending" or order.ship_to is None:
            return redirect(f"/kits/{order.order_id}")
        parcel = Parcel(
            path=f"/kits/{order.order_id}/address",
            back=f"/kits/{order.order_id}",
            title=order.title,
            ask=say("Another address for {title}", title=order.title),
            button=say("Post it to this address"),
            benefit=order.benefit,
        )

        async def post(answers: Typed) -> Order:
            path, body = f"/orders/{order.order_id}/address", posting.body_of(parcel, answers)
            return await visit.change("PUT", "fulfillment", path, Order, key=await change_key(request), body=body)

        begun = posting.begun(addressee) | {"own": ""}
        return await self._go(request, parcel, begun, post, say("The address is changed."))

    async def resend(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        order, addressee = await asyncio.gather(
            order_of(visit, request.match_info["id"]), part(posting.introduced(visit))
        )
        if order.state != "returned" or order.replaced_by is not None:
            return redirect(f"/kits/{order.order_id}")
        parcel = Parcel(
            path=f"/kits/{order.order_id}/resend",
            back=f"/kits/{order.order_id}",
            title=order.title,
            ask=say("Where do we send {title}?", title=order.title),
            button=say("Send it again to this address"),
            benefit=order.benefit,
            facts=((say("Costs"), say("Free of charge")),),
        )

        async def post(answers: Typed) -> Order:
            path, body = f"/orders/{order.order_id}/resending", posting.body_of(parcel, answers)
            return await visit.change("POST", "fulfillment", path, Order, key=await change_key(request), body=body)

        begun = posting.begun(addressee) | {"own": ""}
        return await self._go(request, parcel, begun, post, say("We send it again."))

    async def _go(self, request: web.Request, parcel: Parcel, begun: Typed, post: Post, said: str) -> web.Response:
        """Ask, check, have it confirmed, and post; `go` in the form says which of them is wanted."""
        visit = request[VISIT]
        if request.method == "GET":
            answers = begun | ({"own": ""} if request.query.get("address") == "other" else {})
            return await posting.asked(visit, parcel, answers, {})
        answers = await typed(request)
        going = answers.get("go")
        if going not in ("check", "post"):
            return await posting.asked(visit, parcel, answers, {})
        faults, label = await posting.checked(visit, parcel, answers)
        if faults:
            return await posting.asked(visit, parcel, answers, faults)
        if going == "check":
            return posting.confirmed(visit, parcel, answers, label)
        try:
            order = await post(answers)
        except Refused as refusal:
            found = posting.refused(refusal)
            if not found:
                raise
            return await posting.asked(visit, parcel, answers, found)
        answer = redirect(f"/kits/{order.order_id}")
        self._cookies.tell(answer, said)
        return answer


async def _had(visit: Visit, offer: Offer) -> web.Response:
    """What was claimed already, or can't be any more."""
    order = await order_of(visit, offer.order_id) if offer.order_id is not None else None
    benefit = visit.theirs.benefits.get(offer.benefit)
    sentence = words.had_words(offer, order, token=benefit is not None and benefit.token)
    return shown(visit, "kits/had.html", offer.title, text=sentence, order=order)


def _claimed(offer: Offer) -> Parcel:
    facts = [(say("Costs"), words.money(offer.price) if offer.price else say("Free of charge, once"))]
    if offer.ships:
        facts.append((say("How long"), words.weeks(offer)))
    if offer.token is not None:
        facts.append((say("Token"), offer.token))
    button = say("Post it to this address") if offer.ships else say("Claim it")
    return Parcel(
        path=f"/kits/{offer.offer_id}/claim",
        back="/kits",
        title=offer.title,
        ask=say("Claim: {title}", title=offer.title),
        button=say("Order it, and pay next") if offer.price else button,
        benefit=offer.benefit,
        ships=offer.ships,
        choices=tuple(offer.choices),
        facts=tuple(facts),
    )
