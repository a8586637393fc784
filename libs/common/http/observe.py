"""What surrounds every request: its trace, its deadline, its problems, its count and its line in the log."""

import asyncio
import traceback
from time import perf_counter
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from prometheus_client import Histogram

from libs.common.errors import Unavailable
from libs.common.http.files import PATIENCE, Patience
from libs.common.http.problems import (
    INTERNAL,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    TIMED_OUT,
    TOO_LARGE,
    UNAVAILABLE,
    Problem,
    ProblemType,
)
from libs.common.http.responses import TRACEPARENT, problem_response
from libs.common.http.trace import HEADER, incoming
from libs.common.tracing import Tracing

SECONDS = Histogram(
    "certrail_http_request_seconds",
    "Time to answer an HTTP request",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

SLOW_SECONDS = 1.0
"""From here on an answer is worth a line in the log whatever it was."""

UNMATCHED = "unmatched"
"""Route label of requests that no route takes: their paths are the sender's choice and without number."""

_KNOWN: Final[dict[int, ProblemType]] = {kind.status: kind for kind in (NOT_FOUND, METHOD_NOT_ALLOWED, TOO_LARGE)}
_METHODS = hdrs.METH_ALL
_FRAMES = 8

log = structlog.get_logger()


class Observer:
    """The one middleware of a service's API.

    Args:
        tracing: opens a span for each request, where traces are on.
        timeout_seconds: time for one request, reading its body included; an `UploadStream` has it from block to block.
        outages: exceptions that mean a dependency is out of reach.
    """

    def __init__(self, tracing: Tracing, timeout_seconds: float, outages: tuple[type[Exception], ...]) -> None:
        self._tracing = tracing
        self._timeout = timeout_seconds
        self._outages: tuple[type[Exception], ...] = (Unavailable, TimeoutError, ConnectionError, *outages)
        self._timers: dict[tuple[str, str, int], Histogram] = {}

    @web.middleware
    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        started = perf_counter()
        route = _template(request)
        method = request.method if request.method in _METHODS else "other"
        spans = self._tracing.begin(f"{method} {route}", (incoming(request.headers.get(HEADER)),), server=True)
        traceparent = request[TRACEPARENT] = spans.traceparents[0]
        structlog.contextvars.bind_contextvars(trace_id=traceparent[3:35])
        fault: BaseException | None = None
        deadline = asyncio.timeout(self._timeout)
        request[PATIENCE] = Patience(deadline, self._timeout)
        try:
            async with deadline:
                response = await handler(request)
        except Exception as error:  # noqa: BLE001 whatever goes wrong, the caller gets a problem and we a log line
            problem = self._problem(error, expired=deadline.expired())
            if problem.kind.status >= web.HTTPInternalServerError.status_code:
                fault = error
                _log_fault(problem.kind, error, route)
            response = problem_response(problem, traceparent)
        except BaseException as error:
            fault = error
            raise
        finally:
            spans.end(fault)
        self._note(method, route, response.status, perf_counter() - started)
        return response

    def _problem(self, error: Exception, *, expired: bool) -> Problem:
        if isinstance(error, Problem):
            return error
        if isinstance(error, web.HTTPException):
            return _of_aiohttp(error)
        if isinstance(error, TimeoutError) and expired:
            return Problem(TIMED_OUT)
        if isinstance(error, self._outages):
            return Problem(UNAVAILABLE, headers={hdrs.RETRY_AFTER: "1"})
        return Problem(INTERNAL)

    def _note(self, method: str, route: str, status: int, seconds: float) -> None:
        key = (method, route, status)
        timer = self._timers.get(key)
        if timer is None:  # looking a child up by its labels costs more than observing it
            timer = self._timers[key] = SECONDS.labels(method, route, str(status))
        timer.observe(seconds)
        # What goes well is in the histogram above; a line for each costs a tenth of the answer, so it is for "debug".
        notable = status >= web.HTTPBadRequest.status_code or seconds >= SLOW_SECONDS
        line = log.info if notable else log.debug
        line("request", method=method, route=route, status=status, milliseconds=round(seconds * 1000, 2))


def _template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return UNMATCHED if resource is None else resource.canonical


def _of_aiohttp(error: web.HTTPException) -> Problem:
    kind = _KNOWN.get(error.status) or ProblemType(f"http-{error.status}", error.reason, error.status)
    allow = error.headers.get(hdrs.ALLOW)
    return Problem(kind, headers={hdrs.ALLOW: allow} if allow else None)


def _log_fault(kind: ProblemType, error: Exception, route: str) -> None:
    # Where it happened and what kind of thing it was; messages and values may hold personal data.
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    log.error(
        "request_failed",
        route=route,
        code=kind.code,
        cause=type(error).__name__,
        stack=" < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames)),
    )
