"""What gives staff something to do: results that nobody can place, that are late or challenged, and bad messages."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aio_pika
import orjson
from pymongo import MongoClient

from deploy.mongo.users import database_name
from libs.common.bus import failures, topology
from libs.common.bus.messages import Outgoing
from libs.common.events import SINGLE
from tests.e2e.portal.people import Person, World
from tests.e2e.samples import result
from tests.e2e.vendor import vendor_message
from tests.e2e.waiting import eventually


async def stray(world: World, booked: Person, number: str) -> None:
    """A result with somebody's registration, under a number of the vendor's that nobody has."""
    strange = result(number).model_copy(update={"registration_id": f"G-{booked.number}"})
    await world.vendor.publish(vendor_message(strange))


async def fail(world: World, person: Person) -> None:
    """A result that somebody may challenge."""
    lost = result(person.number).model_copy(update={"grade": "fail", "score": 500})
    await world.vendor.publish(vendor_message(lost))


async def let_be_late(world: World, person: Person) -> None:
    """As the watch leaves a registration a week after its promise."""
    now = datetime.now(UTC)
    days = {
        f"watch.{name}": (now - timedelta(days=past)).date().isoformat()
        for name, past in (("due_on", 21), ("overdue_on", 3))
    }
    watch: dict[str, Any] = {"watch.awaited": True, "watch.stage": "late", "watch.told": {}, **days}

    def change() -> int:
        with MongoClient[dict[str, Any]](world.stage.mongo.url("exams")) as client:
            rows = client[database_name("exams")]["registrations"]
            query = {"registration_id": f"G-{person.number}"}
            later = {"watch.next_at": now + timedelta(days=1)}
            return rows.update_one(query, {"$set": watch | later}).modified_count

    assert await asyncio.to_thread(change) == 1


async def challenge(world: World, person: Person) -> None:
    """What only the candidate can do."""
    await world.activate(person)
    path = f"/programs/cisco/candidates/{person.candidate_id}"
    await eventually(lambda: world.staff.get("exams", f"{path}/results"), lambda page: bool(page["items"]))
    body = {"result_id": f"cisco:vue:R-{person.number}", "ground": "score", "text": "I think question 7 was right."}
    await world.act_as(person, "POST", "exams", "/challenges", body)


def malformed() -> Outgoing:
    sent = vendor_message(result("X-BAD"))
    event = orjson.loads(sent.body)
    event["data"]["grade"] = "splendid"
    return Outgoing(sent.id, sent.exchange, sent.routing_key, sent.type, SINGLE, orjson.dumps(event), user_id="vue")


async def park(world: World, name: str, person: Person) -> None:
    """What the retry ladder leaves after its last step; certs knows the event's kind and not this candidate's data."""
    data = {"candidate_id": person.candidate_id}
    body = orjson.dumps({"id": name, "type": "exams.ExamPassed", "program": "cisco", "data": data})
    yesterday = datetime.now(UTC) - timedelta(days=1)
    headers: Any = {
        failures.TRIES: 5,
        failures.QUEUE: topology.events_queue("certs"),
        failures.KEY: "exams.ExamPassed.v1",
        failures.FIRST_FAILURE: yesterday.isoformat(),
        failures.LAST_FAILURE: (yesterday + timedelta(minutes=12)).isoformat(),
        failures.ERROR: "ValueError: nothing to do about it",
        failures.CODE: "failed",
    }
    async with await aio_pika.connect(world.stage.broker.url("certs")) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange(topology.retry_exchange("certs"), ensure=False)
        message = aio_pika.Message(body, headers=headers, content_type=SINGLE)
        await exchange.publish(message, topology.parked_queue("certs"))
