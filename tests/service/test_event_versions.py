"""Old and new versions of events side by side, as they are during a rolling update.

The next release is declared here alone: `CertificationAwarded` with one more optional field, and a second version of
it beside the first. What the consumer knows is this release.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import orjson
import pytest

from libs.common.bus import failures, topology
from libs.common.bus.messages import Received
from libs.common.events import EventData, all_events, certs, registry
from libs.common.mongo.outbox import LEASE
from libs.common.mongo.unit_of_work import Transaction
from libs.common.parked.desk import ParkedDesk
from libs.common.parked.queue import Parked, ParkedQueue
from tests.servers import BrokerUnderTest
from tests.service.bus import Bus
from tests.service.rig import Rig, Rigs, eventually
from tests.service.samples import PROGRAM, awarded

QUEUE = topology.events_queue("fulfillment")
PARKED = topology.parked_queue("fulfillment")
AGAIN = [topology.retry_queue(QUEUE, step) for step in range(1, len(topology.RETRY_DELAYS) + 1)]
SECOND = "certs.CertificationAwarded.v2"


class AwardedWithHonours(certs.CertificationAwarded):
    """The event as the next release publishes it: no new version, one more field. It has no publisher of its own, so it
    goes by the name of the one it extends."""

    honours: str | None = None


@contextmanager
def next_release() -> Iterator[type[EventData]]:
    """Knows the second version of the event, until the block ends."""
    fields: dict[str, Any] = {"__annotations__": {"holder": str, "awards": list[str]}, "__module__": __name__}
    try:
        yield type(EventData)("CertificationAwarded", (EventData,), fields, publisher="certs", version=2)
    finally:
        del registry._registry[SECOND]


class Record:
    """What a consumer of this release has done with what it was given."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    async def work(self, transaction: Transaction, items: Sequence[Received[Any]]) -> None:
        rows = [
            {"_id": each.event.id, "subject": each.event.subject, "version": each.data.version}
            for each in await transaction.take_new(items)
        ]
        if rows:
            await self._rig.database["jobs"].insert_many(rows, session=transaction.session)

    async def subjects(self, version: int = 1) -> list[str]:
        return sorted(row["subject"] for row in await self._rig.rows("jobs", version=version))

    async def until(self, *subjects: str, version: int = 1) -> None:
        await eventually(lambda: self.subjects(version), lambda found: found == sorted(subjects))


def honoured(candidate_id: str) -> AwardedWithHonours:
    return AwardedWithHonours(**awarded(candidate_id).model_dump(), honours="with distinction")


async def say(rig: Rig, *parts: EventData, subject: str) -> None:
    """Commit events about somebody, as a publisher does."""

    async def work(transaction: Transaction) -> None:
        for version, part in enumerate(parts, start=1):
            transaction.emit(part, program=PROGRAM, subject=subject, version=version)

    await rig.unit_of_work.run(work)


def every(_parked: Parked) -> bool:
    return True


async def nothing_waits(bus: Bus) -> None:
    """Wait until nothing is parked, on the ladder, or left in the queue of a consumer that has stopped."""

    async def waiting() -> list[int]:
        return [await bus.ready(name) for name in (PARKED, QUEUE, *AGAIN)]

    await eventually(waiting, lambda counts: not any(counts))


def test_the_next_release_keeps_the_promises_of_this_one() -> None:
    assert AwardedWithHonours.event_key == certs.CertificationAwarded.event_key
    assert "certs.CertificationAwarded.v2" not in all_events()
    with next_release() as second:
        assert second.event_type == "certrail.certs.CertificationAwarded.v2"
        assert all_events()[certs.CertificationAwarded.event_key] is certs.CertificationAwarded
    assert SECOND not in all_events()


