"""What is asked right before each try: wishes, consent, suppressed addresses, results on hold, and whose turn it is."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from libs.common.clock import FixedClock
from libs.common.events import certs, exams, identity
from libs.common.http.auth import TokenVerifier
from libs.common.http.server import build_app
from libs.common.ids import new_id
from libs.common.mongo.client import Document, open_client, open_database
from libs.common.mongo.migrations import migrate
from services.notify.api import NotifyApi
from services.notify.app import SERVICE
from services.notify.domain.mails import Template
from services.notify.domain.pacing import Pacing
from services.notify.feedback.suppressions import Place, Reason
from services.notify.letters import Cause
from services.notify.rows import new_message
from services.notify.store import State
from services.notify.unsubscribing.api import UnsubscribingApi
from services.notify.unsubscribing.unsubscribing import Unsubscribing
from tests.servers import MongoUnderTest
from tests.service.notify_station import (
    ADA,
    NOON,
    PROGRAMS,
    Mailbox,
    Process,
    Station,
    activation,
    passed,
    received,
    registered,
)
from tests.service.rig import eventually

BOB = "CSCO10000002"
SOON = timedelta(minutes=1)


@pytest_asyncio.fixture(loop_scope="session")
async def station(mongo: MongoUnderTest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Station]:
    monkeypatch.setattr("services.notify.sender.POLL_SECONDS", 0.05)
    clock = FixedClock(NOON)
    client = open_client(mongo.url("notify"), application="test-notify")
    mailbox = Mailbox()
    await migrate(open_database(client), SERVICE.migrations, owner="test", clock=clock)
    async with mailbox.open():
        yield Station(client, clock, mailbox)
    client.close()


def wishes(version: int, at: datetime = NOON, marketing: bool | None = None, **mails: bool) -> Any:
    said = {"marketing": marketing, "marketing_at": at} if marketing is not None else {}
    return received(identity.PreferencesChanged(candidate_id=ADA, mails=mails, changed_at=at, **said), version)


def result(revision: int, grade: str | None = None, result_id: str = "R1") -> Any:
    attempt: dict[str, Any] = {
        "candidate_id": ADA,
        "result_id": result_id,
        "revision": revision,
        "registration_id": "G1",
        "exam_code": "200-301",
        "taken_on": NOON.date(),
        "taken_at": NOON,
        "known_at": NOON,
    }
    if grade is None:
        return received(exams.ExamPassed(**attempt), revision)
    return received(exams.ExamResultRevised(**attempt, grade=grade, previous_grade="pass"), revision)


def certification(kind: type[certs.CertificationAwarded] | type[certs.CertificationRevoked], version: int) -> Any:
    held = {"candidate_id": ADA, "certification": "CCNA", "title": "CCNA", "earned_on": NOON.date()}
    return received(kind(**held, expires_on=None, because="200-301 was passed."), version)


async def ends(station: Station, count: int) -> dict[str, tuple[str, str | None]]:
    """How so many mails end, by kind."""
    over = {"$nin": ["waiting", "queued", "sending"]}
    rows = await eventually(lambda: station.messages(state=over), lambda rows: len(rows) >= count)
    return {row["template"]: (row["state"], row["error"]) for row in rows}


def deferring(station: Station, count: int) -> None:
    """The server defers so many mails, for a reason that is not their domain's."""
    left = [f"452 {number}" for number in range(count)]

    async def answer() -> str | None:
        return left.pop() if left else None

    station.mailbox.answer = answer


async def test_kind_that_is_switched_off_stops_even_while_a_mail_waits_and_the_later_wish_counts(
    station: Station,
) -> None:
    process = station.process("one")
    deferring(station, 1)
    async with process.sending():
        await process.handle(registered(), passed())
        await eventually(lambda: station.messages(attempts=1), bool)
        await process.handle(wishes(5, results=False))
        await process.handle(wishes(4, results=True))
        station.clock.advance(SOON)
        await process.handle(activation())
        assert await ends(station, 2) == {"exam_passed": ("withheld", "unwanted"), "activation": ("sent", None)}
        await process.handle(wishes(6, results=True), passed())
        await station.settled(3)
    assert [mail["Subject"] for mail in station.mailbox.mails][1:] == ["You passed CCNA (200-301)"]
    (row,) = await station.messages(state="withheld")
    assert "due_at" not in row
    assert {event["type"] for event in await station.told()} == {"certrail.notify.EmailSent.v1"}


async def test_suppressed_address_gets_nothing_and_a_new_one_does(station: Station) -> None:
    process = station.process("one")
    place = Place(ADA, "ada@example.com")
    await process.unit_of_work.run(
        lambda transaction: station.suppressions.add(
            transaction.session, place, program="cisco", reason=Reason.BOUNCED, message_id="m", at=NOON
        )
    )
    async with process.sending():
        await process.handle(registered(), registered(BOB, "bob@example.com"), activation(), passed(BOB))
        assert await ends(station, 2) == {"activation": ("suppressed", "suppressed"), "exam_passed": ("sent", None)}
        changed = identity.CandidateProfileChanged(
            candidate_id=ADA, email="ada@new.example", given_name="Ada", family_name="Lovelace", country="GB"
        )
        await process.handle(received(changed, 9), passed())
        await station.settled(2)
    assert [mail["To"].addresses[0].addr_spec for mail in station.mailbox.mails] == [
        "bob@example.com",
        "ada@new.example",
    ]
    assert "open-sesame" not in repr(await station.messages())


