"""The consumer: many events a transaction, each with one effect; a bad one set aside alone; outages waited out."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
import structlog
from aio_pika import Message
from aio_pika.abc import AbstractIncomingMessage

from libs.common.bus import failures, topology
from libs.common.bus.messages import Outgoing, Received
from libs.common.errors import Unavailable, Unprocessable
from libs.common.events import BATCH, certs
from libs.common.mongo.unit_of_work import Transaction
from tests.servers import BrokerUnderTest, MongoUnderTest
from tests.service.bus import Bus
from tests.service.proxy import proxy_to
from tests.service.rig import Rig, Rigs, eventually, until
from tests.service.samples import awarded, outgoing

QUEUE = topology.events_queue("fulfillment")
LADDER = [topology.retry_queue(QUEUE, step) for step in range(1, len(topology.RETRY_DELAYS) + 1)]
PARKED = topology.parked_queue("fulfillment")
Award = Received[certs.CertificationAwarded]


class Poison(Exception):
    """What a handler with a defect raises."""


class Register:
    """Work that notes each candidate once in the database, through the inbox, and remembers its batches."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.batches: list[list[str]] = []
        self.retried: set[str] = set()
        """Who came again by way of the ladder."""
        self.fault: dict[str, Exception] = {}
        """What to raise for a candidate."""

    async def work(self, transaction: Transaction, items: Sequence[Award]) -> None:
        self.batches.append([item.data.candidate_id for item in items])
        self.retried |= {item.data.candidate_id for item in items if failures.tries_of(item.delivery)}
        new = await transaction.take_new(items)
        for item in items:
            if item.data.candidate_id in self.fault:
                raise self.fault[item.data.candidate_id]
        if new:
            rows = [{"_id": item.event.id, "candidate": item.data.candidate_id} for item in new]
            await self._rig.database["jobs"].insert_many(rows, session=transaction.session)

    async def noted(self) -> list[str]:
        return [row["candidate"] for row in await self._rig.rows("jobs")]

    async def until_noted(self, count: int) -> list[str]:
        return await eventually(self.noted, lambda noted: len(noted) >= count)


def singles(*candidates: str) -> list[Outgoing]:
    """A message for each candidate."""
    return [message for one in candidates for message in outgoing("certs", [awarded(one)])]


def batch(*candidates: str) -> Outgoing:
    """One message for all."""
    (message,) = outgoing("certs", [awarded(one) for one in candidates])
    return message


def names(count: int) -> list[str]:
    return [f"C{n:04}" for n in range(count)]


async def drained(bus: Bus, left: int = 0) -> list[Any]:
    """What is left on the queue once its consumer has stopped: the broker takes a moment to put it back there."""
    await eventually(lambda: bus.ready(QUEUE), lambda ready: ready >= left)
    return await bus.take_all(QUEUE)


async def test_what_has_arrived_is_one_transaction_and_one_acknowledgement(rigs: Rigs, bus: Bus) -> None:
    async with rigs("fulfillment") as rig:
        register = Register(rig)
        await bus.publish(*singles(*names(120)), user="certs")
        async with rig.consuming(QUEUE, register.work, batch_size=100):
            await register.until_noted(120)
        assert sorted(await register.noted()) == names(120)
        assert await drained(bus) == []
        assert max(map(len, register.batches)) > 1
        assert max(map(len, register.batches)) <= 100


@pytest.mark.parametrize(("batch_size", "prefetch"), [(5, 100), (100, 5)], ids=["a whole batch", "all that may come"])
async def test_what_comes_alone_goes_at_once_and_what_follows_is_gathered_until_it_is_whole(
    rigs: Rigs, bus: Bus, batch_size: int, prefetch: int
) -> None:
    async with rigs("fulfillment") as rig:
        register = Register(rig)
        first, *rest = names(6)
        sizes = {"batch_size": batch_size, "prefetch": prefetch}
        async with rig.consuming(QUEUE, register.work, **sizes, gather_seconds=100.0) as consumer:
            await bus.publish(*singles(first), user="certs")
            await register.until_noted(1)
            await bus.publish(*singles(*rest[:3]), user="certs")
            await until(lambda: len(consumer._arrived) == 3)
            assert register.batches == [[first]]
            await bus.publish(*singles(*rest[3:]), user="certs")
            await register.until_noted(6)
            assert register.batches == [[first], rest]


