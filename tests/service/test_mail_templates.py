"""Templates that staff write: checked, seen, chosen, and kept by the mails that were written with them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey

from libs.common.clock import FixedClock
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import MESSAGES_MANAGE, MESSAGES_READ
from libs.common.http.server import build_app
from libs.common.http.tokens import sign
from libs.common.mongo.client import open_client, open_database
from libs.common.mongo.migrations import migrate
from libs.common.mongo.unit_of_work import Transaction
from services.notify.api import NotifyApi
from services.notify.app import SERVICE
from services.notify.domain.mails import Template
from services.notify.editions.api import TemplatesApi
from services.notify.editions.checking import Checker
from services.notify.editions.store import Key
from tests.servers import MongoUnderTest
from tests.service.notify_station import ADA, NOON, PROGRAMS, Mailbox, Station, passed, registered
from tests.service.rig import eventually, kept_answers

PASSED = "/programs/cisco/mail-templates/exam_passed/en"
OWN = """Subject: {said} {{{{ exam }}}}
Preview: It counts.
Why: You get this because you sat an exam.

Hello {{{{ name }}}}, {said}.

[See it]({{{{ public_url }}}}/exams)
"""
Ask = Callable[..., Awaitable[tuple[int, Any]]]


@pytest_asyncio.fixture(loop_scope="session")
async def station(mongo: MongoUnderTest) -> AsyncIterator[Station]:
    clock = FixedClock(NOON)
    client = open_client(mongo.url("notify"), application="test-notify")
    mailbox = Mailbox()
    await migrate(open_database(client), SERVICE.migrations, owner="test", clock=clock)
    async with mailbox.open():
        yield Station(client, clock, mailbox)
    client.close()


@asynccontextmanager
async def desk(station: Station, program: str = "cisco") -> AsyncIterator[Ask]:
    """Staff of a program at the API; an answer is its status with its JSON or, if it is none, the response and text."""
    key = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
    unit_of_work = station.process("api").unit_of_work
    templates = TemplatesApi(station.editions, Checker(station.renderer), unit_of_work, PROGRAMS)
    api = NotifyApi(station.store, station.renderer, station.shelf).api(templates.routes())
    app = build_app(
        api,
        TokenVerifier(StaticKeys(key), "certrail", station.clock),
        idempotency=kept_answers(station.database, station.clock),
    )
    principal = Principal("staff:mia", Kind.STAFF, frozenset({program}), MESSAGES_MANAGE | MESSAGES_READ)

    async with TestClient(TestServer(app)) as client:

        async def ask(method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
            now, lifetime = station.clock.now(), timedelta(minutes=5)
            token = sign(principal, key, issuer="certrail", token_id="t", now=now, lifetime=lifetime)
            headers = {"Authorization": f"Bearer {token}"}
            url = f"/api/notify/v1{path}"
            async with client.request(method, url, json=body, params=query, headers=headers) as response:
                if response.content_type.endswith("json"):
                    return response.status, await response.json()
                return response.status, (response, await response.text())

        yield ask


async def written(ask: Ask, said: str) -> int:
    status, body = await ask("POST", f"{PASSED}/versions", {"source": OWN.format(said=said), "note": "In our voice"})
    assert status == 201, body
    return int(body["version"])


async def choose(ask: Ask, version: int | None, instead_of: int | None) -> int:
    return (await ask("PUT", f"{PASSED}/choice", {"version": version, "instead_of": instead_of}))[0]


async def test_chosen_words_are_those_of_new_mails_in_every_process(station: Station) -> None:
    replica = Station(station.client, station.clock, station.mailbox)
    one, other = station.process("one"), replica.process("other")
    async with desk(station) as ask, one.sending(), other.sending():
        await one.handle(registered(), passed())
        await station.settled(1)
        first = await written(ask, "Bravo")
        await one.handle(passed())
        await station.settled(2)
        assert await choose(ask, first, None) == 200
        await one.handle(passed())
        await other.handle(passed())
        await station.settled(4)
        assert await choose(ask, None, first) == 200
        await other.handle(passed())
        await station.settled(5)
        said = [mail["Subject"].partition(" ")[0] for mail in station.mailbox.mails]
        assert sorted(said[:2]) == ["You", "You"], "a version counts once it is chosen"
        assert said[2:] == ["Bravo", "Bravo", "You"]
        _, shown = await ask("GET", PASSED)
        assert [switch["version"] for switch in shown["switches"]] == [None, first]
        assert {switch["by"] for switch in shown["switches"]} == {"staff:mia"}


async def test_mail_keeps_the_words_that_it_was_written_in(station: Station) -> None:
    replies: list[str] = []

    async def answer() -> str | None:
        return replies.pop() if replies else None

    station.mailbox.answer = answer
    process = station.process("one")
    first = second = None
    async with desk(station) as ask, process.sending():
        for said, deferred in (("Bravo", 1), ("Hurrah", 2)):
            replies.append("452 4.3.1 later")
            await process.handle(registered(), passed())
            await eventually(lambda: station.messages(attempts=1, state="queued"), bool)
            first, second = second, await written(ask, said)
            assert await choose(ask, second, first) == 200
            station.clock.advance(timedelta(minutes=5))
            rows = await station.settled(deferred)
        assert [mail["Subject"].partition(" ")[0] for mail in station.mailbox.mails] == ["You", "Bravo"]
        (plain,) = [row for row in rows if "wording" not in row]
        log = (await ask("GET", f"/programs/cisco/candidates/{ADA}/messages"))[1]["items"]
        assert {item["message_id"]: item["subject"].partition(" ")[0] for item in log} == {
            row["_id"]: "You" if row["_id"] == plain["_id"] else "Bravo" for row in rows
        }
        # Another process, which has not seen that version before, shows the same.
        replica = Station(station.client, station.clock, station.mailbox)
        (own,) = [row for row in rows if row["_id"] != plain["_id"]]
        async with desk(replica) as ask_other:
            _, message = await ask_other("GET", f"/messages/{own['_id']}")
            assert "Hello Ada Lovelace, Bravo." in message["text"]


async def test_template_that_fails_after_all_gives_way_to_ours(station: Station) -> None:
    process = station.process("one")
    key = Key("cisco", Template.EXAM_PASSED, "en")

    async def choose_unchecked(transaction: Transaction, source: str) -> None:
        row = await station.editions.add(
            transaction, key, source=source, note="Unchecked", by="staff:mia", operation=source
        )
        version, before = row["version"], row["version"] - 1 or None
        await station.editions.switch(transaction, key, version=version, instead_of=before, by="staff:mia")

    async with process.sending():
        for sent, source in enumerate((OWN.format(said="{{ taken_on | grade }}"), "Subject: {{ no"), 1):
            await process.unit_of_work.run(partial(choose_unchecked, source=source))
            await process.handle(registered(), passed())
            await station.settled(sent)
    assert [mail["Subject"] for mail in station.mailbox.mails] == ["You passed CCNA (200-301)"] * 2


async def test_faults_are_named_and_nothing_of_another_program_is_seen(station: Station) -> None:
    async with desk(station) as ask:
        for source, code, at in (
            ("Hello", "markup", None),
            (OWN.format(said="{{ score }}"), "unknown_name", 1),
            (OWN.format(said="{{ exam.upper() }}"), "not_allowed", 1),
            (OWN.format(said="{{ taken_on | grade }}"), "sample", None),
            (OWN.format(said="x").replace("{{ public_url }}/", "https://evil.example/{{ name }}"), "address", None),
        ):
            status, problem = await ask("POST", f"{PASSED}/versions", {"source": source, "note": "A try"})
            assert (status, problem["errors"][0]["code"]) == (422, code), problem
            assert problem["errors"][0]["path"] == "body.source" + (f".{at}" if at else "")
        version = await written(ask, "Bravo")
        assert await choose(ask, version, version) == 409
        assert await choose(ask, version + 1, None) == 404
        assert await choose(ask, version, None) == 200
        assert await choose(ask, None, None) == 409, "somebody else has chosen meanwhile"
        _, listed = await ask("GET", f"{PASSED}/versions")
        assert [(row["version"], row["note"], row["written_by"]) for row in listed["items"]] == [
            (version, "In our voice", "staff:mia")
        ]
        _, summary = await ask("GET", "/programs/cisco/mail-templates")
        assert len(summary["items"]) == len(Template) * 3
        own = [row for row in summary["items"] if row["versions"]]
        assert [(row["template"], row["language"], row["version"]) for row in own] == [("exam_passed", "en", version)]
    async with desk(station, "juniper") as ask:
        assert (await ask("GET", PASSED))[0] == 404
        assert (await ask("GET", "/programs/juniper/mail-templates/exam_passed/en/versions/1"))[0] == 404
        assert (await ask("GET", "/programs/juniper/mail-templates/exam_passed/en"))[1]["version"] is None


async def test_preview_is_the_mail_and_can_do_nothing(station: Station) -> None:
    async with desk(station) as ask:
        status, (response, html) = await ask("GET", f"{PASSED}/preview", theme="dark")
        policy = response.headers["Content-Security-Policy"]
        assert (status, response.content_type) == (200, "text/html")
        assert "sandbox;" in policy
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert "You passed CCNA (200-301)" in html
        assert "@media all{body{background:#0e1519" in html
        assert ":root{color-scheme:dark}" in html
        _, (_, light) = await ask("GET", f"{PASSED}/preview", theme="light")
        assert "@media not all{" in light
        _, (_, text) = await ask("GET", f"{PASSED}/preview", form="text", built_in="true")
        assert text.startswith("You passed CCNA (200-301)\n\nWell done, Ada Lovelace: you passed.")
        draft = {"source": OWN.format(said="Bravo"), "facts": {"exam": "<b>JNCIA</b>"}}
        _, (_, html) = await ask("POST", f"{PASSED}/preview", draft)
        assert "Bravo &lt;b&gt;JNCIA&lt;/b&gt;" in html
        for wrong, path in (
            ({"facts": {"exam": 7}}, "body.facts.exam"),
            ({"facts": {"score": "900"}}, "body.facts.score"),
            ({"facts": {"taken_on": "1 March"}}, "body.facts.taken_on"),
            ({"sample": 9}, "sample"),
        ):
            status, problem = await ask("POST", f"{PASSED}/preview", draft | wrong)
            assert (status, problem["errors"][0]["path"]) == (422, path), problem
        assert (await ask("GET", f"{PASSED}/preview", version="7"))[0] == 404
