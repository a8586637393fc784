"""`certrail audit` on the logs of all services, with whatever an administrator of the database can do to them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aio_pika
import orjson
import pytest
from aiohttp.test_utils import TestServer
from pymongo import MongoClient
from structlog.testing import capture_logs
from typer.testing import CliRunner

from deploy.cli.access import Access
from deploy.cli.main import app
from deploy.mongo.users import audit_database_name
from libs.common.audit.api import with_audit
from libs.common.audit.seals import EVENTS
from libs.common.audit.trail import AuditTrail
from libs.common.bus import topology
from libs.common.events import SERVICES, SINGLE
from libs.common.http.auth import TokenVerifier
from libs.common.http.server import Api, build_app
from services.identity.seals.consumers import SealEvents
from services.identity.seals.store import SealStore
from tests.servers import BrokerUnderTest, MongoUnderTest
from tests.service.conftest import OpenBase
from tests.service.identity_station import IdentityStation
from tests.service.samples import received
from tests.service.test_audit import LOOK

RECORDS = 5
Tamper = Callable[[Any], Any]


@dataclass
class Platform:
    """Every service with its audit log, behind addresses that the command line is given."""

    station: IdentityStation
    trails: dict[str, AuditTrail]
    mongo: MongoUnderTest
    broker: BrokerUnderTest

    async def certrail(self, *words: str) -> tuple[int, str]:
        """Exit status and standard output of a command."""
        result = await asyncio.to_thread(CliRunner().invoke, app, ["audit", *words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout

    async def findings(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What `verify` finds, by service and program."""
        status, text = await self.certrail("verify", "--json")
        verdicts = json.loads(text)
        found = {(each["service"], each["program"]): each["finding"] for each in verdicts if each["finding"]}
        assert len(verdicts) == 2 * len(SERVICES)
        assert status == bool(found)
        return found

    async def seal(self, service: str, n: int | None = None) -> None:
        """Tell identity the hash of a record, the last unless another is given."""
        row = (await self.trails[service].read("cisco", after=(n or RECORDS) - 1, limit=1))[0]
        seal = EVENTS[service](n=row["n"], hash=row["hash"], sealed_at=self.station.base.clock.now())
        await self.station.base.handle(SealEvents(SealStore(self.station.base.database)).handle, received(seal))

    async def log_seal(self, service: str) -> None:
        """Put the hash of the last record into the broker's log only."""
        head = await self.trails[service].head("cisco")
        event = {
            "id": "1",
            "type": EVENTS[service].event_type,
            "program": "cisco",
            "data": {"n": head.n, "hash": head.hash},
        }
        message = aio_pika.Message(orjson.dumps(event), content_type=SINGLE)
        async with await aio_pika.connect(self.broker.admin_url) as connection, connection.channel() as channel:
            target = await channel.get_exchange(topology.EVENTS)
            await target.publish(message, EVENTS[service].event_key)

    async def tamper(self, change: Tamper, service: str = "exams") -> None:
        """Let somebody who has the administrator's password do something to a log."""

        def work() -> None:
            with MongoClient[dict[str, Any]](self.mongo.admin_url) as client:
                change(client[audit_database_name(service)]["records"])

        await asyncio.to_thread(work)


