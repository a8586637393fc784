"""Mail servers that fail in every way: each mail arrives once for each try of which nobody knows how it ended."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from libs.common.clock import FixedClock
from libs.common.mongo.client import Document, open_client, open_database
from libs.common.mongo.migrations import migrate
from services.notify.app import SERVICE
from services.notify.feedback.suppressions import Place, Reason
from services.notify.settings import SmtpTls
from services.notify.smtp import CONNECT_FAULTS
from tests.servers import MongoUnderTest
from tests.service.authority import Authority
from tests.service.failing_mail_server import DROP, SILENCE, FailingServer, proves
from tests.service.notify_station import NOON, Mailbox, Process, Station, passed, registered
from tests.service.rig import eventually, until

SENT, TWICE, IN_DOUBT, REFUSED = ("sent", 1, 0, 1), ("sent", 2, 0, 1), ("sent", 2, 1, 2), ("refused", 1, 0, 0)
"""State, tries, those in doubt, and how often the server took the mail."""

CASES: dict[str, tuple[dict[str, list[bytes]], tuple[str, int, int, int]]] = {
    "no greeting": ({"CONNECT": [DROP]}, SENT),
    "too busy to greet": ({"CONNECT": [b"421 4.3.2 busy\r\n", DROP]}, SENT),
    "gone while greeting": ({"EHLO": [DROP]}, SENT),
    "sender deferred": ({"MAIL": [b"450 4.7.1 later\r\n"]}, TWICE),
    "recipient deferred": ({"RCPT": [b"452 4.2.2 full\r\n"]}, TWICE),
    "text not wanted now": ({"DATA": [b"451 4.3.0 later\r\n"]}, TWICE),
    "deferred after the text": ({"TEXT": [b"451 4.3.0 later\r\n"]}, TWICE),
    "shut down after the text": ({"TEXT": [b"421 4.3.2 bye\r\n"]}, TWICE),
    "sender refused": ({"MAIL": [b"550 5.7.1 no\r\n"]}, REFUSED),
    "recipient refused": ({"RCPT": [b"550 5.1.1 unknown\r\n"]}, REFUSED),
    "refused after the text": ({"TEXT": [b"554 5.6.0 no\r\n"]}, REFUSED),
    "gone before the text": ({"DATA": [DROP]}, TWICE),
    "gone after the text": ({"TEXT": [DROP]}, IN_DOUBT),
    "silent before the text": ({"RCPT": [SILENCE]}, TWICE),
    "silent after the text": ({"TEXT": [SILENCE]}, IN_DOUBT),
    "nonsense after the text": ({"TEXT": [b"hello\r\n"]}, IN_DOUBT),
}


@pytest_asyncio.fixture(loop_scope="session")
async def station(mongo: MongoUnderTest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Station]:
    monkeypatch.setattr("services.notify.pipeline.REPLY_SECONDS", 0.2)
    monkeypatch.setattr("services.notify.sender.POLL_SECONDS", 0.05)
    clock = FixedClock(NOON)
    client = open_client(mongo.url("notify"), application="test-notify")
    await migrate(open_database(client), SERVICE.migrations, owner="test", clock=clock)
    yield Station(client, clock, Mailbox())
    client.close()


async def the_mail(station: Station, candidate: str, done: Callable[[Document], Any]) -> Document:
    rows = await eventually(lambda: station.messages(candidate_id=candidate), lambda rows: bool(rows) and done(rows[0]))
    return rows[0]


async def test_every_failure_ends_as_it_must(station: Station) -> None:
    ended: dict[str, tuple[str, int, int, int]] = {}
    for number, (name, (script, _)) in enumerate(CASES.items()):
        candidate = f"CSCO{number}"
        async with FailingServer({command: [*replies] for command, replies in script.items()}).open() as server:
            process = station.process(name, port=server.port)
            async with process.sending():
                await process.handle(registered(candidate, f"ada@d{number}.example"), passed(candidate))
                row = await the_mail(station, candidate, lambda row: row["attempts"])
                if row["state"] != "sent":
                    assert row["state"] == "refused" or row["due_at"] == NOON + timedelta(minutes=number, seconds=5)
                station.clock.advance(timedelta(minutes=1))
                row = await the_mail(station, candidate, lambda row: row["state"] in {"sent", "refused"})
            ended[name] = (row["state"], row["attempts"], row["doubtful"], sum(server.taken.values()))
            assert len(server.taken) <= 1, "one Message-ID, however often"
    assert ended == {name: expected for name, (_, expected) in CASES.items()}


async def test_address_that_bounces_in_an_outage_is_not_written_to_after_it(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notify.clearing.GOOD_SECONDS", 0.05)
    place = Place("CSCO1", "ada@example.com")
    bounced: dict[str, Any] = {"program": "cisco", "reason": Reason.BOUNCED, "message_id": "1" * 32, "at": NOON}
    before = CONNECT_FAULTS._value.get()
    async with FailingServer({"CONNECT": [DROP] * 1000}).open() as server:
        process = station.process("patient", port=server.port)
        async with process.sending():
            await process.handle(registered("CSCO1", "ada@example.com"), passed("CSCO1"))
            await process.handle(registered("CSCO2", "grace@example.com"), passed("CSCO2"))
            # Both were asked about before a connection was tried, and it was tried for longer than answers are good.
            await until(lambda: CONNECT_FAULTS._value.get() > before + 5)
            await process.unit_of_work.run(
                lambda transaction: station.suppressions.add(transaction.session, place, **bounced)
            )
            server.script["CONNECT"].clear()
            await the_mail(station, "CSCO2", lambda row: row["state"] == "sent")
            await the_mail(station, "CSCO1", lambda row: row["state"] == "suppressed")
        assert sum(server.taken.values()) == 1


async def test_server_that_does_not_prove_who_it_is_gets_no_mail(station: Station, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority", "Test CA")
    ours, another = (proves(authority.sign(name)) for name in ("localhost", "mail.example"))
    safe = {"smtp_host": "localhost", "smtp_tls": SmtpTls.STARTTLS}
    trusting = safe | {"smtp_ca_file": authority.file}
    candidate = "CSCOTLS"
    for tls, settings in ((ours, safe), (another, trusting), (None, trusting)):
        async with FailingServer(tls=tls).open() as server:
            process = station.process("careful", port=server.port, **settings)
            before = CONNECT_FAULTS._value.get()
            async with process.sending():
                await _written(process, candidate)
                await until(lambda before=before: CONNECT_FAULTS._value.get() > before + 1)  # type: ignore[misc]
            assert (server.asked["MAIL"], sum(server.taken.values())) == (0, 0)
            row = await the_mail(station, candidate, bool)
            assert (row["state"], row["attempts"]) == ("queued", 0)
            await station.database["messages"].delete_many({"candidate_id": candidate})
    async with FailingServer(tls=ours).open() as server:
        process = station.process("careful", port=server.port, **trusting)
        async with process.sending():
            await _written(process, candidate)
            await the_mail(station, candidate, lambda row: row["state"] == "sent")
        assert sum(server.taken.values()) == 1


async def _written(process: Process, candidate: str) -> None:
    await process.handle(registered(candidate), passed(candidate))
