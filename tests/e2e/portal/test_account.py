"""What candidates say of themselves and choose: the gate before everything else, profile, IDs, settings, own data."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Page

from libs.common.mongo.client import open_client, open_database
from tests.e2e.portal.eyes import look_over
from tests.e2e.portal.people import PASSWORD, Person, World, sign_in
from tests.e2e.waiting import eventually

PAGES = (
    "/profile",
    "/profile/address?country=JO",
    "/profile/ids",
    "/settings/mails",
    "/my-data",
    "/my-data/erase",
    "/privacy",
)


@asynccontextmanager
async def entered(world: World, person: Person, wanted: str) -> AsyncIterator[tuple[BrowserContext, Page]]:
    """A browser that has just signed in at the program `juniper`, on the way to some page; scripts are off."""
    context = await world.browser.new_context(base_url=world.stage.public_url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(wanted)
    await page.goto("/sign-in/juniper")
    await sign_in(page, person.candidate_id, PASSWORD)
    try:
        yield context, page
    finally:
        await context.close()


def path(page: Page) -> str:
    return urlsplit(page.url).path


async def test_the_gate_holds_until_nothing_is_missing_and_loses_nothing(world: World) -> None:
    person = await world.newcomer()
    async with entered(world, person, "/exams") as (context, page):
        assert path(page) == "/profile/complete"
        await page.get_by_role("button", name="Save and continue").click()
        problems = page.locator(".error-summary")
        assert await problems.locator("a").all_inner_texts() == [
            "Enter the street and number",
            "Enter the postal code",
            "Enter the post town",
            "Choose whether you want news by e-mail",
        ]
        assert (await page.title()).startswith("Problem: Complete your profile")
        await look_over(world, context, ["/profile/complete"])
        await page.get_by_label("Street and number").fill("شارع Rainbow 18")
        await page.get_by_label("Country or region").select_option("JO")
        await page.get_by_role("button", name="Save and continue").click()
        assert "The fields follow the country now" in await page.locator("main").inner_text()
        await page.get_by_label("City", exact=True).fill("Amman")
        await page.get_by_label("No, only what I need").check()
        await page.get_by_role("button", name="Save and continue").click()
        assert "“شارع” can't be printed; it's in the box below now" in await problems.inner_text()
        assert await page.get_by_label("Street and number, your script").input_value() == "شارع Rainbow 18"
        assert await page.get_by_label("City", exact=True).input_value() == "Amman"
        assert await page.get_by_label("No, only what I need").is_checked()
        await page.get_by_role("button", name="Save and finish later").click()
        assert "What you typed is kept" in await page.locator("main").inner_text()
    async with entered(world, person, "/exams") as (_, page):
        assert await page.get_by_label("No, only what I need").count() == 0, "the answer that was right is kept"
        await page.goto("/my-data")
        assert path(page) == "/my-data", "one's own rights wait for nothing"
        await page.goto("/certifications")
        assert path(page) == "/profile/complete"
        await page.get_by_label("Country or region").select_option("JP")
        await page.get_by_role("button", name="Use this country's form").click()
        await page.get_by_label("Postal code").fill("100-0001")
        await page.get_by_label("Prefecture").select_option("東京都")
        await page.get_by_label("Street and number", exact=True).fill("Chiyoda 1-1")
        await page.get_by_role("button", name="Save and continue").click()
        assert "Enter the city" in await page.locator(".error-summary").inner_text(), "which the form did not ask for"
        await page.get_by_label("City", exact=True).fill("Chiyoda-ku")
        await page.get_by_role("button", name="Save and continue").click()
        assert await page.locator(".steps [aria-current=step]").inner_text() == "About you"
        assert await page.locator(".steps .done").inner_text() == "Address"
        await page.get_by_label("Employer").fill("Écume & Sons")
        await page.get_by_role("button", name="Save and continue").click()
        assert path(page) == "/certifications", "where they wanted to go"
        assert "Your profile is complete." in await page.locator("main").inner_text()


async def test_a_profile_is_changed_row_by_row(world: World) -> None:
    person = await world.candidate(passed=False)
    await world.activate(person)
    async with world.signed_in(person) as context:
        page = await context.new_page()
        await page.goto("/profile")
        await page.get_by_role("link", name="Change postal address").click()
        await page.get_by_label("Street and number").fill("Storgatan 1")
        await page.get_by_label("Postal code").fill("111 20")
        await page.get_by_role("button", name="Save the address").click()
        assert await page.locator(".error-summary a").all_inner_texts() == ["Enter the post town"]
        await page.get_by_label("Post town").fill("Stockholm")
        await page.get_by_role("button", name="Save the address").click()
        assert "Storgatan 1\n111 20 Stockholm\nSweden" in await page.locator("dl").inner_text()
        await page.get_by_role("link", name="Change employer").click()
        await page.get_by_label("Employer").fill("Écume & Sons")
        await page.get_by_role("button", name="Save the change").click()
        assert "Écume & Sons" in await page.locator("dl").inner_text()
        await page.goto("/settings/time-zone")
        await page.get_by_label("Time zone").select_option("Asia/Amman")
        await page.get_by_role("button", name="Save the choice").click()
        assert "Asia/Amman" in await page.locator("footer").inner_text(), (
            "the browser that is signed in speaks so at once"
        )
        await page.goto("/settings/news")
        assert await page.locator("input[type=radio]:checked").count() == 0, "never chosen for anybody"
        await page.get_by_label("Yes, send me news").check()
        await page.get_by_role("button", name="Save the choice").click()
        assert "Yes, since" in await page.locator("dl").inner_text()
        await page.goto("/settings/theme")
        await page.get_by_label("Dark").check()
        await page.get_by_role("button", name="Save the choice").click()
        assert await page.locator("html").get_attribute("data-theme") == "dark"
        await page.goto("/settings/language")
        await page.get_by_label("العربية").check()
        await page.get_by_role("button").last.click()
        assert (await page.locator("html").get_attribute("lang"), path(page)) == ("ar", "/settings")
        await claim(page, "V-other")


async def claim(page: Page, number: str) -> None:
    """Claim an ID that nothing proves."""
    await page.goto("/settings/language")
    await page.get_by_label("English").check()
    await page.get_by_role("button").last.click()
    await page.goto("/profile/ids")
    assert await page.locator("tbody tr").count() == 1
    await page.get_by_role("link", name="Claim an ID").click()
    await page.get_by_label("Partner").select_option("vue")
    await page.get_by_label("Your ID there").fill(number)
    await page.get_by_role("button", name="Claim the ID").click()
    assert await page.locator(".error-summary a").count() == 1
    await page.get_by_label("Registration number").fill("G-other")
    await page.get_by_role("button", name="Claim the ID").click()
    assert "Our staff look at your claim" in await page.locator("main").inner_text()
    assert await page.get_by_role("link", name="our staff decide it by").count() == 1


async def test_a_profile_that_was_confirmed_long_ago_is_asked_about_once(world: World) -> None:
    person = await world.candidate(passed=False)
    await world.activate(person)
    client = open_client(world.stage.mongo.url("identity"), application="test")
    long_ago = {"confirmed_at": datetime(2024, 3, 14, 12, tzinfo=UTC)}
    await open_database(client)["candidates"].update_one({"_id": person.candidate_id}, {"$set": long_ago})
    client.close()
    async with world.signed_in(person) as context:
        page = await context.new_page()
        await page.goto("/exams")
        assert await page.locator("h1").inner_text() == "Is this still right?"
        assert "Last confirmed 14 March 2024." in (await page.locator(".lead").inner_text()).replace("\xa0", " ")
        await look_over(world, context, ["/profile/complete"])
        await page.get_by_role("link", name="Change job title").click()
        await page.get_by_label("Job title").fill("Engineer")
        await page.get_by_role("button", name="Save the change").click()
        assert "Engineer" in await page.locator("dl").inner_text()
        await page.get_by_role("button", name="All of it is right").click()
        assert path(page) == "/profile", "where they were going"
        await page.goto("/exams")
        assert path(page) == "/exams"


async def test_a_copy_and_an_erasure_need_a_proof_and_an_erasure_can_be_taken_back(world: World) -> None:
    person = await world.candidate(passed=False)
    await world.activate(person)
    async with world.signed_in(person) as context:
        page = await context.new_page()
        await page.goto("/my-data")
        await page.get_by_role("link", name="Get everything we hold about you").click()
        await page.get_by_label("Your password").fill("not this one, surely")
        await page.get_by_role("button", name="Prepare my copy").click()
        assert await page.locator(".error-summary a").all_inner_texts() == ["That isn't your password"]
        await page.get_by_label("Your password").fill(PASSWORD)
        await page.get_by_role("button", name="Prepare my copy").click()
        assert "We're preparing it." in await page.locator("main").inner_text()

        async def link_there() -> int:
            await page.goto("/my-data")
            return await page.get_by_role("link", name="Download the copy").count()

        await eventually(link_there, lambda count: count == 1)
        address = await page.get_by_role("link", name="Download the copy").get_attribute("href")
        assert address is not None
        archive = await context.request.get(address)
        assert (archive.status, (await archive.body())[:2]) == (200, b"PK")
        await page.goto("/my-data/erase")
        await page.get_by_label("Your password").fill(PASSWORD)
        await page.get_by_role("button", name="Erase my account in two weeks").click()
        assert "Your account will be erased on" in await page.locator("main").inner_text()
        await page.get_by_role("button", name="Keep my account").click()
        assert "Your account stays." in await page.locator("main").inner_text()


async def test_a_language_is_chosen_before_signing_in(world: World) -> None:
    context = await world.browser.new_context(base_url=world.stage.public_url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/privacy")
    await page.get_by_role("link", name="Español").click()
    assert (path(page), await page.locator("html").get_attribute("lang")) == ("/privacy", "es")
    await page.goto("/language?to=en&back=https://elsewhere.example/")
    assert path(page) != "/language"
    assert page.url.startswith(world.stage.public_url), "never to another host"
    await context.close()


async def test_pages_of_the_account_are_whole(world: World, inside: BrowserContext) -> None:
    await look_over(world, inside, PAGES)
