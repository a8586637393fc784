"""The way of a message, out of what the log and the services say: whole, nobody else's, and with its end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.cli import way

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MAIL = "0f" * 16


def event(
    name: str, kind: str, cause: str | None, chain: str | None, seconds: float = 0, **data: Any
) -> dict[str, Any]:
    service = kind.partition(".")[0]
    return {
        "id": name,
        "source": f"certrail/{service}",
        "type": f"certrail.{kind}.v1",
        "time": (NOON + timedelta(seconds=seconds)).isoformat(),
        "correlationid": chain,
        "causationid": cause,
        "data": {"candidate_id": "C1", **data},
    }


MAIN = [
    event("e1", "identity.CandidateRegistered", "m1", "m1", 1),
    event("e2", "exams.ExamScheduled", "m1", "m1", 2, registration_id="G1", site="Oslo"),
    event("e3", "exams.ExamPassed", "m2", "m2", 5, result_id="cisco:vue:R1", registration_id="G1", score=900),
    event("e4", "certs.CertificationAwarded", "e3", "m2", 6, certification="CCNA"),
    event("e5", "notify.EmailSent", "e4", "m2", 9, message_id=f"<{MAIL}@x.example>", accepted_at=NOON.isoformat()),
    event("f1", "exams.ExamPassed", "m9", "m9", 3, result_id="cisco:vue:R9", registration_id="G9"),
]


def ids(events: list[way.Event]) -> list[str]:
    return [one["id"] for one in events]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("m2", ["e5", "e3", "e4"]),
        ("e4", ["e5", "e3", "e4"]),
        ("cisco:vue:R1", ["e5", "e3", "e4"]),
        ("R1", ["e5", "e3", "e4"]),
        (MAIL, ["e5", "e3", "e4"]),
        ("G1", ["e5", "e1", "e2", "e3", "e4"]),
        ("m1", ["e1", "e2"]),
        ("R", []),
        ("C1", []),
    ],
)
def test_any_id_of_the_way_leads_to_all_of_it_and_to_nothing_else(name: str, found: list[str]) -> None:
    assert ids(way.belonging(MAIN, name)) == found  # the mail first: it was accepted before its event was written


def test_a_correlation_id_that_a_vendor_puts_everywhere_does_not_mix_people() -> None:
    shared = [{**one, "correlationid": "order-1"} for one in MAIN]
    assert ids(way.belonging(shared, "R9")) == ["f1"]
    assert len(way.belonging(shared, "order-1")) == len(MAIN)


def test_a_result_that_found_its_candidate_later_stays_on_its_own_way() -> None:
    late = [
        event("l1", "identity.ExternalIdLinked", "m1", "m1", 7),
        event("l2", "exams.ExamPassed", "l1", "m2", 8, result_id="cisco:vue:R1", registration_id="G1"),
        event("l3", "certs.CertificationAwarded", "l2", "m2", 9, certification="CCNA"),
    ]
    assert ids(way.belonging(late, "m2")) == ["l2", "l3"]
    assert ids(way.belonging(late, "R1")) == ["l2", "l3"]
    assert ids(way.belonging(late, "m1")) == ["l1"]


def test_services_are_asked_about_the_messages_and_results_behind_the_events() -> None:
    assert way.origins(MAIN[2:4]) == ["m2", "cisco:vue:R1"]


def test_chain_that_runs_in_a_circle_ends() -> None:
    circle = [event("a", "certs.X", "b", "k"), event("b", "certs.X", "a", "k")]
    assert len(way.belonging(circle, "a")) == 2


def test_steps_are_in_order_and_show_nothing_of_a_person() -> None:
    said = {
        "kind": "result",
        "state": "taken", "vendor": "vue", "channel": "bus", "message_id": "m2",
        "key": "cisco:vue:R1",
        "registration_id": "G1", "received_at": (NOON + timedelta(seconds=4)).isoformat(), "reasons": [],
    }  # fmt: skip
    steps = way.steps_of(MAIN[:4], [said])
    assert [(step.where, step.what) for step in steps] == [
        ("identity", "CandidateRegistered"),
        ("exams", "ExamScheduled"),
        ("vue", "result reported"),
        ("exams", "ExamPassed"),
        ("certs", "CertificationAwarded"),
    ]
    assert "Oslo" not in str(steps)
    assert "Oslo" in str(way.steps_of(MAIN[:4], [said], data=True))


def item(state: str, **more: Any) -> dict[str, Any]:
    common = {"vendor": "vue", "key": "cisco:vue:R1", "registration_id": "G1", "received_at": "2026-11-22T12:00:00Z"}
    return {"state": state, "reasons": [], **common, **more}


def mail(state: str, error: str | None = None) -> dict[str, Any]:
    return {"state": state, "template": "exam_passed", "message_id_header": f"<{MAIL}@x.example>", "error": error}


def test_the_end_says_why_a_message_was_refused() -> None:
    refused = item("refused", reasons=[{"code": "unknown_exam", "path": "data.exam_code"}])
    (end,) = way.ends_of([], [refused], [], [])
    assert (end.state, "unknown_exam at data.exam_code" in end.text) == ("refused", True)


def test_the_end_says_what_waits_for_its_candidate() -> None:
    (end,) = way.ends_of([], [item("waiting"), item("taken")], [], [])
    assert (end.state, end.text.startswith("cisco:vue:R1 waits")) == ("waiting", True)


def test_the_end_says_what_was_parked_and_how_to_look_at_it() -> None:
    parked = {"service": "certs", "id": "e3", "code": "schema", "routing_key": "exams.ExamPassed.v1"}
    (end,) = way.ends_of(MAIN, [], [], [parked])
    assert (end.state, "`certrail parked show e3`" in end.text) == ("parked", True)


def test_a_mail_that_did_not_go_comes_before_those_that_did_without_anybodys_address() -> None:
    said = "550 5.1.1 <ada@example.com> is unknown here"
    held, mailed = way.ends_of(MAIN, [], [mail("sent"), mail("refused", said)], [])
    assert (held.state, mailed.state) == ("held", "mailed")
    assert held.text.endswith("refused (550 5.1.1)")
    assert "ada@example.com" in way.ends_of(MAIN, [], [mail("refused", said)], [], data=True)[0].text


@pytest.mark.parametrize("state", ["waiting", "queued", "sending"])
def test_a_mail_on_its_way_is_no_end_yet(state: str) -> None:
    assert [end.state for end in way.ends_of(MAIN, [], [mail(state)], [])] == ["under_way"]


def test_a_way_without_mail_ends_in_its_last_event() -> None:
    (end,) = way.ends_of(MAIN[:4], [], [], [])
    assert (end.state, "CertificationAwarded" in end.text) == ("quiet", True)