async def test_batch_that_stays_small_begins_after_its_time(rigs: Rigs, bus: Bus) -> None:
    async with rigs("fulfillment") as rig:
        register = Register(rig)
        async with rig.consuming(QUEUE, register.work, gather_seconds=0.2):
            for count, name in enumerate(names(3), 1):
                await bus.publish(*singles(name), user="certs")
                await register.until_noted(count)
        assert register.batches == [[name] for name in names(3)]


async def test_stop_does_not_wait_for_what_is_gathered_and_loses_nothing(rigs: Rigs, bus: Bus) -> None:
    async with rigs("fulfillment") as rig:
        register = Register(rig)
        async with rig.consuming(QUEUE, register.work, gather_seconds=100.0) as consumer:
            await bus.publish(*singles("C1"), user="certs")
            await register.until_noted(1)
            await bus.publish(*singles("C2"), user="certs")
            await until(lambda: len(consumer._arrived) == 1)
        assert await register.noted() == ["C1"]
        assert len(await drained(bus, 1)) == 1


async def test_log_entries_of_a_batch_about_one_chain_bear_its_id(rigs: Rigs, bus: Bus) -> None:
    spoken: dict[str, object] = {}

    async with rigs("fulfillment") as rig:
        register = Register(rig)

        async def work(transaction: Transaction, items: Sequence[Award]) -> None:
            chains = " ".join(sorted(item.correlation_id for item in items))
            spoken[chains] = structlog.contextvars.get_contextvars().get("correlation_id")
            await register.work(transaction, items)

        await bus.publish(*singles("C1"), user="certs")
        async with rig.consuming(QUEUE, work):
            await register.until_noted(1)
            await bus.publish(batch("C2", "C3"), user="certs")
            await register.until_noted(3)
    (alone,) = [chains for chains in spoken if " " not in chains]
    (both,) = [chains for chains in spoken if " " in chains]
    assert (spoken[alone], spoken[both]) == (alone, None)


async def test_batch_messages_are_split_into_transactions_of_the_set_size(rigs: Rigs, bus: Bus) -> None:
    async with rigs("fulfillment") as rig:
        register = Register(rig)
        await bus.publish(batch(*names(90)), user="certs")
        async with rig.consuming(QUEUE, register.work, batch_size=40):
            await register.until_noted(90)
        assert [len(one) for one in register.batches] == [40, 40, 10]


async def test_acknowledgement_covers_the_batch_and_no_more(rigs: Rigs, bus: Bus) -> None:
    """The second batch can never be committed: after a stop its messages are there again, those of the first not."""
    async with rigs("fulfillment") as rig:
        register = Register(rig)

        async def work(transaction: Transaction, items: Sequence[Award]) -> None:
            if register.batches:
                raise Unavailable("the database is away")
            await register.work(transaction, items)

        await bus.publish(*singles("A", "B", "C"), user="certs")
        async with rig.consuming(QUEUE, work, batch_size=1) as consumer:
            await until(lambda: bool(register.batches) and not consumer.ready)
        left = [orjson.loads(message.body)["data"]["candidate_id"] for message in await drained(bus, 2)]
        assert await register.noted() == ["A"]
        assert left == ["B", "C"]


async def test_delivery_repeated_in_any_form_has_one_effect(rigs: Rigs, bus: Bus) -> None:
    async with rigs("fulfillment") as rig:
        register = Register(rig)
        together = batch("A", "B", "C")
        events = orjson.loads(together.body)
        again = replace(together, body=orjson.dumps([events[2], events[0], events[2]]))
        async with rig.consuming(QUEUE, register.work):
            await bus.publish(together, together, again, user="certs")
            await register.until_noted(3)
            await bus.publish(together, again, *singles("D"), user="certs")  # what is noted last has all else before it
            await register.until_noted(4)
        assert sorted(await register.noted()) == ["A", "B", "C", "D"]
        assert await drained(bus) == []


async def test_thousand_good_events_pass_a_poisonous_one(rigs: Rigs, bus: Bus) -> None:
    async with rigs("fulfillment") as rig:
        register = Register(rig)
        register.fault = {"C0500": Poison("a defect")}
        every = names(1_000)
        await bus.publish(*(batch(*every[n : n + 100]) for n in range(0, 1_000, 100)), user="certs")
        async with rig.consuming(QUEUE, register.work):
            await register.until_noted(999)
            register.fault.clear()
            await hurry(bus, await first_of(bus, *LADDER))
            await register.until_noted(1_000)
        assert sorted(await register.noted()) == every
        for queue in (*LADDER, PARKED, QUEUE):
            assert await bus.take_all(queue) == []
        assert register.retried == {"C0500"}, "one event failed, and one alone"


