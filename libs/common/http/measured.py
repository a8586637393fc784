"""What is counted and logged of every request, of APIs and pages alike."""

import structlog
from aiohttp import hdrs, web
from prometheus_client import Histogram

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

_METHODS = hdrs.METH_ALL

log = structlog.get_logger()


class Measured:
    """Times requests by method, route and status."""

    def __init__(self) -> None:
        self._timers: dict[tuple[str, str, int], Histogram] = {}

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer, and say it in the log where it is worth that."""
        key = (method, route, status)
        timer = self._timers.get(key)
        if timer is None:  # looking a child up by its labels costs more than observing it
            timer = self._timers[key] = SECONDS.labels(method, route, str(status))
        timer.observe(seconds)
        # What goes well is in the histogram above; a line for each costs a tenth of the answer, so it is for "debug".
        notable = status >= web.HTTPBadRequest.status_code or seconds >= SLOW_SECONDS
        line = log.info if notable else log.debug
        line("request", method=method, route=route, status=status, milliseconds=round(seconds * 1000, 2))


def route_of(request: web.Request) -> str:
    """The template of the path, which names nobody."""
    resource = request.match_info.route.resource
    return UNMATCHED if resource is None else resource.canonical


def method_of(request: web.Request) -> str:
    """The method; `other` for one of the sender's invention."""
    return request.method if request.method in _METHODS else "other"
