"""The same scenario killed at every await: exactly one effect each, whoever cleans up."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.common.bus import topology
from libs.common.bus.messages import Outgoing
from libs.common.events import EventData, certs, exams, fulfillment, identity, notify
from libs.common.ids import derived_id
from libs.common.mongo.outbox import LEASE
from libs.common.mongo.unit_of_work import Transaction
from services.certs.app import SERVICE as CERTS
from services.exams.app import SERVICE as EXAMS
from services.fulfillment.app import SERVICE as FULFILLMENT
from services.identity.app import SERVICE as IDENTITY
from services.notify.app import SERVICE as NOTIFY
from services.notify.sender import LEASE as CLAIM_LEASE
from tests.service.bus import Heard
from tests.service.lives import Scenario, kill_at_every_await, lived
from tests.service.mortal import Mortal, mortals
from tests.service.notify_station import Mailbox
from tests.service.rig import Base, eventually, open_base, open_rig
from tests.service.samples import awarded, letter, linked, outgoing, passed, registration, result
from tests.service.world import World

NEVER = -1


@pytest.fixture(autouse=True)
async def _mortality(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Processes can be killed, and who comes after them need not wait long to look for what they left."""
    monkeypatch.setattr("libs.common.mongo.client.SELECTION_TIMEOUT_MS", 1_000)
    monkeypatch.setattr("libs.common.bus.relay.SWEEP_SECONDS", 0.05)
    with mortals(asyncio.get_running_loop()):
        yield


class Effects:
    """Looks at what one service has stored and said."""

    def __init__(self, base: Base, heard: Heard) -> None:
        self.base, self.heard = base, heard

    async def settled(self, subject: str, *models: type[EventData]) -> None:
        """Every event was heard and no row waits to be sent."""
        for model in models:
            await self.heard.until(model, subject=subject)
        await eventually(lambda: self.base.rows("outbox"), lambda rows: not rows)

    def said_once(self, subject: str, *models: type[EventData]) -> None:
        for model in models:
            assert len(self.heard.of(model, subject)) == 1, (model, subject)

    async def stored_once(self, collection: str, **query: Any) -> dict[str, Any]:
        rows = await self.base.rows(collection, **query)
        assert len(rows) == 1, (collection, query, rows)
        return rows[0]


async def test_killed_exams_records_one_result_and_says_it_once(world: World) -> None:
    async with open_base("exams", world.mongo.url("exams"), world.clock) as base, world.bus.listening() as heard:
        effects = Effects(base, heard)

        async def deliver(n: int) -> None:
            link = {"_id": f"cisco:vue:P{n}.", "candidate_id": f"C{n}", "waiting": 0}
            await base.database["links"].insert_one(link)
            await world.bus.send(letter(result(f"P{n}.", f"R{n}.")))

        async def check(n: int) -> None:
            effects.said_once(f"C{n}", exams.ExamPassed)
            row = await effects.stored_once("results", result_id=f"R{n}.")
            assert len(row["revisions"]) == 1

        scenario = Scenario(
            EXAMS,
            topology.vendors_queue("exams"),
            lambda n: f'"R{n}."'.encode(),
            deliver,
            lambda n: effects.settled(f"C{n}", exams.ExamPassed),
            check,
        )
        assert await kill_at_every_await(world, scenario) > 10


async def test_killed_exams_matches_a_waiting_result_once(world: World) -> None:
    async with open_base("exams", world.mongo.url("exams"), world.clock) as base, world.bus.listening() as heard:
        effects = Effects(base, heard)

        async def deliver(n: int) -> None:
            await world.bus.send(letter(result(f"P{n}.", f"R{n}.")))
            await eventually(lambda: base.rows("results", result_id=f"R{n}."), lambda rows: len(rows) == 1)
            await world.bus.publish(*outgoing("identity", [linked(f"P{n}.", f"C{n}")]), user="identity")

        async def check(n: int) -> None:
            effects.said_once(f"C{n}", exams.ExamPassed)
            row = await effects.stored_once("results", result_id=f"R{n}.")
            assert row["candidate_id"] == f"C{n}"

        scenario = Scenario(
            EXAMS,
            topology.events_queue("exams"),
            lambda n: f'"C{n}"'.encode(),
            deliver,
            lambda n: effects.settled(f"C{n}", exams.ExamPassed),
            check,
        )
        assert await kill_at_every_await(world, scenario) > 10


