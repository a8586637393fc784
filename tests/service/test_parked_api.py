"""Parked messages over HTTP: whose are shown to whom, what is done with them, and what the audit log says of it."""

from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import orjson
import pytest

from libs.common.bus import failures, topology
from libs.common.http.principal import Principal
from libs.common.http.server import Api
from libs.common.service import Parts
from tests.servers import BrokerUnderTest
from tests.service.bus import Bus
from tests.service.conftest import OpenBase
from tests.service.surfaces.surface import OTHER_PROGRAM, PROGRAM, Surface, operator, staff

QUEUE = topology.vendors_queue("exams")
LIST = f"/api/exams/v1/programs/{PROGRAM}/parked-messages"
BARE = Parts(api=Api("exams", "exams", "exams", "1", ()), subscriptions=())


@pytest.fixture
async def surface(base_of: OpenBase, broker: BrokerUnderTest) -> AsyncIterator[Surface]:
    """An API that has nothing but the audit log and the parked messages."""
    async with base_of("exams") as base, Surface(BARE, base, amqp_url=broker.url("exams")).serving() as surface:
        yield surface


async def park(bus: Bus, body: bytes, minute: int, queue: str | None = QUEUE) -> None:
    """What the retry ladder leaves after its last step."""
    headers: Any = {
        failures.TRIES: 5,
        failures.KEY: "vue.ExamResultReported.v1",
        failures.VENDOR: "vue",
        failures.LAST_FAILURE: f"2026-11-22T10:{minute:02}:00+00:00",
        failures.ERROR: "ValueError: grade of C1",
        failures.CODE: "failed",
    } | ({failures.QUEUE: queue} if queue else {})
    channel = await bus.channel("exams")
    exchange = await channel.get_exchange(topology.retry_exchange("exams"), ensure=False)
    await exchange.publish(aio_pika.Message(body, headers=headers), topology.parked_queue("exams"))


def event(name: str, program: str = PROGRAM) -> bytes:
    kind = "vue.ExamResultReported"
    return orjson.dumps({"id": name, "type": kind, "program": program, "data": {"candidate_id": "C1", "n": name}})


async def ask(surface: Surface, caller: Principal, method: str = "GET", path: str = "") -> tuple[int, Any]:
    status, body = await surface.send(method, LIST + path, caller)
    return status, orjson.loads(body)


async def listed(surface: Surface, caller: Principal) -> list[str]:
    status, page = await ask(surface, caller)
    assert (status, page["count"]) == (200, len(page["items"]))
    return [item["parked_id"] for item in page["items"]]


async def test_staff_see_their_programs_messages_and_only_who_has_all_sees_what_belongs_to_none(
    surface: Surface, bus: Bus
) -> None:
    await park(bus, event("late"), 9)
    await park(bus, event("early"), 1)
    await park(bus, event("theirs", OTHER_PROGRAM), 2)
    await park(bus, event("nobody's", "unheard"), 3)
    await park(bus, b"no JSON", 4)
    await park(bus, orjson.dumps([orjson.loads(event("both")), orjson.loads(event("x", OTHER_PROGRAM))]), 5)
    assert await listed(surface, staff()) == ["early", "late"]
    everything = await listed(surface, operator())
    assert len(everything) == 5
    assert "theirs" not in everything, "each program's list has its own"
    for caller in (staff(), operator()):
        assert (await ask(surface, caller, path="/theirs"))[0] == 404
    (first, _) = (await ask(surface, staff()))[1]["items"]
    assert "C1" not in str(first), "a list says nothing of anybody"
    assert (first["code"], first["cause"], first["tries"], first["vendor"]) == ("failed", "ValueError", 5, "vue")
    _, page = await ask(surface, staff(), path="?limit=1")
    _, rest = await ask(surface, staff(), path=f"?limit=1&cursor={page['next']}")
    assert [item["parked_id"] for item in (*page["items"], *rest["items"])] == ["early", "late"]


async def test_who_opened_a_message_and_why_one_was_dropped_is_in_the_audit_log(surface: Surface, bus: Bus) -> None:
    await park(bus, event("one"), 1)
    await park(bus, event("two"), 2)
    _, whole = await ask(surface, staff(), path="/one")
    assert (orjson.loads(whole["body"])["data"]["n"], whole["error"]) == ("one", "ValueError: grade of C1")
    assert (await ask(surface, staff(), "POST", "/one/drop/because"))[0] == 422
    assert await listed(surface, staff()) == ["one", "two"], "looking took nothing away"
    assert (await ask(surface, staff(), "POST", "/one/drop/repeated"))[1] == {"parked_id": "one", "done": "dropped"}
    assert await listed(surface, staff()) == ["two"]
    assert (await ask(surface, staff(), "POST", "/one/drop/repeated"))[0] == 404
    _, audit = await surface.send("GET", f"/api/exams/v1/programs/{PROGRAM}/audit", operator())
    records = orjson.loads(audit)["items"]
    opened = next(record for record in records if record["operation"] == "show_parked_message")
    assert (opened["actor"], opened["candidates"]) == ("staff:ada", ["C1"])
    dropped = [record for record in records if record["about"].get("reason") == "repeated"]
    assert [(record["step"], record["status"]) for record in dropped[:2]] == [("asked", 0), ("answered", 200)]


async def test_a_replayed_message_is_the_vendors_as_on_its_first_day(surface: Surface, bus: Bus) -> None:
    await park(bus, event("one"), 1)
    await park(bus, event("lost"), 2, queue=None)
    assert (await ask(surface, staff(), "POST", "/one/replay"))[1] == {"parked_id": "one", "done": "replayed"}
    channel = await bus.channel("exams")
    again = await (await channel.get_queue(QUEUE, ensure=False)).get(timeout=10)
    assert again is not None
    await again.ack()
    assert again.body == event("one")
    assert again.headers[failures.VENDOR] == "vue"
    assert failures.TRIES not in again.headers
    status, problem = await ask(surface, staff(), "POST", "/lost/replay")
    assert (status, problem["type"]) == (409, "urn:certrail:problem:conflict")
    assert await listed(surface, staff()) == ["lost"]
