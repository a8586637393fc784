"""What goes to the audit log, and that nothing leaves without it."""

from functools import partial
from typing import Any

import pytest

from libs.common.errors import Unavailable
from libs.common.http.audit import WITHHELD, Access
from libs.common.http.models import Body, Nothing, Parameters, View
from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import CONFLICT, Problem
from libs.common.http.routes import ANY_CALLER, PUBLIC, Call, Route
from tests.unit.http.sample_api import BASE, Bearer, MakeClient, problem

PROGRAMS = ("cisco", "juniper")


class Kept:
    """A log in memory, which can be out of order from some record on."""

    programs = PROGRAMS

    def __init__(self, fails_from: int = 1_000) -> None:
        self.records: list[tuple[str, Access]] = []
        self._fails_from = fails_from

    async def write(self, program: str, access: Access) -> None:
        if len(self.records) >= self._fails_from:
            raise Unavailable
        self.records.append((program, access))


class Found(View):
    program: str
    candidate_id: str


class Items(View):
    items: list[Found]


class ItemPath(Parameters):
    program: str
    item: str


class Nobody(Body):
    pass


class Desk:
    """Notes which of its handlers ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    async def find_all(self, _call: Call) -> Items:
        self.ran.append("find_all")
        return Items(items=[Found(program=name, candidate_id=f"{name}-1") for name in PROGRAMS])

    async def change_one(self, call: Call[ItemPath, Nothing, Nobody]) -> Found:
        self.ran.append("change_one")
        if call.path.item == "taken":
            raise Problem(CONFLICT)
        if call.path.item == "broken":
            raise ValueError
        return Found(program=call.path.program, candidate_id="C1")

    def routes(self) -> list[Route[Any, Any, Any, Any]]:
        one = "/programs/{program}/items/{item}"
        listed = partial(Route, method="GET", handler=self.find_all, summary="x", response=Items)
        single = partial(
            Route,
            path=one,
            handler=self.change_one,
            summary="x",
            parameters=ItemPath,
            body=Nobody,
            response=Found,
            scopes=ANY_CALLER,
            errors=(CONFLICT,),
        )
        return [
            listed(path="/all", operation_id="list_all", scopes=ANY_CALLER),
            listed(path="/exempt", operation_id="list_exempt", scopes=ANY_CALLER, audited=False),
            listed(path="/open", operation_id="list_open", scopes=PUBLIC),
            single(method="PUT", operation_id="change_one"),
            single(method="POST", operation_id="ask_one", asks=True),
        ]


STAFF = Principal("staff:ann", Kind.STAFF, frozenset(PROGRAMS), frozenset())


async def test_a_list_over_programs_is_in_the_log_of_each_with_its_own_candidates(
    make_client: MakeClient, bearer: Bearer
) -> None:
    desk, kept = Desk(), Kept()
    client = await make_client(desk.routes(), trail=kept)
    assert (await client.get(f"{BASE}/all", headers=bearer(STAFF))).status == 200
    assert [(program, access.candidates) for program, access in kept.records] == [
        ("cisco", ["cisco-1"]),
        ("juniper", ["juniper-1"]),
    ]


async def test_exempt_and_public_routes_are_not_recorded(make_client: MakeClient, bearer: Bearer) -> None:
    kept = Kept()
    client = await make_client(Desk().routes(), trail=kept)
    assert (await client.get(f"{BASE}/exempt", headers=bearer(STAFF))).status == 200
    assert (await client.get(f"{BASE}/open")).status == 200
    assert (await client.get(f"{BASE}/all")).status == 401
    assert not kept.records


async def test_without_a_record_nothing_is_answered(make_client: MakeClient, bearer: Bearer) -> None:
    desk = Desk()
    client = await make_client(desk.routes(), trail=Kept(fails_from=0))
    response = await client.get(f"{BASE}/all", headers=bearer(STAFF))
    assert "cisco-1" not in await response.text()
    await problem(response, 503, "unavailable")
    assert desk.ran == ["find_all"]


async def test_without_a_record_nothing_is_changed(make_client: MakeClient, bearer: Bearer) -> None:
    desk = Desk()
    client = await make_client(desk.routes(), trail=Kept(fails_from=0))
    response = await client.put(f"{BASE}/programs/cisco/items/1", json={}, headers=bearer(STAFF))
    await problem(response, 503, "unavailable")
    assert not desk.ran


async def test_a_change_without_a_second_record_has_its_first(make_client: MakeClient, bearer: Bearer) -> None:
    kept = Kept(fails_from=1)
    client = await make_client(Desk().routes(), trail=kept)
    response = await client.put(f"{BASE}/programs/cisco/items/1", json={}, headers=bearer(STAFF))
    await problem(response, 503, "unavailable")
    assert [(access.step, access.status) for _, access in kept.records] == [("asked", 0)]


@pytest.mark.parametrize(
    ("item", "body", "steps"),
    [
        ("1", {}, [("asked", 0), ("answered", 200)]),
        ("taken", {}, [("asked", 0), ("answered", 409)]),
        ("1", {"more": 1}, [("asked", 0), ("answered", 422)]),
        ("broken", {}, [("asked", 0)]),
    ],
)
async def test_a_change_is_recorded_before_it_and_with_its_outcome(
    make_client: MakeClient, bearer: Bearer, item: str, body: dict[str, int], steps: list[tuple[str, int]]
) -> None:
    kept = Kept()
    client = await make_client(Desk().routes(), trail=kept)
    await client.put(f"{BASE}/programs/cisco/items/{item}", json=body, headers=bearer(STAFF))
    assert [(access.step, access.status) for _, access in kept.records] == steps
    assert {access.about["item"] for _, access in kept.records} == {item}
    assert {program for program, _ in kept.records} == {"cisco"}


async def test_a_question_by_post_is_recorded_once_and_not_where_candidates_ask(
    make_client: MakeClient, bearer: Bearer
) -> None:
    kept = Kept()
    client = await make_client(Desk().routes(), trail=kept)
    path = f"{BASE}/programs/cisco/items/1"
    assert (await client.post(path, json={}, headers=bearer())).status == 200
    assert not kept.records
    assert (await client.post(path, json={}, headers=bearer(STAFF))).status == 200
    assert [(access.step, access.candidates) for _, access in kept.records] == [("answered", ["C1"])]


async def test_values_of_a_query_are_not_kept(make_client: MakeClient, bearer: Bearer) -> None:
    kept = Kept()
    client = await make_client(Desk().routes(), trail=kept)
    query = {"email": "ada@example.com", "bob@example.com": "1"}
    assert (await client.get(f"{BASE}/all", params=query, headers=bearer(STAFF))).status == 422
    assert [access.query for _, access in kept.records] == [["email", WITHHELD]] * 2
    assert "@" not in str(kept.records)
