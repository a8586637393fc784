"""What comes in is checked, and what goes out is what the route says."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from yarl import URL

from libs.common.http.principal import Kind, Principal
from libs.common.http.routes import PUBLIC, Route
from tests.unit.http.sample_api import (
    BASE,
    CANDIDATE_PATH,
    READ,
    Bearer,
    Client,
    Note,
    OfCandidate,
    Row,
    Table,
    problem,
    show,
)


async def test_a_candidate_reads_their_own(client: Client, bearer: Bearer) -> None:
    response = await client.get(f"{BASE}/candidates/CSCO1", headers=bearer())
    assert await response.json() == {"number": 1, "text": "ö"}
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Server"] == "certrail"


async def test_head_answers_like_get_without_a_body(client: Client, bearer: Bearer) -> None:
    response = await client.head(f"{BASE}/candidates/CSCO1", headers=bearer())
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/json"
    assert await response.read() == b""


async def test_another_candidate_is_not_found(client: Client, bearer: Bearer) -> None:
    await problem(await client.get(f"{BASE}/candidates/CSCO2", headers=bearer()), 404, "not-found")


async def test_another_programs_candidate_is_not_found_by_staff(client: Client, bearer: Bearer) -> None:
    staff = Principal("s", Kind.STAFF, frozenset({"juniper"}), READ)
    await problem(await client.get(f"{BASE}/candidates/CSCO1", headers=bearer(staff)), 404, "not-found")


async def test_without_a_token_there_is_a_challenge(client: Client) -> None:
    response = await client.get(f"{BASE}/candidates/CSCO1")
    await problem(response, 401, "unauthenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_without_the_scope_there_is_a_refusal_that_names_it(client: Client, bearer: Bearer) -> None:
    poor = Principal("ada", Kind.CANDIDATE, frozenset({"cisco"}), frozenset(), "CSCO1")
    response = await client.get(f"{BASE}/candidates/CSCO1", headers=bearer(poor))
    await problem(response, 403, "forbidden")
    assert 'scope="history:read"' in response.headers["WWW-Authenticate"]


async def test_a_wrong_path_parameter_is_named(client: Client, bearer: Bearer) -> None:
    response = await client.get(f"{BASE}/candidates/a%20%FFb", headers=bearer())
    body = await problem(response, 422, "invalid-request")
    assert [error["path"] for error in body["errors"]] == ["path.candidate_id"]


@pytest.mark.parametrize(
    ("query", "path", "code"),
    [
        ("limit=0", "query.limit", "greater_than_equal"),
        ("limit=201", "query.limit", "less_than_equal"),
        ("limit=ten", "query.limit", "int_parsing"),
        ("limit=1&limit=2", "query.limit", "repeated"),
        ("cursor=%00", "query.cursor", "cursor"),
        ("limt=1", "query.limt", "extra_forbidden"),
        ("exam=a&exam=b&exam=c&exam=d", "query.exam", "too_long"),
    ],
)
async def test_a_wrong_query_parameter_is_named(client: Client, query: str, path: str, code: str) -> None:
    body = await problem(await client.get(f"{BASE}/rows?{query}"), 422, "invalid-request")
    assert [(error["path"], error["code"]) for error in body["errors"]] == [(path, code)]


async def test_a_parameter_of_a_route_that_has_none_is_refused(client: Client, bearer: Bearer) -> None:
    response = await client.get(f"{BASE}/candidates/CSCO1?as=admin", headers=bearer())
    await problem(response, 422, "invalid-request")


async def test_following_the_link_shows_every_row_once(client: Client) -> None:
    numbers: list[int] = []
    url = f"{BASE}/rows?limit=2&exam=200-301&exam=a%26b"
    for pages in range(1, 10):
        response = await client.get(url)
        body = await response.json()
        numbers += [row["number"] for row in body["items"]]
        following = response.links.get("next")
        assert (following is None) == (body["next"] is None)
        if following is None:
            assert pages == 3
            break
        target = URL(str(following["url"]))
        assert target.query.getall("exam") == ["200-301", "a&b"]
        url = str(target.relative())
    assert numbers == list(range(5))


async def test_a_body_is_read_and_the_answer_says_where_it_went(client: Client) -> None:
    response = await client.post(f"{BASE}/rows", json={"text": "好", "stars": 5})
    assert response.status == 201
    assert response.headers["Location"] == "/rows/3"
    assert await response.json() == {"number": 5, "text": "好"}


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b'{"text": "\xff"}', b"{", b"[" * 1500, b'{"text": "\\ud800"}', b"text=a"],
)
async def test_what_is_not_json_is_refused(client: Client, body: bytes) -> None:
    response = await client.post(f"{BASE}/rows", data=body, headers={"Content-Type": "application/json"})
    await problem(response, 400, "malformed-body")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("[]", "body"),
        ('{"stars": 3}', "body.text"),
        ('{"text": "a", "stars": "3"}', "body.stars"),
        ('{"text": "a", "stars": true}', "body.stars"),
        ('{"text": "a", "stars": 1e400}', "body.stars"),
        ('{"text": "a", "weight": NaN}', "body.weight"),
        ('{"text": "a", "admin": true}', "body.admin"),
        ('{"text": ["a"]}', "body.text"),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_by_field(client: Client, body: str, path: str) -> None:
    response = await client.post(f"{BASE}/rows", data=body, headers={"Content-Type": "application/json"})
    found = await problem(response, 422, "invalid-request")
    assert [error["path"] for error in found["errors"]] == [path]


async def test_a_refusal_lists_no_more_errors_than_can_be_read(client: Client) -> None:
    body = {"text": "a", **{f"x{number}": 1 for number in range(120)}}
    found = await problem(await client.post(f"{BASE}/rows", json=body), 422, "invalid-request")
    assert len(found["errors"]) == 50


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data"])
async def test_another_content_type_is_refused(client: Client, content_type: str) -> None:
    response = await client.post(f"{BASE}/rows", data=b"{}", headers={"Content-Type": content_type})
    await problem(response, 415, "unsupported-media-type")


async def test_a_body_over_the_limit_is_refused(client: Client) -> None:
    await problem(await client.post(f"{BASE}/rows", json={"text": "a" * 3000}), 413, "too-large")


async def test_a_body_that_grows_over_the_limit_when_unpacked_is_refused(client: Client) -> None:
    packed = gzip.compress(json.dumps({"text": "a" * 1_000_000}).encode())
    assert len(packed) < 2000
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    await problem(await client.post(f"{BASE}/rows", data=packed, headers=headers), 413, "too-large")


async def test_a_body_that_is_not_what_its_encoding_says_is_refused(client: Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await client.post(f"{BASE}/rows", data=b"{}", headers=headers)
    assert response.status == 400


async def test_a_file_reaches_its_handler_whole(client: Client) -> None:
    content = bytes(range(256)) * 19
    response = await client.post(f"{BASE}/pictures", data=content, headers={"Content-Type": "image/png"})
    assert (response.status, await response.json()) == (201, {"number": 4864, "text": "image/png"})


async def test_a_file_of_another_kind_is_refused(client: Client) -> None:
    response = await client.post(f"{BASE}/pictures", data=b"<svg/>", headers={"Content-Type": "image/svg+xml"})
    found = await problem(response, 415, "unsupported-media-type")
    assert found["detail"] == "send one of image/png, image/jpeg"


@pytest.mark.parametrize("told", [True, False], ids=["by its length", "while it is read"])
async def test_a_file_over_its_own_limit_is_refused(client: Client, told: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(6):
            yield b"x" * 1000

    content: Any = b"x" * 6000 if told else chunks()
    response = await client.post(f"{BASE}/pictures", data=content, headers={"Content-Type": "image/png"})
    await problem(response, 413, "too-large")


async def test_a_file_is_offered_for_saving(client: Client) -> None:
    response = await client.get(f"{BASE}/table")
    assert await response.read() == b"0\r\n1\r\n2\r\n"
    assert response.headers["Content-Disposition"] == 'attachment; filename="table.csv"'
    assert response.headers["Content-Type"] == "text/csv"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["", ".hidden", 'a".csv', "a b", "ä.csv", "a\r\nSet-Cookie: b"])
def test_a_file_name_that_needs_quoting_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a plain file name"):
        Table("text/csv", name, b"")


async def test_nothing_to_show_is_an_empty_204(client: Client, bearer: Bearer) -> None:
    response = await client.delete(f"{BASE}/candidates/CSCO1", headers=bearer())
    assert response.status == 204
    assert "Content-Type" not in response.headers


async def test_a_handlers_own_problem_reaches_the_caller(client: Client, bearer: Bearer) -> None:
    response = await client.delete(f"{BASE}/candidates/gone", headers=bearer())
    assert (await problem(response, 410, "test-gone"))["detail"] == "since yesterday"


async def test_unknown_paths_and_methods_are_problems(client: Client) -> None:
    await problem(await client.get("/nowhere"), 404, "not-found")
    response = await client.put(f"{BASE}/rows")
    await problem(response, 405, "method-not-allowed")
    assert response.headers["Allow"] == "GET,HEAD,POST"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"method": "FETCH"}, "method must be one of"),
        ({"path": "rows"}, "path must begin"),
        ({"path": "/rows/{other}"}, "the same fields"),
        ({"method": "GET", "body": Note}, "body needs"),
        ({"method": "POST", "idempotent": True, "scopes": PUBLIC}, "scopes cannot be PUBLIC"),
        ({"method": "PUT", "idempotent": True}, "idempotent is for POST"),
        ({"status": 204}, "204"),
    ],
)
def test_a_route_that_cannot_work_is_refused_at_the_start(change: dict[str, Any], why: str) -> None:
    plain: dict[str, Any] = {
        "method": "GET",
        "path": CANDIDATE_PATH,
        "handler": show,
        "summary": "Show",
        "response": Row,
        "scopes": READ,
        "parameters": OfCandidate,
    }
    with pytest.raises(ValueError, match=why):
        Route(**{**plain, **change})
