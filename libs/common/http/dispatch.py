"""From a route record to a handler for aiohttp: check caller and request, run it, write the answer."""

from collections.abc import Mapping
from typing import Any, Generic, cast, get_origin

from aiohttp import hdrs, web
from multidict import CIMultiDict
from pydantic import BaseModel, ValidationError

from libs.common.http.audit import RouteAudit, Trail
from libs.common.http.auth import TokenVerifier
from libs.common.http.documents import Document, document_response
from libs.common.http.files import Download, Upload, UploadStream, download_response, open_upload, read_upload
from libs.common.http.forms import MEDIA_TYPE as FORM
from libs.common.http.forms import Form, read_form
from libs.common.http.idempotency import HEADER, IdempotencyStore, checked_key, fingerprint, operation_id
from libs.common.http.models import Nothing
from libs.common.http.paging import Page
from libs.common.http.principal import ANONYMOUS, Principal
from libs.common.http.problems import (
    MALFORMED,
    MEDIA_TYPE_UNSUPPORTED,
    Problem,
    from_validation,
    invalid,
)
from libs.common.http.repeats import once
from libs.common.http.responses import JSON_HEADERS, TRACEPARENT, problem_response
from libs.common.http.routes import ANY_CALLER, PUBLIC, B, Call, P, Q, R, Reply, Route
from libs.common.ids import new_id
from libs.common.languages import READER, wanted_language

_REPEATABLE = (list, tuple, set, frozenset)


class Endpoint(Generic[R, P, Q, B]):
    """One route of a running service."""

    def __init__(
        self,
        route: Route[R, P, Q, B],
        verifier: TokenVerifier,
        idempotency: IdempotencyStore | None,
        trail: Trail | None,
    ) -> None:
        self._route = route
        self._audit = RouteAudit(trail, route) if trail else None
        self._verifier = verifier
        self._idempotency = idempotency if route.idempotent else None
        self._speaks = not route.changes and route.scopes is not PUBLIC
        self._response = route.response or type(None)
        self._query_model = route.query or Nothing
        self._repeatable = _repeatable(self._query_model)
        self._empty_query = _if_valid(self._query_model)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        # What is only read is answered in the reader's language; what is kept is written in English.
        if self._speaks:
            READER.set(wanted_language(request.headers.get(hdrs.ACCEPT_LANGUAGE, "")))
        principal = await self._caller(request)
        if self._audit is None or not self._audit.concerns(principal, request):
            return await self._answer(request, principal)
        return await self._audit.answered(request, principal, lambda: self._answer(request, principal))

    async def _answer(self, request: web.Request, principal: Principal) -> web.StreamResponse:
        principal.require_scopes(self._route.scopes or ANY_CALLER)
        path = self._path(request)
        query = self._query(request)
        raw, body = await self._body(request)
        key = request.headers.get(HEADER) if self._idempotency else None
        operation = new_id() if key is None else self._operation(principal, key)
        call = Call(
            path,
            query,
            body,
            principal,
            request.app,
            request[TRACEPARENT],
            operation,
            request.headers,
            request.remote,
        )
        if self._idempotency is None or key is None:
            return self._written(request, await self._route.handler(call))
        target = f"{request.method} {request.rel_url.raw_path_qs}"
        return await once(self._idempotency, operation, fingerprint(target, raw), lambda: self._answered(request, call))

    async def _caller(self, request: web.Request) -> Principal:
        if self._route.guard is not None:
            return await self._route.guard.admit(dict(request.match_info), request.headers, await _read(request))
        if self._route.scopes is PUBLIC:
            return ANONYMOUS
        return await self._verifier.verify(request.headers.get(hdrs.AUTHORIZATION))

    def _path(self, request: web.Request) -> P:
        model = self._route.parameters
        if model is None:
            return cast("P", _NOTHING)
        try:
            return model.model_validate(dict(request.match_info))
        except ValidationError as error:
            raise from_validation(error, "path") from error

    def _query(self, request: web.Request) -> Q:
        if not request.query_string and self._empty_query is not None:
            return cast("Q", self._empty_query)
        values: dict[str, Any] = {}
        for name in request.query:
            given = request.query.getall(name)
            if name not in self._repeatable and len(given) > 1:
                raise invalid(f"query.{name}"[:200], "repeated", "may be given once")
            values[name] = given if name in self._repeatable else given[0]
        try:
            return cast("Q", self._query_model.model_validate(values))
        except ValidationError as error:
            raise from_validation(error, "query") from error

    async def _body(self, request: web.Request) -> tuple[bytes, B]:
        model = self._route.body
        if model is None:
            return b"", cast("B", None)
        if issubclass(model, Upload):
            file = await read_upload(request, model)
            return file.content, cast("B", file)
        if issubclass(model, UploadStream):
            return b"", cast("B", open_upload(request, model))
        if issubclass(model, Form):
            raw = await _sent(request, FORM)
            return raw, cast("B", read_form(raw, model))
        raw = await _sent(request, "application/json")
        try:
            return raw, cast("B", cast("type[BaseModel]", model).model_validate_json(raw, strict=True))
        except ValidationError as error:
            raise from_validation(error, "body") from error

    def _operation(self, principal: Principal, key: str) -> str:
        return operation_id(principal, f"{self._route.method} {self._route.path}", checked_key(key))

    def _written(self, request: web.Request, result: R | Reply[R]) -> web.Response:
        more: Mapping[str, str] = {}
        if isinstance(result, Reply):
            more, result = result.headers, result.body
        headers = CIMultiDict(JSON_HEADERS)
        headers.update(more)
        if result is None and self._route.response is None:
            del headers[hdrs.CONTENT_TYPE]
            return web.Response(status=self._route.status, headers=headers)
        # The response is what the document says it is, or a leak: a richer model would be written whole.
        if result is None or not isinstance(result, self._response):
            raise TypeError(f"{self._route.operation_id} must return {self._response.__name__}")
        if isinstance(result, Download):
            return download_response(result, self._route.status)
        if isinstance(result, Document):
            return document_response(result, request, self._route.status, more)
        if isinstance(result, Page) and result.next is not None:
            headers[hdrs.LINK] = f'<{request.rel_url.update_query(cursor=result.next)}>; rel="next"'
        return web.Response(
            status=self._route.status, headers=headers, body=result.__pydantic_serializer__.to_json(result)
        )

    async def _answered(self, request: web.Request, call: Call[P, Q, B]) -> web.Response:
        try:
            return self._written(request, await self._route.handler(call))
        except Problem as problem:
            if problem.kind.status >= web.HTTPInternalServerError.status_code:
                raise
            return problem_response(problem, call.traceparent)  # a refusal is an answer, and is kept like one


async def _sent(request: web.Request, media_type: str) -> bytes:
    if request.content_type != media_type:
        raise Problem(MEDIA_TYPE_UNSUPPORTED, f"send {media_type}")
    return await _read(request)


async def _read(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise Problem(MALFORMED, "the body does not arrive as its headers say") from error


_NOTHING = Nothing()


def _repeatable(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, info in model.model_fields.items() if get_origin(info.annotation) in _REPEATABLE)


def _if_valid(model: type[BaseModel]) -> BaseModel | None:
    """The query of a request without one, made once; None where a parameter is required."""
    try:
        return model()
    except ValidationError:
        return None