@pytest.mark.parametrize("count", [1, 3], ids=["alone", "in a batch"])
async def test_a_consumer_passes_over_a_field_that_it_does_not_know(rigs: Rigs, bus: Bus, count: int) -> None:
    people = [f"C{number}" for number in range(count)]
    async with rigs("certs") as sender, rigs("fulfillment") as rig, sender.relaying(), bus.listening() as heard:
        record = Record(rig)

        async def work(transaction: Transaction) -> None:
            for person in people:
                transaction.emit(honoured(person), program=PROGRAM, subject=person, version=1)

        async with rig.consuming(QUEUE, record.work):
            await sender.unit_of_work.run(work)
            await record.until(*people)
        published = await heard.until(certs.CertificationAwarded, count)
    assert {event["data"]["honours"] for event in published} == {"with distinction"}, "it was really there"
    await nothing_waits(bus)


async def test_two_versions_are_published_side_by_side_and_each_reader_gets_its_own(rigs: Rigs, bus: Bus) -> None:
    with next_release() as second:
        async with (
            rigs("certs") as sender,
            rigs("fulfillment") as rig,
            sender.relaying() as relay,
            bus.listening(certs.CertificationAwarded.event_key) as old,
            bus.listening(SECOND) as new,
        ):
            record = Record(rig)
            async with rig.consuming(QUEUE, record.work):
                for person in ("C1", "C2"):
                    await say(sender, awarded(person), second(holder=person, awards=["CCNA"]), subject=person)
                await record.until("C1", "C2")
            assert {event["data"]["holder"] for event in await new.until(second, 2)} == {"C1", "C2"}
            assert len(await old.until(certs.CertificationAwarded, 2)) == 2
            assert await relay.flush(10)
            await eventually(lambda: sender.rows("outbox"), lambda rows: not rows)
            assert await record.subjects() == ["C1", "C2"]
    await nothing_waits(bus)


@pytest.mark.parametrize("heir_is_newer", [True, False], ids=["old rows, new process", "new rows, old process"])
async def test_rows_of_one_release_are_published_by_a_process_of_the_other(
    rigs: Rigs, bus: Bus, heir_is_newer: bool
) -> None:
    async with rigs("certs") as dead, rigs("certs") as heir, bus.listening() as heard:
        with next_release() as second:
            kind = second if not heir_is_newer else certs.CertificationAwarded
            said = second(holder="C1", awards=["CCNA"]) if not heir_is_newer else awarded("C1")
            await say(dead, said, subject="C1")
            (row,) = await dead.rows("outbox")
            heir.clock.advance(LEASE + timedelta(seconds=1))
            if heir_is_newer:
                assert await heir.sweep().once() == 1
        if not heir_is_newer:
            assert await heir.sweep().once() == 1
        (event,) = await heard.until(kind, subject="C1")
        assert event == orjson.loads(row["body"])
        await eventually(lambda: dead.rows("outbox"), lambda rows: not rows)


async def test_a_version_that_came_too_early_is_parked_at_once_and_replayed_after_the_update(
    rigs: Rigs, bus: Bus, broker: BrokerUnderTest
) -> None:
    """Its binding was made before its reader was replaced: the order that the operators' guide tells was not kept."""
    channel = await bus.channel()
    queue = await channel.get_queue(QUEUE, ensure=False)
    await queue.bind(topology.EVENTS, SECOND)
    try:
        async with rigs("certs") as sender, rigs("fulfillment") as rig, sender.relaying():
            record = Record(rig)
            with next_release() as second:
                early = second(holder="C1", awards=["CCNA"])
                await say(sender, early, subject="C1")
            async with rig.consuming(QUEUE, record.work):
                await say(sender, awarded("C2"), subject="C2")
                await record.until("C2")
                await eventually(lambda: bus.ready(PARKED), lambda count: count == 1)
            assert [await bus.ready(name) for name in (QUEUE, *AGAIN)] == [0] * (1 + len(AGAIN)), (
                "it goes round nowhere"
            )
            desk = ParkedDesk("fulfillment", broker.url("fulfillment"))
            (parked,) = await desk.read(every)
            assert (parked.code, parked.header(failures.TRIES)) == ("unknown_type", "1")
            with next_release():
                async with rig.consuming(QUEUE, record.work):
                    await desk.settle(every, ParkedQueue.replay)
                    await record.until("C1", version=2)
    finally:
        await queue.unbind(topology.EVENTS, SECOND)
    await nothing_waits(bus)
