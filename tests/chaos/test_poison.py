"""A message that breaks its handler: those behind it pass, and it is set aside with its cause, alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import aio_pika
import orjson
import pytest
import pytest_asyncio
from aio_pika.abc import AbstractIncomingMessage
from pymongo import MongoClient

from deploy.mongo.users import database_name
from libs.common.bus import failures, topology
from libs.common.bus.messages import Outgoing
from libs.common.bus.outgoing import OutgoingEvents
from libs.common.bus.publisher import Publisher
from libs.common.events import SINGLE, exams
from tests.e2e.stage import Stage, open_stage
from tests.e2e.waiting import eventually
from tests.servers import BrokerUnderTest, MongoUnderTest

pytestmark = pytest.mark.timeout(300)

SERVICE = "certs"
QUEUE = topology.events_queue(SERVICE)
RUNGS = len(topology.RETRY_DELAYS)
TAKEN = datetime(2026, 3, 10, 10, tzinfo=UTC)
UNSTORABLE = 2**70
"""A revision that the event's schema admits and no database can keep: every try to record it fails."""


@pytest_asyncio.fixture
async def stage(mongo_server: MongoUnderTest, broker_server: BrokerUnderTest) -> AsyncIterator[Stage]:
    """Empty servers, and no service yet: what a test publishes waits in the queues."""
    async with open_stage(mongo_server, broker_server) as stage:
        yield stage
        assert not stage.processes.fallen


def passed(candidate_id: str, **changes: Any) -> exams.ExamPassed:
    fields: dict[str, Any] = {
        "candidate_id": candidate_id,
        "result_id": f"R-{candidate_id}",
        "revision": 1,
        "registration_id": "G1",
        "exam_code": "200-301",
        "taken_on": TAKEN.date(),
        "taken_at": TAKEN,
        "known_at": TAKEN,
    }
    return exams.ExamPassed(**(fields | changes))


def packed(*data: exams.ExamPassed, program: str = "cisco") -> list[Outgoing]:
    """Events as exams would publish them."""
    events = OutgoingEvents("exams")
    for part in data:
        events.add(part, program=program, subject=part.candidate_id, version=1, cause=None, now=TAKEN)
    return events.messages()


def people(count: int) -> list[str]:
    return [f"CSCO{number:08d}" for number in range(1, count + 1)]


async def publish(stage: Stage, messages: Sequence[Outgoing]) -> None:
    publisher, stopping = Publisher(stage.broker.admin_url, name="test"), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publisher.run(stopping))
        try:
            assert set(await publisher.publish_all(messages)) <= {None}
        finally:
            stopping.set()


def tried_before(message: Outgoing, tries: int) -> Outgoing:
    """A message as it comes back to the queue after its `tries`-th failure."""
    headers: dict[str, str | int] = {failures.TRIES: tries, failures.QUEUE: QUEUE, failures.KEY: message.routing_key}
    back = topology.retry_exchange(SERVICE)
    return Outgoing(message.id, back, QUEUE, message.type, message.content_type, message.body, headers)


async def until_certified(stage: Stage, candidates: Sequence[str]) -> None:
    """Wait until these hold their certification, and nobody else does."""
    with MongoClient[dict[str, Any]](stage.mongo.admin_url) as client:
        ledgers = client[database_name(SERVICE)]["candidates"]

        async def certified() -> set[str]:
            held = {"certifications.certification": "CCNA"}
            return {row["_id"] for row in await asyncio.to_thread(lambda: list(ledgers.find(held, {"_id": 1})))}

        await eventually(certified, lambda found: found == set(candidates), seconds=60)


async def take(stage: Stage, queue_name: str, count: int) -> list[AbstractIncomingMessage]:
    """The messages of a queue, once there are `count`."""
    taken: list[AbstractIncomingMessage] = []
    async with await aio_pika.connect(stage.broker.admin_url) as connection, connection.channel() as channel:
        queue = await channel.get_queue(queue_name, ensure=False)

        async def look() -> int:
            while (message := await queue.get(no_ack=True, fail=False)) is not None:
                taken.append(message)
            return len(taken)

        await eventually(look, lambda found: found >= count)
    return taken


