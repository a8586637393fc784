"""The services' OpenAPI documents as pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy.gateway.reference.composed import composed
from deploy.gateway.reference.schemas import Field, Json, Schemas
from libs.common.audit.api import with_audit
from libs.common.http.forms import MEDIA_TYPE as FORM
from libs.common.http.openapi import openapi
from libs.common.http.server import Api
from libs.common.parked.api import with_parked

_SUCCESS_BELOW = 400
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """One error that an operation may answer with."""

    status: int
    type: str
    title: str


@dataclass(frozen=True, slots=True)
class Body:
    """One form of a request's body."""

    name: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as its section of a page."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    scopes: tuple[str, ...] | None
    """None where no token is asked for."""
    guards: tuple[str, ...]
    """Other credentials that let in, any one of them."""
    parameters: tuple[Field, ...]
    bodies: tuple[Body, ...]
    """Each form that the body may have; none where there is no body."""
    status: int
    answer: str
    headers: tuple[tuple[str, str], ...]
    response: tuple[Field, ...]
    problems: tuple[ProblemRow, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class ApiPage:
    """One service's API."""

    service: str
    title: str
    description: str
    version: str
    document: str
    operations: tuple[Operation, ...]


def documented_apis() -> list[Api]:
    """Every service's API as its routes describe it."""
    nothing: Any = None
    with composed() as parts:
        return [with_parked(with_audit(each.api, nothing), nothing, ()) for each in parts.values()]


def api_page(api: Api) -> ApiPage:
    """The page of one API."""
    document = openapi(api.title, api.description, api.version, api.base, api.routes)
    schemas = Schemas(document)
    operations = tuple(
        _operation(path, method, operation, schemas)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    return ApiPage(api.service, api.title, api.description, api.version, f"{api.base}/openapi.json", operations)


def _operation(path: str, method: str, given: Json, schemas: Schemas) -> Operation:
    status, success = next((int(code), answer) for code, answer in given["responses"].items() if _succeeds(code))
    body = _content(given.get("requestBody", {}))
    security = given["security"]
    scopes = tuple(security[0]["bearer"]) if security and "bearer" in security[0] else None
    return Operation(
        id=given["operationId"],
        method=method.upper(),
        path=path,
        summary=given["summary"],
        description=given.get("description", ""),
        scopes=scopes,
        guards=tuple(name for each in security for name in each if name != "bearer"),
        parameters=tuple(_parameter(parameter, schemas) for parameter in given["parameters"]),
        bodies=tuple(_forms(body, schemas)),
        status=status,
        answer=_answer(success),
        headers=tuple((name, header["description"]) for name, header in success.get("headers", {}).items()),
        response=tuple(schemas.fields(_content(success))),
        problems=tuple(_problems(given["responses"])),
        curl=_curl(
            path, method.upper(), needs_token=scopes is not None, takes=_media_types(given.get("requestBody", {}))
        ),
    )


def _succeeds(code: str) -> bool:
    return int(code) < _SUCCESS_BELOW


def _content(part: Json) -> Json:
    content = part.get("content", {})
    schema: Json = (content.get(_JSON) or content.get(FORM) or {}).get("schema", {})
    return schema


def _media_types(part: Json) -> list[str]:
    return list(part.get("content", {}))


def _answer(success: Json) -> str:
    files = [media_type for media_type in _media_types(success) if media_type != _JSON]
    return f"{success['description']}; the answer is a file: {', '.join(files)}" if files else success["description"]


def _parameter(parameter: Json, schemas: Schemas) -> Field:
    described = {**parameter["schema"], "description": parameter.get("description", "")}
    field = schemas.single(parameter["name"], described, required=parameter["required"])
    return Field(
        field.name,
        f"{field.kind}, in the {parameter['in']}",
        field.required,
        field.limits,
        field.pattern,
        field.description,
    )


def _forms(body: Json, schemas: Schemas) -> Iterator[Body]:
    for form in schemas.options(body) or ([body] if body else []):
        yield Body(schemas.title(form), schemas.description(form), tuple(schemas.fields(form)))


def _problems(responses: Json) -> Iterator[ProblemRow]:
    for code, answer in responses.items():
        if not _succeeds(code):
            examples = answer["content"]["application/problem+json"]["examples"]
            for example in examples.values():
                yield ProblemRow(int(code), example["value"]["type"], example["value"]["title"])


def _curl(path: str, method: str, *, needs_token: bool, takes: list[str]) -> str:
    parts = ["curl"]
    if method != "GET":
        parts.append(f"-X {method}")
    if needs_token:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    if takes == [_JSON]:
        parts.append(f"-H 'Content-Type: {_JSON}' -d @body.json")
    elif takes == [FORM]:
        parts.append("-d @form.txt")
    elif takes:
        parts.append(f"-H 'Content-Type: {takes[0]}' --data-binary @FILE")
    return " ".join([*parts, f'"$GATEWAY{path}"'])