async def test_killed_identity_makes_one_account_and_says_it_once(world: World) -> None:
    said = (identity.CandidateRegistered, identity.ExternalIdLinked, identity.AccessRequested)
    async with open_base("identity", world.mongo.url("identity"), world.clock) as base, world.bus.listening() as heard:
        effects = Effects(base, heard)

        async def account(n: int) -> str:
            query = {"_id": f"cisco:vue:P{n}."}
            rows = await eventually(lambda: base.rows("external_ids", **query), lambda rows: len(rows) == 1)
            return str(rows[0]["candidate_id"])

        async def settled(n: int) -> None:
            await effects.settled(await account(n), *said)

        async def check(n: int) -> None:
            candidate_id = await account(n)
            effects.said_once(candidate_id, *said)
            row = await effects.stored_once("candidates", email=f"p{n}.@example.com")
            assert row["_id"] == candidate_id
            await effects.stored_once("links", candidate_id=candidate_id)

        async def deliver(n: int) -> None:
            person = registration(f"P{n}.", f"G{n}.")
            await world.bus.send(letter(person))

        scenario = Scenario(
            IDENTITY,
            topology.vendors_queue("identity"),
            lambda n: f'"G{n}."'.encode(),
            deliver,
            settled,
            check,
        )
        assert await kill_at_every_await(world, scenario) > 10


async def test_killed_certs_awards_once(world: World) -> None:
    async with open_base("certs", world.mongo.url("certs"), world.clock) as base, world.bus.listening() as heard:
        effects = Effects(base, heard)

        async def check(n: int) -> None:
            effects.said_once(f"C{n}", certs.CertificationAwarded)
            row = await effects.stored_once("candidates", _id=f"C{n}")
            assert (len(row["facts"]), len(row["certifications"]), row["version"]) == (1, 1, 1)

        scenario = Scenario(
            CERTS,
            topology.events_queue("certs"),
            lambda n: f'"C{n}"'.encode(),
            lambda n: world.bus.publish(*outgoing("exams", [passed(f"C{n}")]), user="exams"),
            lambda n: effects.settled(f"C{n}", certs.CertificationAwarded),
            check,
        )
        assert await kill_at_every_await(world, scenario) > 10


async def test_killed_fulfillment_offers_one_kit(world: World) -> None:
    async with (
        open_base("fulfillment", world.mongo.url("fulfillment"), world.clock) as base,
        world.bus.listening() as heard,
    ):
        effects = Effects(base, heard)

        async def check(n: int) -> None:
            effects.said_once(f"C{n}", fulfillment.BenefitOffered)
            await effects.stored_once("offers", candidate_id=f"C{n}")

        scenario = Scenario(
            FULFILLMENT,
            topology.events_queue("fulfillment"),
            lambda n: f'"C{n}"'.encode(),
            lambda n: world.bus.publish(*outgoing("certs", [awarded(f"C{n}")]), user="certs"),
            lambda n: effects.settled(f"C{n}", fulfillment.BenefitOffered),
            check,
        )
        assert await kill_at_every_await(world, scenario) > 10