async def waiting(stage: Stage) -> dict[str, int]:
    """What lies in the service's queues."""
    names = (QUEUE, topology.parked_queue(SERVICE), *(topology.retry_queue(QUEUE, step + 1) for step in range(RUNGS)))
    async with await aio_pika.connect(stage.broker.admin_url) as connection, connection.channel() as channel:
        queues = [await channel.declare_queue(name, passive=True) for name in names]
    return {queue.name: queue.declaration_result.message_count or 0 for queue in queues if queue.declaration_result}


async def assert_only_one_was_parked(stage: Stage) -> None:
    """Nothing waits any more, and of all that was published one thing alone was ever set aside."""
    assert set((await waiting(stage)).values()) == {0}
    (complaint,) = stage.processes.set_aside()
    assert complaint.startswith("1 x")
    assert "event_parked" in complaint


async def test_a_thousand_messages_pass_the_poison_before_them(stage: Stage) -> None:
    (poison,) = packed(passed("CSCO99999999", revision=UNSTORABLE))
    good = people(1_000)
    await publish(stage, [tried_before(poison, RUNGS)])
    await publish(stage, [message for person in good for message in packed(passed(person))])
    await stage.start([(SERVICE, "all")])
    await until_certified(stage, good)
    (parked,) = await take(stage, topology.parked_queue(SERVICE), 1)
    assert parked.body == poison.body
    assert parked.headers[failures.TRIES] == RUNGS + 1
    assert parked.headers[failures.CODE] == "failed"
    assert parked.headers[failures.KEY] == "exams.ExamPassed.v1"
    assert "OverflowError" in str(parked.headers[failures.ERROR])
    assert "services/certs" in str(parked.headers[failures.STACK])
    assert {failures.FIRST_FAILURE, failures.LAST_FAILURE} <= parked.headers.keys()
    await assert_only_one_was_parked(stage)


async def test_a_failing_event_climbs_the_ladder_alone(stage: Stage) -> None:
    good = people(99)
    (batch,) = packed(*map(passed, good[:50]), passed("CSCO99999999", revision=UNSTORABLE), *map(passed, good[50:]))
    await publish(stage, [batch])
    await stage.start([(SERVICE, "all")])
    await until_certified(stage, good)
    (retried,) = await take(stage, topology.retry_queue(QUEUE, 2), 1)  # it has waited a second on the first rung
    assert retried.headers[failures.TRIES] == 2
    assert orjson.loads(retried.body)["data"]["candidate_id"] == "CSCO99999999"
    first, second = stage.processes.set_aside()  # on either rung
    assert (first[:3], second[:3]) == ("1 x", "1 x")


async def test_what_can_never_be_handled_is_parked_at_once(stage: Stage) -> None:
    good = people(1_000)
    await publish(stage, packed(passed("CSCO99999999"), program="nowhere"))
    await publish(stage, packed(*map(passed, good)))
    await stage.start([(SERVICE, "all")])
    await until_certified(stage, good)
    (parked,) = await take(stage, topology.parked_queue(SERVICE), 1)
    assert parked.headers[failures.CODE] == "unknown_program"
    assert parked.headers[failures.TRIES] == 1
    await assert_only_one_was_parked(stage)


async def test_one_unreadable_event_does_not_take_its_neighbours_along(stage: Stage) -> None:
    good = people(99)
    (batch,) = packed(*map(passed, [*good, "CSCO99999999"]))
    parts = orjson.loads(batch.body)
    broken = parts.pop()
    broken["data"]["taken_on"] = "last Tuesday"
    parts.insert(50, broken)
    body = orjson.dumps(parts)
    spoilt = Outgoing(batch.id, batch.exchange, batch.routing_key, batch.type, batch.content_type, body)
    await publish(stage, [spoilt])
    await stage.start([(SERVICE, "all")])
    await until_certified(stage, good)
    (parked,) = await take(stage, topology.parked_queue(SERVICE), 1)
    assert parked.headers[failures.CODE] == "schema"
    assert "data.taken_on" in str(parked.headers[failures.ERROR])
    assert (parked.content_type, orjson.loads(parked.body)) == (SINGLE, broken)
    await assert_only_one_was_parked(stage)
