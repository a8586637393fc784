"""The hand-made messages: each says what should come of it, and the event language agrees."""

import base64
import json
from collections import Counter
from typing import Any

from pydantic import ValidationError

from libs.common.bus.topology import MAX_MESSAGE_BYTES
from libs.common.events import SINGLE, vendor_event
from libs.common.events.envelope import parse_single
from tests.unit.sample.feed import Sample

CODES = {
    "not_json",
    "content_type",
    "too_large",
    "envelope",
    "unknown_type",
    "type_mismatch",
    "user_id_missing",
    "unknown_program",
    "unknown_exam",
    "schema",
    "revision_conflict",
}
FIELDS = {"vendor", "why", "expect", "code", "routing_key", "content_type", "message_id", "user_id"}
BODIES = {"body", "body_base64", "body_repeat"}


def body(message: dict[str, Any]) -> bytes:
    if "body_base64" in message:
        return base64.b64decode(message["body_base64"])
    if "body_repeat" in message:
        return str(message["body_repeat"]["text"] * message["body_repeat"]["times"]).encode()
    return str(message["body"]).encode()


def fault(message: dict[str, Any]) -> str | None:
    """What is wrong with a message by itself: the event language's verdict, and two rules beyond its models."""
    model = vendor_event(message["routing_key"])
    assert model is not None, message["why"]
    try:
        event = parse_single(model, body(message))
    except ValidationError as refused:
        errors = refused.errors(include_url=False, include_input=False)
        if any(error["type"] == "json_invalid" for error in errors):
            return "not_json"
        return "schema" if all(error["loc"][:1] == ("data",) for error in errors) else "envelope"
    names_its_version = "specversion" in json.loads(body(message))
    return None if names_its_version and event.source == message["vendor"] else "envelope"


def test_every_message_has_one_body_and_says_what_should_come_of_it(sample: Sample) -> None:
    expected: Counter[str] = Counter()
    for message in sample.messages:
        assert len(message.keys() & BODIES) == 1
        assert message.keys() - BODIES == FIELDS
        assert (message["code"] is None) == (message["expect"] == "accepted")
        expected[message["expect"]] += 1
    assert expected == sample.summary["messages"]
    assert set(expected) == {"accepted", "rejected", "refused_by_broker"}


def test_every_reason_for_a_rejection_occurs(sample: Sample) -> None:
    assert {message["code"] for message in sample.messages if message["expect"] == "rejected"} == CODES


def test_messages_have_ids_of_their_own_unless_one_is_repeated_on_purpose(sample: Sample) -> None:
    ids = Counter(message["message_id"] for message in sample.messages)
    assert [times for times in ids.values() if times > 1] == [2]


def test_the_event_language_finds_the_stated_fault(sample: Sample) -> None:
    for message in sample.messages:
        if message["code"] in {"not_json", "envelope", "schema"}:
            assert fault(message) == message["code"], message["why"]


def test_the_event_language_accepts_what_is_odd_or_wrong_elsewhere(sample: Sample) -> None:
    elsewhere = {None, "unknown_program", "unknown_exam", "revision_conflict", "user_id_missing"}
    for message in sample.messages:
        if message["code"] in elsewhere:
            assert fault(message) is None, message["why"]
            assert message["content_type"].partition(";")[0] == SINGLE


def test_only_the_broker_is_sent_more_than_it_takes(sample: Sample) -> None:
    for message in sample.messages:
        assert (len(body(message)) > MAX_MESSAGE_BYTES) == (message["why"] == "a body of 20 MB")


def test_a_conflict_contradicts_a_revision_the_feed_reports(sample: Sample) -> None:
    for message in sample.messages:
        if message["code"] != "revision_conflict":
            continue
        said = json.loads(message["body"])["data"]
        key = (said["result_id"], said["revision"])
        reports = [row["data"] for _, row in sample.results(message["vendor"])]
        (known,) = [data for data in reports if (data["result_id"], data["revision"]) == key]
        assert said == known | {"grade": said["grade"]}
        assert said["grade"] != known["grade"]


def test_an_accepted_name_uses_every_plane_of_unicode_that_has_characters(sample: Sample) -> None:
    (message,) = [message for message in sample.messages if "every plane" in message["why"]]
    name = json.loads(message["body"])["data"]["candidate"]["given_name"]
    assert {ord(character) >> 16 for character in name} == {0, 1, 2, 3, 14, 15, 16}
