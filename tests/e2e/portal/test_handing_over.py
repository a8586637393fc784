"""Between us and others in a browser: in by the program's provider, on to a vendor by form and by OpenID Connect."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.e2e.portal.handing import HandingStage
from tests.e2e.portal.people import PASSWORD, World, left, people_on
from tests.e2e.stage import opened
from tests.servers import AMQP_ADMIN_URL, MONGO_ADMIN_URL, broker_for_session, mongo_for_session


@pytest_asyncio.fixture(scope="module")
async def handing() -> AsyncIterator[World]:
    """A platform with a provider and a vendor that take candidates in, on servers beside those of the other pages."""
    if MONGO_ADMIN_URL in os.environ or AMQP_ADMIN_URL in os.environ:
        pytest.skip("servers that are given carry one platform, and that is the other")
    async with (
        mongo_for_session() as mongo,
        broker_for_session() as broker,
        opened(HandingStage, mongo, broker) as stage,
        stage.provider.running(),
        stage.test_centre.open(),
        people_on(stage) as world,
    ):
        yield world


@asynccontextmanager
async def stranger(world: World) -> AsyncIterator[Page]:
    """A browser in which nobody is signed in; scripts are off."""
    context = await world.browser.new_context(base_url=world.stage.public_url, java_script_enabled=False)
    try:
        yield await context.new_page()
    finally:
        await context.close()


def path(page: Page) -> str:
    return urlsplit(page.url).path


async def heading(page: Page) -> str:
    return (await page.locator("h1").inner_text()).replace("\xa0", " ")


async def words(page: Page) -> str:
    return (await page.locator("main").inner_text()).replace("\xa0", " ")


def unknown_client(world: World) -> str:
    return f"{world.stage.public_url}/api/identity/v1/provider/authorize?client_id=nobody"


async def at_provider(page: Page) -> None:
    await page.goto("/sign-in/cisco")
    await page.get_by_role("link", name="Sign in with Acme ID").click()


async def sign_in_there(page: Page) -> None:
    await page.get_by_placeholder("Enter any login").fill("silent")
    await page.get_by_placeholder("and password").fill("any")
    await page.get_by_role("button", name="Sign-in").click()
    await page.get_by_role("button", name="Continue").click()


async def to_vendor(page: Page, exam: str) -> None:
    await page.goto(f"/exams/schedule?exam={exam}")
    await page.get_by_label("Vendor").select_option("vue")
    await page.get_by_role("button", name="Go on to the vendor").click()


async def test_an_id_of_the_provider_is_theirs_once_it_is_proved(handing: World) -> None:
    person = await handing.candidate()
    await handing.activate(person)
    async with stranger(handing) as page:
        await at_provider(page)
        await sign_in_there(page)
        assert await heading(page) == "Which account is yours?"
        answer = page.url
        await page.locator("#login").fill(person.candidate_id)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Connect the accounts").click()
        await left(page, "/sign-in")
        await page.goto("/profile/ids")
        assert "By signing in there" in await page.locator("tr", has_text="silent").inner_text()
        await page.goto(answer)
        assert "begun too long ago, or elsewhere. Begin again." in await words(page), "an answer is good once"
    async with stranger(handing) as page:
        await page.goto("/exams")
        await at_provider(page)
        await sign_in_there(page)
        assert path(page) == "/exams", "from then on the provider is enough"
        assert "200-301" in await words(page), "what they passed is theirs"


async def test_whoever_turns_back_at_the_provider_hears_what_to_do(handing: World) -> None:
    async with stranger(handing) as page:
        await at_provider(page)
        await page.get_by_role("link", name="Cancel").click()
        assert path(page) == "/sign-in/cisco"
        assert "Acme ID didn't let you in, or you went back. Nothing has changed." in await words(page)
        await page.get_by_role("link", name="Sign in with Acme ID").click()
        assert path(page).startswith("/interaction/")
        await page.go_back()
        assert "Begin again." in await words(page), "the answer of the first time is no answer to the second"
        await page.get_by_role("link", name="Sign in with Acme ID").click()
        assert path(page).startswith("/interaction/")


async def test_a_vendor_learns_by_openid_who_comes(handing: World) -> None:
    person = await handing.newcomer()
    async with handing.signed_in(person) as context:
        page = await context.new_page()
        await to_vendor(page, "JN0-106")
        assert await heading(page) == "You go to Test Centres now, signed in"
        link = page.get_by_role("link", name="Go to Test Centres")
        spent = str(await link.get_attribute("href"))
        await link.click()
        assert await heading(page) == f"Welcome {person.candidate_id}"
        done = str(await page.get_by_role("link", name="Done").get_attribute("href"))
        await page.get_by_role("link", name="Cut").click()
        assert await heading(page) == "This way back has ended"
        await page.get_by_role("link", name="Look at your exams").click()
        assert path(page) == "/exams"
        await page.goto(done)
        assert path(page) == "/exams"
        await page.goto(spent)
        assert await heading(page) == "Not let in: login_required. Begin again where you came from."
        await page.goto(unknown_client(handing))
        assert await heading(page) == "This way back has ended", "where nobody can be sent on to, there is a page"
    async with stranger(handing) as page:
        await page.goto(done)
        assert path(page) == "/sign-in", "the way back opens nothing"


async def test_going_back_from_a_vendor_leads_to_another_way_there(handing: World) -> None:
    person = await handing.newcomer()
    async with handing.signed_in(person) as context:
        page = await context.new_page()
        await to_vendor(page, "JN0-106")
        for _ in range(2):
            await page.get_by_role("link", name="Go to Test Centres").click()
            assert await heading(page) == f"Welcome {person.candidate_id}"
            await page.go_back()
            assert await heading(page) == "You go to Test Centres now, signed in"


async def test_a_vendor_learns_by_a_signed_form_who_comes(handing: World) -> None:
    person = await handing.candidate()
    await handing.activate(person)
    async with handing.signed_in(person) as context:
        page = await context.new_page()
        await to_vendor(page, "200-301")
        for _ in range(2):
            await page.get_by_role("button", name="Go to Test Centres").click()
            await page.wait_for_url("http://localhost:*/**")
            assert await heading(page) == f"Welcome {person.candidate_id}", "by way of another host of the vendor's"
            await page.go_back()
        await page.go_forward()
        await page.get_by_role("link", name="Forged").click()
        assert await heading(page) == "This way back has ended"
        await page.go_back()
        await page.get_by_role("link", name="Done").click()
        assert path(page) == "/exams"
