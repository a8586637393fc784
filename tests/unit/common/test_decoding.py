"""Reading what services publish: each event by itself, whatever is wrong with its neighbours."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.bus.decoding import decode_events
from libs.common.bus.failures import KEY, TRIES, VENDOR, original_key, tries_of, vendor_of
from libs.common.bus.messages import Delivery, Received, Undecodable
from libs.common.bus.topology import EVENTS, VENDORS
from libs.common.events import BATCH, SINGLE, identity

TYPE = identity.ExternalIdLinked.event_type


def event(number: int, **data: Any) -> dict[str, Any]:
    linked = {
        "candidate_id": f"C{number}",
        "system": "vue",
        "external_id": f"P{number}",
        "verified_by": "registration",
        "linked_at": "2026-11-22T12:00:00Z",
    }
    return {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "certrail/identity",
        "type": TYPE,
        "time": "2026-11-22T12:00:00Z",
        "program": "cisco",
        "data": linked | data,
    }


def delivered(body: Any, content_type: str | None = SINGLE, kind: str | None = TYPE, **changes: Any) -> Delivery:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    fields: dict[str, Any] = {
        "body": raw,
        "exchange": EVENTS,
        "routing_key": identity.ExternalIdLinked.event_key,
        "content_type": content_type,
        "type": kind,
        "message_id": "m1",
        "user_id": None,
        "headers": {},
    }
    return Delivery(**(fields | changes))


def test_single_event_is_read() -> None:
    (item,) = decode_events(delivered(event(1)))
    assert isinstance(item, Received)
    assert item.event.data.candidate_id == "C1"
    assert item.alone() == (item.delivery.body, SINGLE)


def test_event_of_a_batch_stands_alone_when_it_must() -> None:
    items = decode_events(delivered([event(1), event(2)], BATCH))
    assert isinstance(items[1], Received)
    body, content_type = items[1].alone()
    (again,) = decode_events(delivered(body, content_type))
    assert isinstance(again, Received)
    assert again.event == items[1].event


@given(st.lists(st.booleans(), max_size=30))
def test_only_what_is_broken_is_set_aside_and_the_rest_keeps_its_order(good: list[bool]) -> None:
    events = [event(n) if fine else event(n, candidate_id=None) for n, fine in enumerate(good)]
    parts = decode_events(delivered(events, BATCH))
    assert [isinstance(part, Received) for part in parts] == good
    for number, part in enumerate(parts):
        if isinstance(part, Undecodable):
            assert orjson.loads(part.body) == events[number]
            assert (part.content_type, part.error.code) == (SINGLE, "schema")
            assert "data.candidate_id" in str(part.error)
        else:
            assert isinstance(part, Received)
            assert part.event.id == f"e{number}"


@pytest.mark.parametrize(
    ("delivery", "code"),
    [
        (delivered(b"no JSON"), "schema"),
        (delivered(b"", BATCH), "schema"),
        (delivered(event(1), BATCH), "schema"),
        (delivered([event(1)]), "schema"),
        (delivered(event(1), "application/json"), "content_type"),
        (delivered(event(1), None), "content_type"),
        (delivered(event(1), kind="certrail.identity.Nonsense.v1"), "unknown_type"),
        (delivered(event(1), kind=None), "unknown_type"),
    ],
)
def test_message_that_cannot_be_read_is_set_aside_whole(delivery: Delivery, code: str) -> None:
    (part,) = decode_events(delivery)
    assert isinstance(part, Undecodable)
    assert (part.body, part.error.code) == (delivery.body, code)


def test_empty_batch_holds_nothing() -> None:
    assert decode_events(delivered([], BATCH)) == []


def test_error_quotes_no_value() -> None:
    (part,) = decode_events(delivered(event(1, candidate_id="Zoë Ångström <zoe@example.com>")))
    assert isinstance(part, Undecodable)
    assert "zoe" not in str(part.error).lower()


FORGED = {VENDOR: "psi", TRIES: 7, KEY: "psi.ExamRegistered.v1"}


def test_vendor_cannot_speak_through_headers() -> None:
    """What our retry queues write into headers counts only where a vendor cannot have written it."""
    direct = delivered(b"", exchange=VENDORS, routing_key="vue.ExamRegistered.v1", user_id="vue", headers=FORGED)
    assert vendor_of(direct) == "vue"
    assert tries_of(direct) == 0
    assert original_key(direct) == "vue.ExamRegistered.v1"


def test_retried_message_is_known_by_our_headers() -> None:
    retried = delivered(b"", exchange="", routing_key="exams.vendors", user_id=None, headers=FORGED)
    assert vendor_of(retried) == "psi"
    assert tries_of(retried) == 7
    assert original_key(retried) == "psi.ExamRegistered.v1"
