"""Calendar files, as another reader of RFC 5545 understands them."""

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from deploy.local.platform import PROGRAMS
from libs.common.programs import load_program
from services.exams.history.bookings import Booking
from services.exams.history.calendar_file import calendar_file
from tests.nodes import PACKAGES, needs_node

CISCO = load_program(PROGRAMS / "cisco.yaml")
BOOKING = Booking(
    key="cisco:vue:G1",
    exam_code="200-301",
    title="Cisco Certified Network Associate",
    scheduled_at=datetime(2026, 10, 24, 7, tzinfo=UTC),
    utc_offset=120,
    delivery="test_center",
    place="Prüfungszentrum Köln; Saal 2, am Dom \\ Süd",
    registration_id="G1",
    vendor="vue",
    url="https://vue.example/manage?exam=200-301;a,b",
    changes=0,
    changed_at=datetime(2026, 9, 1, 12, tzinfo=UTC),
    cancelled=False,
)


def read(content: bytes) -> dict[str, Any]:
    command = ["node", str(PACKAGES / "read_calendar.mjs")]
    done = subprocess.run(command, input=content, capture_output=True, timeout=60, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@needs_node
def test_another_reader_sees_the_appointment() -> None:
    found = read(calendar_file(CISCO, [BOOKING]))
    assert found["method"] == "PUBLISH"
    (event,) = found["events"]
    assert event["uid"].endswith("@cisco.certrail")
    assert {name: event[name] for name in ("sequence", "status", "start", "location", "url", "alarms")} == {
        "sequence": 0,
        "status": "CONFIRMED",
        "start": "2026-10-24T07:00:00.000Z",
        "location": BOOKING.place,
        "url": BOOKING.url,
        "alarms": ["-P1D"],
    }
    assert event["summary"] == f"{CISCO.name} exam 200-301: Cisco Certified Network Associate"
    assert event["description"] == "Registration G1 at vue.\n09:00 at the test center (UTC+02:00)."
    assert event["organizer"] == f"mailto:{CISCO.branding.sender_email}"


@needs_node
def test_moment_is_the_same_on_both_sides_of_a_clock_change() -> None:
    """Nine o'clock in Cologne, on the days before and after summer time ends."""
    after = replace(BOOKING, scheduled_at=datetime(2026, 10, 25, 8, tzinfo=UTC), utc_offset=60, key="cisco:vue:G2")
    found = read(calendar_file(CISCO, [BOOKING, after]))
    assert [event["start"] for event in found["events"]] == ["2026-10-24T07:00:00.000Z", "2026-10-25T08:00:00.000Z"]
    assert [event["description"].splitlines()[1] for event in found["events"]] == [
        "09:00 at the test center (UTC+02:00).",
        "09:00 at the test center (UTC+01:00).",
    ]


@needs_node
def test_change_replaces_the_event_and_a_cancellation_withdraws_it() -> None:
    moved = replace(BOOKING, scheduled_at=datetime(2026, 11, 2, 8, tzinfo=UTC), changes=1)
    cancelled = replace(moved, cancelled=True, changes=2)
    ((first,), (second,), (third,)) = (
        read(calendar_file(CISCO, [each]))["events"] for each in (BOOKING, moved, cancelled)
    )
    assert first["uid"] == second["uid"] == third["uid"]
    assert [each["sequence"] for each in (first, second, third)] == [0, 1, 2]
    assert (third["status"], third["alarms"]) == ("CANCELLED", [])
    other = replace(BOOKING, key="cisco:psi:G1")
    assert read(calendar_file(CISCO, [other]))["events"][0]["uid"] != first["uid"]


def test_lines_are_short_and_end_as_the_format_demands() -> None:
    lines = calendar_file(CISCO, [replace(BOOKING, title="Ω" * 150)]).split(b"\r\n")
    assert all(len(line) <= 75 and b"\n" not in line for line in lines)


def test_text_of_a_vendor_adds_no_line_of_its_own() -> None:
    hostile = replace(BOOKING, place="Hall\r\nEND:VEVENT\r\nBEGIN:VEVENT", title="x\nATTENDEE:mailto:a@b.example")
    lines = calendar_file(CISCO, [hostile]).replace(b"\r\n ", b"").split(b"\r\n")
    assert sum(line.startswith(b"BEGIN:VEVENT") for line in lines) == 1
    assert not [line for line in lines if line.startswith(b"ATTENDEE")]
