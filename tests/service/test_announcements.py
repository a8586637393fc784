"""Announcements: whom they reach, in which words, and how they are mailed to each once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any

import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey

from libs.common.clock import FixedClock
from libs.common.events import certs, identity
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import MESSAGES_MANAGE, MESSAGES_READ
from libs.common.http.server import Api, build_app
from libs.common.http.tokens import sign
from libs.common.mongo.client import open_client, open_database
from libs.common.mongo.migrations import migrate
from services.notify.announcements.api import AnnouncementsApi
from services.notify.announcements.mailing import OVER, Mailing
from services.notify.announcements.publishing import Publishing
from services.notify.app import SERVICE
from tests.servers import MongoUnderTest
from tests.service.notify_station import ADA, NOON, PROGRAMS, Mailbox, Process, Station, received, registered
from tests.service.rig import kept_answers

BOB, EVE, TWIN = "CSCO10000002", "CSCO10000003", "CSCO10000004"
KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
BODY: dict[str, Any] = {
    "texts": [
        {"language": "en", "title": "The spring is open", "paragraphs": ["Book early.", "<b>Really.</b>"]},
        {"language": "es", "title": "Abrimos la primavera", "paragraphs": ["Reserve pronto."]},
    ],
    "first_day": "2026-11-22",
    "last_day": "2026-11-30",
}


@pytest_asyncio.fixture(loop_scope="session")
async def station(mongo: MongoUnderTest) -> AsyncIterator[Station]:
    clock = FixedClock(NOON)
    client = open_client(mongo.url("notify"), application="test-announcements")
    mailbox = Mailbox()
    await migrate(open_database(client), SERVICE.migrations, owner="test", clock=clock)
    async with mailbox.open():
        yield Station(client, clock, mailbox)
    client.close()


@asynccontextmanager
async def asking(station: Station, process: Process) -> AsyncIterator[Any]:
    """Asks as staff (`staff`) or as a candidate, by their id."""
    publishing = Publishing(station.announcements, process.unit_of_work)
    routes = AnnouncementsApi(
        station.announcements, publishing, station.store, station.standings, PROGRAMS, station.clock
    ).routes()
    api = Api(service="notify", title="", description="", version="1", routes=routes)
    verifier = TokenVerifier(StaticKeys(KEY), "certrail", station.clock)
    idempotency = kept_answers(station.database, station.clock)
    async with TestClient(TestServer(build_app(api, verifier, idempotency=idempotency))) as client:

        async def ask(who: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
            of_staff = who == "staff"
            principal = Principal(
                who,
                Kind.STAFF if of_staff else Kind.CANDIDATE,
                frozenset({"cisco"}),
                MESSAGES_READ | MESSAGES_MANAGE if of_staff else MESSAGES_READ,
                None if of_staff else who,
            )
            now = station.clock.now()
            token = sign(principal, KEY, issuer="certrail", token_id="t", now=now, lifetime=timedelta(minutes=5))
            headers["Authorization"] = f"Bearer {token}"
            answer = await client.request(method, f"/api/notify/v1/programs/cisco/{path}", json=body, headers=headers)
            return answer.status, await answer.json()

        yield ask


def agreed(candidate_id: str, version: int = 2) -> Any:
    data = {"candidate_id": candidate_id, "mails": {}, "marketing": True, "changed_at": NOON}
    return received(identity.PreferencesChanged(**data), version)


def holds(candidate_id: str, certification: str) -> Any:
    facts = {"title": certification, "earned_on": date(2026, 1, 1), "because": "Passed."}
    return received(certs.CertificationAwarded(candidate_id=candidate_id, certification=certification, **facts))


async def people(process: Process) -> None:
    """Ada and Bob agreed to news and hold a certification each, Eve did not agree, and Bob has a second account."""
    spanish = received(registered(BOB, "bob@example.com").data.model_copy(update={"language": "es"}))
    await process.handle(registered(), spanish, registered(EVE, "eve@example.com"), registered(TWIN, "b@example.com"))
    no = identity.PreferencesChanged(candidate_id=EVE, mails={}, marketing=False, changed_at=NOON)
    await process.handle(received(no, 2))
    await process.handle(agreed(ADA), agreed(BOB), agreed(TWIN), holds(ADA, "CCNA"), holds(BOB, "CCNP-ENT"))
    merge = {"merge_id": "M1", "candidate_id": BOB, "merged_id": TWIN}
    await process.handle(received(identity.CandidatesMerged(**merge, merged_at=NOON)))


async def test_candidates_read_what_is_meant_for_them_and_in_force(station: Station) -> None:
    process = station.process("one")
    await people(process)
    async with asking(station, process) as ask:

        async def write(**more: Any) -> str:
            status, made = await ask("staff", "POST", "announcements", BODY | more)
            assert (status, made["state"]) == (201, "draft")
            return str(made["announcement_id"])

        async def read(who: str, query: str = "") -> list[str]:
            status, found = await ask(who, "GET", f"candidates/{who}/announcements{query}")
            assert status == 200
            return [item["title"] for item in found["items"]]

        everybody = await write()
        associates = await write(audience={"certifications": [], "levels": ["associate"]}, severity="urgent")
        later = await write(first_day="2026-11-24")
        assert await read(ADA) == []
        for one in (everybody, associates, later):
            assert (await ask("staff", "POST", f"announcements/{one}/publication", {}))[0] == 200
        _, found = await ask(ADA, "GET", f"candidates/{ADA}/announcements")
        assert [item["severity"] for item in found["items"]] == ["urgent", "info"]
        assert await read(BOB) == ["Abrimos la primavera"]
        assert await read(BOB, "?language=en-GB") == await read(TWIN, "?language=en") == ["The spring is open"]
        assert (await ask(ADA, "GET", f"candidates/{BOB}/announcements"))[0] == 404
        assert (await ask(ADA, "GET", "announcements"))[0] == 403
        await ask("staff", "POST", f"announcements/{associates}/withdrawal", {"reason": "A mistake."})
        assert len(await read(ADA)) == 1
        station.clock.advance(timedelta(days=2))
        assert len(await read(ADA)) == 2
        station.clock.advance(timedelta(days=7))
        assert await read(ADA) == []

        _, withdrawn = await ask("staff", "GET", f"announcements/{associates}")
        assert [step["what"] for step in withdrawn["history"]] == ["written", "published", "withdrawn"]
        assert (await ask("staff", "PUT", f"announcements/{associates}", BODY))[0] == 409
        _, page = await ask("staff", "GET", "announcements?limit=2")
        _, rest = await ask("staff", "GET", f"announcements?limit=2&cursor={page['next']}")
        listed = [item["announcement_id"] for item in (*page["items"], *rest["items"])]
        assert sorted(listed) == sorted({everybody, associates, later})
        wrong = ({"last_day": "2026-11-01"}, {"audience": {"levels": ["wizard"]}}, {"texts": BODY["texts"][:1] * 2})
        for each in wrong:
            assert (await ask("staff", "POST", "announcements", BODY | each))[0] == 422


async def test_news_go_once_to_each_who_agreed_and_is_meant(station: Station, monkeypatch: Any) -> None:
    monkeypatch.setattr(Mailing, "SLICE", 1)
    one, other = station.process("one"), station.process("other")
    await people(one)
    async with asking(station, one) as ask:
        _, made = await ask("staff", "POST", "announcements", BODY, **{"Idempotency-Key": "k1"})
        _, again = await ask("staff", "POST", "announcements", BODY, **{"Idempotency-Key": "k1"})
        place = f"announcements/{made['announcement_id']}"
        assert again == made
        await one.mailing.run()
        assert await station.messages(template="news") == [], "a draft"
        for _ in range(2):
            await ask("staff", "POST", f"{place}/publication", {"mail": True})
        held = BODY | {"audience": {"certifications": ["CCNA"]}}
        assert (await ask("staff", "PUT", place, held))[0] == 409
        monkeypatch.setattr(Mailing, "UNSENT", 1)
        await one.mailing.run()
        assert len(await station.messages(template="news")) == 1, "the rest waits until that has gone"
        monkeypatch.setattr(Mailing, "UNSENT", 400)
        await other.mailing.run()
        await one.mailing.run()
        _, shown = await ask("staff", "GET", place)
        assert (shown["mailing"]["mails"], shown["mailing"]["done_at"]) == (2, "2026-11-22T12:00:00Z")

        _, narrow = await ask("staff", "POST", "announcements", held)
        await ask("staff", "POST", f"announcements/{narrow['announcement_id']}/publication", {"mail": True})
        await one.mailing.run()
        assert sorted(row["candidate_id"] for row in await station.messages(template="news")) == [ADA, ADA, BOB]
        await ask("staff", "POST", f"announcements/{narrow['announcement_id']}/withdrawal", {"reason": "Twice."})
    async with one.sending():
        rows = await station.settled(5)
    assert [row["error"] for row in rows if row["state"] == "withheld"] == [OVER]
    titles = {text["title"] for text in BODY["texts"]}
    news = [mail for mail in station.mailbox.mails if mail["Subject"] in titles]
    mails = {mail["To"].addresses[0].addr_spec: mail for mail in news}
    assert len(news) == 2
    assert mails["ada@example.com"]["Subject"] == "The spring is open"
    assert mails["bob@example.com"]["Subject"] == "Abrimos la primavera"
    html = mails["ada@example.com"].get_body(("html",))
    assert html is not None
    assert "&lt;b&gt;Really.&lt;/b&gt;" in html.get_content()
