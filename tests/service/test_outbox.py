"""What is said is what was committed: the outbox, the relay, and the sweep that takes over after a crash."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from libs.common.bus import topology
from libs.common.bus.messages import Outgoing
from libs.common.bus.relay import MEMORY, Relay
from libs.common.events import certs, exams
from libs.common.ids import new_id
from libs.common.mongo.outbox import LEASE, MAX_TRIES, Outbox
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from tests.servers import BrokerUnderTest
from tests.service.bus import Bus
from tests.service.certs_station import CertsStation
from tests.service.proxy import proxy_to
from tests.service.rig import Rig, Rigs, eventually, until
from tests.service.samples import awarded, outgoing, passed

PAST_LEASE = LEASE + timedelta(seconds=1)


async def say(rig: Rig, *candidates: str) -> None:
    """Commit a change and an event about each candidate."""

    async def work(transaction: Transaction) -> None:
        for candidate in candidates:
            await rig.database["jobs"].insert_one({"_id": candidate}, session=transaction.session)
            transaction.emit(awarded(candidate), program="cisco", subject=candidate, version=1)

    await rig.unit_of_work.run(work)


async def store(rig: Rig, *messages: Outgoing) -> None:
    """Rows of a process that died before it could publish them."""

    async def work(transaction: Transaction) -> None:
        await rig.outbox.add(transaction.session, messages, owner="dead", now=rig.clock.now())

    await rig.unit_of_work.run(work)


def unroutable() -> Outgoing:
    """A message for a queue that does not exist."""
    return Outgoing(new_id(), topology.REJECTIONS, "nobody", "certrail.Test.v1", "application/json", b"{}")


async def test_change_and_event_are_committed_together(rigs: Rigs) -> None:
    async with rigs("certs") as rig:
        await say(rig, "C1")
        assert [row["_id"] for row in await rig.rows("jobs")] == ["C1"]
        (row,) = await rig.rows("outbox")
        assert (row["key"], row["owner"]) == ("certs.CertificationAwarded.v1", rig.owner)


async def test_neither_change_nor_event_is_left_of_a_failure(rigs: Rigs, bus: Bus) -> None:
    async with rigs("certs") as rig, rig.relaying(), bus.listening() as heard:
        with pytest.raises(ValueError, match="no room"):
            await rig.unit_of_work.run(fail_after_saying(rig))
        await say(rig, "C2")
        await heard.until(certs.CertificationAwarded)
        assert [event["subject"] for event in heard.events] == ["C2"]
        assert [row["_id"] for row in await rig.rows("jobs")] == ["C2"]


def fail_after_saying(rig: Rig) -> Callable[[Transaction], Awaitable[None]]:
    async def work(transaction: Transaction) -> None:
        await rig.database["jobs"].insert_one({"_id": "C1"}, session=transaction.session)
        transaction.emit(awarded("C1"), program="cisco", subject="C1", version=1)
        raise ValueError("no room")

    return work


async def test_nothing_is_published_before_the_commit(rigs: Rigs, bus: Bus) -> None:
    async with rigs("certs") as rig, rig.relaying(), bus.listening() as heard:

        async def work(transaction: Transaction) -> None:
            transaction.emit(awarded("C1"), program="cisco", subject="C1", version=1)
            await say(rig, "C2")  # a transaction of its own, over before this one is
            await heard.until(certs.CertificationAwarded, subject="C2")
            assert heard.of(certs.CertificationAwarded, "C1") == []

        await rig.unit_of_work.run(work)
        await heard.until(certs.CertificationAwarded, subject="C1")


async def test_relay_publishes_what_is_committed_and_forgets_it(rigs: Rigs, bus: Bus) -> None:
    async with rigs("certs") as rig, bus.listening() as heard:
        async with rig.relaying() as relay:
            await say(rig, *(f"C{n}" for n in range(250)))
            events = await heard.until(certs.CertificationAwarded, 250)
            assert len({event["subject"] for event in events}) == 250
            assert await relay.flush(10)
        assert await rig.rows("outbox") == []


async def test_rows_of_a_dead_process_are_published_after_their_lease(rigs: Rigs, bus: Bus) -> None:
    async with rigs("certs") as dead, rigs("certs") as heir, bus.listening() as heard:
        await say(dead, "C1")
        heir.clock.advance(LEASE - timedelta(seconds=1))
        assert await heir.sweep().once() == 0
        heir.clock.advance(timedelta(seconds=2))
        assert await heir.sweep().once() == 1
        await heard.until(certs.CertificationAwarded, subject="C1")
        assert await heir.rows("outbox") == []


async def test_row_published_but_not_removed_comes_again_with_its_id_and_changes_nothing(
    rigs: Rigs, bus: Bus, programs: dict[str, Program]
) -> None:
    """The crash between publishing and forgetting: the one case in which the bus sees an event twice."""
    async with rigs("exams") as sender, rigs("certs") as receiver, bus.listening() as heard:
        queue = topology.events_queue("certs")
        async with receiver.consuming(queue, CertsStation(receiver, programs).on_events), receiver.relaying():
            (message,) = outgoing("exams", [passed("C1")])
            await store(sender, message)
            await bus.publish(message, user="exams")
            sender.clock.advance(PAST_LEASE)
            assert await sender.sweep().once() == 1
            await until(lambda: heard.times(message.id) == 2)
            await bus.publish(*outgoing("exams", [passed("C2", "R2")]), user="exams")
            await heard.until(certs.CertificationAwarded, subject="C2")
        assert len(heard.of(certs.CertificationAwarded, "C1")) == 1
        (row,) = await receiver.rows("candidates", _id="C1")
        assert (len(row["facts"]), row["version"]) == (1, 1)


async def test_refused_row_backs_off_and_is_parked_while_others_pass(rigs: Rigs, bus: Bus) -> None:
    async with rigs("exams") as rig, bus.listening() as heard:
        await store(rig, unroutable(), *outgoing("exams", [passed("C1")]))
        rig.clock.advance(PAST_LEASE)
        assert await rig.sweep().once() == 2
        await heard.until(exams.ExamPassed, subject="C1")
        (row,) = await rig.rows("outbox")
        assert (row["tries"], row["parked"]) == (1, False)
        assert await rig.sweep().once() == 0  # not before its time
        pauses = []
        while not row["parked"]:
            pauses.append(row["lease_until"] - rig.clock.now())
            rig.clock.advance(pauses[-1] + timedelta(seconds=1))
            assert await rig.sweep().once() == 1
            (row,) = await rig.rows("outbox")
        assert row["tries"] == MAX_TRIES
        assert pauses == sorted(pauses)
        assert pauses[-1] > 100 * pauses[0]
        rig.clock.advance(timedelta(days=30))
        assert await rig.sweep().once() == 0
        assert (await rig.outbox.backlog(rig.clock.now()))[:2] == (0, 1)


async def test_relay_leaves_a_refused_row_to_the_sweep_and_goes_on(rigs: Rigs, bus: Bus) -> None:
    async with rigs("exams") as rig, bus.listening() as heard, rig.relaying() as relay:

        async def work(transaction: Transaction) -> None:
            transaction.send(unroutable())
            transaction.emit(passed("C1"), program="cisco", subject="C1", version=1)

        await rig.unit_of_work.run(work)
        await heard.until(exams.ExamPassed, subject="C1")
        assert await relay.flush(10)
        (row,) = await eventually(lambda: rig.rows("outbox"), lambda rows: len(rows) == 1)
        assert (row["exchange"], row["tries"], row["owner"]) == (topology.REJECTIONS, 1, "")


async def test_unparked_rows_are_tried_again_from_the_start(rigs: Rigs) -> None:
    async with rigs("exams") as rig:
        await store(rig, unroutable())
        await rig.database["outbox"].update_many({}, {"$set": {"parked": True, "tries": MAX_TRIES}})
        assert await rig.outbox.unpark(rig.clock.now()) == 1
        rig.clock.advance(timedelta(seconds=1))
        assert await rig.sweep().once() == 1
        (row,) = await rig.rows("outbox")
        assert (row["tries"], row["parked"]) == (1, False)


async def test_no_row_is_claimed_twice_by_sweeps_at_the_same_moment(rigs: Rigs) -> None:
    async with rigs("certs") as rig:
        rows = [message for n in range(200) for message in outgoing("certs", [awarded(f"C{n}")])]
        await store(rig, *rows)
        rig.clock.advance(PAST_LEASE)
        now = rig.clock.now()
        claims = await asyncio.gather(
            *(Outbox(rig.database).claim(owner=f"sweep-{n}", now=now, limit=50) for n in range(8))
        )
        taken = [message.id for claim in claims for message in claim]
        assert len(taken) == len(set(taken))
        assert taken


async def test_two_sweeps_publish_each_row_once(rigs: Rigs, bus: Bus) -> None:
    async with rigs("certs") as one, rigs("certs") as other, bus.listening() as heard:
        rows = [message for n in range(120) for message in outgoing("certs", [awarded(f"C{n}")])]
        await store(one, *rows)
        one.clock.advance(PAST_LEASE)
        while await one.rows("outbox"):
            await asyncio.gather(one.sweep().once(), other.sweep().once())
        await heard.until(certs.CertificationAwarded, 120)
        assert {heard.times(row.id) for row in rows} == {1}


async def test_broker_outage_loses_nothing_and_keeps_the_lease(
    rigs: Rigs, bus: Bus, broker: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.common.bus.publisher.PUBLISH_TIMEOUT", 0.2)
    with proxy_to(broker.url("certs")) as (proxy, url):
        async with rigs("certs", amqp_url=url) as rig, rigs("certs") as rival, bus.listening() as heard:
            async with rig.relaying() as relay:
                proxy.cut()
                await say(rig, "C1")
                (row,) = await rig.rows("outbox")
                rig.clock.advance(PAST_LEASE)
                # The relay still means to send it, says so, and nobody else takes it.
                await eventually(
                    lambda: rig.rows("outbox"), lambda rows: rows[0]["lease_until"] > row["lease_until"] + LEASE
                )
                assert await rival.sweep().once() == 0
                assert not heard.events
                proxy.mend()
                await heard.until(certs.CertificationAwarded, subject="C1")
                assert await relay.flush(10)
            assert len(heard.of(certs.CertificationAwarded)) == 1
            assert await rig.rows("outbox") == []


async def test_relay_that_stops_gives_its_rows_back_at_once(
    rigs: Rigs, bus: Bus, broker: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.common.bus.publisher.PUBLISH_TIMEOUT", 0.2)
    with proxy_to(broker.url("certs")) as (proxy, url):
        async with rigs("certs", amqp_url=url) as rig, rigs("certs") as heir, bus.listening() as heard:
            async with rig.relaying() as relay:
                proxy.cut()
                await say(rig, "C1")
                await until(lambda: not relay._waiting)  # it is in hand
            rig.clock.advance(timedelta(seconds=1))
            await eventually(heir.sweep().once, lambda taken: taken == 1)
            await heard.until(certs.CertificationAwarded, subject="C1")


async def test_what_does_not_fit_into_memory_is_left_to_the_sweep(rigs: Rigs, bus: Bus) -> None:
    async with rigs("certs") as rig:
        assert isinstance(rig.relay, Relay)
        rows = [message for n in range(3) for message in outgoing("certs", [awarded(f"C{n}")])]
        await store(rig, *rows)
        # Copies of the first fill the memory; the other two do not fit.
        rig.relay.hand_over([rows[0]] * MEMORY)
        rig.relay.hand_over(rows[1:])
        assert len(rig.relay._waiting) == MEMORY
        rig.clock.advance(PAST_LEASE)
        async with bus.listening() as heard:
            assert await rig.sweep().once() == 3
            assert len(await heard.until(certs.CertificationAwarded, 3)) == 3
