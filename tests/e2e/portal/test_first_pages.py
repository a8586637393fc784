"""A candidate's first steps: in by the link of the mail, the first page, its reasons, and out again."""

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext

from tests.e2e.portal.eyes import look_over
from tests.e2e.portal.people import PASSWORD, Person, World, sign_in
from tests.e2e.samples import EXAM, LAST, TAKEN, spoken

PAGES = (
    "/",
    "/account",
    "/?view=table",
    "/certifications",
    "/certifications/CCNA",
    "/exams",
    "/mails",
    "/nothing-there",
)


async def test_the_first_mail_leads_in_and_what_was_typed_is_kept(world: World) -> None:
    newcomer = await world.candidate(passed=False)
    context = await world.browser.new_context(base_url=world.stage.public_url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/certifications")
    assert urlsplit(page.url).path == "/sign-in", "nobody is signed in"
    await page.goto(await world.mail_link(newcomer.email, "ctivate", "/activate"))
    await page.get_by_label("New password").fill("too short")
    await page.get_by_role("button", name="Set the password").click()
    assert await page.title() == "Problem: Choose a password \N{EN DASH} Certifications"
    await page.get_by_label("New password").fill(PASSWORD)
    await page.get_by_role("button", name="Set the password").click()
    await page.get_by_role("link", name="Sign in").click()
    await page.get_by_role("link", name="Cisco").click()
    await sign_in(page, newcomer.candidate_id, "not this one, surely")
    assert "don't fit together" in await page.locator(".error-summary").inner_text()
    assert await page.get_by_label("E-mail or candidate ID").input_value() == newcomer.candidate_id
    await sign_in(page, newcomer.candidate_id, PASSWORD)
    assert urlsplit(page.url).path == "/certifications", "where they wanted to go"
    await context.close()


async def test_the_first_page_answers_and_leads_to_the_reasons(inside: BrowserContext) -> None:
    page = await inside.new_page()
    await page.goto("/")
    assert await page.locator("h1").inner_text() == "Cisco Certified Network Associate is active"
    assert f"The next date is {spoken(LAST)}" in (await page.locator(".lead").inner_text()).replace("\xa0", " ")
    assert "Zoë Ångström" in await page.locator(".account").inner_text()
    await page.locator(".board a").click()
    assert await page.locator("h1").inner_text() == "Cisco Certified Network Associate"
    why = (await page.locator(".why").inner_text()).replace("\xa0", " ")
    assert f"{EXAM} passed on {spoken(TAKEN)}" in why
    assert f"active through {spoken(LAST)}" in why
    await page.get_by_role("link", name="Show as a table").click()
    assert f"{LAST.day} {LAST:%b}" in (await page.locator("table").first.inner_text()).replace("\xa0", " ")
    # The view is remembered, and others go on in this browser.
    await page.get_by_role("link", name="Show as a picture").click()
    await page.goto("/exams")
    assert "Passed" in await page.locator("table").inner_text()
    await page.goto("/mails")
    assert await page.locator("tbody tr").count() >= 3, "for the account, the result and the certification"
    await page.get_by_role("link", name=re.compile("You have earned")).click()
    assert "Cisco Certified Network Associate" in await page.locator(".mail").inner_text()
    await page.close()


async def test_what_is_not_there_is_a_page_and_a_form_from_elsewhere_changes_nothing(inside: BrowserContext) -> None:
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
    world: World, inside: BrowserContext
) -> None:
    await look_over(world, inside, PAGES)


async def test_a_service_that_is_down_costs_its_part(world: World, inside: BrowserContext) -> None:
    page = await inside.new_page()
    await world.stage.processes.kill("exams-all")
    try:
        await page.goto("/")
        assert await page.locator("h1").inner_text() == "Cisco Certified Network Associate is active"
        assert "This part isn't answering. The rest of the page is right." in await page.locator("main").inner_text()
        answer = await page.goto("/exams")
        assert answer is not None
        assert (answer.status, await page.locator("h1").inner_text()) == (503, "We can't show this right now")
    finally:
        await world.stage.processes.ready()
    await page.close()


async def test_signing_out_leaves_a_cookie_that_opens_nothing(world: World, person: Person) -> None:
    async with world.signed_in(person) as context:
        page = await context.new_page()
        await page.goto("/account")
        cookies: Any = await context.cookies()
        await page.get_by_role("button", name="Sign out").click()
        assert await page.locator("h1").inner_text() == "You're signed out"
        await context.add_cookies(cookies)
        await page.goto("/")
        assert urlsplit(page.url).path == "/sign-in/cisco"