@pytest.fixture
async def platform(  # noqa: PLR0917 fixtures
    base_of: OpenBase,
    station: IdentityStation,
    mongo: MongoUnderTest,
    broker: BrokerUnderTest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Platform]:
    trails, urls = {"identity": station.trail}, {"identity": str(station.client.make_url("/api/identity/v1"))}
    verifier = TokenVerifier(station.parts.keys, "certrail", station.base.clock)  # type: ignore[arg-type]
    async with AsyncExitStack() as stack:
        for service in SERVICES[1:]:
            base = await stack.enter_async_context(base_of(service))
            trail = trails[service] = AuditTrail(base.database, service, {"cisco", "juniper"}, base.clock)
            api = with_audit(Api(service, service, service, "1", ()), trail)
            server = await stack.enter_async_context(TestServer(build_app(api, verifier, trail=trail)))
            urls[service] = str(server.make_url(api.base))
        for trail in trails.values():
            for _ in range(RECORDS):
                await trail.write("cisco", LOOK)
        monkeypatch.setattr(Access, "api_url", lambda _self, service: urls[service])
        monkeypatch.setenv("CERTRAIL_STATE_DIR", str(tmp_path / "none"))
        monkeypatch.setenv("CERTRAIL_GATEWAY_URL", "http://unused")
        monkeypatch.setenv("CERTRAIL_OPERATOR_SECRET", "s" * 32)
        monkeypatch.setenv("CERTRAIL_OPERATOR_AMQP_URL", broker.url("operator"))
        with capture_logs():  # the command owns standard output while it runs
            yield Platform(station, trails, mongo, broker)


async def test_logs_that_nobody_touched_are_whole_and_the_look_at_them_is_in_them(platform: Platform) -> None:
    await platform.seal("exams", 3)
    await platform.seal("exams")
    assert await platform.findings() == {}
    status, shown = await platform.certrail("verify", "--program", "cisco")
    assert status == 0
    assert shown.count("whole") == len(SERVICES)
    rows = await platform.trails["certs"].read("cisco", after=RECORDS, limit=10)
    assert [(row["actor"], row["operation"]) for row in rows] == [("client:operator", "list_audit_records")] * 2


@pytest.mark.parametrize(
    ("change", "n", "fault"),
    [
        (lambda log: log.update_one({"n": 3}, {"$set": {"actor": "staff:bob"}}), 3, "changed"),
        (lambda log: log.update_one({"n": 3}, {"$set": {"note": "x"}}), 3, "changed"),
        (lambda log: log.update_one({"n": 3}, {"$unset": {"trace": ""}}), 3, "gap"),
        (lambda log: log.delete_one({"n": 2}), 2, "gap"),
        (lambda log: log.delete_one({"n": 1}), 1, "gap"),
        (lambda log: log.insert_one({**log.find_one({"n": 2}), "_id": "more"}), 3, "gap"),
        (lambda log: log.delete_many({"n": {"$gt": 3}}), 4, "truncated"),
        (lambda log: log.delete_many({}), 1, "missing"),
    ],
)
async def test_whatever_is_done_to_a_log_is_found(platform: Platform, change: Tamper, n: int, fault: str) -> None:
    await platform.seal("exams")
    await platform.tamper(change)
    finding = (await platform.findings())["exams", "cisco"]
    assert (finding["n"], finding["fault"]) == (n, fault)


async def test_the_broker_s_log_knows_seals_that_identity_has_lost(platform: Platform) -> None:
    await platform.log_seal("exams")
    await platform.tamper(lambda log: log.delete_many({"n": {"$gt": 3}}))
    assert (await platform.findings())["exams", "cisco"]["fault"] == "truncated"


async def test_without_the_broker_s_log_the_rest_is_verified(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await platform.seal("exams")
    await platform.tamper(lambda log: log.delete_one({"n": 2}))
    monkeypatch.setenv("CERTRAIL_OPERATOR_AMQP_URL", "amqp://nobody:no@127.0.0.1:9/")
    assert set(await platform.findings()) == {("exams", "cisco")}


async def test_records_are_listed_by_candidate_over_all_services(platform: Platform) -> None:
    status, text = await platform.certrail("list", "--program", "cisco", "--candidate", "C1", "--json")
    assert status == 0
    rows = [json.loads(line) for line in text.splitlines()]
    assert [row["service"] for row in rows] == [service for service in SERVICES for _ in range(RECORDS)]
    _, text = await platform.certrail("list", "--program", "cisco", "--service", "exams", "--actor", "staff:ann")
    assert len(text.splitlines()) == RECORDS
    assert "show_candidate" in text
