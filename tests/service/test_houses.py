"""Orders to a fulfilment house: sent once, answered in any order, watched, compared."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.bus import topology
from libs.common.events import identity, vendors
from libs.common.programs import Program
from services.fulfillment.exchange.standing import MOST_SENDINGS
from tests.service.conftest import OpenBase
from tests.service.house_station import FOREIGN, LABEL, HouseStation, Staff, shipment
from tests.service.samples import TAKEN, received
from tests.service.sftp_server import sftp_server
from tests.service.test_order import BOUNDED


@pytest.fixture
async def house(base_of: OpenBase, programs: dict[str, Program], tmp_path: Path) -> AsyncIterator[HouseStation]:
    """A house that reads its queue."""
    async with base_of("fulfillment") as base:
        yield HouseStation(base, programs, tmp_path)


@pytest.fixture
async def folders(base_of: OpenBase, programs: dict[str, Program], tmp_path: Path) -> AsyncIterator[HouseStation]:
    """A house that takes files."""
    async with base_of("fulfillment") as base:
        sections = HouseStation(base, programs, tmp_path).files()
        yield HouseStation(base, programs, tmp_path, sections)


async def test_order_goes_to_the_house_once_with_all_that_is_printed(house: HouseStation) -> None:
    await house.place("O1")
    await house.place("O2", to=FOREIGN)
    await asyncio.gather(house.run("orders"), house.run("orders"))
    await house.run("orders")
    home, abroad = sorted(house.requested(), key=lambda event: event["data"]["order_id"])
    assert (home["type"], home["program"], home["source"]) == (
        "certrail.orders.OrderRequested.v1",
        "cisco",
        "certrail/fulfillment",
    )
    assert home["data"]["ship_to"] == {"name": LABEL.name, "lines": list(LABEL.lines), "country": "US"}
    assert (home["data"]["item"], home["data"]["sending"], home["data"]["customs"]) == ("KIT-WELCOME", 1, None)
    assert abroad["data"]["customs"]["tariff_code"] == "491199"
    assert (await house.order("O1")).state == "ordered"
    await house.hear(shipment("O1", "accepted"))
    assert (await house.base.rows("dispatches", _id="O1"))[0]["state"] == "acknowledged"


async def test_order_without_an_answer_goes_again_under_its_number_and_not_for_ever(house: HouseStation) -> None:
    for order_id in ("O1", "O2"):
        await house.place(order_id)
    await house.run("orders")
    await house.hear(shipment("O2", "accepted"))
    for _ in range(MOST_SENDINGS + 1):
        house.base.clock.advance(timedelta(days=3, seconds=1))
        await house.run("orders-watch", "orders")
    again = [event["data"]["sending"] for event in house.requested() if event["data"]["order_id"] == "O1"]
    assert again == [*range(1, MOST_SENDINGS + 1)]
    assert len([event for event in house.requested() if event["data"]["order_id"] == "O2"]) == 1


async def test_order_called_off_is_withdrawn_once_where_the_house_has_it(house: HouseStation) -> None:
    for order_id in ("O1", "O2"):
        await house.place(order_id)
    await house.cancel("O2")
    await house.run("orders")
    await house.cancel("O1")
    for _ in range(2):
        await house.run("orders-recalled", "orders")
    kinds = [(event["type"].split(".")[2], event["data"]["order_id"]) for event in house.requested()]
    assert kinds == [("OrderRequested", "O1"), ("OrderWithdrawn", "O1")]


STEPS = ("accepted", "in_production", "dispatched", "delivered")
_orders = iter(range(10_000))


@BOUNDED
@given(order=st.lists(st.sampled_from(range(4)), min_size=1, max_size=9).map(tuple))
async def test_words_may_come_twice_and_in_any_order(
    base_of: OpenBase, programs: dict[str, Program], tmp_path: Path, order: tuple[int, ...]
) -> None:
    async with base_of("fulfillment") as base:
        house, order_id = HouseStation(base, programs, tmp_path), f"O{next(_orders)}x"
        await house.place(order_id, candidate_id=order_id)
        await house.run("orders")
        for step in order:
            await house.hear(shipment(order_id, STEPS[step], hours=step, carrier="UPS", tracking_number="1Z"))
        states = ("ordered", "in_production", "shipped", "delivered")
        assert (await house.order(order_id)).state == states[max(order)]
        assert len(await base.rows("shipment_reports", order_id=order_id)) == len(set(order))
        told = house.told(order_id)
        assert (told.count("OrderDelivered"), told.count("OrderShipped") <= 1) == (int(3 in order), True)


async def test_words_about_unknown_orders_are_kept_shown_and_applied_later(house: HouseStation) -> None:
    await house.place("O1")
    await house.hear(shipment("O1", "dispatched"), shipment("O9", "delivered"))
    await house.run("orders")
    await house.hear(shipment("O1", "delivered"), house="vue")  # not the house that has the order
    assert (await house.order("O1")).state == "ordered"
    async with house.staff() as staff:
        unknown = await staff.items("/shipment-reports?unknown=true")
        assert sorted((one["house"], one["order_id"]) for one in unknown) == [
            ("kits", "O1"),
            ("kits", "O9"),
            ("vue", "O1"),
        ]
        await house.run("unknown-shipments")
        assert (await house.order("O1")).state == "shipped"
        unknown = await staff.items("/shipment-reports?unknown=true")
        assert sorted((one["house"], one["order_id"]) for one in unknown) == [("kits", "O9"), ("vue", "O1")]
    async with house.staff("juniper") as stranger:
        for path in ("/shipment-reports", "/dispatches", "/houses", "/order-lists", "/house-stock"):
            assert (await stranger("GET", path))[0] == 404


async def test_refused_order_is_shown_and_sent_again_by_staff(house: HouseStation) -> None:
    await house.place("O1")
    await house.run("orders")
    house.base.clock.advance(timedelta(hours=1))
    now = house.base.clock.now()
    refusal = vendors.OrderRefused(order_id="O1", at=now, reason="No such item")
    await house.place("O2")
    await house.run("orders")
    taken = shipment("O2", "accepted")
    for word in (refusal.model_copy(update={"order_id": "O2"}), taken, refusal.model_copy(update={"order_id": "O2"})):
        await house.hear(word)
    assert (await house.base.rows("dispatches", _id="O2"))[0]["state"] == "acknowledged"
    await house.hear(refusal)
    async with house.staff() as staff:
        (refused,) = await staff.items("/dispatches?state=refused")
        assert (refused["reason"], (await staff.items("/houses"))[0]["refused"]) == ("No such item", 1)
        assert (await staff("POST", "/dispatches/O1/again"))[0] == 200
        await house.run("orders")
        await house.hear(
            vendors.OrderRefused(order_id="O1", at=now - timedelta(minutes=1), reason="Of the first sending")
        )
        assert (await house.base.rows("dispatches", _id="O1"))[0]["state"] == "sent"
        await house.hear(shipment("O1", "dispatched"))
        assert (await staff("POST", "/dispatches/O1/again"))[0] == 409
        assert (await staff("POST", "/dispatches/O7/again"))[0] == 404
    assert [event["data"]["sending"] for event in house.requested() if event["data"]["order_id"] == "O1"] == [1, 2]


async def test_late_orders_are_told_once_and_a_silent_house_is_flagged_until_it_speaks(house: HouseStation) -> None:
    await house.place("O1")
    await house.place("O2", candidate_id="C2")
    await house.run("orders")
    await house.hear(shipment("O2", "delivered"))
    async with house.staff() as staff:
        await house.run("orders-watch")
        assert (await staff.items("/houses"))[0]["silent_since"] is None
        house.base.clock.advance(timedelta(days=8))
        await house.run("orders-watch")
        assert (await staff.items("/houses"))[0]["silent_since"] is not None
        house.base.clock.advance(timedelta(weeks=16))
        for _ in range(2):
            await asyncio.gather(*(house.run("orders-watch") for _ in range(3)))
        assert (house.told("C1").count("OrderLate"), house.told("C2").count("OrderLate")) == (1, 0)
        await house.hear(shipment("O1", "in_production"))
        assert (await staff.items("/houses"))[0]["silent_since"] is None


async def test_stock_is_what_was_said_last(house: HouseStation) -> None:
    later = vendors.StockReported(item="KIT-WELCOME", on_hand=7, at=TAKEN + timedelta(days=1))
    house.base.clock.advance(timedelta(days=365))
    await house.hear(later)
    await house.hear(vendors.StockReported(item="KIT-WELCOME", on_hand=9, at=TAKEN))
    async with house.staff() as staff:
        (one,) = await staff.items("/house-stock")
        assert (one["on_hand"], one["low"]) == (7, False)


async def test_files_carry_orders_and_answers_settle_each_line(folders: HouseStation) -> None:
    await folders.place("O1")
    await folders.place("O2", to=FOREIGN)
    await folders.place("O3", to=type(LABEL)("田中", ("東京",), "JP"))
    await folders.run("orders")
    assert folders.requested() == []
    for _ in range(2):
        await folders.exchange()
    (path,) = folders.inbox.iterdir()
    text = path.read_bytes().decode("cp1252").removesuffix("\r\n")
    header, *lines = [line.split("\t") for line in text.split("\r\n")]
    rows = {row["OrderID"]: row for row in (dict(zip(header, line, strict=True)) for line in lines)}
    assert sorted(rows) == ["O1", "O2"]
    assert (rows["O1"]["Name"], rows["O1"]["Address2"], rows["O1"]["CustomsValue"]) == (LABEL.name, LABEL.lines[1], "")
    assert (rows["O2"]["CustomsTariff"], rows["O2"]["CustomsValue"], rows["O2"]["Country"]) == ("491199", "1.00", "ES")
    answer = "OrderID\tStatus\tMessage\r\nO1\tAccepted\t\r\nO2\tError\tNo stock\r\nO8\tAccepted\t\r\n"
    for number in (1, 2):  # the same answer under two names
        (folders.outbox / f"orderack-cisco-{number:06}.txt").write_text(answer if number == 1 else "junk")
    await folders.exchange()
    states = {row["_id"]: (row["state"], row["reason"]) for row in await folders.base.rows("dispatches")}
    assert states["O1"] == ("acknowledged", None)
    assert states["O2"] == ("refused", "No stock")
    assert states["O3"][0] == "refused"
    assert "letters" in str(states["O3"][1])
    assert (await folders.order("O3")).state == "pending"
    async with folders.staff() as staff:
        faults = [fault["code"] for one in await staff.items("/house-answers") for fault in one["faults"]]
        assert sorted(faults) == ["unknown_record", "unreadable"]
        (file,) = await staff.items("/house-files")
        assert (file["lines"], file["unanswered"], file["state"]) == (2, 0, "delivered")
        await staff("POST", "/dispatches/O2/again")
    await folders.readdress("O3", LABEL)
    await folders.run("orders")
    folders.base.clock.advance(timedelta(hours=2))
    await folders.exchange()
    (second,) = [path for path in folders.inbox.iterdir() if path.name.endswith("2.txt")]
    sent = sorted(line.split("\t")[:3] for line in second.read_text("cp1252").splitlines()[1:])
    assert sent == [["Add", "O2", "2"], ["Add", "O3", "1"]]


async def test_order_of_a_program_that_the_house_does_not_serve_is_shown(
    base_of: OpenBase, programs: dict[str, Program], tmp_path: Path
) -> None:
    async with base_of("fulfillment") as base:
        sections = HouseStation(base, programs, tmp_path).files()
        house = HouseStation(base, programs, tmp_path, sections, {"programs": ["juniper"]})
        await house.place("O1")
        await house.run("orders")
        await house.exchange()
        (row,) = await base.rows("dispatches")
        assert (row["state"], "does not name the program" in row["reason"]) == ("refused", True)


async def test_lists_are_compared_once_and_what_differs_is_shown(folders: HouseStation) -> None:
    for order_id in ("O1", "O2", "O3", "O4"):
        await folders.place(order_id)
    await folders.run("orders")
    await folders.exchange()
    await folders.hear(shipment("O3", "dispatched", tracking_number="1Z9"), shipment("O4", "in_production"))
    lines = ("O1,open,,", "O3,shipped,2026-01-02T00:00:00Z,1Z8", "O4,accepted,,", "O9,delivered,,", "O5,lost,,")
    listed = "\n".join(("OrderID,Status,At,TrackingNumber", *lines)).encode()
    files = {"all-cisco-20260101.csv": listed, "stock-cisco-20260101.csv": b"item,on_hand\nKIT-WELCOME,3\n"}
    now = folders.base.clock.now().timestamp()
    for name, content in files.items():
        (folders.outbox / name).write_bytes(content)
        os.utime(folders.outbox / name, (now - 60, now - 60))
    for _ in range(2):
        await folders.exchange()
    async with folders.staff() as staff:
        lists = {one["kind"]: one for one in await staff.items("/order-lists")}
        assert len(lists) == 2
        found = await staff.items(f"/order-lists/{lists['orders']['list_id']}/findings")
        assert [(one["kind"], one["order_id"], one["differences"]) for one in found] == [
            ("missing_there", "O2", []),
            ("different", "O3", ["tracking_number"]),
            ("missing_here", "O9", []),
            ("unreadable", None, []),
        ]
        status, csv = await staff("GET", f"/order-lists/{lists['orders']['list_id']}/findings.csv")
        assert (status, csv.count(b"\r\n")) == (200, 5)
        await _act_on_what_was_found(staff, f"/order-lists/{lists['orders']['list_id']}", found)
        assert [each["todo"] for each in await folders.base.rows("dispatches", _id="O2")] == ["request"]
        (stock,) = await staff.items("/house-stock")
        assert (stock["on_hand"], stock["needed"], stock["low"]) == (3, 3, True)
        _, given = await staff("POST", "/order-lists?house=kits", b"order_id,status\nO1,accepted\n")
        assert given["counts"]["missing_there"] == 2, "what waits to be sent is not missed"
        assert (await staff("POST", "/order-lists?house=kits", b"nothing"))[0] == 422
        assert (await staff("POST", "/order-lists?house=other", b"order_id,status\n"))[0] == 422


async def _act_on_what_was_found(staff: Staff, one: str, found: list[dict[str, Any]]) -> None:
    async def act(number: int, action: str, **more: str) -> tuple[int, Any]:
        path = f"{one}/findings/{found[number]['finding_id']}/action"
        return await staff("PUT", path, orjson.dumps({"action": action} | more), media_type="application/json")

    status, problem = await act(1, "send_again")
    assert (status, problem["errors"][0]["path"]) == (422, "body.action"), "the house has that order"
    assert (await act(1, "dismiss"))[0] == 422, "why is not said"
    for _ in range(2):
        status, acted = await act(0, "send_again")
        assert (status, acted["action"]["kind"], acted["action"]["by"]) == (200, "send_again", "staff:ada")
    assert (await act(0, "ask_house"))[0] == 409
    assert (await act(1, "dismiss", reason="A typing error."))[1]["action"]["reason"] == "A typing error."
    left = await staff.items(f"{one}/findings?open=true")
    assert [each["order_id"] for each in left] == ["O9", None]
    _, shown = await staff("GET", one)
    assert shown["counts"]["missing_there"] == 1


async def test_files_go_over_sftp_once_the_server_is_back(
    base_of: OpenBase, programs: dict[str, Program], tmp_path: Path
) -> None:
    there = tmp_path / "there"
    for name in ("in", "out"):
        (there / name).mkdir(parents=True)
    async with sftp_server(there, passwords={"certrail": "p"}) as server, base_of("fulfillment") as base:
        where = {"folder": "/in", "file": "orders-{program}-{number}.txt"}
        sections = {"files": where | {"confirmations": {"folder": "/out", "file": "ack-{program}-{number}.txt"}}}
        sftp = {"host": "127.0.0.1", "port": server.port, "username": "certrail", "host_keys": [server.host_key]}
        house = HouseStation(base, programs, tmp_path, sections, {"sftp": sftp | {"password": "kits-password"}})
        (tmp_path / "secrets" / "kits-password").write_text("p")
        await house.place("O1")
        await house.run("orders")
        await server.stop()
        await house.exchange()
        async with house.staff() as staff:
            assert (await staff.items("/houses"))[0]["error"]
            await server.start()
            house.base.clock.advance(timedelta(hours=1))
            await house.exchange()
            assert (await staff.items("/houses"))[0]["error"] is None
        assert (there / "in" / "orders-cisco-000001.txt").read_bytes().count(b"O1") == 1
        (there / "out" / "ack-cisco-000001.txt").write_text("OrderID\tStatus\tMessage\r\nO1\tAccepted\t\r\n")
        await house.exchange()
        assert (await base.rows("dispatches"))[0]["state"] == "acknowledged"


async def test_nothing_leads_from_the_exchange_to_somebody_erased(folders: HouseStation) -> None:
    await folders.place("O1", to=FOREIGN, candidate_id="C-gone")
    await folders.run("orders")
    await folders.exchange()
    await folders.hear(shipment("O1", "dispatched", tracking_number="1Z-gone"))
    await folders.place("O2", to=FOREIGN, candidate_id="C-gone")
    await folders.run("orders")
    erased = identity.CandidateErased(
        candidate_id="C-gone",
        accounts=[identity.ErasedAccount(candidate_id="C-gone", pseudonym="erased-1")],
        erased_at=folders.base.clock.now(),
    )
    work = next(each.work for each in folders.parts.subscriptions if each.queue == topology.events_queue("fulfillment"))
    await folders.base.handle(work, received(erased))
    collections = ("orders", "dispatches", "shipment_reports", "outgoing_files", "outgoing_lines", "order_findings")
    kept = str({name: await folders.base.rows(name) for name in collections})
    assert "erased-1" in kept
    assert not [word for word in ("C-gone", "1Z-gone", "Pe\xf1a", "Calle") if word in kept]
    folders.base.clock.advance(timedelta(hours=2))
    await folders.exchange()
    assert len(list(folders.inbox.iterdir())) == 1
    await folders.hear(shipment("O1", "delivered", tracking_number="1Z-gone"))
    assert len(reports := await folders.base.rows("shipment_reports")) == 2
    assert "1Z-gone" not in str(reports)
