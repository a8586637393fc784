"""Claims and orders through the API on a real database: one parcel for what a candidate is due."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import pytest_asyncio

from libs.common.bus.messages import Received
from libs.common.clock import FixedClock
from libs.common.events import certs, fulfillment, identity
from libs.common.ids import new_id
from libs.common.programs import Program
from services.fulfillment.domain.orders import Entry
from services.fulfillment.orders.ordering import Ordering
from services.fulfillment.orders.store import OrderStore
from tests.servers import MongoUnderTest
from tests.service.fulfillment_station import ADDRESS, FulfillmentStation, ProgramCallers, known_person
from tests.service.rig import open_base
from tests.service.samples import TAKEN, awarded, received

ELSEWHERE = ADDRESS | {"lines": ["22 Oak Ave"]}
_people = count(1)


class Desk(FulfillmentStation):
    """The service with its API, and a candidate of its own for each test."""

    def __init__(self, base: Any, programs: dict[str, Program]) -> None:
        super().__init__(base, programs)
        self.programs = programs
        self.ordering = Ordering(OrderStore(base.database))
        self.callers: ProgramCallers

    async def welcome(self, *certifications: str, who: str | None = None) -> str:
        """A candidate with these certifications."""
        who = who or f"C{next(_people)}"
        await self.take(
            known_person(who), *(self.word(certs.CertificationAwarded, who, name) for name in certifications)
        )
        return who

    def word(self, kind: type[Any], who: str, name: str = "CCNA", version: int = 1, **more: Any) -> Received[Any]:
        item = received(kind(**awarded(who, name).model_dump() | more))
        return replace(item, event=item.event.model_copy(update={"subjectversion": version}))

    async def offers(self, who: str) -> list[dict[str, Any]]:
        status, body = await self.callers.candidate("GET", "/offers", who=who)
        assert status == 200
        return sorted(body["items"], key=lambda one: (one["certification"], one["benefit"]))

    async def claim(self, who: str, *, key: str | None = None, **body: Any) -> tuple[int, Any]:
        """Claim the first of a candidate's offers."""
        offer = (await self.offers(who))[0]
        given = {"address": ADDRESS} | body
        return await self.callers.candidate("POST", f"/offers/{offer['offer_id']}/claim", who=who, key=key, **given)

    async def order(self, who: str) -> dict[str, Any]:
        """A claimed kit."""
        status, body = await self.claim(who)
        assert status == 201, body
        return dict(body)

    async def report(self, order_id: str, state: Any, **more: Any) -> None:
        """What the fulfilment house says of an order."""

        async def work(transaction: Any) -> None:
            order = await self.ordering.store.get(order_id, transaction.session)
            assert order is not None
            await self.ordering.record(transaction, order, Entry(state, transaction.now, "vendor:kits", **more))

        await self.base.unit_of_work.run(work)
        self.base.clock.advance(timedelta(hours=1))

    def told(self, model: type[Any], who: str) -> list[dict[str, Any]]:
        return [data for data in self.said(model) if data["candidate_id"] == who]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(mongo_server: MongoUnderTest, programs: dict[str, Program]) -> AsyncIterator[Desk]:
    """One for all tests of this module, each with people of its own."""
    await mongo_server.empty()
    now = datetime.now(UTC)
    clock = FixedClock(now.replace(microsecond=now.microsecond // 1000 * 1000))
    async with open_base("fulfillment", mongo_server.url("fulfillment"), clock) as base:
        made = Desk(base, programs)
        async with made.api() as made.callers:
            yield made


async def test_claim_is_one_order_with_its_address_and_promise(desk: Desk) -> None:
    who = await desk.welcome("CCNA")
    (offer,) = await desk.offers(who)
    assert (offer["state"], offer["ships"], offer["promise_weeks"], offer["token"]) == ("offered", True, [12, 16], None)
    today = desk.base.clock.now().date()
    status, made = await desk.claim(who, key="k1")
    assert status == 201, made
    assert made["state"] == "pending"
    assert made["ship_to"] == {"name": "Ana Díaz", "lines": ["1 Elm St", "SPRINGFIELD, IL 62701"], "country": "US"}
    assert abs(date.fromisoformat(made["promised_by"]) - today - timedelta(weeks=16)) <= timedelta(1)
    assert await desk.claim(who, key="k1") == (201, made)
    assert (await desk.claim(who))[0] == 409
    assert (await desk.offers(who))[0] | {"state": "claimed", "order_id": made["order_id"]} == (await desk.offers(who))[
        0
    ]
    assert await desk.callers.candidate("GET", f"/orders/{made['order_id']}", who=who) == (200, made)
    _, listed = await desk.callers.candidate("GET", "/orders", who=who)
    assert listed == {"items": [made], "next": None}
    (claimed,), (placed,) = desk.told(fulfillment.BenefitClaimed, who), desk.told(fulfillment.OrderPlaced, who)
    assert claimed["order_id"] == placed["order_id"] == made["order_id"]
    assert placed["promised_by"] == made["promised_by"]
    other = await desk.welcome()
    for method, path in (("GET", ""), ("POST", "/cancellation")):
        assert (await desk.callers.candidate(method, f"/orders/{made['order_id']}{path}", who=other))[0] == 404


@pytest.mark.parametrize("benefit", ["kit", "jacket"])
async def test_many_claims_at_once_make_one_order(desk: Desk, benefit: str) -> None:
    for _ in range(3):
        who, more = await desk.welcome("CCNA"), {}
        if benefit == "jacket":
            who = await desk.welcome()
            await desk.take(jubilee(who))
            more = {"choices": {"cut": "fitted", "size": "L"}, "token": (await desk.offers(who))[0]["token"]}
        answers = await asyncio.gather(*(desk.claim(who, **more) for _ in range(5)))
        assert sorted(status for status, _ in answers) == [201, 409, 409, 409, 409]
        assert len(await desk.base.rows("orders", candidate_id=who)) == 1
        assert len(desk.told(fulfillment.OrderPlaced, who)) == 1


def jubilee(who: str) -> Received[Any]:
    """Twenty-five years without a gap."""
    first, last = date(2001, 11, 22), date(2026, 11, 22)
    data = certs.MilestoneReached(
        candidate_id=who, milestone="years-25", title="25 years", years=25, since=first, reached_on=last
    )
    return received(data)


async def test_token_is_shown_to_its_candidate_until_it_is_used(desk: Desk) -> None:
    who = await desk.welcome()
    told = jubilee(who)
    await desk.take(told, told)
    (offer,) = await desk.offers(who)
    token, choices = offer["token"], {"cut": "straight", "size": "3XL"}
    assert len(token) >= 32
    assert [choice["name"] for choice in offer["choices"]] == ["cut", "size"]
    (said,) = desk.told(fulfillment.GiftOffered, who)
    assert said["milestone"] == "years-25"
    assert token not in str(said)
    _, seen = await desk.callers.staff("GET", f"/candidates/{who}/offers")
    assert [one["token"] for one in seen["items"]] == [None]
    for wrong in (
        {"choices": choices},
        {"choices": choices, "token": token[:-1]},
        {"choices": choices | {"size": "4XL"}, "token": token},
        {"choices": {"size": "M"}, "token": token},
        {"choices": choices | {"colour": "red"}, "token": token},
    ):
        status, body = await desk.claim(who, **wrong)
        assert status == 422, wrong
        assert body["errors"][0]["path"].startswith("body.")
    status, made = await desk.claim(who, choices=choices, token=token)
    assert (status, made["choices"]) == (201, choices)
    assert (await desk.offers(who))[0]["token"] is None
    assert token not in str(await desk.base.rows("offers", candidate_id=who))
    assert (await desk.claim(who, choices=choices, token=token))[0] == 409
    await desk.take(told)
    assert len(desk.told(fulfillment.GiftOffered, who)) == 1
    # Called off before it is ordered, it is offered again, with another token.
    await desk.callers.candidate("POST", f"/orders/{made['order_id']}/cancellation", who=who)
    (again,) = await desk.offers(who)
    assert [entry["state"] for entry in again["history"]] == ["offered", "claimed", "offered"]
    assert again["token"] not in {None, token}
    assert (await desk.claim(who, choices=choices, token=token))[0] == 422


async def test_address_that_no_parcel_reaches_is_told_field_by_field(desk: Desk) -> None:
    who = await desk.welcome("CCNA")
    for address, path in (
        (ADDRESS | {"lines": ["P.O. Box 12"]}, "body.address.lines.0"),
        (ADDRESS | {"postal_code": None}, "body.address.postal_code"),
        (None, "body.address"),
    ):
        status, body = await desk.claim(who, address=address)
        assert (status, [error["path"] for error in body["errors"]]) == (422, [path])
    assert (await desk.claim(who, address=ADDRESS | {"lines": ["4 Boxwood Street"]}))[0] == 201


async def test_name_that_cannot_be_printed_is_asked_for_and_stays_with_the_order(desk: Desk) -> None:
    who = f"C{next(_people)}"
    await desk.take(
        known_person(who, given_name="花子", family_name="山田"), desk.word(certs.CertificationAwarded, who)
    )
    for name in (None, "ヤ☃"):
        status, body = await desk.claim(who, name=name)
        assert (status, [error["path"] for error in body["errors"]]) == (422, ["body.name"])
    status, made = await desk.claim(who, name="Hanako Yamada")
    assert (status, made["ship_to"]["name"]) == (201, "Hanako Yamada")
    path = f"/orders/{made['order_id']}/address"
    _, changed = await desk.callers.candidate("PUT", path, who=who, address=ELSEWHERE)
    assert changed["ship_to"]["name"] == "Hanako Yamada"
    other = await desk.welcome("CCNA")
    assert (await desk.claim(other, name="Somebody Else"))[1]["ship_to"]["name"] == "Ana Díaz"


async def test_address_can_change_until_it_is_ordered_and_never_after(desk: Desk) -> None:
    who = await desk.welcome("CCNA")
    made = await desk.order(who)
    path = f"/orders/{made['order_id']}"
    desk.base.clock.advance(timedelta(minutes=1))
    status, changed = await desk.callers.candidate("PUT", f"{path}/address", who=who, address=ELSEWHERE)
    assert (status, changed["ship_to"]["lines"][0], changed["state"]) == (200, "22 Oak Ave", "pending")
    await desk.report(made["order_id"], "ordered")
    assert (await desk.callers.candidate("PUT", f"{path}/address", who=who, address=ADDRESS))[0] == 409
    assert (await desk.callers.candidate("POST", f"{path}/cancellation", who=who))[0] == 409
    _, seen = await desk.callers.candidate("GET", path, who=who)
    assert seen["ship_to"]["lines"][0] == "22 Oak Ave"
    assert [(entry["state"], entry["by"]) for entry in seen["history"]] == [
        ("pending", "candidate"),
        ("pending", "candidate"),
        ("ordered", "vendor"),
    ]


async def test_address_changes_or_the_house_takes_it_but_never_both_halves(desk: Desk) -> None:
    """Whoever comes second sees what the first has done, so no parcel goes where it was said not to."""
    for _ in range(4):
        who = await desk.welcome("CCNA")
        made = await desk.order(who)
        taken: list[str] = []

        async def take(order_id: str, taken: list[str]) -> None:
            async def work(transaction: Any) -> str:
                order = await desk.ordering.store.get(order_id, transaction.session)
                assert order is not None
                assert order.ship_to is not None
                await desk.ordering.record(transaction, order, Entry("ordered", transaction.now, "vendor:kits"))
                return order.ship_to.lines[0]

            taken.append(await desk.base.unit_of_work.run(work))

        path = f"/orders/{made['order_id']}/address"
        (status, _), _ = await asyncio.gather(
            desk.callers.candidate("PUT", path, who=who, address=ELSEWHERE), take(made["order_id"], taken)
        )
        assert taken == (["22 Oak Ave"] if status == 200 else ["1 Elm St"])


async def test_parcel_that_came_back_is_sent_again_once(desk: Desk) -> None:
    who = await desk.welcome("CCNA")
    made = await desk.order(who)
    path = f"/orders/{made['order_id']}"
    assert (await desk.callers.candidate("POST", f"{path}/resending", who=who, address=ELSEWHERE))[0] == 409
    tracking = {"carrier": "UPS", "tracking_number": "1Z", "tracking_url": "https://ups.example/1Z"}
    await desk.report(made["order_id"], "shipped", **tracking)
    await desk.report(made["order_id"], "returned", note="Unknown at this address")
    (shipped,), (returned,) = desk.told(fulfillment.OrderShipped, who), desk.told(fulfillment.OrderReturned, who)
    assert {name: shipped[name] for name in tracking} == tracking
    assert returned["reason"] == "Unknown at this address"
    status, fresh = await desk.callers.candidate("POST", f"{path}/resending", who=who, address=ELSEWHERE)
    assert (status, fresh["replaces"], fresh["state"]) == (201, made["order_id"], "pending")
    assert (await desk.callers.candidate("POST", f"{path}/resending", who=who, address=ELSEWHERE))[0] == 409
    assert (await desk.callers.candidate("GET", path, who=who))[1]["replaced_by"] == fresh["order_id"]
    assert [one.get("replaces") for one in desk.told(fulfillment.OrderPlaced, who)] == [None, made["order_id"]]
    (offer,) = await desk.offers(who)
    assert (offer["state"], offer["order_id"]) == ("claimed", fresh["order_id"])
    # One that is lost is sent again by staff, to where the first one went.
    await desk.report(fresh["order_id"], "shipped")
    status, third = await desk.callers.staff("POST", f"/orders/{fresh['order_id']}/resending", address=None)
    assert (status, third["ship_to"]) == (201, fresh["ship_to"])
    assert third["history"][0]["by"] == "staff"


async def test_staff_see_a_programs_orders_and_call_them_off(desk: Desk) -> None:
    who = await desk.welcome("CCNA")
    made = await desk.order(who)
    path = f"/orders/{made['order_id']}"
    assert await desk.callers.staff("GET", path) == (200, made)
    assert (await desk.callers.staff("GET", path, program="juniper"))[0] == 404
    for query, found in (
        ("state=pending", True),
        ("state=shipped", False),
        ("late=true", False),
        ("vendor=kits", True),
    ):
        _, listed = await desk.callers.staff("GET", f"/orders?limit=200&{query}")
        assert (made["order_id"] in [one["order_id"] for one in listed["items"]]) == found, query
    desk.base.clock.advance(timedelta(weeks=17))
    _, listed = await desk.callers.staff("GET", "/orders?limit=200&late=true")
    assert [one["late"] for one in listed["items"] if one["order_id"] == made["order_id"]] == [True]
    await desk.report(made["order_id"], "in_production")
    status, gone = await desk.callers.staff("POST", f"{path}/cancellation", reason="Sold out")
    assert (status, gone["state"], gone["history"][-1]["note"]) == (200, "cancelled", "Sold out")
    assert [one["reason"] for one in desk.told(fulfillment.OrderCancelled, who)] == ["Sold out"]
    assert [one["state"] for one in await desk.offers(who)] == ["offered"]
    # The house had sent it after all: so it is claimed, and not ordered twice.
    await desk.report(made["order_id"], "shipped")
    assert (await desk.claim(who))[0] == 409
    assert (await desk.callers.staff("POST", f"{path}/cancellation", reason="No"))[0] == 409


async def test_revocation_calls_off_what_has_not_left_its_house(desk: Desk) -> None:
    for state, called_off in (("pending", True), ("in_production", True), ("shipped", False)):
        who = await desk.welcome("CCNA")
        made = await desk.order(who)
        if state != "pending":
            await desk.report(made["order_id"], state)
        await desk.take(desk.word(certs.CertificationRevoked, who, version=2))
        _, order = await desk.callers.candidate("GET", f"/orders/{made['order_id']}", who=who)
        assert order["state"] == ("cancelled" if called_off else state)
        assert len(desk.told(fulfillment.OrderCancelled, who)) == called_off
        assert [one["state"] for one in await desk.offers(who)] == ([] if called_off else ["claimed"])
        await desk.take(desk.word(certs.CertificationReinstated, who, version=3))
        assert [one["state"] for one in await desk.offers(who)] == ["offered" if called_off else "claimed"]


@pytest.mark.parametrize("earlier", ["pending", "shipped"])
async def test_merged_accounts_are_sent_one_kit_and_nothing_more_is_offered(desk: Desk, earlier: str) -> None:
    one, other = await desk.welcome("CCNA"), await desk.welcome("CCNA")
    first = await desk.order(one)
    desk.base.clock.advance(timedelta(minutes=1))
    second = await desk.order(other)
    goes, stays = (first, second) if earlier == "pending" else (second, first)
    if earlier == "shipped":
        await desk.report(goes["order_id"], "shipped")
    both = {"merge_id": new_id(), "candidate_id": one, "merged_id": other}
    await desk.take(received(identity.CandidatesMerged(**both, merged_at=TAKEN)))
    states = {row["_id"]: row["state"] for row in await desk.base.rows("orders", candidate_id={"$in": [one, other]})}
    assert states == {goes["order_id"]: earlier, stays["order_id"]: "cancelled"}
    for who in (one, other):
        assert [(offer["state"], offer["order_id"]) for offer in await desk.offers(who)] == [
            ("claimed", goes["order_id"])
        ]
        _, listed = await desk.callers.candidate("GET", "/orders", who=who)
        assert len(listed["items"]) == 2
    await desk.take(desk.word(certs.CertificationAwarded, other, version=5))
    assert (await desk.claim(other))[0] == 409


async def test_offer_ends_on_its_last_day_and_says_so_once(desk: Desk) -> None:
    who = await desk.welcome("CCNA")
    (offer,) = await desk.offers(who)
    (row,) = await desk.base.rows("offers", candidate_id=who)
    desk.base.clock.advance(row["claim_until"] - desk.base.clock.now() - timedelta(seconds=1))
    assert [one["offer_id"] for one in await desk.offers(who)] == [offer["offer_id"]]
    desk.base.clock.advance(timedelta(seconds=1))
    assert [one["state"] for one in await desk.offers(who)] == ["expired"]
    path = f"/offers/{offer['offer_id']}/claim"
    assert (await desk.callers.candidate("POST", path, who=who, address=ADDRESS))[0] == 409
    for _ in range(2):
        await desk.run("offers_over")
    assert [one["offer_id"] for one in desk.told(fulfillment.BenefitExpired, who)] == [offer["offer_id"]]
    await desk.take(desk.word(certs.CertificationAwarded, who, version=2))
    (seen,) = await desk.offers(who)
    assert [entry["state"] for entry in seen["history"]] == ["offered", "expired"]


async def test_paid_item_waits_for_its_payment(desk: Desk) -> None:
    who = await desk.welcome("CCIE-Security")
    kit, plaque = await desk.offers(who)
    assert (kit["price"], plaque["price"]) == (None, {"amount": "79.00", "currency": "USD"})
    path = f"/offers/{plaque['offer_id']}/claim"
    _, made = await desk.callers.candidate("POST", path, who=who, address=ADDRESS)
    assert (made["awaits_payment"], made["promised_by"]) == (True, None)
    waiting = [order.id for order in await desk.ordering.store.to_hand_over("kits", limit=1_000)]
    assert made["order_id"] not in waiting
    assert desk.told(fulfillment.OrderPlaced, who) == []

    async def pay(transaction: Any) -> None:
        order = await desk.ordering.store.get(made["order_id"], transaction.session)
        assert order is not None
        await desk.ordering.release(transaction, desk.programs["cisco"], order)

    for _ in range(2):
        await desk.base.unit_of_work.run(pay)
    waiting = [order.id for order in await desk.ordering.store.to_hand_over("kits", limit=1_000)]
    assert made["order_id"] in waiting
    assert [one["order_id"] for one in desk.told(fulfillment.OrderPlaced, who)] == [made["order_id"]]


async def test_erased_candidates_order_is_kept_without_its_address(desk: Desk) -> None:
    who = await desk.welcome("CCNA", "CCNP-Security")
    made = await desk.order(who)
    await desk.report(made["order_id"], "shipped", tracking_number="1Z-PERSONAL")
    await desk.claim(who)
    _, late = await desk.callers.candidate(
        "POST", f"/offers/{(await desk.offers(who))[1]['offer_id']}/claim", who=who, address=ADDRESS
    )
    accounts = [identity.ErasedAccount(candidate_id=who, pseudonym=f"erased-{new_id()}")]
    erased = identity.CandidateErased(candidate_id=who, accounts=accounts, erased_at=TAKEN)
    await desk.take(received(erased))
    rows = await desk.base.rows("orders", candidate_id=accounts[0].pseudonym)
    assert {row["_id"]: row["state"] for row in rows} == {made["order_id"]: "shipped", late["order_id"]: "cancelled"}
    everything = [await desk.base.rows(name) for name in ("orders", "offers", "people")]
    assert not [mark for mark in (who, "1Z-PERSONAL") if f"'{mark}'" in str(everything)]
    assert all(row["ship_to"] is None for row in rows)
    said = len(desk.said(fulfillment.OrderReturned))
    await desk.report(made["order_id"], "returned", note=who, tracking_number="1Z-PERSONAL")
    (order,) = (await desk.ordering.store.several([made["order_id"]])).values()
    assert (order.state, order.tracking_number, order.history[-1].note) == ("returned", None, None)
    assert len(desk.said(fulfillment.OrderReturned)) == said
    await desk.report(late["order_id"], "ordered")
    assert (await desk.ordering.store.several([late["order_id"]]))[late["order_id"]].state == "cancelled"
