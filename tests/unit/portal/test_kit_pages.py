"""Pages of kits in the states that take weeks to come: shipped, came back, to be paid, with a token, used up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from libs.common.sealing import SecretBox
from services.portal.addresses.shapes import Address
from services.portal.backend.client import Down, Fault, Problem, Refused
from services.portal.kits import addresses
from services.portal.kits.claiming import KitClaimPages
from services.portal.kits.pages import KitPages, Paying
from services.portal.kits.shapes import Offer, Order
from services.portal.web.cookies import Cookies
from services.portal.web.leaving import Chosen
from tests.unit.portal import pages
from tests.unit.portal.pages import PROFILE, Services, text_of
from tests.unit.portal.test_kits import FORM, LATER, offer, order

BOX = SecretBox("s" * 32, purpose="a test")
HOME = Address(lines=["Main Street 1"], city="San Jose", region="CA", postal_code="95014", country="US")
PAYMENT = {
    "order_id": "o1",
    "amount": "79.00",
    "currency": "USD",
    "state": "open",
    "refunded": "0.00",
    "made_at": LATER.isoformat(),
    "form": {"action": "https://pay.example:8443/go?x=1", "fields": {"payment_id": "p1", "signature": "s"}},
}


@asynccontextmanager
async def browser(orders: list[Order], offers: list[Offer], **more: Any) -> AsyncIterator[tuple[Any, Services]]:
    """A browser that is signed in, over services with these orders and offers, and with `more` by path."""
    services = Services(
        {path.replace("__", "/"): answer for path, answer in more.items()},
        {
            **{f"/orders/{one.order_id}": one.model_dump() for one in orders},
            "/orders": {"items": [one.model_dump() for one in orders]},
            "/offers": {"items": [one.model_dump() for one in offers]},
            "/payments": {"items": []},
            "/profile": PROFILE | {"address": HOME.model_dump()},
            "address-form": FORM.model_dump(),
        },
    )
    cookies = Cookies(secure=False)
    async with pages.browser([*KitClaimPages(cookies).routes(), *KitPages(cookies, BOX).routes()], services) as client:
        yield client, services


@pytest.mark.parametrize(
    ("one", "chip", "step", "links"),
    [
        (order(), "Claimed", 1, ["/kits/o1/address", "/kits/o1/cancel"]),
        (order("ordered"), "Ordered", 2, ["/cases/new"]),
        (order("in_production", late=True), "Late", 3, ["/cases/new"]),
        (
            order("shipped", carrier="PostNord", tracking_number="SE1", tracking_url="https://post.example/SE1"),
            "Shipped",
            4,
            ["https://post.example/SE1"],
        ),
        (order("returned", note="Nobody there"), "Came back", 4, ["/kits/o1/resend"]),
        (order("returned", replaced_by="o2"), "Sent again", 4, ["/kits/o2"]),
        (order("delivered", replaces="o0"), "Delivered", 5, ["/kits/o0"]),
        (order("cancelled"), "Called off", None, ["/kits"]),
    ],
)
async def test_every_state_of_an_order_has_a_page_with_its_next_step(
    one: Order, chip: str, step: int | None, links: list[str]
) -> None:
    async with browser([one], []) as (client, _):
        answer = await client.get("/kits/o1")
        page = await answer.text()
        assert chip in await text_of(answer)
        assert ('aria-current="step"' in page) is (step is not None)
        if step is not None:
            assert f"Step {step} of 5" in page
        assert [link for link in links if f'href="{link}"' not in page] == []
        assert chip in await text_of(await client.get("/kits"))


async def test_paying_leads_to_the_payment_page_and_nowhere_else() -> None:
    one = order(awaits_payment=True, benefit="plaque", promised_by=None)
    async with browser([one], [], __orders__o1__payments=PAYMENT) as (client, services):
        assert "Pay US$79.00" in await text_of(await client.get("/kits/o1"))
        answer = await client.post("/kits/o1/payment", data={"key": "k"})
        page = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
        assert "form-action 'self' https:;" in policy
        assert 'action="https://pay.example:8443/go?x=1"' in page
        assert '<input type="hidden" name="signature" value="s">' in page
        assert 'name="token"' not in page, "our own proof is not for others"
        assert services.asked == [("POST", "/orders/o1/payments", {"return_to": "/kits/o1"})]


async def test_whoever_comes_back_to_the_way_to_pay_gets_another_and_sends_no_form_again() -> None:
    one = order(awaits_payment=True, benefit="plaque", promised_by=None)
    async with browser([one], [], __orders__o1__payments=PAYMENT) as (client, services):
        answer = await client.post("/kits/o1/payment", data={"key": "k"}, allow_redirects=False)
        assert answer.status == 303
        assert services.asked == [], "a payment is made for whoever sees its page"
        for _ in range(2):
            assert "Go to the payment page" in await text_of(await client.get(answer.headers["Location"]))
        assert services.asked == [("POST", "/orders/o1/payments", {"return_to": "/kits/o1"})] * 2


@pytest.mark.parametrize(
    ("whose", "order_id"), [(("cisco", "CSCO2"), "o1"), (("juniper", "CSCO1"), "o1"), (("cisco", "CSCO1"), "o2")]
)
async def test_a_link_makes_nobody_pay_who_has_not_chosen_to(whose: tuple[str, str], order_id: str) -> None:
    sealed = Chosen(candidate=whose, choice=Paying(order_id=order_id)).model_dump_json()
    async with browser([order(awaits_payment=True)], [], __orders__o1__payments=PAYMENT) as (client, services):
        for to in (BOX.seal(sealed.encode()), sealed, ""):
            assert (await client.get("/kits/o1/payment", params={"to": to})).status == 404
        assert services.asked == []


async def test_what_can_not_be_paid_any_more_leads_back_to_the_order() -> None:
    async with browser([order()], [], __orders__o1__payments=Refused(Problem(status=409))) as (client, _):
        way = (await client.post("/kits/o1/payment", data={"key": "k"}, allow_redirects=False)).headers["Location"]
        answer = await client.get(way, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/kits/o1")


CHECKED = {"problems": [], "lines": ["Main Street 1", "SAN JOSE CA 95014"], "country": "UNITED STATES"}
GIFT = offer(
    benefit="years-25",
    title="Jacket",
    token="JKT-7",
    choices=[{"name": "size", "values": ["S", "M"]}],
)


async def test_a_gift_with_a_token_takes_a_size_and_the_address_of_the_profile() -> None:
    claimed = order(benefit="years-25")
    async with browser([], [GIFT], **{"address-checks": CHECKED, "f1__claim": claimed.model_dump()}) as (
        client,
        services,
    ):
        page = await text_of(await client.get("/kits/f1/claim"))
        assert "JKT-7" in page
        assert "Main Street 1" in page
        form = {"own": "yes", "country": "US", "lines": "Main Street 1", "city": "San Jose", "go": "check", "key": "k"}
        form |= {"region": "CA", "postal_code": "95014"}
        page = await text_of(await client.post("/kits/f1/claim", data=form))
        assert "Choose the size" in page
        page = await text_of(await client.post("/kits/f1/claim", data=form | {"choice-size": "M"}))
        assert "Ann Lee Main Street 1 SAN JOSE CA 95014 UNITED STATES" in page
        assert [path for _, path, _ in services.asked] == ["/address-checks"] * 2, "nothing is claimed unconfirmed"
        answer = await client.post(
            "/kits/f1/claim", data=form | {"choice-size": "M", "go": "post"}, allow_redirects=False
        )
        assert (answer.status, answer.headers["Location"]) == (303, "/kits/o1")
        sent = services.asked[-1][2]
        assert (sent["token"], sent["choices"], sent["address"]) == ("JKT-7", {"size": "M"}, HOME.model_dump())


async def test_a_token_that_was_used_says_when() -> None:
    used = offer("claimed", benefit="years-25", title="Jacket", order_id="o1")
    async with browser([order("delivered")], [used]) as (client, _):
        assert "This token was used on 1 September 2026." in await text_of(await client.get("/kits/f1/claim"))
        answer = await client.get("/kits/f1", allow_redirects=False)
        assert answer.headers["Location"] == "/kits/o1", "an offer is found at its order"


async def test_a_parcel_that_came_back_is_sent_again_to_another_address() -> None:
    again = order(order_id="o2", replaces="o1")
    posted = {"address-checks": CHECKED, "o1__resending": again.model_dump()}
    async with browser([order("returned")], [], **posted) as (client, services):
        page = await (await client.get("/kits/o1/resend")).text()
        assert '<option value="CA" selected>California</option>' in page, "the address of the profile is filled in"
        form = {"country": "US", "lines": "Side Street 2", "city": "San Jose", "region": "CA", "postal_code": "95014"}
        answer = await client.post("/kits/o1/resend", data=form | {"go": "post", "key": "k"}, allow_redirects=False)
        assert answer.headers["Location"] == "/kits/o2"
        assert services.asked[-1][:2] == ("POST", "/orders/o1/resending")


async def test_a_name_that_can_not_be_printed_is_asked_for() -> None:
    fault = Fault(path="body.name", code="letters", message="Write your name in Latin letters for the label.")
    refused = Refused(Problem(status=400, errors=[fault]))
    async with browser([], [offer()], **{"address-checks": CHECKED, "f1__claim": refused}) as (client, _):
        form = {"own": "yes", "country": "US", "lines": "Main Street 1", "go": "post", "key": "k"}
        page = await text_of(await client.post("/kits/f1/claim", data=form))
        assert page.count("Write your name in Latin letters for the label.") == 2, "above, and at the field"
        assert "Name on the parcel" in page


async def test_an_address_can_be_given_though_its_countrys_fields_are_away() -> None:
    async with browser([], [offer()], **{"address-form": Down("fulfillment")}) as (client, _):
        page = await (await client.get("/kits/f1/claim?address=other")).text()
        assert [name for name in addresses.FIELDS if f'name="{name}"' not in page] == []
        assert "Check the address" in page


async def test_a_parcel_that_no_house_has_taken_goes_elsewhere_or_nowhere() -> None:
    posted = {"address-checks": CHECKED, "o1__address": order().model_dump(), "o1__cancellation": order().model_dump()}
    async with browser([order()], [], **posted) as (client, services):
        form = {"country": "US", "lines": "Side Street 2", "city": "San Jose", "go": "post", "key": "k"}
        answer = await client.post("/kits/o1/address", data=form, allow_redirects=False)
        assert answer.headers["Location"] == "/kits/o1"
        assert services.asked[-1][:2] == ("PUT", "/orders/o1/address")
        assert "Call off Welcome kit: CCNA?" in await text_of(await client.get("/kits/o1/cancel"))
        answer = await client.post("/kits/o1/cancel", data={"key": "k"}, allow_redirects=False)
        assert (answer.headers["Location"], services.asked[-1][:2]) == ("/kits", ("POST", "/orders/o1/cancellation"))


@pytest.mark.parametrize("path", ["address", "cancel", "resend"])
async def test_what_a_house_has_taken_is_only_shown(path: str) -> None:
    async with browser([order("ordered")], []) as (client, _):
        answer = await client.get(f"/kits/o1/{path}", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/kits/o1")