async def test_result_put_on_hold_is_told_by_no_mail_that_waits_and_no_award_that_is_revoked(station: Station) -> None:
    process = station.process("one")
    deferring(station, 2)
    async with process.sending():
        await process.handle(registered(), result(1), certification(certs.CertificationAwarded, 1))
        await eventually(lambda: station.messages(attempts=1), lambda rows: len(rows) == 2)
        await process.handle(result(2, "pending"), certification(certs.CertificationRevoked, 2))
        station.clock.advance(SOON)
        assert await ends(station, 4) == {
            "exam_passed": ("withheld", "untrue"),
            "certification_awarded": ("withheld", "untrue"),
            "result_changed": ("sent", None),
            "certification_revoked": ("sent", None),
        }
        # Words that come in the wrong order, or in one batch, count all the same.
        await process.handle(result(2, "pending", "R2"))
        await process.handle(result(1, None, "R2"), result(1, None, "R3"), result(2, "pass", "R3"))
        await eventually(lambda: station.messages(due_at={"$exists": True}), lambda rows: not rows)
    held = [mail for mail in station.mailbox.mails if "has changed" in mail["Subject"]]
    assert len(held) == 3
    for mail in held:
        for part in mail.walk():
            if part.get_content_maintype() == "text" and "under review" in part.get_content():
                assert not re.search(r"\bpass\b", part.get_content()), "held as it is, nobody is told what it was"
    states = {tuple(row["about"]): row["state"] for row in await station.messages(template="exam_passed")}
    assert states == {
        (f"result:{ADA}:R1", 1): "withheld",
        (f"result:{ADA}:R2", 1): "withheld",
        (f"result:{ADA}:R3", 1): "sent",
    }


async def news(station: Station, process: Process, **context: str) -> str:
    """A mail of news, written and due. Returns how it ends."""
    row: Document = new_message(
        new_id(),
        program="cisco",
        template=Template.NEWS,
        candidate_id=ADA,
        context={"title": "Spring", "paragraphs": ["The exams are open."], **context},
        cause=Cause("e1", "e1", None),
        now=station.clock.now(),
    )
    row |= {"state": State.QUEUED, "due_at": station.clock.now()}
    await process.unit_of_work.run(lambda transaction: station.store.add_messages(transaction.session, [row]))
    ended = {"$in": ["sent", "withheld"]}
    await eventually(lambda: station.messages(_id=row["_id"], state=ended), bool)
    (row,) = await station.messages(_id=row["_id"])
    return f"{row['state']} {row['error']}"


async def test_news_need_consent_and_end_at_once_by_one_click(station: Station) -> None:
    process = station.process("one")
    api = UnsubscribingApi(
        station.links,
        Unsubscribing(station.store, station.wishes, station.renderer, process.unit_of_work),
        PROGRAMS,
    )
    app = build_app(
        NotifyApi(station.store, station.renderer, station.shelf).api(api.routes()),
        TokenVerifier.__new__(TokenVerifier),
    )
    async with process.sending(), TestClient(TestServer(app)) as client:
        await process.handle(registered())
        shown = {"_id": "A1", "state": "published", "first_day": "2000-01-01", "last_day": "2090-01-01"}
        await station.database["announcements"].insert_one(shown)
        about = {"announcement_id": "A1"}
        assert await news(station, process, **about) == "withheld no_consent"
        await process.handle(wishes(2, NOON, marketing=True))
        assert await news(station, process) == "withheld unchecked", "one that nobody can judge stops no other"
        assert await news(station, process, **about) == "sent None"
        mail = station.mailbox.mails[-1]
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        path = mail["List-Unsubscribe"].strip("<>").replace("https://certs.example/", "/api/notify/v1/public/")
        looked = await client.get(path)
        assert (looked.status, "Stop news" in await looked.text()) == (200, True)
        assert await news(station, process, **about) == "sent None", "a filter that follows links ends nothing"
        station.clock.advance(SOON)
        for _ in range(2):
            done = await client.post(path, data={"List-Unsubscribe": "One-Click"}, allow_redirects=False)
            assert (done.status, "no more news" in await done.text()) == (200, True)
        assert (await client.post(f"{path}x")).status == 404
        assert await news(station, process, **about) == "withheld no_consent"
        # identity has not heard of it yet, and tells of another change; then a consent is given anew.
        await process.handle(wishes(3, NOON, marketing=True, results=False))
        assert await news(station, process, **about) == "withheld no_consent"
        await process.handle(wishes(4, station.clock.now() + SOON, marketing=True))
        assert await news(station, process, **about) == "sent None"
    told = [event for event in await station.told() if event["type"] == "certrail.notify.NewsUnsubscribed.v1"]
    assert [event["data"]["message_id"] for event in told] == [mail["Message-ID"]]


async def test_domain_with_a_limit_gets_its_mails_in_turn_and_others_do_not_wait(station: Station) -> None:
    station.pacing = Pacing({"slow.example": 2.0})
    process = station.process("one")
    async with process.sending():
        await process.handle(registered(ADA, "ada@slow.example"), registered(BOB, "bob@quick.example"))
        await process.handle(*(passed() for _ in range(6)), *(passed(BOB) for _ in range(6)))
        rows = await eventually(
            lambda: station.messages(paced_at={"$exists": True}, state="queued"), lambda rows: len(rows) == 4
        )
        await station.settled(8)
        assert sorted((row["due_at"] - NOON) / timedelta(seconds=1) for row in rows) == [0.5, 1.0, 1.5, 2.0]
        await process.handle(activation())
        await station.settled(9)
        assert "Activate" in str(station.mailbox.mails[-1]) or "open-sesame" in str(station.mailbox.mails[-1])
        station.clock.advance(SOON)
        done = await station.settled(13)
    assert {(row["state"], row["attempts"]) for row in done} == {("sent", 1)}
    assert len(set(station.mailbox.ids)) == len(station.mailbox.ids) == 13
