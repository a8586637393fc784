"""The portal's way through a program's own identity provider: there, back, and into an account that is proved once."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from libs.common.mongo.client import open_client
from libs.common.programs import Program
from services.portal.app import build
from services.portal.settings import PortalSettings
from tests.nodes import needs_node
from tests.servers import MongoUnderTest
from tests.service.identity_station import PASSWORD, IdentityStation
from tests.service.node_provider import SECRET, Browser, NodeProvider, open_browser
from tests.service.openid_visit import keep_up, offer

pytestmark = needs_node

PEOPLE = {"ada": {"email": "P1@example.com", "email_verified": True}, "silent": {}}
_TOKEN = re.compile(r'name="token" value="(\w+)"')


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def provider() -> AsyncIterator[NodeProvider]:
    async with NodeProvider(PEOPLE).running() as provider:
        yield provider


@pytest.fixture
def programs(programs: dict[str, Program], provider: NodeProvider) -> dict[str, Program]:
    programs = dict(programs)
    offer(programs, provider.given())
    return programs


@pytest.fixture
def identity_settings(tmp_path: Path) -> dict[str, Any]:
    secrets = tmp_path / "openid-secrets.json"
    secrets.write_text(json.dumps({"cisco": SECRET, "juniper": SECRET}))
    return {"openid_secrets_file": secrets}


class Pages:
    """A browser before the portal."""

    def __init__(self, client: Any, station: IdentityStation) -> None:
        self._client = client
        self._station = station

    async def get(self, path: str) -> tuple[int, str]:
        """Status, and the page or where it sends on to."""
        return await self._answer(await self._client.get(path, allow_redirects=False))

    async def send(self, page: str, path: str, **fields: str) -> tuple[int, str]:
        """Send a form of a page."""
        token = _TOKEN.search(page)
        assert token is not None, page
        return await self._answer(
            await self._client.post(path, data={"token": token[1], **fields}, allow_redirects=False)
        )

    async def go(self, browser: Browser, account: str, query: str = "") -> str:
        """Go to the provider and sign in there. Returns the address that it sends back to."""
        status, there = await self.get(f"/sign-in/cisco/provider{query}")
        assert status == 303
        keep_up(self._station.base.clock)
        return f"/sign-in/cisco?{urlencode(await browser.sign_in(there, account))}"

    async def _answer(self, response: aiohttp.ClientResponse) -> tuple[int, str]:
        return response.status, response.headers.get("Location") or await response.text()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as browser:
        yield browser


@asynccontextmanager
async def pages_of(station: IdentityStation, programs: dict[str, Program], mongo: MongoUnderTest) -> Any:
    identity_url = str(station.client.make_url("")).rstrip("/")
    settings = PortalSettings.model_construct(
        portal_secret=SecretStr("p" * 32),
        identity_url=identity_url,
        jwks_url=f"{identity_url}/api/identity/v1/jwks.json",
        token_issuer="certrail",
        read_seconds=5.0,
    )
    client = open_client(mongo.url("portal"), application="test")
    try:
        async with aiohttp.ClientSession() as http:
            app = build(settings, programs, client, http, station.base.clock)
            async with TestClient(TestServer(app)) as portal:
                yield Pages(portal, station)
    finally:
        client.close()


@pytest.fixture
async def pages(station: IdentityStation, programs: dict[str, Program], mongo: MongoUnderTest) -> AsyncIterator[Pages]:
    async with pages_of(station, programs, mongo) as pages:
        yield pages


@pytest.fixture
async def others(station: IdentityStation, programs: dict[str, Program], mongo: MongoUnderTest) -> AsyncIterator[Pages]:
    """Another browser."""
    async with pages_of(station, programs, mongo) as pages:
        yield pages


async def test_whom_the_provider_vouches_for_comes_in_where_they_wanted(
    station: IdentityStation, pages: Pages, browser: Browser
) -> None:
    await station.open_account("P1")
    _, page = await pages.get("/sign-in/cisco")
    assert "Sign in with Acme ID" in page
    back = await pages.go(browser, "ada", "?then=/security")
    assert await pages.get(back) == (303, "/security")
    status, page = await pages.get("/security")
    assert (status, "p1@example.com" in page.lower()) == (200, True)
    assert "begun too long ago" in (await pages.get(back))[1], "an answer is good once"


async def test_only_the_browser_that_went_there_can_come_back(
    station: IdentityStation, pages: Pages, others: Pages, browser: Browser
) -> None:
    await station.open_account("P1")
    back = await pages.go(browser, "ada")
    status, page = await others.get(back)
    assert (status, "begun too long ago, or elsewhere" in page) == (200, True)
    assert (await others.get("/security"))[0] == 303
    assert await pages.get(back) == (303, "/"), "nothing was used up"


async def test_whose_account_it_is_is_proved_once_by_password(
    station: IdentityStation, pages: Pages, others: Pages, browser: Browser
) -> None:
    candidate_id = await station.open_account("P1")
    _, page = await pages.get(await pages.go(browser, "silent"))
    assert "Which account is yours?" in page
    path = "/sign-in/cisco/proof"
    _, page = await pages.send(page, path, login=candidate_id, password="not the right one")
    assert "don&#39;t fit together" in page
    assert candidate_id in page, "what was typed is kept"
    assert await pages.send(page, path, login=candidate_id, password=PASSWORD) == (303, "/#top")
    assert await others.get(await others.go(browser, "silent")) == (303, "/"), "from then on the provider is enough"


async def test_the_link_of_a_mail_proves_it_as_well(station: IdentityStation, pages: Pages, browser: Browser) -> None:
    candidate_id = await station.open_account("P1")
    _, page = await pages.get(await pages.go(browser, "silent"))
    _, sent = await pages.send(page, "/recover/cisco", login=candidate_id)
    assert "a mail is on its way" in sent
    await station.run("access-requests")
    link = station.tokens_for(candidate_id)[-1]
    _, page = await pages.get(f"/activate?token={link}")
    assert "Connect your account with Acme ID" in page
    assert await pages.send(page, "/sign-in/cisco/proof", link=link) == (303, "/#top")


async def test_whoever_turns_back_at_the_provider_hears_that_nothing_has_changed(pages: Pages) -> None:
    _, there = await pages.get("/sign-in/cisco/provider")
    state = dict(part.split("=") for part in there.partition("?")[2].split("&"))["state"]
    status, page = await pages.get(f"/sign-in/cisco?error=access_denied&state={state}")
    assert (status, "didn&#39;t let you in, or you went back" in page) == (200, True)
