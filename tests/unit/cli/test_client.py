"""The operator's HTTP client and its access token."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy.cli.access import Access, OperatorSettings
from deploy.cli.client import OperatorClient
from deploy.cli.errors import CliError
from deploy.local.settings import LocalSettings
from libs.common.clock import FixedClock

LIFETIME_SECONDS = 900


class Platform:
    """Gives out numbered tokens and takes only the latest."""

    def __init__(self) -> None:
        self.tokens = 0
        self.rows = 5

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/identity/v1/tokens", self.issue)
        app.router.add_get("/api/exams/v1/rejections", self.list)
        return app

    async def issue(self, request: web.Request) -> web.Response:
        if (await request.json())["client_secret"] != "right":
            return web.json_response({"title": "A valid access token is needed", "status": 401}, status=401)
        self.tokens += 1
        return web.json_response({"access_token": f"t{self.tokens}", "expires_in": LIFETIME_SECONDS})

    async def list(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"] != f"Bearer t{self.tokens}":
            return web.json_response({"title": "A valid access token is needed"}, status=401)
        limit, start = int(request.query["limit"]), int(request.query.get("cursor", "0"))
        if limit > 200:
            fault = {"path": "query.limit", "message": "at most 200"}
            return web.json_response({"title": "The request does not fit", "errors": [fault]}, status=422)
        end = min(start + limit, self.rows)
        items = [{"n": n} for n in range(start, end)]
        return web.json_response({"items": items, "next": str(end) if end < self.rows else None})


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 22, tzinfo=UTC))


@pytest.fixture
async def url(platform: Platform) -> AsyncIterator[str]:
    async with TestServer(platform.app()) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def client(url: str, session: aiohttp.ClientSession, clock: FixedClock, secret: str = "right") -> OperatorClient:
    given = OperatorSettings(gateway_url=url, operator_secret=secret)  # type: ignore[arg-type]
    return OperatorClient(Access(LocalSettings(state_dir=Path("nowhere")), given), session, clock)


async def test_one_token_serves_many_requests_until_shortly_before_its_end(
    platform: Platform, url: str, session: aiohttp.ClientSession, clock: FixedClock
) -> None:
    operator = client(url, session, clock)
    await operator.get("exams", "/rejections", limit=1)
    clock.advance(timedelta(seconds=LIFETIME_SECONDS - 60))
    await operator.get("exams", "/rejections", limit=1)
    assert platform.tokens == 1
    clock.advance(timedelta(seconds=50))
    await operator.get("exams", "/rejections", limit=1)
    assert platform.tokens == 2


async def test_a_token_refused_early_is_fetched_anew(
    platform: Platform, url: str, session: aiohttp.ClientSession, clock: FixedClock
) -> None:
    operator = client(url, session, clock)
    await operator.get("exams", "/rejections", limit=1)
    platform.tokens = 7  # signed by keys that are gone
    assert (await operator.get("exams", "/rejections", limit=1))["items"] == [{"n": 0}]


async def test_a_list_is_read_to_its_last_page(url: str, session: aiohttp.ClientSession, clock: FixedClock) -> None:
    rows = [row["n"] async for row in client(url, session, clock).pages("exams", "/rejections", limit=2)]
    assert rows == [0, 1, 2, 3, 4]


async def test_a_problem_becomes_a_message_that_names_the_field(
    url: str, session: aiohttp.ClientSession, clock: FixedClock
) -> None:
    with pytest.raises(CliError, match=r"422.*query\.limit: at most 200"):
        await client(url, session, clock).get("exams", "/rejections", limit=201)


async def test_a_wrong_secret_is_told_and_not_tried_again(
    platform: Platform, url: str, session: aiohttp.ClientSession, clock: FixedClock
) -> None:
    with pytest.raises(CliError, match="401"):
        await client(url, session, clock, secret="wrong").get("exams", "/rejections", limit=1)
    assert platform.tokens == 0
