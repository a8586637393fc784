"""Packing: as few messages as the bus allows, none larger, nothing lost, in order."""

from datetime import UTC, datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from libs.common.bus.messages import Delivery, Outgoing, Received
from libs.common.bus.outgoing import MAX_BYTES, MAX_EVENTS, OutgoingEvents
from libs.common.bus.topology import EVENTS, MAX_MESSAGE_BYTES
from libs.common.events import BATCH, SINGLE, CloudEvent, certs, service_event
from libs.common.events.envelope import parse_batch, parse_single

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def awarded(candidate_id: str, because: str = "Passed.") -> certs.CertificationAwarded:
    return certs.CertificationAwarded(
        candidate_id=candidate_id,
        certification="CCNA",
        title="CCNA",
        earned_on=NOW.date(),
        expires_on=None,
        because=because,
    )


def expired(candidate_id: str) -> certs.CertificationExpired:
    return certs.CertificationExpired(**awarded(candidate_id).model_dump())


def packed(*data: certs.CertificationAwarded | certs.CertificationExpired) -> list[Outgoing]:
    events = OutgoingEvents("certs")
    for version, one in enumerate(data, start=1):
        events.add(one, program="cisco", subject=one.candidate_id, version=version, cause=None, now=NOW)
    return events.messages()


def unpacked(messages: list[Outgoing]) -> list[CloudEvent[certs.CertificationAwarded]]:
    events: list[CloudEvent[certs.CertificationAwarded]] = []
    for message in messages:
        single = message.content_type == SINGLE
        found = (
            [parse_single(certs.CertificationAwarded, message.body)]
            if single
            else parse_batch(certs.CertificationAwarded, message.body)
        )
        assert message.count == len(found)
        assert single == (len(found) == 1)
        events += found
    return events


@given(st.lists(st.integers(0, 2_000), max_size=450))
def test_every_event_is_in_one_message_and_none_is_too_large(sizes: list[int]) -> None:
    messages = packed(*(awarded(f"C{n}", "€" * size) for n, size in enumerate(sizes)))
    assert [event.data.candidate_id for event in unpacked(messages)] == [f"C{n}" for n in range(len(sizes))]
    for message in messages:
        assert message.count <= MAX_EVENTS
        # Commas and brackets come on top of the events; far from what the broker takes.
        assert len(message.body) <= MAX_BYTES + message.count + 1 < MAX_MESSAGE_BYTES


def test_no_more_messages_than_needed() -> None:
    messages = packed(*(awarded(f"C{n}") for n in range(2 * MAX_EVENTS + 1)))
    assert [message.count for message in messages] == [MAX_EVENTS, MAX_EVENTS, 1]


def test_size_ends_a_message_before_the_number_does() -> None:
    messages = packed(*(awarded(f"C{n}", "€" * 2_000) for n in range(90)))
    assert [message.count for message in messages][:-1] == [messages[0].count] * (len(messages) - 1)
    assert len(messages) > 1
    assert 0.95 * MAX_BYTES < len(messages[0].body) <= MAX_BYTES + messages[0].count + 1


def test_types_are_packed_apart_and_say_what_they_are() -> None:
    messages = packed(awarded("C1"), expired("C1"), awarded("C2"))
    assert [(message.routing_key, message.count) for message in messages] == [
        ("certs.CertificationAwarded.v1", 2),
        ("certs.CertificationExpired.v1", 1),
    ]
    for message in messages:
        assert message.exchange == EVENTS
        model = service_event(message.type)
        assert model is not None
        assert message.routing_key == model.event_key
    assert [message.content_type for message in messages] == [BATCH, SINGLE]


def test_single_message_has_the_id_of_its_event_and_a_batch_its_own() -> None:
    (single,), (batch,) = packed(awarded("C1")), packed(awarded("C1"), awarded("C2"))
    assert single.id == orjson.loads(single.body)["id"]
    ids = [event["id"] for event in orjson.loads(batch.body)]
    assert len({batch.id, *ids}) == 3


def test_event_carries_on_the_chain_it_belongs_to() -> None:
    first = parse_single(certs.CertificationAwarded, packed(awarded("C1"))[0].body)
    delivery = Delivery(b"", EVENTS, "", SINGLE, None, None, None, {})
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    events = OutgoingEvents("certs")
    cause: Received[certs.CertificationAwarded] = Received(first, delivery, trace)
    events.add(expired("C1"), program="cisco", subject="C1", version=2, cause=cause, now=NOW)
    (message,) = events.messages()
    second = parse_single(certs.CertificationExpired, message.body)
    assert (second.correlationid, second.causationid, second.traceparent) == (first.id, first.id, trace)
    events = OutgoingEvents("certs")
    third_cause: Received[certs.CertificationExpired] = Received(second, delivery, trace)
    events.add(expired("C1"), program="cisco", subject="C1", version=3, cause=third_cause, now=NOW)
    third = parse_single(certs.CertificationExpired, events.messages()[0].body)
    assert (third.correlationid, third.causationid) == (first.id, second.id)


def test_first_event_of_a_chain_names_no_cause() -> None:
    event = parse_single(certs.CertificationAwarded, packed(awarded("C1"))[0].body)
    assert (event.correlationid, event.causationid) == (None, None)
    assert (event.source, event.time, event.subjectversion) == ("certrail/certs", NOW, 1)
    assert event.dataschema == "urn:certrail:schema:certs.CertificationAwarded.v1"


def test_nothing_said_is_no_message() -> None:
    assert packed() == []


def test_message_of_another_kind_goes_out_as_it_is() -> None:
    events = OutgoingEvents("exams")
    message = Outgoing("m1", "certrail.rejections", "vue", "t", "application/json", b"{}")
    events.add_message(message)
    assert events.messages() == [message]
