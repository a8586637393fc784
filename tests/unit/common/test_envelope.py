"""The CloudEvents envelope: what is written is read back, and what is no event is refused by field."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from libs.common.events import all_events, exams, identity, service_event, vendor_event, vendors
from libs.common.events.envelope import dump_event, dump_single, join_batch, parse_batch, parse_single, schema_urn
from libs.common.events.registry import EventData

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

LINK: dict[str, Any] = {
    "candidate_id": "C1",
    "system": "vue",
    "external_id": "P1",
    "verified_by": "registration",
    "linked_at": "2026-11-22T12:00:00Z",
}
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "certrail/identity",
    "type": "certrail.identity.ExternalIdLinked.v1",
    "subject": "C1",
    "time": "2026-11-22T12:00:00Z",
    "program": "cisco",
    "data": LINK,
}
names = st.text(min_size=1, max_size=60, alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])).filter(
    str.strip
)


def written(**changes: Any) -> bytes:
    return orjson.dumps({name: value for name, value in (EVENT | changes).items() if value is not None})


def test_event_is_read() -> None:
    event = parse_single(identity.ExternalIdLinked, written(subjectversion=3, correlationid="e0"))
    assert (event.id, event.subject, event.subjectversion, event.correlationid) == ("e1", "C1", 3, "e0")
    assert event.time == NOW
    assert event.data.external_id == "P1"


def test_attributes_and_fields_nobody_knows_are_passed_over() -> None:
    body = written(comexampleshard="7", data=LINK | {"since": "the beginning"})
    assert parse_single(identity.ExternalIdLinked, body).data.candidate_id == "C1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("specversion", "0.3"),
        ("id", None),
        ("id", ""),
        ("id", 7),
        ("source", None),
        ("type", None),
        ("time", None),
        ("time", "2026-11-22T12:00:00"),
        ("time", "9999-12-31T23:59:59Z"),
        ("time", "1979-12-31T23:59:59Z"),
        ("program", None),
        ("program", "Cisco"),
        ("datacontenttype", "text/xml"),
        ("traceparent", "00-xyz"),
        ("subjectversion", 0),
        ("data", None),
        ("data", "C1"),
    ],
)
def test_fault_is_refused_and_named(name: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        parse_single(identity.ExternalIdLinked, written(**{name: value}))
    assert {fault["loc"][0] for fault in refused.value.errors()} == {name}


@pytest.mark.parametrize("value", ["", " ", "a\nb", "a\r\nBcc: x", "a\x00b", "a\u2028b", "x" * 201])
def test_name_that_is_no_line_of_text_is_refused(value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        vendors.VendorCandidate(given_name=value, family_name="B", email="a@example.com", country="SE")
    assert [fault["loc"] for fault in refused.value.errors()] == [("given_name",)]


@pytest.mark.parametrize(
    "value", ["a", "a@", "@b.c", "a@b", "a b@c.de", "a@b.c\r\nBcc: d@e.fg", "a@b.c,d@e.fg", '"a"@b.c', "a@b@c.de"]
)
def test_address_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        vendors.VendorCandidate(given_name="A", family_name="B", email=value, country="SE")
    assert [fault["loc"] for fault in refused.value.errors()] == [("email",)]


@given(given_name=names, family_name=names, offset=st.integers(-12 * 60, 14 * 60))
def test_what_is_written_is_read_back_whatever_the_script(given_name: str, family_name: str, offset: int) -> None:
    at = NOW.astimezone(timezone(timedelta(minutes=offset)))
    data = identity.CandidateRegistered(
        candidate_id="C1",
        given_name=given_name,
        family_name=family_name,
        email="a@example.com",
        country="SE",
        registered_at=at,
    )
    attributes = EVENT | {"time": at, "subject": None}
    del attributes["data"]
    body = dump_event(attributes, data)
    event = parse_single(identity.CandidateRegistered, body)
    assert (event.data, event.time, event.subject) == (data, at, None)
    assert b"null" not in body.replace(b"null" if "null" in given_name + family_name else b"\x00", b"")
    assert parse_single(identity.CandidateRegistered, dump_single(event)) == event
    assert parse_batch(identity.CandidateRegistered, join_batch([body, body])) == [event, event]


def test_batch_of_nothing_is_empty() -> None:
    assert parse_batch(identity.ExternalIdLinked, join_batch([])) == []


def test_type_of_an_event_names_its_model() -> None:
    assert service_event("certrail.exams.ExamPassed.v1") is exams.ExamPassed
    assert vendor_event("vue.ExamRegistered.v1") is vendors.ExamRegistered
    assert schema_urn(exams.ExamPassed) == "urn:certrail:schema:exams.ExamPassed.v1"


@pytest.mark.parametrize(
    "name", ["", "certrail", "exams.ExamPassed.v1", "certrail.exams.ExamPassed.v2", "certrail.vendor.ExamRegistered.v1"]
)
def test_type_nobody_publishes_names_no_model(name: str) -> None:
    assert service_event(name) is None


@pytest.mark.parametrize(
    "name", ["", "vue", "vue.ExamPassed.v1", "vue.ExamRegistered.v2", "certrail.exams.ExamPassed.v1"]
)
def test_type_no_vendor_publishes_names_no_model(name: str) -> None:
    assert vendor_event(name) is None


def test_event_declared_twice_is_refused() -> None:
    before = all_events()
    with pytest.raises(TypeError, match=r"exams\.ExamPassed\.v1 is declared twice"):
        type("ExamPassed", (EventData,), {"__module__": __name__}, publisher="exams")
    assert all_events() == before
