"""Notify on a real database, a real broker and a real mail server: one mail for each cause, whatever happens."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from joserfc.jwk import OKPKey
from prometheus_client import REGISTRY

from libs.common.bus.outgoing import OutgoingEvents
from libs.common.bus.publisher import Publisher
from libs.common.clock import FixedClock, SystemClock
from libs.common.events import identity
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.principal import Kind, Principal
from libs.common.http.server import build_app
from libs.common.http.tokens import sign
from libs.common.ids import derived_id
from libs.common.mongo.client import open_client, open_database
from libs.common.mongo.migrations import migrate
from libs.common.mongo.unit_of_work import Transaction
from libs.common.service import Role, run
from services.notify.api import NotifyApi
from services.notify.app import SERVICE
from services.notify.domain.delivery import Accepted
from services.notify.figures import MailFigures
from services.notify.letters import Letter
from services.notify.sender import LEASE
from services.notify.settings import NotifySettings
from services.notify.settling import Answered
from services.notify.store import MIGRATIONS, Claim, NotifyStore
from tests.servers import BrokerUnderTest, MongoUnderTest
from tests.service.notify_station import (
    ADA,
    NOON,
    PROGRAMS,
    PROGRAMS_DIR,
    DyingSettler,
    Mailbox,
    Station,
    activation,
    invited,
    moved,
    passed,
    received,
    registered,
)
from tests.service.rig import ERASURE_KEY, eventually


@pytest_asyncio.fixture(loop_scope="session")
async def station(mongo: MongoUnderTest) -> AsyncIterator[Station]:
    clock = FixedClock(NOON)
    client = open_client(mongo.url("notify"), application="test-notify")
    mailbox = Mailbox()
    await migrate(open_database(client), MIGRATIONS, owner="test", clock=clock)
    async with mailbox.open():
        yield Station(client, clock, mailbox)
    client.close()


async def test_duplicate_events_send_one_mail(station: Station) -> None:
    one, other = station.process("one"), station.process("other")
    profile, result = registered(), passed()
    async with one.sending(), other.sending():
        await one.handle(profile, result, result)
        await asyncio.gather(one.handle(result, profile), other.handle(profile, result))
        await station.settled(1)
        await one.handle(result)
    assert station.mailbox.ids == [f"<{derived_id(result.event.id, 'exam_passed')}@cisco-program.example>"]
    assert [row["state"] for row in await station.messages()] == ["sent"]


async def test_mail_waits_for_its_recipient_and_goes_when_they_arrive(station: Station) -> None:
    process = station.process("one")
    async with process.sending():
        await process.handle(passed())
        assert [row["state"] for row in await station.messages()] == ["waiting"]
        await process.handle(registered())
        await station.settled(1)
    assert [mail["To"] for mail in station.mailbox.mails] == ["Ada Lovelace <ada@example.com>"]


@pytest.mark.parametrize("waited_before", [False, True])
async def test_mail_and_recipient_at_the_same_moment_find_each_other(station: Station, waited_before: bool) -> None:
    process, other = station.process("one"), station.process("other")
    if waited_before:
        await process.handle(passed())
    written, go = asyncio.Event(), asyncio.Event()

    async def slowly(transaction: Transaction) -> list[Letter]:
        letters = await process.events.record(transaction, [passed_now])
        written.set()
        await go.wait()
        return letters

    passed_now = passed()
    mail = asyncio.create_task(process.unit_of_work.run(slowly))
    await written.wait()
    recipient = asyncio.create_task(other.handle(registered()))
    await asyncio.wait([recipient], timeout=0.3)  # it may finish or not; what counts is how both end
    go.set()
    await asyncio.gather(mail, recipient)
    assert not await station.messages(state="waiting")


async def test_later_profile_stays_whatever_arrives_afterwards(station: Station) -> None:
    process = station.process("one")
    async with process.sending():
        await process.handle(moved("third@example.com", 3), moved("second@example.com", 2))
        await process.handle(registered(email="first@example.com", version=1))
        await process.handle(moved("second@example.com", 2))
        await process.handle(passed())
        await station.settled(1)
    assert station.mailbox.mails[0]["To"].addresses[0].addr_spec == "third@example.com"


async def test_mail_of_a_decided_name_is_written_to_the_new_one(station: Station) -> None:
    process = station.process("one")
    name = {"given_name": "=SUM(A1)", "family_name": "<b>King</b>"}
    profile = identity.CandidateProfileChanged(candidate_id=ADA, email="ada@example.com", country="GB", **name)
    case = {"candidate_id": ADA, "case_id": "C1", "reference": "K00000013", "kind": "name"}
    decided = identity.CaseDecided(**case, decision="accepted", reason="As on the passport.", decided_at=NOON)
    async with process.sending():
        await process.handle(registered())
        await process.handle(received(profile, 2), received(decided, 3))
        await station.settled(1)
    (mail,) = station.mailbox.mails
    assert mail["To"].addresses[0].display_name == "=SUM(A1) <b>King</b>"
    assert mail["Subject"] == "Your case K00000013 was accepted"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "Hello =SUM(A1) <b>King</b>," in plain.get_content()
    assert "As on the passport." in plain.get_content()
    assert "&lt;b&gt;King&lt;/b&gt;" in html.get_content()


async def test_changed_address_is_asked_at_the_new_place_and_told_at_the_former(station: Station) -> None:
    process = station.process("one")
    asked = identity.EmailChangeRequested(
        candidate_id=ADA, email="ada@new.example", token="open-sesame", expires_at=NOON + timedelta(days=1)
    )
    changed = identity.EmailChanged(candidate_id=ADA, former_email="ada@example.com", changed_at=NOON)
    async with process.sending():
        await process.handle(registered())
        await process.handle(received(asked, 2))
        await station.settled(1)
        await process.handle(moved("ada@new.example", 4), received(changed, 3), passed())
        await station.settled(3)
    to = {str(mail["Subject"]).partition(" ")[0]: mail["To"].addresses[0].addr_spec for mail in station.mailbox.mails}
    assert to == {"Is": "ada@new.example", "Your": "ada@example.com", "You": "ada@new.example"}
    (question,) = await station.messages(template="email_confirmation")
    assert set(question["context"]) == {"expires_at"}, "neither the link nor the address stays in the log"
    assert "/confirm-email?token=open-sesame" in station.mailbox.mails[0].as_string().replace("=\n", "")


async def test_sent_mail_is_told_with_its_cause_and_a_growing_version(station: Station) -> None:
    process = station.process("one")
    causes = [passed(), passed(), activation()]
    async with process.sending():
        await process.handle(registered())
        for number, cause in enumerate(causes, start=1):
            await process.handle(cause)
            await station.settled(number)
            station.clock.advance(timedelta(milliseconds=1))
    told = await station.told()
    assert [event["causationid"] for event in told] == [cause.event.id for cause in causes]
    versions = [event["subjectversion"] for event in told]
    assert versions == sorted(set(versions))
    assert {event["type"] for event in told} == {"certrail.notify.EmailSent.v1"}
    assert {(event["correlationid"], event["traceparent"][3:35]) for event in told} == {("first-cause", "1" * 32)}
    assert {event["data"]["message_id"] for event in told} == set(station.mailbox.ids)


async def test_link_that_opens_an_account_is_mailed_and_then_forgotten(station: Station) -> None:
    process = station.process("one")
    async with process.sending():
        await process.handle(registered(), activation())
        (row,) = await station.settled(1)
    body = station.mailbox.mails[0].get_body(("plain",))
    assert body is not None
    assert "https://certs.example/activate?token=open-sesame" in body.get_content()
    assert "open-sesame" not in repr(row)


async def test_staff_are_written_to_at_the_address_of_the_invitation(station: Station) -> None:
    process = station.process("one")
    async with process.sending():
        await process.handle(invited("mia@example.com", 1))
        rows = await station.settled(1)
        await process.handle(invited("maier@example.com", 2))
        rows = await station.settled(2)
    first, second = station.mailbox.mails
    assert [mail["To"].addresses[0].addr_spec for mail in (first, second)] == ["mia@example.com", "maier@example.com"]
    body = first.get_body(("plain",))
    assert body is not None
    assert "https://certs.example/staff/activate?token=open-sesame" in body.get_content()
    assert "open-sesame" not in repr(rows)


async def test_mail_deferred_by_the_server_is_sent_later(station: Station) -> None:
    replies = ["451 4.7.1 greylisted"]

    async def answer() -> str | None:
        return replies.pop() if replies else None

    station.mailbox.answer = answer
    process = station.process("one")
    async with process.sending():
        await process.handle(registered(), passed())
        (row,) = await eventually(lambda: station.messages(attempts=1), bool)
        assert (row["state"], row["error"]) == ("queued", "451 4.7.1")
        assert not station.mailbox.mails
        station.clock.advance(timedelta(seconds=5))
        (row,) = await station.settled(1)
    assert (row["state"], row["attempts"], row["error"]) == ("sent", 2, None)
    assert len(station.mailbox.mails) == 1


async def test_mail_refused_by_the_server_is_told_and_not_tried_again(station: Station) -> None:
    async def answer() -> str | None:
        return "550 5.1.1 <ada@example.com> is unknown here"

    station.mailbox.answer = answer
    process = station.process("one")
    async with process.sending():
        await process.handle(registered(), activation())
        (row,) = await station.settled(1)
    assert (row["state"], row["error"]) == ("refused", "550 5.1.1")
    assert "open-sesame" not in repr(row)
    assert [(told["type"], told["data"]["reason"]) for told in await station.told()] == [
        ("certrail.notify.EmailBounced.v1", "550 5.1.1"),
        ("certrail.notify.EmailSuppressed.v1", "bounced"),
    ]


async def test_server_that_is_away_costs_no_try(station: Station) -> None:
    late = Mailbox()
    async with late.open():
        port = late.port
    process = station.process("one", port=port)
    async with process.sending():
        await process.handle(registered(), *(passed() for _ in range(10)))
        await asyncio.sleep(0.3)
        async with late.open(port):
            rows = await station.settled(10)
    assert {(row["state"], row["attempts"]) for row in rows} == {("sent", 1)}
    assert len(set(late.ids)) == len(late.ids) == 10


async def test_crash_between_acceptance_and_record_repeats_the_same_mail_and_tells_it_once(
    station: Station,
) -> None:
    dying, heir = station.process("dying", DyingSettler), station.process("heir")
    task = asyncio.create_task(dying.sender.run(asyncio.Event()))
    await dying.handle(registered(), passed())
    await eventually(lambda: asyncio.sleep(0, station.mailbox.ids), bool)
    task.cancel()
    await asyncio.wait([task])
    async with heir.sending():
        await asyncio.sleep(1.2)  # a poll of the heir, which must leave a claim alone while it lasts
        assert len(station.mailbox.ids) == 1
        station.clock.advance(LEASE + timedelta(seconds=1))
        await station.settled(1)
    first, second = station.mailbox.raw
    assert first == second
    # The dead one's answer, had it only been slow, changes nothing any more.
    (row,) = await station.messages()
    late = Answered(await station.letter(row), Accepted(NOON))
    await station.process("dying").settler.settle([late])
    assert len(await station.told()) == 1


async def test_two_senders_share_what_is_due_and_double_nothing(station: Station) -> None:
    gone = station.process("gone")
    await gone.handle(registered(), *(passed() for _ in range(150)))
    station.clock.advance(LEASE + timedelta(seconds=1))
    one, other = station.process("one"), station.process("other")
    async with one.sending(), other.sending():
        await station.settled(150)
    assert max(Counter(station.mailbox.ids).values()) == 1
    assert len(station.mailbox.ids) == len(await station.told()) == 150


async def test_claims_of_what_is_due_never_overlap(station: Station) -> None:
    gone = station.process("gone")
    await gone.handle(registered(), *(passed() for _ in range(300)))
    station.clock.advance(LEASE + timedelta(seconds=1))
    now = station.clock.now()
    claims = [Claim(f"process-{number}", now + LEASE) for number in range(8)]
    claimed = await asyncio.gather(*(station.store.claim_due(claim, now, 300) for claim in claims))
    assert Counter(row["_id"] for rows in claimed for row in rows).most_common(1)[0][1] == 1
    assert sum(map(len, claimed)) == 300


async def test_stop_finishes_mails_begun_and_gives_the_others_back(station: Station) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def answer() -> None:
        began.set()
        await go_on.wait()

    station.mailbox.answer = answer
    process = station.process("one")
    stopping = asyncio.Event()
    task = asyncio.create_task(process.sender.run(stopping))
    await process.handle(registered(), *(passed() for _ in range(30)))
    await began.wait()
    stopping.set()
    await asyncio.sleep(0.1)
    go_on.set()
    await task
    states = Counter(row["state"] for row in await station.messages())
    assert states["sent"] == len(station.mailbox.ids) <= 4
    assert states == {"sent": states["sent"], "queued": 30 - states["sent"]}
    assert not await station.messages(claimed_by={"$exists": True})


async def test_mail_that_arrives_during_a_stop_is_left_for_another_process(station: Station) -> None:
    process = station.process("one")
    async with process.sending():
        pass
    await process.handle(registered(), passed())
    assert [row["state"] for row in await station.messages()] == ["queued"]


async def test_log_shows_candidates_their_own_mails_and_no_link(station: Station) -> None:
    process = station.process("one")
    await process.handle(registered(), activation(), passed())
    key = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"})
    verifier = TokenVerifier(StaticKeys(key), "certrail", station.clock)
    app = build_app(NotifyApi(station.store, station.renderer, station.shelf).api(), verifier)

    async def read(client: Any, path: str, who: str) -> tuple[int, dict[str, Any]]:
        scopes = frozenset({"messages:read", "operations:read"})
        principal = Principal(who, Kind.CANDIDATE, frozenset({"cisco"}), scopes, who)
        token = sign(
            principal,
            key,
            issuer="certrail",
            token_id="t",
            now=station.clock.now(),
            lifetime=timedelta(minutes=5),
        )
        response = await client.get(f"/api/notify/v1{path}", headers={"Authorization": f"Bearer {token}"})
        return response.status, await response.json()

    async with TestClient(TestServer(app)) as client:
        path = f"/programs/cisco/candidates/{ADA}/messages"
        status, first = await read(client, f"{path}?limit=1", ADA)
        assert status == 200
        _, second = await read(client, f"{path}?limit=1&cursor={first['next']}", ADA)
        items = [*first["items"], *second["items"]]
        assert {item["template"] for item in items} == {"activation", "exam_passed"}
        assert second["next"] is None
        for item in items:
            status, shown = await read(client, f"/messages/{item['message_id']}", ADA)
            assert status == 200
            assert "Ada Lovelace" in shown["text"]
            assert "open-sesame" not in repr(shown)
            assert (await read(client, f"/messages/{item['message_id']}", "CSCO10000002"))[0] == 404
        assert (await read(client, path, "CSCO10000002"))[0] == 404
        assert (await read(client, f"/programs/juniper/candidates/{ADA}/messages", ADA))[0] == 404
        _, totals = await read(client, "/totals", ADA)
        assert totals["messages"] == 2


async def test_event_on_the_bus_becomes_a_mail(mongo: MongoUnderTest, broker: BrokerUnderTest) -> None:
    mailbox, stopping, published = Mailbox(), asyncio.Event(), asyncio.Event()
    async with mailbox.open():
        settings = NotifySettings(
            mongo_url=mongo.url("notify"),
            amqp_url=broker.url("notify"),
            programs_dir=PROGRAMS_DIR,
            erasure_key=ERASURE_KEY,
            internal_port=0,
            smtp_port=mailbox.port,
        )
        service = asyncio.create_task(
            run(SERVICE, settings, Role.WORKER, PROGRAMS, stopping=stopping, clock=SystemClock())
        )
        for publisher_name, item in (("exams", passed()), ("identity", registered())):
            publisher = Publisher(broker.url(publisher_name), name="test")
            link = asyncio.create_task(publisher.run(published))
            events = OutgoingEvents(publisher_name)
            events.add(item.data, program="cisco", subject=ADA, version=1, cause=None, now=NOON)
            assert await publisher.publish_all(events.messages()) == [None]
            link.cancel()
            await asyncio.wait([link])
        await eventually(lambda: asyncio.sleep(0, mailbox.mails), bool)
        stopping.set()
        await service
    assert [mail["Subject"] for mail in mailbox.mails] == ["You passed CCNA (200-301)"]


async def test_mails_that_nobody_sends_are_counted_with_how_long_they_are_due(station: Station) -> None:
    figures = MailFigures(NotifyStore(station.database), station.clock)
    await figures.count()
    assert REGISTRY.get_sample_value("certrail_mails_queued") == 0
    await station.process("one").handle(registered(), passed())
    station.clock.advance(LEASE + timedelta(minutes=7))
    await figures.count()
    assert REGISTRY.get_sample_value("certrail_mails_queued") == 1
    assert REGISTRY.get_sample_value("certrail_mails_overdue_seconds") == 7 * 60