async def test_killed_notify_loses_no_mail_and_repeats_none_under_another_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the server has accepted a mail and before that is recorded, it goes again as the very same."""
    monkeypatch.setattr("services.notify.sender.POLL_SECONDS", 0.05)
    mailbox = Mailbox()
    causes: dict[int, str] = {}
    async with (
        open_base("notify", world.mongo.url("notify"), world.clock) as base,
        world.bus.listening() as heard,
        mailbox.open(),
    ):
        effects = Effects(base, heard)
        mortal = replace(world, smtp_port=mailbox.port)

        async def deliver(n: int) -> None:
            person = {"email": f"c{n}@example.com", "given_name": "Ada", "family_name": "Lovelace", "language": None}
            row = {"_id": f"C{n}", "program": "cisco", "version": 1, "waits": 0, **person}
            await base.database["recipients"].insert_one(row)
            (message,) = outgoing("exams", [passed(f"C{n}")])
            causes[n] = message.id
            await world.bus.publish(message, user="exams")

        async def settled(n: int) -> None:
            await effects.settled(f"C{n}", notify.EmailSent)

        def times(n: int) -> int:
            return mailbox.ids.count(f"<{derived_id(causes[n], 'exam_passed')}@cisco-program.example>")

        async def check(n: int) -> None:
            effects.said_once(f"C{n}", notify.EmailSent)
            row = await effects.stored_once("messages", candidate_id=f"C{n}")
            assert (row["state"], "claimed_by" in row) == ("sent", False)
            assert times(n) in (1, 2)

        scenario = Scenario(
            NOTIFY,
            topology.events_queue("notify"),
            lambda n: f'"C{n}"'.encode(),
            deliver,
            settled,
            check,
            lease=CLAIM_LEASE,
            finished=settled,
        )
        assert await kill_at_every_await(mortal, scenario) > 15
        assert len(set(mailbox.ids)) == len(causes)
        assert any(times(n) == 2 for n in causes), "one was killed between acceptance and record"


class Sweeping:
    """A process that does nothing but sweep the outbox of certs once, and can be killed while it does."""

    def __init__(self, world: World, die_at: int) -> None:
        self._world, self._die_at = world, die_at
        self.process = Mortal("OutboxSweep.once", "Publisher.publish")

    async def _work(self, mongo_url: str, amqp_url: str) -> None:
        bus = self._world.bus
        async with open_rig("certs", bus, mongo_url=mongo_url, amqp_url=amqp_url, clock=self._world.clock) as rig:
            self.process.client = rig.database.client
            self.process.arm(self._die_at)
            await asyncio.create_task(rig.sweep().once())

    async def live(self) -> bool:
        """Returns whether it died."""
        urls = self._world.mongo.url("certs"), self._world.broker.url("certs")
        return await lived(self.process, self._work, *urls)


async def test_killed_sweep_loses_nothing_it_had_claimed(world: World) -> None:
    """Between claiming a row and marking it sent: the next one publishes it, under the same id."""
    rows: list[Outgoing] = []
    async with open_base("certs", world.mongo.url("certs"), world.clock) as base, world.bus.listening() as heard:
        effects = Effects(base, heard)
        died = True
        while died:
            point = len(rows) + 1
            rows += outgoing("certs", [awarded(f"C{point}")])
            await store(base, rows[-1])
            world.clock.advance(LEASE + timedelta(seconds=1))
            died = await Sweeping(world, point).live()
            if died:
                world.clock.advance(LEASE + timedelta(seconds=1))
                assert not await Sweeping(world, NEVER).live()
            await effects.settled(f"C{point}", certs.CertificationAwarded)
        assert len(rows) > 5
        for number, row in enumerate(rows, start=1):
            effects.said_once(f"C{number}", certs.CertificationAwarded)
            assert heard.times(row.id) in (1, 2)
        assert any(heard.times(row.id) == 2 for row in rows), "one was killed between publishing and forgetting"


async def store(base: Base, row: Outgoing) -> None:
    """A row of a process that died before it could publish it."""

    async def work(transaction: Transaction) -> None:
        await base.outbox.add(transaction.session, [row], owner="dead", now=transaction.now)

    await base.unit_of_work.run(work)
