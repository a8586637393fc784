"""The OpenAPI 3.1 document of a service, made from the route records that also run it."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from libs.common.http import idempotency
from libs.common.http.documents import Document
from libs.common.http.files import Download, Upload, UploadStream
from libs.common.http.forms import MEDIA_TYPE as FORM
from libs.common.http.forms import Form
from libs.common.http.models import Parameters
from libs.common.http.paging import Page
from libs.common.http.problems import (
    FORBIDDEN,
    IN_PROGRESS,
    INTERNAL,
    INVALID,
    KEY_REUSED,
    MALFORMED,
    MEDIA_TYPE,
    MEDIA_TYPE_UNSUPPORTED,
    TIMED_OUT,
    TOO_LARGE,
    UNAUTHENTICATED,
    UNAVAILABLE,
    ProblemDetails,
    ProblemType,
)
from libs.common.http.routes import PUBLIC, Route

Json: TypeAlias = dict[str, Any]
AnyRoute: TypeAlias = Route[Any, Any, Any, Any]
Mode: TypeAlias = Literal["validation", "serialization"]
ModelUse: TypeAlias = tuple[type[BaseModel], Mode]

_REF = "#/components/schemas/"
_SECURITY = "bearer"

_DESCRIPTIONS = {
    200: "Done",
    201: "Created",
    202: "Accepted; the work goes on",
    204: "Done; there is nothing to show",
}
_KEY_PARAMETER: Json = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "description": "Any text of the client's choice. Sent again with the same key within 24 hours, the "
    "request gets the answer that it got the first time, and nothing is done twice.",
    "schema": {"type": "string", "pattern": idempotency.PATTERN, "examples": ["order-7f3a"]},
}


def openapi(title: str, description: str, version: str, base: str, routes: Sequence[AnyRoute]) -> Json:
    """The document of `routes` below the path `base`. Raises `ValueError` where two share an operation id."""
    _check_unique(route.operation_id for route in routes)
    uses = [use for route in routes for use in _models(route)]
    schemas = _Schemas([*uses, (ProblemDetails, "serialization")])
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(base + route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "description": description, "version": version},
        "paths": paths,
        "components": {
            "schemas": schemas.components(),
            "securitySchemes": {
                **{
                    name: dict(scheme)
                    for route in routes
                    if route.guard
                    for name, scheme in route.guard.schemes.items()
                },
                _SECURITY: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token of the identity service.",
                },
            },
        },
    }


def _check_unique(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two routes have the operation id {name}")
        seen.add(name)


def _models(route: AnyRoute) -> Iterable[ModelUse]:
    for model in (route.parameters, route.query, route.body):
        if model is not None and not issubclass(model, Upload | UploadStream):
            yield model, "validation"
    if route.response is not None and not issubclass(route.response, Download | Document):
        yield route.response, "serialization"


class _Schemas:
    """The JSON Schemas of all models, split in two where what is read differs from what is written."""

    def __init__(self, uses: Sequence[ModelUse]) -> None:
        unique = list(dict.fromkeys(uses))
        self._refs, document = models_json_schema(unique, ref_template=_REF + "{model}")
        self._definitions: dict[str, Json] = document.get("$defs", {})
        self._parameters = {self._name(use) for use in unique if issubclass(use[0], Parameters)}

    def ref(self, model: type[BaseModel], mode: Mode) -> Json:
        return self._refs[(model, mode)]

    def definition(self, model: type[BaseModel]) -> Json:
        return self._definitions[self._name((model, "validation"))]

    def components(self) -> dict[str, Json]:
        """All schemas but those of parameters, which are written out where they are used."""
        return {name: self._definitions[name] for name in self._definitions if name not in self._parameters}

    def _name(self, use: ModelUse) -> str:
        ref: str = self._refs[use]["$ref"]
        return ref.removeprefix(_REF)


def _operation(route: AnyRoute, schemas: _Schemas) -> Json:
    operation: Json = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "tags": list(route.tags),
        "parameters": _parameters(route, schemas),
        "responses": {str(route.status): _success(route, schemas), **_problems(route, schemas)},
        "security": _security(route),
        "deprecated": route.deprecated,
    }
    if route.handler.__doc__:
        operation["description"] = route.handler.__doc__.strip()
    if route.body is not None:
        content = _content(route.body, schemas, "validation")
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _security(route: AnyRoute) -> list[Json]:
    if route.guard is not None:
        return [{name: []} for name in route.guard.schemes]
    return [] if route.scopes is PUBLIC else [{_SECURITY: sorted(route.scopes)}]


def _parameters(route: AnyRoute, schemas: _Schemas) -> list[Json]:
    found: list[Json] = []
    for place, model in (("path", route.parameters), ("query", route.query)):
        if model is not None:
            found.extend(_of_model(place, schemas.definition(model)))
    if route.idempotent:
        found.append(_KEY_PARAMETER)
    return found


def _of_model(place: str, definition: Json) -> Iterable[Json]:
    required = definition.get("required", [])
    for name, given in definition.get("properties", {}).items():
        schema = _without_null(given)
        description = schema.pop("description", None)
        parameter = {
            "name": name,
            "in": place,
            "required": place == "path" or name in required,
            "schema": schema,
        }
        yield {**parameter, "description": description} if description else parameter


def _without_null(schema: Json) -> Json:
    """A parameter is given or left out; there is no way to write null in a URL."""
    kept = {key: value for key, value in schema.items() if (key, value) != ("default", None)}
    kinds = [kind for kind in kept.pop("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        return {**kinds[0], **kept}
    return {**kept, "anyOf": kinds} if kinds else kept


def _success(route: AnyRoute, schemas: _Schemas) -> Json:
    response: Json = {"description": _DESCRIPTIONS.get(route.status, "Done")}
    if route.response is not None:
        response["content"] = _content(route.response, schemas, "serialization")
        if issubclass(route.response, Page):
            link = 'The next page, as `<URL>; rel="next"` (RFC 8288); absent on the last one.'
            response["headers"] = {"Link": {"description": link, "schema": {"type": "string"}}}
    return response


def _content(model: type[Any], schemas: _Schemas, mode: Mode) -> Json:
    if issubclass(model, Upload | UploadStream | Download | Document):
        # A file has no schema in OpenAPI 3.1: its media type says it all.
        return {media_type: {} for media_type in model.media_types}
    media_type = FORM if issubclass(model, Form) else "application/json"
    return {media_type: {"schema": schemas.ref(model, mode)}}


def _problems(route: AnyRoute, schemas: _Schemas) -> dict[str, Json]:
    by_status: dict[int, list[ProblemType]] = {}
    for kind in dict.fromkeys((*_implied(route), *route.errors)):
        by_status.setdefault(kind.status, []).append(kind)
    schema = schemas.ref(ProblemDetails, "serialization")
    return {str(status): _problem(by_status[status], schema, _pages(route)) for status in sorted(by_status)}


def _pages(route: AnyRoute) -> Json:
    """The kinds of pages that a route gives to people, its refusals too."""
    if route.response is None or not issubclass(route.response, Document):
        return {}
    return {media_type: {} for media_type in route.response.media_types if media_type.startswith("text/html")}


def _problem(kinds: Sequence[ProblemType], schema: Json, pages: Json) -> Json:
    examples = {kind.code: {"value": {"type": kind.urn, "title": kind.title, "status": kind.status}} for kind in kinds}
    return {
        "description": "; or: ".join(kind.title for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}, **pages},
    }


def _implied(route: AnyRoute) -> Iterable[ProblemType]:
    """What the kit itself may answer."""
    if route.scopes is not PUBLIC or route.guard is not None:
        yield UNAUTHENTICATED
        if route.scopes:
            yield FORBIDDEN
    yield INVALID  # an unknown query parameter is refused on every route
    if route.body is not None:
        yield from (MALFORMED, TOO_LARGE, MEDIA_TYPE_UNSUPPORTED)
    if route.idempotent:
        yield from (IN_PROGRESS, KEY_REUSED)
    yield from (INTERNAL, UNAVAILABLE, TIMED_OUT)
