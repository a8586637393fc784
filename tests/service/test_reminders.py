"""Reminders and summaries: one mail for what falls together, never about what has moved."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from email.message import EmailMessage
from typing import Any

import pytest_asyncio

from libs.common.bus.messages import Received
from libs.common.clock import FixedClock
from libs.common.events import certs, identity
from libs.common.mongo.client import open_client, open_database
from libs.common.mongo.migrations import migrate
from services.notify.app import SERVICE
from services.notify.domain.gathering import Bundle
from services.notify.reminders.check import OVERTAKEN
from services.notify.reminders.taking import WINDOW
from services.notify.reminders.writing import mail_key
from tests.servers import MongoUnderTest
from tests.service.notify_station import ADA, NOON, Mailbox, Process, Station, received, registered

SOON = date(2026, 12, 22)
LATER = SOON + timedelta(1095)
LIMIT = timedelta(seconds=1)
PREFERRED = {"candidate_id": ADA, "mails": {}, "changed_at": NOON}


@pytest_asyncio.fixture(loop_scope="session")
async def station(mongo: MongoUnderTest) -> AsyncIterator[Station]:
    clock = FixedClock(NOON)
    client = open_client(mongo.url("notify"), application="test-reminders")
    mailbox = Mailbox()
    await migrate(open_database(client), SERVICE.migrations, owner="test", clock=clock)
    async with mailbox.open():
        yield Station(client, clock, mailbox)
    client.close()


def holding(certification: str, expires_on: date | None = SOON, candidate_id: str = ADA) -> dict[str, Any]:
    return {
        "candidate_id": candidate_id,
        "certification": certification,
        "title": certification,
        "earned_on": date(2023, 12, 22),
        "expires_on": expires_on,
        "because": f"{certification} was earned.",
    }


def expiring(certification: str, version: int = 1, expires_on: date = SOON, who: str = ADA) -> Received[Any]:
    return received(
        certs.CertificationExpiring(**holding(certification, expires_on, who), days_left=30), version=version
    )


def credited(title: str) -> Received[Any]:
    course = {"candidate_id": ADA, "submission_id": "S1", "item": "I", "completed_on": date(2026, 11, 1)}
    return received(certs.CreditsRecorded(**course, title=title, credits=8, origin="report"))


async def written(station: Station, process: Process, wait: timedelta = WINDOW) -> None:
    station.clock.advance(wait + LIMIT)
    await process.writing.run()


def calendar(mail: EmailMessage) -> str:
    (file,) = [part for part in mail.iter_attachments() if part.get_content_type() == "text/calendar"]
    assert file.get_filename() == "expiry.ics"
    assert file.get_param("method") == "PUBLISH"
    return str(file.get_content())


async def test_reminders_that_fall_together_are_one_mail_however_often_they_are_told(station: Station) -> None:
    one, other = station.process("one"), station.process("other")
    first, second, third = expiring("CCNA"), expiring("CCNP-ENT", 2), expiring("CCNP-SEC", 3, SOON - timedelta(9))
    await one.handle(registered(), first)
    await one.writing.run()
    assert await station.messages() == [], "the others of the day are still on their way"
    await other.handle(second, first)
    await one.handle(third)
    await written(station, one)
    await other.handle(first, second, third)
    station.clock.advance(timedelta(days=2))
    await written(station, other)
    (row,) = await station.messages()
    assert row["_id"] == mail_key(Bundle.REMINDERS, ADA, date(2026, 11, 22))
    assert [each["certification"] for each in row["context"]["rows"]] == ["CCNP-SEC", "CCNA", "CCNP-ENT"]
    async with one.sending(), other.sending():
        await station.settled(1)
    (mail,) = station.mailbox.mails
    assert mail["Subject"] == "3 of your certifications expire, the first on 13 December 2026"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "- CCNP-SEC: 13 December 2026\r\n- CCNA: 22 December 2026\r\n" in text.get_content()
    assert calendar(mail).count("BEGIN:VEVENT") == 3


async def test_what_comes_after_the_mail_of_its_day_waits_for_the_next(station: Station) -> None:
    process = station.process("one")
    await process.handle(registered(), expiring("CCNA"))
    await written(station, process)
    await process.handle(expiring("CCNP-ENT", 2))
    await written(station, process)
    assert [len(row["context"]["rows"]) for row in await station.messages()] == [1]
    await written(station, process, timedelta(days=1))
    assert [row["context"]["rows"][0]["certification"] for row in await station.messages()] == ["CCNA", "CCNP-ENT"]


async def test_certification_that_has_moved_is_not_reminded_of_whichever_comes_first(station: Station) -> None:
    process = station.process("one")
    renewed = received(certs.CertificationRenewed(**holding("CCNA", LATER)), version=9)
    revoked = received(certs.CertificationRevoked(**holding("CCNP-ENT")), version=9)
    await process.handle(registered(), expiring("CCNA"), revoked, expiring("CCNP-SEC"))
    await process.handle(renewed, expiring("CCNP-ENT"))
    await written(station, process)
    (row,) = await station.messages(template="certification_expiring")
    assert [each["certification"] for each in row["context"]["rows"]] == ["CCNP-SEC"]
    states = {each["context"]["certification"]: each["mail"] for each in await station.rows("gathered")}
    assert states == {"CCNA": row["_id"], "CCNP-ENT": row["_id"], "CCNP-SEC": row["_id"]}


async def test_reminder_that_waited_for_the_server_says_what_is_so_when_it_goes(station: Station) -> None:
    process, late = station.process("one"), Mailbox()
    async with late.open():
        port = late.port
    await process.handle(registered(), registered("CSCO10000002", "bob@example.com"))
    await process.handle(expiring("CCNA"), expiring("CCNP-ENT", 2), expiring("CCNA", who="CSCO10000002"))
    await written(station, process)
    moved = certs.CertificationRenewed(**holding("CCNA", LATER))
    gone = certs.CertificationRevoked(**holding("CCNA", candidate_id="CSCO10000002"))
    await process.handle(received(moved, 9))
    await process.handle(received(gone, 9))
    await station.database["messages"].delete_many({"template": {"$ne": "certification_expiring"}})
    station.clock.advance(timedelta(days=1))
    sender = station.process("two", port=port)
    async with late.open(port), sender.sending():
        rows = await station.settled(2)
    assert {row["state"]: row["error"] for row in rows} == {"sent": None, "withheld": OVERTAKEN}
    (mail,) = late.mails
    assert mail["Subject"] == "CCNP-ENT expires on 22 December 2026"
    (sent,) = await station.messages(state="sent")
    assert [each["days_left"] for each in sent["context"]["rows"]] == [29], "the log says what the mail said"


async def test_reminders_of_merged_accounts_are_one_mail_to_the_one_that_goes_on(station: Station) -> None:
    process = station.process("one")
    bob = "CSCO10000002"
    await process.handle(registered(), registered(bob, "bob@example.com"))
    await process.handle(expiring("CCNA"), expiring("CCNP-ENT", who=bob), expiring("CCNA", who=bob))
    merge = {"merge_id": "M1", "candidate_id": ADA, "merged_id": bob}
    await process.handle(received(identity.CandidatesMerged(**merge, merged_at=NOON)))
    await written(station, process)
    (row,) = await station.messages()
    assert row["candidate_id"] == ADA
    assert [each["certification"] for each in row["context"]["rows"]] == ["CCNA", "CCNP-ENT"]


async def test_summary_tells_what_can_wait_once_and_nothing_else_waits(station: Station) -> None:
    process = station.process("one")
    weekly = received(identity.PreferencesChanged(**PREFERRED, digest="weekly"), 2)
    before, first, second = credited("Before"), credited("Routing"), credited("Switching")
    await process.handle(registered(), before)
    await process.handle(weekly, first, before)
    awarded = received(certs.CertificationAwarded(**holding("CCNA")))
    await process.handle(second, first, awarded)
    assert sorted(row["template"] for row in await station.messages()) == ["certification_awarded", "credits_recorded"]
    await written(station, process)
    assert len(await station.messages()) == 2
    await written(station, process, timedelta(days=7))
    await process.handle(first, second)
    await written(station, process, timedelta(days=7))
    (row,) = await station.messages(template="digest")
    assert {entry["words"] for entry in row["context"]["entries"]} == {
        "8 credits recorded for Routing",
        "8 credits recorded for Switching",
    }
    third = credited("Security")
    await process.handle(third)
    at_once = received(identity.PreferencesChanged(**PREFERRED), 3)
    await process.handle(at_once, credited("Alone"))
    await process.writing.run()
    await process.handle(third)
    entries = [row["context"]["entries"] for row in await station.messages(template="digest")]
    assert [len(each) for each in entries] == [2, 1], "what waited goes when the summary is given up"
    assert len(await station.messages(template="credits_recorded")) == 2


async def test_unwanted_kinds_are_not_in_a_summary(station: Station) -> None:
    process = station.process("one")
    wish = PREFERRED | {"mails": {"credits": False}}
    await process.handle(registered(), received(identity.PreferencesChanged(**wish, digest="daily"), 2))
    await process.handle(credited("Routing"))
    await written(station, process, timedelta(days=1))
    assert await station.messages() == []
