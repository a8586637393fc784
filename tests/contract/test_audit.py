"""Every route whose answers say something of a person is in the audit log."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from libs.common.events import SERVICES
from libs.common.http.files import Download
from libs.common.http.routes import Route
from libs.common.service import Parts

EXEMPT = {
    "show_totals",
    "show_agreement",
    "show_policy",
    "simulate",
    "list_feed_sources",
    "list_feed_files",
    "show_feed_file",
}
"""Numbers, a program's own texts, histories that the caller brings along, and how vendors' files fare."""

PERSONAL = {"candidate_id", "given_name", "family_name", "email", "address", "original", "text", "external_id"}


def fields_of(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield name
        for inner in nested(info.annotation):
            yield from fields_of(inner)


def nested(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from nested(part)


def exempt(parts: Parts) -> list[Route[Any, Any, Any, Any]]:
    return [route for route in parts.api.routes if not route.audited]


@pytest.mark.parametrize("service", SERVICES)
def test_only_what_says_nothing_of_a_person_is_exempt(parts: dict[str, Parts], service: str) -> None:
    for route in exempt(parts[service]):
        assert route.operation_id in EXEMPT
        assert "candidate_id" not in route.path
        assert route.method == "GET" or route.operation_id == "simulate"
        assert route.response is not None
        assert not issubclass(route.response, Download)
        if issubclass(route.response, BaseModel) and route.operation_id != "show_agreement":
            assert not PERSONAL & set(fields_of(route.response))


def test_there_are_exempt_routes_in_every_service(parts: dict[str, Parts]) -> None:
    assert all(exempt(parts[service]) for service in SERVICES)


def test_every_route_about_a_candidate_is_recorded(parts: dict[str, Parts]) -> None:
    about = [route for service in SERVICES for route in parts[service].api.routes if "{candidate_id}" in route.path]
    assert len(about) > 20
    assert all(route.audited and route.scopes is not None for route in about)
