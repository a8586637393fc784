"""The route record: one description that registers a handler, checks its requests and documents it."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Generic

from aiohttp import web
from pydantic import BaseModel
from typing_extensions import TypeVar

from libs.common.http.documents import Document
from libs.common.http.files import Download, Upload, UploadStream
from libs.common.http.guards import Guard
from libs.common.http.models import Nothing, Parameters
from libs.common.http.principal import Principal
from libs.common.http.problems import ProblemType

PUBLIC: Final = None
"""`scopes` of a route that asks for no token."""

ANY_CALLER: Final[frozenset[str]] = frozenset()
"""`scopes` of a route for every holder of a token."""

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")

R = TypeVar("R", bound=BaseModel | Download | Document | None)
P = TypeVar("P", bound=Parameters, default=Nothing)
Q = TypeVar("Q", bound=Parameters, default=Nothing)
B = TypeVar("B", bound=BaseModel | Upload | UploadStream | None, default=None)


@dataclass(frozen=True, slots=True)
class Call(Generic[P, Q, B]):
    """A request whose parts have been checked.

    Attributes:
        principal: who asks; `ANONYMOUS` on a public route.
        app: the application, from which a handler takes its resources by `web.AppKey`.
        traceparent: the trace that events caused by this request carry on (W3C Trace Context).
        operation_id: for what is created: unique, but with an `Idempotency-Key` the same in every repetition.
        headers: as they were sent.
        remote: the address of whoever is connected to us: the gateway, as a rule.
    """

    path: P
    query: Q
    body: B
    principal: Principal
    app: web.Application
    traceparent: str
    operation_id: str
    headers: Mapping[str, str]
    remote: str | None


@dataclass(frozen=True, slots=True)
class Reply(Generic[R]):
    """A response with more than its body to say."""

    body: R
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Route(Generic[R, P, Q, B]):
    """One operation of a service's API.

    Attributes:
        path: below the service's base path, with `{name}` for each field of `parameters`.
        response: model of the body, or a kind of file; None for an empty one.
        body: model of the JSON body, or a kind of file.
        scopes: all needed; `ANY_CALLER` for none, `PUBLIC` for no token at all.
        guard: of a route without tokens, who lets its callers in.
        parameters: model of the path parameters.
        errors: problems that the handler itself may raise.
        idempotent: takes an `Idempotency-Key`; for a POST that must not happen twice.
        audited: whether calls go to the audit log; False only where no answer says anything of a person.
        asks: a POST that changes nothing.
        operation_id: stable name in the OpenAPI document; the handler's name unless given.
    """

    method: str
    path: str
    handler: Callable[[Call[P, Q, B]], Awaitable[R | Reply[R]]]
    summary: str
    response: type[R] | None
    scopes: frozenset[str] | None
    guard: Guard | None = None
    parameters: type[P] | None = None
    query: type[Q] | None = None
    body: type[B] | None = None
    status: int = 200
    errors: tuple[ProblemType, ...] = ()
    idempotent: bool = False
    audited: bool = True
    asks: bool = False
    deprecated: bool = False
    tags: tuple[str, ...] = ()
    operation_id: str = ""

    def __post_init__(self) -> None:
        for wrong, why in self._faults():
            if wrong:
                raise ValueError(f"{self.method} {self.path}: {why}")
        if not self.operation_id:
            object.__setattr__(self, "operation_id", self.handler.__name__)

    @property
    def changes(self) -> bool:
        """Whether a call may change something."""
        return self.method != "GET" and not self.asks

    def _faults(self) -> Iterator[tuple[bool, str]]:
        fields = set(self.parameters.model_fields) if self.parameters else set()
        named = set(_PLACEHOLDER.findall(self.path))
        yield self.method not in _METHODS, f"method must be one of {', '.join(sorted(_METHODS))}"
        yield not self.path.startswith("/"), "path must begin with /"
        yield named != fields, "path and parameters must name the same fields"
        yield self.body is not None and self.method not in _WITH_BODY, "body needs POST, PUT or PATCH"
        yield self.idempotent and self.method != "POST", "idempotent is for POST; the others are so by nature"
        streamed = self.body is not None and issubclass(self.body, UploadStream)
        yield self.idempotent and streamed, "idempotent needs the whole body at once"
        yield self.asks and self.method != "POST", "asks is for POST"
        # Anonymous callers cannot be told apart, so one could be given another's answer.
        yield (
            self.idempotent and self.scopes is PUBLIC,
            "idempotent needs a caller, so scopes cannot be PUBLIC",
        )
        yield self.guard is not None and self.scopes is not PUBLIC, "a guard stands where no token is asked for"
        empty = self.status == HTTPStatus.NO_CONTENT
        yield (self.response is None) != empty, "status 204 and response None need each other"
