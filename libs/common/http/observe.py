"""What surrounds every request: its trace, its deadline, its problems, its count and its line in the log."""

import asyncio
import traceback
from time import perf_counter
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from libs.common.errors import Unavailable
from libs.common.http.files import PATIENCE, Patience
from libs.common.http.measured import Measured, method_of, route_of
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
from libs.common.tracing import Tracing, begun_by_request, trace_id

_KNOWN: Final[dict[int, ProblemType]] = {kind.status: kind for kind in (NOT_FOUND, METHOD_NOT_ALLOWED, TOO_LARGE)}
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
        self._measured = Measured()

    @web.middleware
    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        started = perf_counter()
        route, method = route_of(request), method_of(request)
        came_with = incoming(request.headers.get(HEADER))
        spans = self._tracing.begin(
            f"{method} {route}", (came_with,), kind="server", correlations=(trace_id(came_with),)
        )
        traceparent = request[TRACEPARENT] = spans.traceparents[0]
        fault: BaseException | None = None
        deadline = asyncio.timeout(self._timeout)
        request[PATIENCE] = Patience(deadline, self._timeout)
        with begun_by_request(traceparent):
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
            self._measured.note(method, route, response.status, perf_counter() - started)
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
