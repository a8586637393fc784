"""A small API with one route of each kind, for the tests of the HTTP kit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

from aiohttp import web
from aiohttp.test_utils import TestClient
from pydantic import Field

from libs.common.errors import Unavailable
from libs.common.events.types import Identifier
from libs.common.http.files import Download, Upload
from libs.common.http.models import Body, Nothing, Parameters, View
from libs.common.http.paging import Cursor, Page, PageQuery
from libs.common.http.problems import NOT_FOUND, Problem, ProblemType
from libs.common.http.routes import ANY_CALLER, PUBLIC, Call, Reply, Route

BASE = "/api/exams/v1"
GONE = ProblemType("test-gone", "It is gone", 410)

Client = TestClient[web.Request, web.Application]
Bearer = Callable[..., dict[str, str]]
MakeClient = Callable[..., Awaitable[Client]]


class OfCandidate(Parameters):
    candidate_id: Identifier


class Filter(PageQuery):
    exam: Annotated[tuple[str, ...], Field(max_length=3)] = ()


class Note(Body):
    text: Annotated[str, Field(max_length=100)]
    stars: Annotated[int, Field(ge=1, le=5)] = 3
    weight: float = 1.0


class Row(View):
    number: int
    text: str = "ö"


class Richer(View):
    number: int
    secret: str


ROWS = Cursor("rows", int)


async def show(call: Call[OfCandidate]) -> Row:
    call.principal.require("cisco", call.path.candidate_id)
    return Row(number=1)


async def list_rows(call: Call[Nothing, Filter]) -> Page[Row]:
    """Numbers."""
    start = ROWS.decode(call.query.cursor)
    rows = range(5) if start is None else range(start + 1, 5)
    return ROWS.page(Page[Row], rows, call.query.limit, key=int, show=lambda number: Row(number=number))


async def write(call: Call[Nothing, Nothing, Note]) -> Reply[Row]:
    return Reply(Row(number=call.body.stars, text=call.body.text), {"Location": "/rows/3"})


async def remove(call: Call[OfCandidate]) -> None:
    if call.path.candidate_id == "gone":
        raise Problem(GONE, "since yesterday")


async def fail(call: Call[OfCandidate]) -> Row:
    match call.path.candidate_id:
        case "crash":
            raise RuntimeError("ada@example.org has no such thing")
        case "outage":
            raise Unavailable("mongo-7.internal")
        case "slow-dependency":
            raise TimeoutError
        case "dependency":
            raise web.HTTPFailedDependency
        case "leak":
            return Richer(number=1, secret="s")  # type: ignore[return-value]
        case _:
            await asyncio.sleep(30)
    return Row(number=1)


class Picture(Upload):
    media_types = ("image/png", "image/jpeg")
    max_bytes = 5000


class Table(Download):
    media_types = ("text/csv",)


async def upload(call: Call[Nothing, Nothing, Picture]) -> Row:
    return Row(number=len(call.body.content), text=call.body.media_type)


async def download(_call: Call) -> Table:
    async def lines() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"%d\r\n" % number

    return Table("text/csv", "table.csv", lines())


CANDIDATE_PATH = "/candidates/{candidate_id}"
READ = frozenset({"history:read"})

SHOW = Route(
    method="GET",
    path=CANDIDATE_PATH,
    handler=show,
    summary="Show",
    response=Row,
    scopes=READ,
    parameters=OfCandidate,
    errors=(NOT_FOUND,),
)
LIST = Route(
    method="GET",
    path="/rows",
    handler=list_rows,
    summary="List",
    response=Page[Row],
    scopes=PUBLIC,
    query=Filter,
)
WRITE = Route(
    method="POST",
    path="/rows",
    handler=write,
    summary="Write",
    response=Row,
    scopes=PUBLIC,
    body=Note,
    status=201,
)
REMOVE = Route(
    method="DELETE",
    path=CANDIDATE_PATH,
    handler=remove,
    summary="Remove",
    response=None,
    scopes=ANY_CALLER,
    parameters=OfCandidate,
    status=204,
    errors=(GONE,),
)
FAIL = Route(
    method="GET",
    path="/failures/{candidate_id}",
    handler=fail,
    summary="Fail",
    response=Row,
    scopes=PUBLIC,
    parameters=OfCandidate,
)
UPLOAD = Route(
    method="POST",
    path="/pictures",
    handler=upload,
    summary="Upload",
    response=Row,
    scopes=PUBLIC,
    body=Picture,
    status=201,
)
DOWNLOAD = Route(
    method="GET",
    path="/table",
    handler=download,
    summary="Download",
    response=Table,
    scopes=PUBLIC,
)
ROUTES = (SHOW, LIST, WRITE, REMOVE, FAIL, UPLOAD, DOWNLOAD)


async def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status == status
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = await response.json(content_type=None)
    assert body["type"] == f"urn:certrail:problem:{code}"
    assert body["status"] == status
    return body
