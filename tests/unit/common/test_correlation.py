"""One id through everything: what a request or a message begins, its events, its log entries and its spans carry on."""

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from libs.common.bus.failures import correlation_of
from libs.common.bus.messages import Cause
from libs.common.bus.outgoing import OutgoingEvents
from libs.common.events import certs
from libs.common.tracing import ORIGIN, Tracing, begun_by_request
from services.exams.reports import Because, Source, in_own_chain, origin_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


def said(cause: Cause | None = None) -> dict[str, str]:
    events = OutgoingEvents("certs")
    data = certs.AgreementAccepted(candidate_id="C1", agreement="terms", version="1", accepted_on=NOW.date())
    events.add(data, program="cisco", subject="C1", version=1, cause=cause, now=NOW)
    event: dict[str, str] = orjson.loads(events.messages()[0].body)
    return event


def test_what_a_request_causes_has_the_id_of_its_trace() -> None:
    with begun_by_request(TRACE):
        event = said()
        bound = structlog.contextvars.get_contextvars()
    assert (event["correlationid"], event["traceparent"]) == ("a" * 32, TRACE)
    assert "causationid" not in event
    assert (bound["correlation_id"], bound["trace_id"]) == ("a" * 32, "a" * 32)
    assert ORIGIN.get() is None
    assert "correlation_id" not in structlog.contextvars.get_contextvars()
    assert "correlationid" not in said()


def test_a_cause_goes_before_the_request() -> None:
    with begun_by_request(TRACE):
        event = said(Because("e1", "m1"))
    assert (event["causationid"], event["correlationid"], event["traceparent"]) == ("e1", "m1", TRACE)


def test_spans_bear_the_id() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    Tracing(provider.get_tracer("test")).begin("exams.vendors process", [TRACE, None], correlations=["m1", None]).end()
    found = {str((span.attributes or {}).get("certrail.correlation_id")) for span in exporter.get_finished_spans()}
    provider.shutdown()
    assert found == {"m1", "None"}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"id": "e1", "correlationid": "m1"}', "m1"),
        (b'{"id": "e1"}', "e1"),
        (b'[{"id": "e1"}]', None),
        (b'{"id": 7}', None),
        (b"no JSON", None),
    ],
)
def test_what_is_set_aside_is_named_by_its_chain(body: bytes, found: str | None) -> None:
    assert correlation_of(body) == found


def test_a_row_of_a_file_begins_a_chain_and_what_staff_say_does_not() -> None:
    row = origin_of(Source("file", "vue:R.zip:1"))
    assert row == Because("vue:R.zip:1", "vue:R.zip:1")
    assert origin_of(Source("staff", "ruling")) is None


@pytest.mark.parametrize(
    ("words", "chain"),
    [
        ([{"source": {"ref": "m1"}}, {"source": {"ref": "m2"}}], "m2"),
        ([{"source": {"ref": "m2"}, "correlation_id": "order-1"}], "order-1"),
    ],
)
def test_a_result_that_finds_its_candidate_goes_on_in_its_own_chain(
    words: Sequence[dict[str, object]], chain: str
) -> None:
    link = Because("l1", "m1", TRACE)
    assert in_own_chain(words, link) == Because("l1", chain, TRACE)  # type: ignore[arg-type]
    assert in_own_chain(words, None) == Because("m2", chain)  # type: ignore[arg-type]
