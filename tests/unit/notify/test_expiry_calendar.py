"""The calendar file of a reminder, as ical.js reads it from the mail."""

import json
import subprocess
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from typing import Any

import pytest

from services.notify.domain.gathering import reminder_facts
from services.notify.domain.mails import Template
from services.notify.rendering import Renderer
from tests.nodes import PACKAGES, needs_node
from tests.unit.notify.conftest import NOON, Write

TITLE = "CCNP; Über\\Kurs, „A“\r\nBEGIN:VEVENT " + "x" * 80
ROWS = [
    {
        "candidate_id": "CSCO10000001",
        "certification": certification,
        "title": title,
        "earned_on": "2023-12-22",
        "expires_on": day,
        "because": "It was earned.",
        "days_left": 30,
    }
    for certification, title, day in (("CCNA", "CCNA", "2026-12-22"), ("CCNP", TITLE, "2026-12-31"))
]


def file_of(renderer: Renderer, write: Write, *, after: timedelta = timedelta(0), **recipient: Any) -> bytes:
    letter = write(Template.CERTIFICATION_EXPIRING, reminder_facts(ROWS), **recipient)
    letter.created_at = NOON + after
    mail = message_from_bytes(renderer.envelope(letter).content, policy=modern)
    assert isinstance(mail, EmailMessage)
    assert mail.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["multipart/alternative", "text/calendar"]
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_param("method")) == ("expiry.ics", "PUBLISH")
    content = file.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def read(content: bytes) -> dict[str, Any]:
    command = ["node", str(PACKAGES / "read_calendar.mjs")]
    done = subprocess.run(command, input=content, capture_output=True, timeout=60, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@needs_node
def test_another_reader_sees_whole_days_with_alarms(renderer: Renderer, write: Write) -> None:
    found = read(file_of(renderer, write))
    assert found["method"] == "PUBLISH"
    first, second = found["events"]
    assert (first["days"], second["days"]) == (["2026-12-22", "2026-12-23"], ["2026-12-31", "2027-01-01"])
    assert (first["alarms"], first["url"]) == (["-P14D", "-P1D"], "https://certs.example/certifications")
    assert first["summary"] == "Last active day of CCNA"
    assert second["summary"] == f"Last active day of {TITLE}".replace("\r\n", "\n")
    assert first["organizer"].startswith("mailto:")


@needs_node
def test_later_file_moves_the_same_entries(renderer: Renderer, write: Write) -> None:
    before, after = (read(file_of(renderer, write, after=timedelta(days=days)))["events"] for days in (0, 60))
    assert [event["uid"] for event in before] == [event["uid"] for event in after]
    assert len({event["uid"] for event in before}) == 2
    assert all(old["sequence"] < new["sequence"] < 2**31 for old, new in zip(before, after, strict=True))
    other = read(file_of(renderer, write, candidate_id="CSCO10000002"))["events"]
    assert other[0]["uid"] != before[0]["uid"]


@pytest.mark.parametrize("language", [None, "es", "ar-EG", "fi"])
def test_file_is_the_same_for_the_same_letter(renderer: Renderer, write: Write, language: str | None) -> None:
    content = file_of(renderer, write, language=language)
    assert content == file_of(renderer, write, language=language)
    assert content.count(b"BEGIN:VEVENT\r\n") == 2
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 75
