"""A candidate in a browser, on the whole platform: in by the link of the mail, and through every page there is."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Response, ViewportSize

from tests.browsers import needs_browser, open_browser
from tests.e2e import desk
from tests.e2e.samples import EXAM, registration, result
from tests.e2e.stage import Stage
from tests.e2e.vendor import Vendor, vendor_message
from tests.e2e.waiting import eventually
from tests.nodes import PACKAGES, needs_node

pytestmark = [needs_browser, needs_node]

NUMBER, EMAIL = "V-2077", "grace@example.com"
PASSWORD = "plenty of quiet marmalade"
AXE = PACKAGES / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ("/", "/account", "/?view=table", "/certifications", "/certifications/CCNA", "/exams", "/mails")
MOST_BYTES = 100_000
"""Of a page with all that it loads, unpacked."""


@pytest_asyncio.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module")
async def candidate_id(stage: Stage, vendor: Vendor, session: aiohttp.ClientSession) -> str:
    """Somebody who has registered and passed, and whose kit is offered, so that nothing more is under way."""
    await stage.start_portal()
    for data in (registration(NUMBER, EMAIL), result(NUMBER)):
        await vendor.publish(vendor_message(data))
    staff = desk.operator(stage, session)
    found = await eventually(
        lambda: staff.get("identity", "/candidates", program="cisco", system="vue", external_id=NUMBER),
        lambda page: len(page["items"]) == 1,
    )
    candidate_id = str(found["items"][0]["candidate_id"])
    path = f"/programs/cisco/candidates/{candidate_id}"
    await eventually(lambda: staff.get("fulfillment", f"{path}/offers"), lambda page: bool(page["items"]))
    await eventually(
        lambda: staff.get("notify", f"{path}/messages"),
        lambda page: [mail["state"] for mail in page["items"]] == ["sent"] * 3,
    )
    return candidate_id


@pytest_asyncio.fixture(scope="module")
async def inside(
    stage: Stage, session: aiohttp.ClientSession, browser: Browser, candidate_id: str
) -> AsyncIterator[BrowserContext]:
    """A browser in which the candidate is signed in, with scripts off: first login by the mail, then the password."""
    context = await browser.new_context(base_url=stage.portal_url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/certifications")
    assert urlsplit(page.url).path == "/sign-in", "nobody is signed in"
    await page.goto(await activation_link(stage, session))
    await page.get_by_label("New password").fill("too short")
    await page.get_by_role("button", name="Set the password").click()
    assert await page.title() == "Problem: Choose a password \N{EN DASH} Certifications"
    await page.get_by_label("New password").fill(PASSWORD)
    await page.get_by_role("button", name="Set the password").click()
    await page.get_by_role("link", name="Sign in").click()
    await page.get_by_role("link", name="Cisco").click()
    await sign_in(page, candidate_id, "not this one, surely")
    assert "don't fit together" in await page.locator(".error-summary").inner_text()
    assert await page.get_by_label("E-mail or candidate ID").input_value() == candidate_id, "what was typed is kept"
    await sign_in(page, candidate_id, PASSWORD)
    assert urlsplit(page.url).path == "/certifications", "where they wanted to go"
    yield context
    await context.close()


async def sign_in(page: Page, login: str, password: str) -> None:
    await page.get_by_label("E-mail or candidate ID").fill(login)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def activation_link(stage: Stage, session: aiohttp.ClientSession) -> str:
    """Path and query of the link in the first mail."""
    async with session.get(f"{stage.inbox_url}/api/messages", params={"q": EMAIL}) as response:
        (first,) = [mail["id"] for mail in (await response.json())["messages"] if "ctivate" in mail["subject"]]
    async with session.get(f"{stage.inbox_url}/api/messages/{first}") as response:
        links = [urlsplit(str(link)) for link in (await response.json())["links"]]
    return next(f"{link.path}?{link.query}" for link in links if link.path == "/activate")


async def test_the_first_page_answers_and_leads_to_the_reasons(inside: BrowserContext) -> None:
    page = await inside.new_page()
    await page.goto("/")
    assert await page.locator("h1").inner_text() == "Cisco Certified Network Associate is active"
    assert "The next date is 10 March 2028" in await page.locator(".lead").inner_text()
    assert "Zoë Ångström" in await page.locator(".account").inner_text()
    await page.locator(".board a").click()
    assert await page.locator("h1").inner_text() == "Cisco Certified Network Associate"
    why = await page.locator(".why").inner_text()
    assert f"{EXAM} passed on 10 March 2025" in why
    assert "active through 10 March 2028" in why
    await page.get_by_role("link", name="Show as a table").click()
    assert await page.locator("table").get_by_role("row").count() == 2
    await page.goto("/exams")
    assert "Passed" in await page.locator("table").inner_text()
    await page.goto("/mails")
    assert await page.locator("tbody tr").count() == 3
    await page.get_by_role("link", name=re.compile("You have earned")).click()
    assert "Cisco Certified Network Associate" in await page.locator(".mail").inner_text()
    await page.close()


async def test_what_is_not_there_is_a_page_and_a_form_from_elsewhere_changes_nothing(
    stage: Stage, inside: BrowserContext
) -> None:
    page = await inside.new_page()
    answer = await page.goto("/certifications/NOTHING")
    assert answer is not None
    assert (answer.status, await page.locator("h1").inner_text()) == (
        404,
        "There's nothing here, or it isn't yours to see.",
    )
    forged = await inside.request.post("/sign-out", form={"token": "0" * 64})
    assert forged.status == 403
    answer = await page.goto("/")
    assert answer is not None
    headers = await answer.all_headers()
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
    for cookie in await inside.cookies():
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    await page.close()


async def test_pages_are_light_whole_at_any_width_and_have_nothing_that_axe_finds(
    stage: Stage, browser: Browser, inside: BrowserContext
) -> None:
    cookies: Any = await inside.cookies()
    for scheme in ("light", "dark"):
        context = await browser.new_context(base_url=stage.portal_url, color_scheme=scheme, bypass_csp=True)
        await context.add_cookies(cookies)
        page = await context.new_page()
        for path in (*PAGES, "/nothing-there"):
            weight = await opened(page, path)
            assert weight < MOST_BYTES, (path, weight)
            await page.add_script_tag(path=AXE)
            found = await page.evaluate("axe.run()")
            assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == [], (path, scheme)
            assert await page.locator("h1").count() == 1
            for width in (320, 390, 1280):
                await page.set_viewport_size(ViewportSize(width=width, height=800))
                sideways = await page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                assert sideways == 0, (path, width)
        await context.close()


async def opened(page: Page, path: str) -> int:
    """Go to a page. Returns what it and all that it loads weigh, in bytes."""
    loaded: list[Response] = []

    def note(one: Response) -> None:
        loaded.append(one)

    page.on("response", note)
    await page.goto(path, wait_until="networkidle")
    page.remove_listener("response", note)
    return sum([int(await one.header_value("content-length") or 0) for one in loaded])


async def test_a_service_that_is_down_costs_its_part(stage: Stage, inside: BrowserContext) -> None:
    page = await inside.new_page()
    await stage.processes.kill("exams-all")
    try:
        await page.goto("/")
        assert await page.locator("h1").inner_text() == "Cisco Certified Network Associate is active"
        assert "This part isn't answering. The rest of the page is right." in await page.locator("main").inner_text()
        answer = await page.goto("/exams")
        assert answer is not None
        assert (answer.status, await page.locator("h1").inner_text()) == (503, "We can't show this right now")
    finally:
        await stage.processes.ready()
    await page.close()


@pytest.mark.usefixtures("inside")
async def test_signing_out_leaves_a_cookie_that_opens_nothing(
    stage: Stage, browser: Browser, candidate_id: str
) -> None:
    context = await browser.new_context(base_url=stage.portal_url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/sign-in/cisco")
    await sign_in(page, candidate_id, PASSWORD)
    assert urlsplit(page.url).path == "/"
    cookies: Any = await context.cookies()
    await page.goto("/account")
    await page.get_by_role("button", name="Sign out").click()
    assert await page.locator("h1").inner_text() == "You're signed out"
    await context.add_cookies(cookies)
    await page.goto("/")
    assert urlsplit(page.url).path == "/sign-in/cisco"
    await context.close()
