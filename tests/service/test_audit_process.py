"""The audit log of services as they run: their calls are recorded, their heads sealed, the seals kept in identity."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from libs.common import service as processes
from libs.common.audit.trail import AuditTrail, audit_database
from libs.common.http.server import serve
from libs.common.http.tokens import sign
from libs.common.mongo.client import Document, open_client, open_database
from services.exams.app import SERVICE as EXAMS
from services.identity.app import SERVICE as IDENTITY
from services.identity.settings import read_signing_keys
from tests.service.rig import eventually
from tests.service.test_audit import LOOK, STAFF
from tests.service.world import World


async def test_a_running_service_records_its_calls(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ports: list[int] = []

    @asynccontextmanager
    async def noted(app: web.Application, *given: Any, **options: Any) -> AsyncIterator[int]:
        async with serve(app, *given, **options) as port:
            ports.append(port)
            yield port

    monkeypatch.setattr(processes, "serve", noted)
    client = open_client(world.mongo.url("identity"), application="test")
    trail = AuditTrail(open_database(client), "identity", {"cisco"}, world.clock)
    async with world.running(IDENTITY):
        await eventually(lambda: _now(len(ports)), lambda count: count == 2)
        (key,) = read_signing_keys(world.folder / "keys.json")
        now, lifetime = world.clock.now(), timedelta(minutes=5)
        token = sign(STAFF, key, issuer="certrail", token_id="t", now=now, lifetime=lifetime)
        url = f"http://127.0.0.1:{ports[-1]}/api/identity/v1/programs/cisco/audit"
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
            session.get(url) as response,
        ):
            assert response.status == 200
    (record,) = await trail.read("cisco", after=0, limit=10)
    client.close()
    assert (record["operation"], record["actor"], record["status"]) == ("list_audit_records", "staff:ann", 200)


async def _now(value: int) -> int:
    return value


async def test_the_head_of_a_services_log_comes_to_identity_by_the_bus(world: World) -> None:
    exams = open_client(world.mongo.url("exams"), application="test")
    identity = open_client(world.mongo.url("identity"), application="test")
    trail = AuditTrail(open_database(exams), "exams", {"cisco"}, world.clock)
    for _ in range(3):
        await trail.write("cisco", LOOK)
    seals = audit_database(open_database(identity))["seals"]

    async def kept() -> list[Document]:
        return await seals.find().to_list(10)

    async with world.running(IDENTITY), world.running(EXAMS):
        (seal,) = await eventually(kept, bool)
    head = await trail.head("cisco")
    exams.close()
    identity.close()
    assert (seal["service"], seal["program"], seal["n"], seal["hash"]) == ("exams", "cisco", 3, head.hash)
