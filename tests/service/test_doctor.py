"""`certrail doctor` on real servers: what is whole is found whole, and each thing broken on purpose is found."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import aio_pika
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from deploy.cli.queues import depths, working_queues
from deploy.doctor.broker import look_at
from deploy.doctor.judging import judge
from deploy.doctor.reading import all_dossiers, dossier_of
from deploy.doctor.services import ALL, look_into
from deploy.mongo.users import database_name
from libs.common.bus.topology import parked_queue
from libs.common.events import SERVICES
from tests.servers import BrokerUnderTest, MongoUnderTest
from tests.service.conftest import OpenBase
from tests.unit.doctor.test_judging import ABOUT, OFFER, RESULT, WHO, WHOLE

Base = Database[dict[str, Any]]
Bases = dict[str, Base]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AGO = NOW - timedelta(days=500)
PLACES = {
    "account": ("identity", "candidates"),
    "ledger": ("certs", "candidates"),
    "result": ("exams", "results"),
    "recipient": ("notify", "recipients"),
    "offer": ("fulfillment", "offers"),
    "order": ("fulfillment", "orders"),
    "mail": ("notify", "messages"),
}


@pytest.fixture
async def client(base_of: OpenBase, mongo: MongoUnderTest) -> AsyncIterator[MongoClient[dict[str, Any]]]:
    """Five services' databases, each as it is after its migrations, with nothing to complain of."""
    async with AsyncExitStack() as stack:
        for service in SERVICES:
            await stack.enter_async_context(base_of(service))
        client = stack.enter_context(MongoClient[dict[str, Any]](mongo.admin_url))
        for service in SERVICES:
            newest = max(step.number for step in ALL[service].migrations)
            client[database_name(service)]["schema_version"].replace_one({"_id": 1}, {"version": newest}, upsert=True)
        client[database_name("identity")]["signing_keys"].insert_one({"_id": "k", "signs_from": NOW})
        yield client


BREAKS: dict[str, Callable[[Bases], object]] = {
    "outbox-old": lambda db: db["exams"].outbox.insert_one({"_id": 1, "parked": False, "created_at": AGO}),
    "outbox-parked": lambda db: db["certs"].outbox.insert_one({"_id": 1, "parked": True, "created_at": AGO}),
    "job-late": lambda db: db["identity"].jobs.insert_one({"_id": "merges", "lease_until": AGO}),
    "schema-differs": lambda db: db["notify"].schema_version.update_one({"_id": 1}, {"$inc": {"version": -1}}),
    "index-differs": lambda db: db["exams"].results.drop_index("history"),
    "word-lost": lambda db: db["certs"].said_before.insert_one({"type": "certrail.x", "subject": "C", "at": NOW}),
    "mail-stuck": lambda db: db["notify"].messages.insert_one({"_id": 1, "due_at": AGO}),
    "key-missing": lambda db: db["identity"].signing_keys.delete_many({}),
    "key-old": lambda db: db["identity"].signing_keys.update_one({"_id": "k"}, {"$set": {"signs_from": AGO}}),
    "erasure-missing": lambda db: [
        db[service].tombstones.insert_one({"pseudonym": "erased-1"}) for service in SERVICES if service != "certs"
    ],
}


async def test_databases_fresh_from_their_migrations_are_whole(client: MongoClient[dict[str, Any]]) -> None:
    assert await asyncio.to_thread(lambda: list(look_into(client, NOW))) == []


@pytest.mark.parametrize("check", BREAKS)
async def test_what_is_broken_in_a_service_is_found(client: MongoClient[dict[str, Any]], check: str) -> None:
    def work() -> None:
        bases = {service: client[database_name(service)] for service in SERVICES}
        BREAKS[check](bases)
        (finding,) = look_into(client, NOW)
        assert finding.check == check
        assert finding.mend
        if check == "index-differs":
            bases["exams"].results.create_index(
                [("candidate_id", 1), ("taken_at", -1), ("_id", -1)], name="history"
            )  # the next test has the same server

    await asyncio.to_thread(work)


async def test_candidates_are_read_from_all_services(client: MongoClient[dict[str, Any]]) -> None:
    def work() -> None:
        for kind, (service, collection) in PLACES.items():
            for row in WHOLE[kind]:
                client[database_name(service)][collection].insert_one(
                    {"program": "cisco", "candidate_id": WHO, **row}
                    if row["_id"] != WHO
                    else {**row, "program": "cisco"}
                )
        # Nobody's yet, and another program's.
        client[database_name("exams")].results.insert_one({"_id": "cisco:vue:R-0", "candidate_id": None})
        client[database_name("identity")].candidates.insert_one({"_id": "JPR1", "program": "juniper"})
        whole, other = all_dossiers(client, None)
        assert (whole.candidate_id, other.candidate_id) == (WHO, "JPR1")
        assert judge(whole, ABOUT) == []
        assert [finding.check for finding in judge(other, ABOUT)] == ["recipient-missing"]
        assert [one.candidate_id for one in all_dossiers(client, "cisco")] == [WHO]
        client[database_name("fulfillment")].offers.delete_one({"_id": OFFER})
        client[database_name("certs")].candidates.update_one({}, {"$set": {"facts": []}})
        found = {finding.check: finding for finding in judge(dossier_of(client, WHO), ABOUT)}
        assert found.keys() == {
            *("kit-missing", "order-without-offer", "result-not-in-ledger", "award-without-fact"),
        }
        assert found["result-not-in-ledger"].ids == (RESULT,)
        assert WHO in found["result-not-in-ledger"].mend

    await asyncio.to_thread(work)


async def test_queues_without_readers_and_parked_messages_are_found(broker: BrokerUnderTest) -> None:
    async def look() -> dict[str, list[str]]:
        wanted = working_queues()
        async with await aio_pika.connect(broker.url("operator")) as connection:
            known = await depths(connection, (*wanted, *map(parked_queue, SERVICES)))
        found: dict[str, list[str]] = {}
        for finding in look_at(known, (*wanted, "certs.gone")):
            found.setdefault(finding.check, []).append(finding.subject)
        return found

    async with await aio_pika.connect(broker.admin_url) as connection, connection.channel() as channel:
        exchange = channel.default_exchange
        await exchange.publish(aio_pika.Message(b"{}"), parked_queue("notify"))
        queue = await channel.get_queue("exams.events", ensure=False)
        await queue.consume(_ignore)
        found = await _until(look, lambda seen: "parked" in seen and "exams.events" not in seen["queue-unread"])
    assert found["parked"] == ["notify.parked"]
    assert found["queue-missing"] == ["certs.gone"]
    assert "exams.vendors" in found["queue-unread"]


async def _ignore(_: aio_pika.abc.AbstractIncomingMessage) -> None:
    """Read, and do nothing."""


async def _until(
    look: Callable[[], Awaitable[dict[str, list[str]]]], wanted: Callable[[dict[str, list[str]]], bool]
) -> dict[str, list[str]]:
    async with asyncio.timeout(20):
        while not wanted(seen := await look()):  # noqa: ASYNC110 the broker tells of none
            await asyncio.sleep(0.1)
    return seen
