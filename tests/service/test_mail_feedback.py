"""What comes back of mails: it marks them, and where an address takes none, nothing more is sent there."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from libs.common.events import identity
from services.notify.domain.bounces import SOFT_DAYS
from tests.servers import MongoUnderTest
from tests.service.feedback_station import RETURN_PATH, FeedbackStation, open_feedback
from tests.service.notify_station import ADA, NOON, moved, passed, received
from tests.service.surfaces.surface import candidate, staff
from tests.unit.notify.report_samples import ON_LEAVE, QMAIL, complaint, dsn, recipient

STATE = f"/programs/cisco/candidates/{ADA}/suppression"
SUPPRESSIONS = ("EmailBounced", "EmailSuppressed", "EmailRestored")


@pytest.fixture
async def station(mongo: MongoUnderTest, tmp_path: Path) -> AsyncIterator[FeedbackStation]:
    async with open_feedback(mongo, tmp_path) as station:
        yield station


async def test_bounce_suppresses_until_staff_lift_it_and_the_mail_is_sent_again(station: FeedbackStation) -> None:
    first = await station.send(passed())
    bounce = dsn(recipient(), mail=first["_id"])
    assert [await station.report(bounce) for _ in range(2)] == ["bounced", "bounced"]
    assert station.told(*SUPPRESSIONS) == ["EmailBounced 5.1.1", "EmailSuppressed bounced"]
    # Nothing more goes there, and the log says so of each mail.
    second = await station.send(passed())
    assert second["state"] == "suppressed"
    assert len(station.mailbox.mails) == 1
    assert [item["state"] for item in await station.log()] == ["suppressed", "bounced"]
    assert [item["message_id"] for item in await station.log("?state=bounced")] == [first["_id"]]
    (shown,) = await station.log(f"?number={first['_id'][:4]}-{first['_id'][4:8].upper()}")
    assert shown["event"] == "ExamPassed"
    assert shown["returned"]["status"] == "5.1.1"
    assert shown["returned"]["text"].startswith("There is no mailbox")
    assert await station.log("?state=sent") == []
    # Staff and the candidate see why; only staff may lift it, and not another program's.
    status, state = await station.ask("GET", STATE, by=candidate(ADA, station.base))
    assert (status, state["suppression"]["reason"]) == (200, "bounced")
    assert state["suppression"]["number"] == shown["number"]
    _, listed = await station.ask("GET", "/programs/cisco/suppressions")
    assert [row["candidate_id"] for row in listed["items"]] == [ADA]
    again = f"/messages/{second['_id']}/repetitions"
    assert (await station.ask("POST", again))[0] == 409
    assert (await station.ask("DELETE", STATE, by=candidate(ADA, station.base)))[0] == 403
    assert (await station.ask("DELETE", STATE, by=staff("juniper")))[0] == 404
    assert [(await station.ask("DELETE", STATE))[0] for _ in range(2)] == [204, 404]
    assert station.told(*SUPPRESSIONS)[2:] == ["EmailRestored"]
    # A report that is told once more does not bring it back.
    assert await station.report(bounce) == "bounced"
    assert (await station.ask("GET", STATE))[1]["suppression"] is None
    # Sent again it is a new mail that names the one it repeats, however often it is asked for.
    made = [await station.ask("POST", again, Idempotency_Key="k1") for _ in range(2)]
    assert [status for status, _ in made] == [201, 201]
    assert {row["message_id"] for _, row in made} == {made[0][1]["message_id"]}
    third = await station.settled(made[0][1]["message_id"])
    assert third["state"] == "sent"
    assert [item["repeats"] for item in await station.log()] == [second["_id"], None, None]
    assert len(set(station.mailbox.ids)) == len(station.mailbox.mails) == 2
    assert station.mailbox.senders == [f"bounces+{mail['_id']}@mail.example" for mail in (first, third)]
    assert RETURN_PATH.startswith("bounces@")


async def test_complaint_outweighs_a_bounce_and_ends_with_the_address(station: FeedbackStation) -> None:
    mail = await station.send(passed())
    assert await station.report(dsn(recipient("2.1.5", "delivered", diagnostic=""), mail=mail["_id"])) == "delivered"
    assert [item["state"] for item in await station.log()] == ["delivered"]
    await station.report(dsn(recipient(), mail=mail["_id"]))
    assert await station.report(complaint(rcpt=None, mail=mail["_id"])) == "complained"
    await station.report(dsn(recipient(), mail=mail["_id"]))
    assert [item["state"] for item in await station.log()] == ["complained"]
    assert (await station.ask("GET", STATE))[1]["suppression"]["reason"] == "complained"
    station.base.clock.advance(timedelta(minutes=1))
    await station.surface.events(moved("ada@new.example", 2))
    assert station.told(*SUPPRESSIONS) == [
        "EmailBounced 5.1.1",
        "EmailSuppressed bounced",
        "EmailSuppressed complained",
        "EmailRestored",
    ]
    assert await station.base.rows("suppressions") == []
    # What comes back late of a mail to the former address says nothing against the new one.
    late = await station.send(passed())
    before = {"sent_at": NOON}
    await station.base.database["messages"].update_one({"_id": late["_id"]}, {"$set": before})
    assert await station.report(complaint(rcpt=None, mail=late["_id"])) == "complained"
    assert (await station.ask("GET", STATE))[1]["suppression"] is None
    # Where a report names the new one, it does.
    last = await station.send(passed())
    assert await station.report(complaint(rcpt="ada@new.example", mail=last["_id"])) == "complained"
    assert (await station.ask("GET", STATE))[1]["suppression"]["address"] == "ada@new.example"


async def test_what_may_pass_is_counted_by_days(station: FeedbackStation) -> None:
    elsewhere = recipient(final="ada@forwarded.example", original=None)
    for day in range(SOFT_DAYS):
        assert (await station.ask("GET", STATE))[1]["suppression"] is None
        for fields in (recipient("5.2.2", diagnostic=""), elsewhere, recipient("5.7.1", diagnostic="")):
            mail = await station.send(passed())
            assert await station.report(dsn(fields, mail=mail["_id"])) == "bounced"
            if day == SOFT_DAYS - 1:
                break  # the first of this day is the one that is one too many
        station.base.clock.advance(timedelta(days=1))
    assert (await station.ask("GET", STATE))[1]["suppression"]["reason"] == "bounced"
    assert station.told("EmailSuppressed") == ["EmailSuppressed bounced"]
    assert (await station.ask("DELETE", STATE))[0] == 204
    assert await station.base.rows("soft_bounces") == []


async def test_refusal_by_our_own_server_counts_where_it_names_the_mailbox(station: FeedbackStation) -> None:
    for reply in ("550 5.7.1 not from you", "550 no", "550 5.1.1 no such mailbox"):
        assert (await station.ask("GET", STATE))[1]["suppression"] is None

        async def answer(reply: str = reply) -> str:
            return reply

        station.mailbox.answer = answer
        assert (await station.send(passed()))["state"] == "refused"
    assert (await station.ask("GET", STATE))[1]["suppression"]["reason"] == "bounced"
    assert (await station.send(passed()))["state"] == "suppressed"
    assert station.told("EmailSuppressed") == ["EmailSuppressed bounced"]


async def test_reports_of_strangers_change_nothing(station: FeedbackStation) -> None:
    mail = await station.send(passed())
    before = await station.base.rows("messages")
    assert await station.report(dsn(recipient())) == "unmatched"
    assert await station.report(ON_LEAVE) == "unreadable"
    assert await station.report(dsn(recipient("4.4.1", "delayed"), mail=mail["_id"])) == "delayed"
    theirs = await station.ask(
        "POST", "/programs/juniper/mail-reports", by=staff("juniper"), data=dsn(recipient(), mail=mail["_id"])
    )
    assert theirs[1]["kind"] == "unmatched"
    assert await station.base.rows("messages") == before
    assert station.told(*SUPPRESSIONS) == []


async def test_link_is_never_sent_a_second_time(station: FeedbackStation) -> None:
    change = {"candidate_id": ADA, "token": "open-sesame", "expires_at": NOON + timedelta(days=1)}
    mail = await station.send(received(identity.EmailChangeRequested(email="new@example.com", **change)))
    status, problem = await station.ask("POST", f"/messages/{mail['_id']}/repetitions")
    assert (status, problem["type"]) == (409, "urn:certrail:problem:mail-not-repeated")
    # It went elsewhere, so what comes back of it says nothing of the candidate's own address.
    assert await station.report(dsn(recipient(original=None, final="new@example.com"), mail=mail["_id"])) == "bounced"
    assert (await station.ask("GET", STATE))[1]["suppression"] is None


async def test_maildir_is_read_once_and_keeps_what_is_no_report(station: FeedbackStation) -> None:
    mail = await station.send(passed())
    new, cur = station.folder / "new", station.folder / "cur"
    (new / "1.host").write_bytes(QMAIL.replace(b"0123456789abcdef" * 2, mail["_id"].encode()))
    (new / "2.host").write_bytes(ON_LEAVE)
    (new / ".3.host").write_bytes(b"being written")
    (new / "4").mkdir()
    (new / "5.link").symlink_to("/etc/hostname")
    await station.surface.run("mail-reports")
    assert {path.name for path in new.iterdir()} == {".3.host", "4", "5.link"}
    assert [path.name for path in cur.iterdir()] == ["2.host:2,"]
    assert [item["state"] for item in await station.log()] == ["bounced"]
    assert station.told("EmailSuppressed") == ["EmailSuppressed bounced"]
