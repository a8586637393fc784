"""The border and messages that are sent to be judged only."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from libs.common.bus import topology
from libs.common.bus.ingress import Border, Refusal, Trial
from libs.common.bus.messages import Delivery, Received
from libs.common.clock import FixedClock
from libs.common.events import SINGLE, all_events, vendors
from libs.common.events.asyncapi import event_schema
from tests.service.samples import Letter, letter, result

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ABSENT = object()


class AnyExam:
    """A program that has every exam."""

    def find_exam(self, code: str) -> object | None:
        return code


def judged(sent: Letter, dryrun: Any, **changes: Any) -> Any:
    event = orjson.loads(sent.body) | changes
    if dryrun is not ABSENT:
        event["dryrun"] = dryrun
    body = orjson.dumps(event)
    key = sent.routing_key
    delivery = Delivery(body, topology.VENDORS, key, SINGLE, key, sent.message_id, sent.vendor, {})
    (item,) = Border({"cisco": AnyExam()}, FixedClock(NOW)).decode(delivery)
    return item


@pytest.mark.parametrize("dryrun", [ABSENT, False, None])
def test_what_is_meant_is_received(dryrun: Any) -> None:
    assert isinstance(judged(letter(result()), dryrun), Received)


def test_dry_run_is_nothing_that_a_handler_takes_for_received() -> None:
    item = judged(letter(result()), dryrun=True)
    assert isinstance(item, Trial)
    assert not isinstance(item, Received)
    assert isinstance(item.received.data, vendors.ExamResultReported)
    assert item.traced("00-" + "a" * 32 + "-" + "b" * 16 + "-01").received.traceparent is not None


def test_dry_run_that_is_wrong_says_so() -> None:
    item = judged(letter(result()), dryrun=True, program="nowhere")
    assert isinstance(item, Refusal)
    assert (item.dryrun, [reason.code for reason in item.reasons]) == (True, ["unknown_program"])


def test_message_that_is_wrong_and_meant_is_no_dry_run() -> None:
    assert not judged(letter(result()), ABSENT, program="nowhere").dryrun


@pytest.mark.parametrize("dryrun", ["true", 1, "", {}])
def test_what_only_looks_like_a_dry_run_is_refused_and_never_taken(dryrun: Any) -> None:
    """Whoever writes it means that nothing shall happen."""
    item = judged(letter(result()), dryrun)
    assert isinstance(item, Refusal)
    assert [(reason.path, reason.code) for reason in item.reasons] == [("dryrun", "envelope")]


def test_only_vendors_events_have_dry_runs() -> None:
    for key, model in all_events().items():
        assert ("dryrun" in event_schema(model)["properties"]) == key.startswith("vendor."), key
