"""Errors as problem details (RFC 9457): raised anywhere in a handler, written in one place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

MEDIA_TYPE = "application/problem+json"
URN = "urn:certrail:problem:"

MAX_ERRORS = 50
"""Field errors listed in one problem; a body with more is not repaired by reading more."""

_MAX_PATH = 200


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem. `code` never changes its meaning once published."""

    code: str
    title: str
    status: int
    error: str | None = None
    """The word that OAuth has for it (RFC 6749, 5.2)."""

    @property
    def urn(self) -> str:
        return URN + self.code


MALFORMED = ProblemType("malformed-body", "The body cannot be read", 400)
UNAUTHENTICATED = ProblemType("unauthenticated", "A valid access token is needed", 401)
FORBIDDEN = ProblemType("forbidden", "The access token does not allow this", 403)
NOT_FOUND = ProblemType("not-found", "There is no such thing", 404)
GONE = ProblemType("no-longer-there", "It is there no longer", 410)
METHOD_NOT_ALLOWED = ProblemType("method-not-allowed", "The method is not allowed here", 405)
CONFLICT = ProblemType("conflict", "Its state does not allow this", 409)
IN_PROGRESS = ProblemType("idempotency-in-progress", "The same request is still being handled", 409)
TOO_LARGE = ProblemType("too-large", "The body is too large", 413)
MEDIA_TYPE_UNSUPPORTED = ProblemType("unsupported-media-type", "The body is of a kind that is not taken here", 415)
INVALID = ProblemType("invalid-request", "The request does not fit its schema", 422)
KEY_REUSED = ProblemType("idempotency-key-reused", "The key was used for another request", 422)
INTERNAL = ProblemType("internal", "Something went wrong on our side", 500)
UNAVAILABLE = ProblemType("unavailable", "Something we depend on cannot be reached", 503)
TOO_MANY_REQUESTS = ProblemType("too-many-requests", "There are too many requests", 429)
TIMED_OUT = ProblemType("timed-out", "The answer took too long", 504)


class FieldError(BaseModel):
    """What is wrong with one part of a request."""

    path: Annotated[str, Field(examples=["query.limit"])]
    """Where: `path`, `query`, `header` or `body`, and the field's name in it, joined by dots."""
    code: Annotated[str, Field(examples=["less_than_equal"])]
    message: Annotated[str, Field(examples=["Input should be less than or equal to 200"])]


class ProblemDetails(BaseModel):
    """The body of every error."""

    model_config = ConfigDict(frozen=True)

    type: Annotated[str, Field(examples=[INVALID.urn])]
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldError] | None = None
    error: str | None = None
    """Of a token endpoint: the code of RFC 6749, 5.2."""
    trace_id: str | None = None
    """Names this request in our logs."""


class Problem(Exception):
    """Ends a request with an error that its sender may read."""

    def __init__(
        self,
        kind: ProblemType,
        detail: str | None = None,
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.more = dict(more or {})
        """Extension members (RFC 9457, 3.2)."""

    def to_json(self, trace_id: str | None) -> bytes:
        details = ProblemDetails(
            type=self.kind.urn,
            title=self.kind.title,
            status=self.kind.status,
            detail=self.detail,
            errors=self.errors or None,
            error=self.kind.error,
            trace_id=trace_id,
        )
        return orjson.dumps({**details.model_dump(exclude_none=True), **self.more})


def invalid(path: str, code: str, message: str) -> Problem:
    """The problem of one wrong field."""
    return Problem(INVALID, errors=[FieldError(path=path, code=code, message=message)])


def from_validation(error: ValidationError, part: str) -> Problem:
    """The problem of a part (`path`, `query`, `body`) that does not fit its model; repeats no values."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    if faults and faults[0]["type"] == "json_invalid":
        return Problem(MALFORMED, faults[0]["msg"])
    return Problem(
        INVALID,
        errors=[
            FieldError(
                path=".".join([part, *map(str, fault["loc"])])[:_MAX_PATH],
                code=fault["type"],
                message=fault["msg"].removeprefix("Value error, "),
            )
            for fault in faults[:MAX_ERRORS]
        ],
    )
