"""What a manager sets up: words of mails, who works here, systems, web hooks, and addresses that get no mail."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import BrowserContext

from tests.e2e.portal.colleagues import Colleague, at_desk, colleague
from tests.e2e.portal.eyes import look_over
from tests.e2e.portal.people import World

MAIL = "/staff/templates/result_late/es"
WORDS = "Subject: Tu resultado tarda, {{ name }}\nPreview: Lo buscamos.\nWhy: Hiciste un examen.\n\nHola {{ name }}.\n"
PAGES = {
    "/staff/templates?language=ar": "Words of mails",
    MAIL: "Result late",
    f"{MAIL}/new": "Write “Result late” anew",
    "/staff/mail-troubles": "Mail troubles",
    "/staff/hooks": "Web hooks",
    "/staff/people": "Staff and systems",
    "/staff/people/new": "Add somebody to the program",
    "/staff/people/systems/new": "Add a system",
}
"""Each with its heading: a page that says that something went wrong is light and whole too."""


@pytest_asyncio.fixture(scope="module")
async def manager(world: World) -> Colleague:
    return await colleague(world, "manager", name="Nia Okoro")


@pytest_asyncio.fixture(scope="module")
async def desk(world: World, manager: Colleague) -> AsyncIterator[BrowserContext]:
    """A browser in which a manager is signed in, with scripts off."""
    async with at_desk(world, manager) as context:
        yield context


async def test_other_words_are_tried_kept_and_count_once_they_are_chosen(desk: BrowserContext) -> None:
    page = await desk.new_page()
    await page.goto(f"{MAIL}/new")
    await page.get_by_label("The mail").fill(WORDS.replace("{{ name }}.", "{{ nothing }}."))
    await page.get_by_label("What is new").fill("Shorter")
    await page.get_by_role("button", name="Keep the version").click()
    assert "line 5" in await page.locator("main").inner_text()
    assert "{{ nothing }}" in await page.get_by_label("The mail").input_value(), "nothing typed is lost"
    await page.get_by_label("The mail").fill(WORDS)
    await page.get_by_role("button", name="Keep the version").click()
    assert "It doesn't count: nobody gets it." in await page.locator("main").inner_text()
    assert "Tu resultado tarda, Ada" in await page.locator("main").inner_text(), "with made-up facts"
    await page.get_by_role("button", name="Let version 1 count").click()
    await page.get_by_role("button", name="Let version 1 count").click()
    assert await page.locator(".told").inner_text() == "Version 1 counts."
    await page.get_by_role("button", name="Go back to the words of the service").click()
    await page.get_by_role("button", name="Go back to the words of the service").click()
    assert await page.locator(".told").inner_text() == "The words that come with the service count."
    await page.close()


async def test_a_secret_is_shown_once_and_a_hook_is_paused_and_removed(world: World, desk: BrowserContext) -> None:
    page = await desk.new_page()
    await page.goto("/staff/hooks/new")
    await page.get_by_label("Address", exact=True).fill("https://8.8.8.8/hooks")
    await page.get_by_label("Whose it is and what for").fill("HR of Nordwind")
    await page.get_by_role("button", name="Add the hook").click()
    assert "Choose what it is told of" in await page.locator(".error-summary").inner_text()
    await look_over(world, desk, ("/staff/hooks/new",))
    await page.get_by_label("certs.CertificationAwarded.v1").check()
    await page.get_by_role("button", name="Add the hook").click()
    secret = await page.locator(".key").inner_text()
    await page.get_by_role("link", name="I have kept it").click()
    assert secret not in await page.content()
    path = page.url
    await page.get_by_role("button", name="Pause the hook").click()
    assert "Nothing is sent while it is paused" in await page.locator("main").inner_text()
    await page.get_by_role("button", name="Switch the hook on").click()
    await page.get_by_role("button", name="Send a ping").click()
    await page.get_by_role("button", name="Send the chosen ones again").click()
    assert "Choose the messages" in await page.locator(".error-summary").inner_text()
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="Send the chosen ones again").click()
    assert "sent again" in await page.locator(".told").inner_text()
    await look_over(world, desk, (path,))
    await page.get_by_role("button", name="Remove the hook").click()
    await page.get_by_role("button", name="Remove the hook").click()
    assert "the hook is removed" in await page.locator(".told").inner_text()
    await page.close()


async def test_people_are_added_and_removed_and_a_system_has_its_secret_once(
    world: World, desk: BrowserContext
) -> None:
    page = await desk.new_page()
    await page.goto("/staff/people/new")
    await page.get_by_label("E-mail", exact=True).fill("ulla@staff.example")
    await page.get_by_label("Name", exact=True).fill("Ulla Berg")
    await page.get_by_label("Auditor").check()
    await page.get_by_label("Support").check()
    await page.get_by_role("button", name="Add and invite").click()
    assert "Choose a role; an auditor has no other" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("Auditor").uncheck()
    await page.get_by_role("button", name="Add and invite").click()
    assert await page.locator("h1").inner_text() == "Ulla Berg"
    path = page.url
    await page.get_by_label("Reviewer").check()
    await page.get_by_role("button", name="Change the roles").click()
    assert "the roles are changed" in await page.locator(".told").inner_text()
    await page.get_by_role("button", name="Send a new link").click()
    assert "a mail with a link is sent" in await page.locator(".told").inner_text()
    await look_over(world, desk, (path,))
    await page.get_by_role("button", name="Remove from the program").click()
    await page.get_by_role("button", name="Remove Ulla Berg").click()
    assert await page.locator(".queue").first.get_by_text("Ulla Berg").count() == 0
    await page.get_by_role("link", name="Add a system").click()
    await page.get_by_label("Whose it is and what for").fill("HR of Nordwind")
    await page.get_by_label("Read certifications and credits").check()
    await page.get_by_role("button", name="Add the system").click()
    first = await page.locator(".key").inner_text()
    await page.get_by_role("link", name="I have kept it").click()
    path = page.url
    await page.get_by_role("button", name="The secret has leaked").click()
    assert "stops at once" in await page.locator("main").inner_text()
    await page.get_by_role("button", name="Make a new secret").click()
    assert await page.locator(".key").inner_text() != first
    await page.goto(path)
    assert first not in await page.content()
    await look_over(world, desk, (path,))
    await page.get_by_role("button", name="Disable the system").click()
    await page.get_by_role("button", name="Disable the system").click()
    assert "Disabled" in await page.locator("main").inner_text()
    await page.close()


async def test_a_mail_is_sent_again_unless_its_link_works_once(world: World, desk: BrowserContext) -> None:
    person = await world.candidate()
    page = await desk.new_page()
    mails = f"/staff/candidates/{person.candidate_id}/mails"
    await page.goto(f"{mails}?item=mails")
    await page.get_by_role("link", name="Activate").click()
    await page.get_by_role("button", name="Send the mail again").click()
    await page.get_by_role("button", name="Send the mail again").click()
    assert "their link works once" in await page.locator(".error-summary").inner_text()
    await page.goto(mails)
    await page.locator(".queue, .data").get_by_role("link").first.click()
    await page.get_by_role("button", name="Send the mail again").click()
    await page.get_by_role("button", name="Send the mail again").click()
    assert "the mail is on its way again" in await page.locator(".told").inner_text()
    await page.close()


async def test_these_pages_are_light_whole_at_any_width_and_have_nothing_that_axe_finds(
    world: World, desk: BrowserContext
) -> None:
    page = await desk.new_page()
    for path, heading in PAGES.items():
        await page.goto(path)
        assert await page.locator("h1").inner_text() == heading
    await page.close()
    await look_over(world, desk, (MAIL, f"{MAIL}/new", "/staff/templates", "/staff/people", "/staff/people/new"))
