"""The document says what the service does: every route, every parameter, every problem."""

from typing import Annotated, Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import Field

from libs.common.http.models import Body, Parameters, View
from libs.common.http.openapi import openapi
from libs.common.http.paging import Page, PageQuery
from libs.common.http.problems import ProblemType
from libs.common.http.routes import ANY_CALLER, PUBLIC, Call, Reply, Route
from libs.common.http.server import Api
from tests.unit.http.sample_api import MakeClient

BASE = "/api/exams/v1"
TAKEN = ProblemType("test-taken", "It is taken", 409)


class Which(Parameters):
    order_id: Annotated[str, Field(pattern="^[a-z]+$", description="The order's id")]


class Search(PageQuery):
    state: str | None = None
    kind: tuple[str, ...] = ()
    since: Annotated[int, Field(ge=0)]


class Shared(View):
    """Read and written in two shapes: what has a default may be left out on the way in only."""

    name: str
    size: int = 1


class Place(Body):
    items: list[Shared]


class Order(View):
    order_id: str
    items: list[Shared]


async def list_orders(_call: Call[Any, Search]) -> Page[Order]:
    """Orders, newest first."""
    return Page[Order](items=[])


async def place_order(_call: Call[Any, Any, Place]) -> Reply[Order]:
    return Reply(Order(order_id="a", items=[]))


async def show_order(_call: Call[Which]) -> Order:
    return Order(order_id="a", items=[])


async def drop_order(_call: Call[Which]) -> None:
    return None


ROUTES: tuple[Route[Any, Any, Any, Any], ...] = (
    Route(
        method="GET",
        path="/orders",
        handler=list_orders,
        summary="List",
        response=Page[Order],
        scopes=frozenset({"orders:read"}),
        query=Search,
        tags=("orders",),
    ),
    Route(
        method="POST",
        path="/orders",
        handler=place_order,
        summary="Place",
        response=Order,
        scopes=frozenset({"orders:write"}),
        body=Place,
        status=201,
        errors=(TAKEN,),
        idempotent=True,
    ),
    Route(
        method="GET",
        path="/orders/{order_id}",
        handler=show_order,
        summary="Show",
        response=Order,
        scopes=PUBLIC,
        parameters=Which,
        deprecated=True,
    ),
    Route(
        method="DELETE",
        path="/orders/{order_id}",
        handler=drop_order,
        summary="Drop",
        response=None,
        scopes=ANY_CALLER,
        parameters=Which,
        status=204,
        operation_id="cancel_order",
    ),
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    api = Api("exams", "Exams", "Exams and results.", "1.2.0", ROUTES)
    return openapi(api.title, api.description, api.version, api.base, api.routes)


def operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][BASE + path][method]
    return found


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()


def test_every_route_is_in_it_under_a_stable_name(document: dict[str, Any]) -> None:
    documented = {
        (method.upper(), path, found["operationId"])
        for path, item in document["paths"].items()
        for method, found in item.items()
    }
    assert documented == {
        ("GET", f"{BASE}/orders", "list_orders"),
        ("POST", f"{BASE}/orders", "place_order"),
        ("GET", f"{BASE}/orders/{{order_id}}", "show_order"),
        ("DELETE", f"{BASE}/orders/{{order_id}}", "cancel_order"),
    }


def test_parameters_are_written_as_a_url_can_carry_them(document: dict[str, Any]) -> None:
    found = {one["name"]: one for one in operation(document, "get", "/orders")["parameters"]}
    assert {name: one["required"] for name, one in found.items()} == {
        "limit": False,
        "cursor": False,
        "state": False,
        "kind": False,
        "since": True,
    }
    assert found["state"]["schema"]["type"] == "string"
    assert "default" not in found["state"]["schema"]
    assert found["limit"]["schema"] == {
        "type": "integer", "minimum": 1, "maximum": 200, "default": 50, "title": "Limit"
    }  # fmt: skip
    path = operation(document, "get", "/orders/{order_id}")["parameters"]
    assert [(one["in"], one["name"], one["required"]) for one in path] == [("path", "order_id", True)]
    assert "Search" not in document["components"]["schemas"]


def test_what_is_read_and_what_is_written_have_their_own_schemas(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Shared-Input"]["required"] == ["name"]
    assert schemas["Shared-Output"]["required"] == ["name", "size"]


def test_problems_are_listed_with_their_types(document: dict[str, Any]) -> None:
    responses = operation(document, "post", "/orders")["responses"]
    assert list(responses) == ["201", "400", "401", "403", "409", "413", "415", "422", "500", "503", "504"]
    conflict = responses["409"]["content"]["application/problem+json"]
    assert set(conflict["examples"]) == {"idempotency-in-progress", "test-taken"}
    assert conflict["schema"] == {"$ref": "#/components/schemas/ProblemDetails"}


def test_scopes_are_listed_and_public_routes_ask_for_nothing(document: dict[str, Any]) -> None:
    assert operation(document, "get", "/orders")["security"] == [{"bearer": ["orders:read"]}]
    assert operation(document, "delete", "/orders/{order_id}")["security"] == [{"bearer": []}]
    assert operation(document, "get", "/orders/{order_id}")["security"] == []
    assert "401" not in operation(document, "get", "/orders/{order_id}")["responses"]


def test_idempotency_paging_and_deprecation_are_said(document: dict[str, Any]) -> None:
    assert [one["name"] for one in operation(document, "post", "/orders")["parameters"]] == ["Idempotency-Key"]
    assert "Link" in operation(document, "get", "/orders")["responses"]["200"]["headers"]
    assert operation(document, "get", "/orders/{order_id}")["deprecated"] is True
    assert operation(document, "get", "/orders")["description"] == "Orders, newest first."


def test_two_routes_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="list_orders"):
        openapi("t", "d", "1", BASE, [ROUTES[0], ROUTES[0]])


async def test_it_is_served_to_everyone_and_names_every_registered_route(make_client: MakeClient) -> None:
    readable = [route for route in ROUTES if not route.idempotent]
    client = await make_client(readable)
    response = await client.get(f"{BASE}/openapi.json")
    assert response.headers["Cache-Control"] == "public, max-age=300"
    served = await response.json()
    registered = {
        (route.method, route.resource.canonical)
        for route in client.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    documented = {(method.upper(), path) for path, item in served["paths"].items() for method in item}
    assert registered - documented == {("GET", f"{BASE}/openapi.json")}
    assert documented <= registered


async def test_idempotent_routes_need_somewhere_to_keep_answers(make_client: MakeClient) -> None:
    with pytest.raises(ValueError, match="nowhere to keep"):
        await make_client(ROUTES)
