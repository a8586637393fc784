"""Whatever goes wrong, the caller gets a problem, we get a log line, and neither says too much."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from libs.common.tracing import Tracing
from tests.unit.http.sample_api import BASE, CANDIDATE_PATH, FAIL, ROUTES, Bearer, Client, MakeClient, problem


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("crash", 500, "internal"),
        ("leak", 500, "internal"),
        ("outage", 503, "unavailable"),
        ("slow-dependency", 503, "unavailable"),
        ("sleep", 504, "timed-out"),
    ],
)
async def test_a_fault_of_ours_tells_nothing_but_the_trace(client: Client, what: str, status: int, code: str) -> None:
    with capture_logs() as logs:
        response = await client.get(f"{BASE}/failures/{what}")
    body = await problem(response, status, code)
    assert set(body) == {"type", "title", "status", "trace_id"}
    failed = [line for line in logs if line["event"] == "request_failed"]
    assert [line["code"] for line in failed] == [code]
    assert "ada@example.org" not in str(logs)
    assert "mongo-7" not in str(logs)


async def test_an_outage_named_by_the_service_is_503(make_client: MakeClient) -> None:
    client = await make_client([FAIL], outages=(RuntimeError,))
    response = await client.get(f"{BASE}/failures/crash")
    await problem(response, 503, "unavailable")
    assert response.headers["Retry-After"] == "1"


async def test_each_request_is_a_span_of_its_callers_trace(make_client: MakeClient) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    client = await make_client(ROUTES, tracing=Tracing(provider.get_tracer("test")))
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    await client.get(f"{BASE}/failures/crash", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    (span,) = exporter.get_finished_spans()
    assert span.name == f"GET {BASE}/failures/{{candidate_id}}"
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == trace
    provider.shutdown()


async def test_other_errors_of_the_framework_are_problems_too(client: Client) -> None:
    response = await client.get(f"{BASE}/failures/dependency")
    await problem(response, 424, "http-424")


async def test_the_callers_trace_is_carried_on(client: Client) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    assert (await (await client.get("/nowhere", headers=headers)).json(content_type=None))["trace_id"] == trace


@pytest.mark.parametrize("header", ["", "garbage", f"00-{'0' * 32}-00f067aa0ba902b7-01", "00-A-B-01\u00e9"])
async def test_a_wrong_trace_is_replaced(client: Client, header: str) -> None:
    body = await (await client.get("/nowhere", headers={"traceparent": header})).json(content_type=None)
    assert len(body["trace_id"]) == 32
    assert body["trace_id"] != "0" * 32


async def test_the_log_names_the_route_and_not_the_person(client: Client, bearer: Bearer) -> None:
    with capture_logs() as logs:
        await client.get(f"{BASE}/candidates/CSCO1", headers=bearer())
    assert [(line["route"], line["status"]) for line in logs] == [(f"{BASE}{CANDIDATE_PATH}", 200)]
    assert "CSCO1" not in str(logs)


async def test_requests_are_counted_by_route_and_unknown_ones_under_one_label(client: Client) -> None:
    def count(**labels: str) -> float:
        return REGISTRY.get_sample_value("certrail_http_request_seconds_count", labels) or 0.0

    known = {"method": "GET", "route": f"{BASE}/rows", "status": "200"}
    unknown = {"method": "other", "route": "unmatched", "status": "404"}
    before = count(**known), count(**unknown)
    await client.get(f"{BASE}/rows")
    await client.request("PROPFIND", "/a")
    await client.request("MKCOL", "/b")
    assert (count(**known), count(**unknown)) == (before[0] + 1, before[1] + 2)