async def first_of(bus: Bus, *queues: str) -> AbstractIncomingMessage:
    """The message that lies in one of several queues, whichever it has reached by now."""

    async def look() -> list[AbstractIncomingMessage]:
        return [message for queue in queues for message in await bus.take_all(queue)]

    (message,) = await eventually(look, bool)
    return message


async def test_poison_walks_the_ladder_and_is_parked_with_its_cause(rigs: Rigs, bus: Bus) -> None:
    async with rigs("fulfillment") as rig:
        register = Register(rig)
        register.fault = {"bad": Poison("a defect")}
        began = rig.clock.now()
        async with rig.consuming(QUEUE, register.work):
            await bus.publish(batch("good", "bad", "fine"), user="certs")
            await register.until_noted(2)
            tries = 0
            while tries < len(LADDER):
                message = await first_of(bus, *LADDER[tries:])
                assert int(str(message.headers[failures.TRIES])) > tries
                tries = int(str(message.headers[failures.TRIES]))
                rig.clock.advance(timedelta(minutes=1))
                await hurry(bus, message)
            parked = await bus.take(PARKED)
        assert orjson.loads(parked.body)["data"]["candidate_id"] == "bad"
        headers = parked.headers
        assert headers[failures.TRIES] == len(topology.RETRY_DELAYS) + 1
        assert headers[failures.QUEUE] == QUEUE
        assert headers[failures.KEY] == "certs.CertificationAwarded.v1"
        assert headers[failures.ERROR] == "Poison: a defect"
        assert headers[failures.CODE] == "failed"
        assert "in work" in str(headers[failures.STACK])
        assert headers[failures.FIRST_FAILURE] == began.isoformat()
        assert headers[failures.LAST_FAILURE] == rig.clock.now().isoformat()
        assert sorted(await register.noted()) == ["fine", "good"]
        assert register.retried == {"bad"}
        assert await drained(bus) == []


async def hurry(bus: Bus, message: AbstractIncomingMessage) -> None:
    """Bring a waiting message back at once, as the broker does when its time is over."""
    again = Message(
        message.body,
        content_type=message.content_type,
        message_id=message.message_id,
        type=message.type,
        headers=message.headers,
    )
    channel = await bus.channel()
    await channel.default_exchange.publish(again, QUEUE)


async def test_retried_event_comes_back_by_itself_after_the_first_step(rigs: Rigs, bus: Bus) -> None:
    async with rigs("fulfillment") as rig:
        register = Register(rig)
        register.fault = {"bad": Poison("not yet")}
        async with rig.consuming(QUEUE, register.work):
            await bus.publish(*singles("bad"), user="certs")
            await eventually(lambda: bus.ready(LADDER[0]), lambda ready: ready == 1)
            register.fault.clear()
            assert await register.until_noted(1) == ["bad"]
        assert register.batches == [["bad"], ["bad"]]


async def test_error_that_can_never_pass_is_parked_at_once(rigs: Rigs, bus: Bus) -> None:
    async with rigs("fulfillment") as rig:
        register = Register(rig)
        register.fault = {"bad": Unprocessable("no_such_thing", "it cannot be")}
        async with rig.consuming(QUEUE, register.work):
            await bus.publish(*singles("good", "bad", "fine"), user="certs")
            parked = await bus.take(PARKED)
            await register.until_noted(2)
        assert (parked.headers[failures.TRIES], parked.headers[failures.CODE]) == (1, "no_such_thing")
        assert await bus.ready(LADDER[0]) == 0


async def test_unreadable_event_is_parked_alone_and_its_99_neighbours_pass(rigs: Rigs, bus: Bus) -> None:
    async with rigs("fulfillment") as rig:
        register = Register(rig)
        message = batch(*names(100))
        events = orjson.loads(message.body)
        events[42]["data"]["earned_on"] = "one fine day"
        async with rig.consuming(QUEUE, register.work):
            await bus.publish(replace(message, body=orjson.dumps(events)), user="certs")
            await register.until_noted(99)
            parked = await bus.take(PARKED)
        assert orjson.loads(parked.body) == events[42]
        assert parked.headers[failures.CODE] == "schema"
        assert "earned_on" in str(parked.headers[failures.ERROR])
        assert sorted(await register.noted()) == [name for name in names(100) if name != "C0042"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"body": b"no JSON at all"}, "schema"),
        ({"body": b"[1, 2", "content_type": BATCH}, "schema"),
        ({"content_type": "text/plain"}, "content_type"),
        ({"type": "certrail.certs.NoSuchEvent.v1"}, "unknown_type"),
    ],
    ids=["not JSON", "cut off", "content type", "unknown type"],
)
async def test_unreadable_message_is_parked_and_the_next_handled(
    rigs: Rigs, bus: Bus, fault: dict[str, Any], code: str
) -> None:
    async with rigs("fulfillment") as rig:
        register = Register(rig)
        (message,) = singles("bad")
        async with rig.consuming(QUEUE, register.work):
            await bus.publish(replace(message, **fault), *singles("good"), user="certs")
            await register.until_noted(1)
            parked = await bus.take(PARKED)
        assert parked.headers[failures.CODE] == code
        assert parked.body == fault.get("body", message.body)
        assert await drained(bus) == []


