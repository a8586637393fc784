"""How responses are written: the headers that all of them have, and problems."""

from typing import Final

from aiohttp import hdrs, web
from multidict import CIMultiDict

from libs.common.http.problems import MEDIA_TYPE, Problem
from libs.common.tracing import trace_id

TRACEPARENT = web.RequestKey("traceparent", str)
"""The trace of a request, set before its handler runs."""

SECURITY_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "certrail",
    "X-Content-Type-Options": "nosniff",
}
JSON_HEADERS: Final = CIMultiDict({hdrs.CONTENT_TYPE: "application/json", **SECURITY_HEADERS})
_PROBLEM_HEADERS: Final = CIMultiDict({hdrs.CONTENT_TYPE: MEDIA_TYPE, **SECURITY_HEADERS})


def problem_response(problem: Problem, traceparent: str) -> web.Response:
    """The response that tells a problem."""
    headers = CIMultiDict(_PROBLEM_HEADERS)
    headers.update(problem.headers)
    return web.Response(status=problem.kind.status, headers=headers, body=problem.to_json(trace_id(traceparent)))
