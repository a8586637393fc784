"""Addresses and payments through the service: what a page is asked and says, and what becomes of the order."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from standardwebhooks.webhooks import Webhook

from libs.common.events import fulfillment, identity
from libs.common.ids import new_id
from libs.common.programs import Program
from libs.common.signatures import written
from libs.common.signed_forms import PAYMENT, Unsigned, read_keys, verify
from tests.service.conftest import OpenBase
from tests.service.fulfillment_station import ADDRESS, FulfillmentStation, ProgramCallers, known_person
from tests.service.samples import TAKEN, awarded, received
from tests.unit.fulfillment.test_payments import CARDS, PAGE

SHARED = "k" * 40
KEYS = read_keys(f"first {SHARED}")
NOTICES = "/api/fulfillment/v1/payment-pages/example/notices"
CERTIFICATION = "CCIE-Security"


class Shop:
    """Candidates who buy a plaque, and the payment page that they pay on."""

    def __init__(self, station: FulfillmentStation, api: ProgramCallers) -> None:
        self.station = station
        self.api = api

    async def order(self, who: str) -> str:
        """The order of a plaque that waits to be paid."""
        await self.station.take(known_person(who), received(awarded(who, CERTIFICATION)))
        _, page = await self.api.candidate("GET", "/offers", who=who)
        (offer,) = (one for one in page["items"] if one["benefit"] == "plaque")
        status, made = await self.api.candidate(
            "POST", f"/offers/{offer['offer_id']}/claim", who=who, key=new_id(), address=ADDRESS
        )
        assert (status, made["state"]) == (201, "pending")
        return str(made["order_id"])

    async def pay(self, who: str, order_id: str, **body: Any) -> tuple[int, Any]:
        body = {"return_to": "/benefits"} | body
        return await self.api.candidate("POST", f"/orders/{order_id}/payments", who=who, **body)

    async def payment(self, who: str, order_id: str) -> str:
        status, made = await self.pay(who, order_id)
        assert status == 201, made
        return str(made["payment_id"])

    async def notice(self, payment_id: str, *, secret: str = SHARED, path: str = NOTICES, **more: Any) -> Any:
        """What the page says, signed by the library of Standard Webhooks."""
        now = self.station.base.clock.now()
        said = {
            "kind": "confirmed",
            "payment_id": payment_id,
            "reference": "c1",
            "amount": "79.00",
            "currency": "USD",
            "occurred_at": now.isoformat(),
        }
        body = orjson.dumps(said | more)
        signature = Webhook(written(secret.encode())).sign("m1", now, body.decode())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": "m1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }
        answer = await self.api._client.post(path, data=body, headers=headers)
        told = await answer.json()
        return told.get("verdict") if answer.status == 200 else (answer.status, told)

    async def state(self, who: str, order_id: str) -> Any:
        status, shown = await self.api.candidate("GET", f"/orders/{order_id}", who=who)
        assert status == 200
        return shown["state"], shown["promised_by"] is not None

    def told(self, who: str) -> list[str]:
        events = [fulfillment.PaymentConfirmed, fulfillment.PaymentRefunded, fulfillment.OrderPlaced]
        events.append(fulfillment.OrderCancelled)
        return [event.__name__ for event in events for said in self.station.said(event) if said["candidate_id"] == who]

    async def listed(self) -> dict[str, Any]:
        status, page = await self.api.staff("GET", "/payments?limit=200")
        assert status == 200
        return {one["payment_id"]: one for one in page["items"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "pages").mkdir()
    (folder / "pages" / "example.yaml").write_text(PAGE)
    other = PAGE.replace("id: example", "id: other").replace("[cisco]", "[juniper]")
    (folder / "pages" / "other.yaml").write_text(other)
    (folder / "example-pay").write_text(f"first {SHARED}")
    return folder


@pytest.fixture
async def shop(base_of: OpenBase, programs: dict[str, Program], folder: Path) -> AsyncIterator[Shop]:
    async with base_of("fulfillment") as base:
        settings: dict[str, Any] = {"payment_pages_dir": folder / "pages", "vendor_secrets_dir": folder}
        station = FulfillmentStation(base, programs, public_url="https://certs.example", **settings)
        async with station.api() as api:
            yield Shop(station, api)


async def test_order_goes_on_once_it_is_paid(shop: Shop) -> None:
    order_id = await shop.order("C1")
    assert await shop.state("C1", order_id) == ("pending", False)
    status, made = await shop.pay("C1", order_id, return_to="/orders?paid=1")
    assert (status, made["state"], made["amount"], made["currency"]) == (201, "open", "79.00", "USD")
    form = made["form"]
    assert (form["method"], form["action"]) == ("POST", "https://pay.example/checkout")
    verify(PAYMENT, form["fields"], KEYS)
    with pytest.raises(Unsigned):
        verify(PAYMENT, form["fields"] | {"amount": "1.00"}, KEYS)
    assert form["fields"]["return_url"] == "https://certs.example/orders?paid=1"
    assert "C1" not in form["fields"].values()
    for wrong in ("https://evil.example", "//evil.example", "/\\evil.example"):
        assert (await shop.pay("C1", order_id, return_to=wrong))[0] == 422

    payment_id = made["payment_id"]
    assert [await shop.notice(payment_id) for _ in range(2)] == ["taken", "known"]
    assert await shop.state("C1", order_id) == ("pending", True)
    assert shop.told("C1") == ["PaymentConfirmed", "OrderPlaced"]
    (event,) = shop.station.said(fulfillment.PaymentConfirmed)
    assert (event["order_id"], event["amount"], event["currency"]) == (order_id, "79.00", "USD")
    assert (await shop.pay("C1", order_id))[0] == 409
    _, page = await shop.api.candidate("GET", "/payments")
    assert [(one["payment_id"], one["state"], one["paid"]) for one in page["items"]] == [(payment_id, "paid", "79.00")]

    part = {"kind": "refunded", "amount": "9.00"}
    assert [await shop.notice(payment_id, reference="r1", **part) for _ in range(2)] == ["taken", "known"]
    assert await shop.state("C1", order_id) == ("pending", True)
    assert await shop.notice(payment_id, kind="refunded", reference="r2", amount="70.00") == "taken"
    assert (await shop.state("C1", order_id))[0] == "cancelled"
    assert sorted(shop.told("C1")) == [
        "OrderCancelled",
        "OrderPlaced",
        "PaymentConfirmed",
        "PaymentRefunded",
        "PaymentRefunded",
    ]
    _, page = await shop.api.candidate("GET", "/offers")
    assert "offered" in [one["state"] for one in page["items"] if one["benefit"] == "plaque"]


async def test_order_is_paid_once_and_money_that_has_nowhere_to_go_is_listed(shop: Shop) -> None:
    order_id = await shop.order("C1")
    first, second, third = [await shop.payment("C1", order_id) for _ in range(3)]
    answers = await asyncio.gather(*(shop.notice(one) for one in (first, second) for _ in range(2)))
    assert sorted(answers) == ["flagged", "known", "known", "taken"]
    assert shop.told("C1") == ["PaymentConfirmed", "OrderPlaced"]
    assert await shop.notice(third, amount="7.90") == "flagged"
    listed = await shop.listed()
    assert sorted(str(one["trouble"]) for one in listed.values()) == ["None", "other_amount", "paid_twice"]
    surplus = next(key for key, one in listed.items() if one["trouble"] == "paid_twice")
    assert await shop.notice(surplus, kind="refunded", reference="r1") == "taken"
    assert (await shop.listed())[surplus]["trouble"] is None
    assert await shop.state("C1", order_id) == ("pending", True)

    # Called off before it is paid, by the candidate; and a refund that arrives before the payment that it pays back.
    called_off, returned = await shop.order("C2"), await shop.order("C3")
    late, early = await shop.payment("C2", called_off), await shop.payment("C3", returned)
    assert (await shop.api.candidate("POST", f"/orders/{called_off}/cancellation", who="C2"))[0] < 300
    assert await shop.notice(late) == "flagged"
    assert (await shop.listed())[late]["trouble"] == "called_off"
    assert [await shop.notice(early, kind="refunded"), await shop.notice(early)] == ["flagged", "taken"]
    assert await shop.state("C3", returned) == ("pending", False)
    assert "OrderPlaced" not in shop.told("C3")


async def test_page_is_believed_by_its_signature_and_cards_are_refused(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = await shop.order("C1")
    payment_id = await shop.payment("C1", order_id)
    assert (await shop.notice(payment_id, secret="x" * 40))[0] == 401
    assert (await shop.notice(payment_id, path=NOTICES.replace("example", "nobody")))[0] == 401
    assert (await shop.notice(payment_id, path=NOTICES.replace("example", "other")))[0] == 404
    assert (await shop.notice("made-up"))[0] == 404
    shop.station.base.clock.advance(timedelta(minutes=10))
    for card in CARDS:
        for more in ({"reference": card}, {"card": card}, {card: "x"}, {"note": [f"paid with {card}"]}):
            status, problem = await shop.notice(payment_id, **more)
            assert (status, problem["errors"][0]["code"]) == (422, "card_number")
            assert card not in str(problem)
    written_down = capsys.readouterr()
    for card in CARDS:
        assert card not in written_down.out + written_down.err
    for wrong in ({"amount": 79.0}, {"amount": "79,00"}, {"amount": "-1"}, {"currency": "usd"}, {"kind": "paid"}):
        assert (await shop.notice(payment_id, **wrong))[0] == 422
    assert await shop.state("C1", order_id) == ("pending", False)
    assert await shop.listed() == {}
    assert not [row for row in await shop.station.base.rows("payments") if row["facts"]]


async def test_order_that_nobody_pays_is_called_off(shop: Shop) -> None:
    unpaid, paid = await shop.order("C1"), await shop.order("C2")
    late, in_time = await shop.payment("C1", unpaid), await shop.payment("C2", paid)
    assert await shop.notice(in_time) == "taken"
    shop.station.base.clock.advance(timedelta(days=13))
    await shop.station.run("unpaid_orders")
    assert await shop.state("C1", unpaid) == ("pending", False)
    fresh = await shop.order("C3")
    shop.station.base.clock.advance(timedelta(days=2))
    for _ in range(2):
        await shop.station.run("unpaid_orders")
    states = [(await shop.state(who, one))[0] for who, one in (("C1", unpaid), ("C2", paid), ("C3", fresh))]
    assert states == ["cancelled", "pending", "pending"]
    assert shop.told("C1") == ["OrderCancelled"]
    _, page = await shop.api.candidate("GET", "/offers")
    assert "offered" in [one["state"] for one in page["items"] if one["benefit"] == "plaque"]
    assert await shop.notice(late) == "flagged"


async def test_payment_of_somebody_erased_can_still_be_paid_back(shop: Shop) -> None:
    payment_id = await shop.payment("C1", await shop.order("C1"))
    assert await shop.notice(payment_id) == "taken"
    accounts = [identity.ErasedAccount(candidate_id="C1", pseudonym="erased-1")]
    erased = identity.CandidateErased(candidate_id="C1", accounts=accounts, erased_at=TAKEN)
    await shop.station.take(received(erased))
    (row,) = await shop.station.base.rows("payments")
    assert (row["candidate_id"], "C1" in str(row)) == ("erased-1", False)
    assert (await shop.listed())[payment_id]["trouble"] == "called_off"
    assert await shop.notice(payment_id, kind="refunded", reference="r1") == "taken"
    assert (await shop.listed())[payment_id]["trouble"] is None


async def test_who_pays(shop: Shop) -> None:
    order_id = await shop.order("C1")
    await shop.order("C2")
    assert (await shop.pay("C2", order_id))[0] == 404
    assert (await shop.api.staff("POST", f"/candidates/C1/orders/{order_id}/payments", return_to="/"))[0] == 403
    _, page = await shop.api.candidate("GET", "/offers")
    (kit,) = (one for one in page["items"] if one["benefit"] == "initial_kit")
    _, made = await shop.api.candidate("POST", f"/offers/{kit['offer_id']}/claim", key=new_id(), address=ADDRESS)
    assert (await shop.pay("C1", made["order_id"]))[0] == 409


async def test_addresses(shop: Shop) -> None:
    status, form = await shop.api.staff("GET", "/address-form?country=JP")
    assert (status, [field["name"] for field in form["fields"]]) == (200, ["postal_code", "region", "lines"])
    assert (await shop.api.staff("GET", "/address-form?country=ZZ"))[0] == 422
    status, checked = await shop.api.candidate("POST", "/address-checks", address=ADDRESS, benefit="plaque")
    assert (status, checked["problems"], checked["country"]) == (200, [], "UNITED STATES")
    assert checked["lines"] == ["1 Elm St", "SPRINGFIELD, IL 62701"]
    boxed = ADDRESS | {"lines": ["P.O. Box 12"]}
    _, checked = await shop.api.candidate("POST", "/address-checks", address=boxed)
    assert [(one["path"], one["code"]) for one in checked["problems"]] == [("lines.0", "po_box")]
    assert (await shop.api.candidate("POST", "/address-checks", address=ADDRESS, benefit="yacht"))[0] == 422
    assert await shop.station.base.rows("orders") == []