async def test_database_outage_is_waited_out_and_nothing_is_set_aside(
    rigs: Rigs, bus: Bus, mongo: MongoUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.common.mongo.client.SELECTION_TIMEOUT_MS", 300)
    monkeypatch.setattr("libs.common.mongo.unit_of_work.DEADLINE_SECONDS", 0.3)
    with proxy_to(mongo.url("fulfillment")) as (proxy, url):
        async with rigs("fulfillment", mongo_url=url) as rig:
            register = Register(rig)
            async with rig.consuming(QUEUE, register.work) as consumer:
                await bus.publish(*singles("A"), user="certs")
                await register.until_noted(1)
                proxy.cut()
                await bus.publish(*singles(*names(50)), user="certs")
                await until(lambda: not consumer.ready)
                proxy.mend()
                await until(lambda: consumer.ready)
                await register.until_noted(51)
            assert sorted(await register.noted()) == ["A", *names(50)]
    assert await bus.take_all(PARKED) == []
    for queue in LADDER:
        assert await bus.ready(queue) == 0
    assert await drained(bus) == []


async def test_connection_lost_in_the_middle_of_a_batch_loses_and_doubles_nothing(
    rigs: Rigs, bus: Bus, broker: BrokerUnderTest
) -> None:
    with proxy_to(broker.url("fulfillment")) as (proxy, url):
        async with rigs("fulfillment", amqp_url=url) as rig:
            register = Register(rig)
            cuts = 3

            async def work(transaction: Transaction, items: Sequence[Award]) -> None:
                nonlocal cuts
                await register.work(transaction, items)
                if cuts:
                    cuts -= 1
                    proxy.cut()
                    proxy.mend()

            async with rig.consuming(QUEUE, work, batch_size=25):
                await bus.publish(*singles(*names(200)), user="certs")
                await register.until_noted(200)
                await eventually(lambda: bus.ready(QUEUE), lambda ready: ready == 0)
            assert cuts == 0
            assert sorted(await register.noted()) == names(200)
    assert await drained(bus) == []


async def test_stop_finishes_what_is_in_hand_and_leaves_the_rest(rigs: Rigs, bus: Bus) -> None:
    async with rigs("fulfillment") as rig:
        register = Register(rig)
        inside, may_go_on = asyncio.Event(), asyncio.Event()

        async def work(transaction: Transaction, items: Sequence[Award]) -> None:
            inside.set()
            await may_go_on.wait()
            await register.work(transaction, items)

        await bus.publish(*singles(*names(30)), user="certs")
        async with rig.consuming(QUEUE, work, batch_size=10):
            await inside.wait()
            asyncio.get_running_loop().call_later(0.05, may_go_on.set)
        noted = await register.noted()
        rest = await drained(bus, 30 - len(noted))
        left = [orjson.loads(message.body)["data"]["candidate_id"] for message in rest]
        assert noted
        assert len(noted) <= 10
        assert sorted([*noted, *left]) == names(30)


async def test_two_workers_on_one_queue_share_the_work_and_repeat_none(rigs: Rigs, bus: Bus) -> None:
    async with rigs("fulfillment") as one, rigs("fulfillment") as other:
        first, second = Register(one), Register(other)
        async with one.consuming(QUEUE, first.work, prefetch=10), other.consuming(QUEUE, second.work, prefetch=10):
            messages = singles(*names(300))
            await bus.publish(*messages, *messages[:50], user="certs")
            await first.until_noted(300)
            await eventually(lambda: bus.ready(QUEUE), lambda ready: ready == 0)
        assert sorted(await first.noted()) == names(300)
        assert first.batches
        assert second.batches
