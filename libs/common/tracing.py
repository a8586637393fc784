"""Traces that cross the bus: W3C Trace Context carried in each event, spans sent only where a collector is named.

Beside the trace goes the correlation id, which also those see who have no collector: the id of the message or of the
request that began it all. It stands in every event, in the log, in spans, and in mails as they are stored.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer


def new_traceparent() -> str:
    """The beginning of a trace (Trace Context level 1, 3.2)."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def trace_id(traceparent: str | None) -> str | None:
    """The trace's id: what a person searches the logs for."""
    return traceparent.split("-")[1] if traceparent else None


@dataclass(frozen=True, slots=True)
class Origin:
    """A request, as far as what it causes carries it on."""

    correlation_id: str
    traceparent: str


ORIGIN: ContextVar[Origin | None] = ContextVar("origin", default=None)
"""The request that is being answered; None in what no request has caused."""


@contextmanager
def begun_by_request(traceparent: str) -> Iterator[Origin]:
    """Let whatever happens meanwhile, events and log entries alike, carry the request's trace on.

    The correlation id of a request is its trace's id: it is in the answer, and the gateway has it as `X-Request-ID`.
    """
    origin = Origin(traceparent.split("-")[1], traceparent)
    token = ORIGIN.set(origin)
    try:
        with structlog.contextvars.bound_contextvars(
            trace_id=origin.correlation_id, correlation_id=origin.correlation_id
        ):
            yield origin
    finally:
        ORIGIN.reset(token)


class Tracing:
    """Opens and closes spans; without a collector it costs nothing and hands the incoming context on."""

    def __init__(self, tracer: "Tracer | None" = None, flush: Callable[[], None] | None = None) -> None:
        self._tracer = tracer
        self._flush = flush

    def close(self) -> None:
        """Send what has not been sent; the last act of a process. Blocks for a moment."""
        if self._flush is not None:
            self._flush()

    def begin(
        self,
        name: str,
        parents: Iterable[str | None],
        *,
        kind: str = "consumer",
        correlations: Sequence[str | None] = (),
        **attributes: str,
    ) -> "Spans":
        """One span for each event of a batch, as child of the context that the event carries.

        Args:
            name: of every span.
            parents: what each carries; None begins a trace.
            kind: `consumer` of a message, `server` of a request, `client` of somebody else's server.
            correlations: the correlation id of each, in the same order.
            attributes: of every span.
        """
        contexts = [parent or new_traceparent() for parent in parents]
        if self._tracer is None:
            return Spans(contexts, [])
        spans = [self._start(self._tracer, name, context, kind, attributes) for context in contexts]
        for span, correlation in zip(spans, correlations, strict=False):
            if correlation is not None:
                span.set_attribute("certrail.correlation_id", correlation)
        return Spans([_traceparent(span) for span in spans], spans)

    @staticmethod
    def _start(tracer: "Tracer", name: str, parent: str, kind: str, attributes: dict[str, str]) -> "Span":
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 loaded only where traces are on
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        context = TraceContextTextMapPropagator().extract({"traceparent": parent})
        return tracer.start_span(name, context=context, kind=SpanKind[kind.upper()], attributes=attributes)


class Spans:
    """The open spans of a batch, in its order; `traceparents` is what events caused by each carry on."""

    def __init__(self, traceparents: list[str], spans: "list[Span]") -> None:
        self.traceparents = traceparents
        self._spans = spans

    def end(self, error: BaseException | None = None) -> None:
        for span in self._spans:
            if error is not None:
                span.record_exception(error)
            span.end()


def _traceparent(span: "Span") -> str:
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def open_tracing(service: str, endpoint: str | None) -> Tracing:
    """Spans go to `endpoint` by OTLP over HTTP; None switches them off."""
    if endpoint is None:
        return Tracing()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": f"certrail-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return Tracing(provider.get_tracer("certrail"), provider.shutdown)
