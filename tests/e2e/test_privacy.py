"""A person's data through the whole platform: exported from five services, then gone from all of them."""

import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio

from deploy.mongo.users import database_name
from libs.common.events import SERVICES
from libs.common.mongo.client import Client, open_client
from tests.e2e import desk
from tests.e2e.stage import Stage
from tests.e2e.test_main_job import MAILS, PASSWORD, Person, activation_token, appear, mails_to
from tests.e2e.vendor import Vendor
from tests.e2e.waiting import eventually

LONG_AGO = timedelta(days=20)
JOB_SECONDS = 90.0
"""A job that looks once a minute, on a slow machine."""


@pytest.fixture(scope="module")
def staff(stage: Stage, session: aiohttp.ClientSession) -> desk.Desk:
    return desk.operator(stage, session)


@pytest_asyncio.fixture(scope="module")
async def databases(stage: Stage) -> AsyncIterator[Client]:
    client = open_client(stage.mongo.admin_url, application="test")
    yield client
    client.close()


class Caller:
    """The candidate, by the token of a fresh login."""

    def __init__(self, stage: Stage, session: aiohttp.ClientSession, token: str, person: Person) -> None:
        self._session = session
        self._headers = {"Authorization": f"Bearer {token}"}
        self._base = stage.api_url("identity")
        self._person = person

    async def ask(self, method: str, what: str, **body: Any) -> tuple[int, Any]:
        url = self._base + self._person.path(what)
        content: dict[str, Any] = {"json": body} if body else {}
        async with self._session.request(method, url, headers=self._headers, **content) as response:
            if response.content_type.endswith("json"):
                return response.status, await response.json()
            return response.status, await response.read()


async def enter(stage: Stage, session: aiohttp.ClientSession, person: Person) -> Caller:
    token = await activation_token(stage, session, person)
    status, _ = await desk.post(stage, session, "/activations", {"token": token, "password": PASSWORD})
    assert status == 204
    login = {"grant_type": "password", "program": "cisco", "login": person.candidate_id, "password": PASSWORD}
    status, given = await desk.post(stage, session, "/tokens", login)
    assert status == 200
    return Caller(stage, session, given["access_token"], person)


async def bring_forward(databases: Client, state: str, field: str) -> None:
    """Let the time of an erasure have come, and its job look at once."""
    database = databases[database_name("identity")]
    past = datetime.now(UTC) - LONG_AGO
    assert (await database["erasures"].update_one({"state": state}, {"$set": {field: past}})).modified_count == 1
    await database["jobs"].update_one({"_id": "erasures"}, {"$set": {"lease_until": past}})


async def stored(databases: Client, service: str) -> str:
    """All that a service holds but for answers to repeated requests, which go after a day."""
    database = databases[database_name(service)]
    names = [name for name in await database.list_collection_names() if name != "idempotency"]
    return str({name: await database[name].find().to_list(None) for name in names})


async def test_export_and_erasure_reach_every_service(
    stage: Stage, session: aiohttp.ClientSession, vendor: Vendor, staff: desk.Desk, databases: Client
) -> None:
    person = await appear(vendor, staff, "V-1852", "lovelace@example.com")
    await mails_to(stage, session, person, len(MAILS))
    await eventually(lambda: staff.get("fulfillment", person.path("offers")), lambda page: bool(page["items"]))
    caller = await enter(stage, session, person)

    status, export = await caller.ask("POST", "exports")
    assert status == 202
    place = f"exports/{export['export_id']}"
    await eventually(lambda: caller.ask("GET", place), lambda answer: answer[1]["state"] == "ready")
    status, content = await caller.ask("GET", f"{place}/archive")
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert {path.partition("/")[0] for path in files} == {*SERVICES, "README.txt"}
    assert orjson.loads(files["exams/results.json"])[0]["grade"] == "pass"
    assert orjson.loads(files["certs/certifications.json"])[0]["certifications"][0]["certification"] == "CCNA"
    assert orjson.loads(files["notify/recipient.json"])[0]["email"] == person.email

    assert (await caller.ask("POST", "erasure", reason="done"))[0] == 202
    await bring_forward(databases, "requested", "due_at")
    status = await eventually(
        lambda: caller.ask("GET", "erasure"), lambda answer: answer[0] == 404, seconds=JOB_SECONDS
    )
    mails = await mails_to(stage, session, person, len(MAILS) + 3)
    assert any("is erased" in mail["subject"] for mail in mails)
    await eventually(lambda: stored(databases, "certs"), lambda text: "erased-" in text)
    await bring_forward(databases, "erasing", "erased_at")

    words = (person.email, person.candidate_id, person.number, "Ångström")
    for service in SERVICES:
        kept = (f"R-{person.number}", f"G-{person.number}")  # the vendor's numbers of what stays

        async def left(service: str = service, kept: tuple[str, ...] = kept) -> list[str]:
            text = await stored(databases, service)
            for number in kept:
                text = text.replace(number, "")
            return [word for word in words if word in text]

        assert await eventually(left, lambda found: found == [], seconds=JOB_SECONDS) == [], service
    ledgers = await databases[database_name("certs")]["candidates"].find().to_list(None)
    assert [[one["certification"] for one in row["certifications"]] for row in ledgers] == [["CCNA"]]
    await vendor.publish(person.messages[0])
    await vendor.publish(person.messages[1])
    await appear(vendor, staff, "V-1906", "hopper@example.com")  # by then identity has read what came before
    found = await staff.get("identity", "/candidates", program="cisco", system="vue", external_id=person.number)
    assert found["items"] == []
