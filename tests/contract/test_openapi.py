"""The HTTP surfaces as each service documents them."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from libs.common.events import SERVICES
from libs.common.http.openapi import openapi
from libs.common.service import Parts

Document = dict[str, Any]


def document_of(parts: Parts) -> Document:
    api = parts.api
    return openapi(api.title, api.description, api.version, f"/api/{api.service}/v1", api.routes)


@pytest.mark.parametrize("service", SERVICES)
def test_document_is_valid_openapi_and_complete(parts: dict[str, Parts], service: str) -> None:
    document = document_of(parts[service])
    OpenAPIV31SpecValidator(document).validate()
    operations = [
        operation for path in document["paths"].values() for method, operation in path.items() if method != "parameters"
    ]
    assert len(operations) >= len(parts[service].api.routes)
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["summary"] for operation in operations)


@pytest.mark.parametrize("service", SERVICES)
def test_every_path_lies_below_the_service_and_every_object_names_its_program(
    parts: dict[str, Parts], service: str
) -> None:
    for path in document_of(parts[service])["paths"]:
        assert path.startswith(f"/api/{service}/v1/")
        assert ("{candidate_id}" in path) <= ("{program}" in path)
