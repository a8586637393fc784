"""Getting in and staying in: a second factor, cases, what was typed when the session ended, and numbers of mails."""

import re
from base64 import b32decode
from pathlib import Path
from time import time
from urllib.parse import urlsplit

import segno
from playwright.async_api import BrowserContext, Page

from services.identity.domain.one_time_codes import STEP_SECONDS, code_at
from tests.e2e.portal.eyes import AXE, look_over
from tests.e2e.portal.people import PASSWORD, Person, World, sign_in

PAGES = (
    "/security",
    "/security/email",
    "/cases/new",
    "/cases/new?kind=missing_result",
    "/mails?number=0000-0000",
)


async def heading(page: Page) -> str:
    return (await page.locator("h1").inner_text()).replace("\xa0", " ")


async def test_a_second_factor_is_set_up_asked_for_and_removed(world: World) -> None:
    person = await world.candidate(passed=False)
    await world.activate(person)
    async with world.signed_in(person) as context, world.signed_in(person) as elsewhere:
        page = await context.new_page()
        await page.goto("/security")
        assert await page.locator("tbody tr").count() == 2
        await page.get_by_role("link", name="Set up a second factor").click()
        await page.get_by_label("Your password now").fill("not this one, surely")
        await page.get_by_role("button", name="Show me the code").click()
        assert "That isn't your password" in await page.locator(".error-summary").inner_text()
        await page.get_by_label("Your password now").fill(PASSWORD)
        await page.get_by_role("button", name="Show me the code").click()
        assert await page.locator("svg.qr path").count() > 0
        secret = b32decode((await page.locator(".secret").inner_text()).replace(" ", ""))
        await page.get_by_label("Code that the app shows now").fill("000 000")
        await page.get_by_role("button", name="Turn it on").click()
        assert "isn't the code" in await page.locator(".error-summary").inner_text()
        assert b32decode((await page.locator(".secret").inner_text()).replace(" ", "")) == secret, "the same once more"
        await page.get_by_label("Code that the app shows now").fill(code_at(secret, int(time()) // STEP_SECONDS))
        await page.get_by_role("button", name="Turn it on").click()
        codes = await page.locator(".codes li").all_inner_texts()
        assert len(codes) == 10
        await page.get_by_role("link", name="I have kept them").click()
        assert "10 recovery codes left" in await page.locator(".summary").inner_text()
        await page.get_by_role("button", name="Sign out everywhere else").click()
        assert await page.locator("tbody tr").count() == 1
        await elsewhere.clear_cookies(name="session")
        other = await elsewhere.new_page()
        await other.goto("/security")
        assert urlsplit(other.url).path == "/sign-in/cisco"
        await sign_in(other, person.candidate_id, PASSWORD)
        assert await heading(other) == "Enter your code"
        await other.get_by_label("Code").fill(codes[0])
        await other.get_by_role("button", name="Sign in").click()
        assert await heading(other) == "Security", "where they wanted to go"
        await other.get_by_role("link", name="Remove").click()
        await other.get_by_label("Code").fill(codes[0])
        await other.get_by_role("button", name="Remove the second factor").click()
        assert "was used before" in await other.locator(".error-summary").inner_text()
        await other.get_by_label("Code").fill(codes[1])
        await other.get_by_role("button", name="Remove the second factor").click()
        assert "Your second factor is off" in await other.get_by_role("status").inner_text()
        await other.get_by_role("link", name="Sign out everywhere").click()
        await other.get_by_role("button", name="Sign out everywhere").click()
        assert await heading(other) == "You're signed out everywhere"


async def test_a_case_is_asked_answered_and_withdrawn(world: World, tmp_path: Path) -> None:
    person = await world.candidate(passed=False)
    await world.activate(person)
    document = tmp_path / "passport.png"
    segno.make("A passport").save(str(document))
    broken = tmp_path / "broken.png"
    broken.write_bytes(document.read_bytes()[:40])
    async with world.signed_in(person, java_script_enabled=True, bypass_csp=True) as context:
        page = await context.new_page()
        await page.goto("/cases")
        assert "No cases." in await page.locator("main").inner_text()
        await page.get_by_role("link", name="Ask us something").click()
        await page.get_by_role("link", name="Change my name").click()
        assert await page.get_by_label("Given name").input_value() == "Zoë", "what we know is filled in"
        await page.get_by_label("Family name").fill("")
        await page.get_by_role("button", name="Open the case").click()
        assert await page.locator(".error-summary a").all_inner_texts() == ["Enter the family name"]
        await page.add_script_tag(path=AXE)
        assert (await page.evaluate("axe.run()"))["violations"] == []
        await page.get_by_label("Family name").fill("Berg")
        await page.get_by_label("Picture of a passport").set_input_files(document)
        await page.get_by_role("button", name="Open the case").click()
        assert "Waiting for us, until" in await page.locator(".lead").inner_text()
        assert "Berg" in await page.locator(".facts").inner_text()
        assert await page.locator(".files li").count() == 1
        form = page.locator("form[action*='/messages']")
        fields = await form.evaluate("form => Object.fromEntries(new FormData(form))")
        fields["text"] = "It changed\nwhen I married."
        for told in ("Your message is with us.", "Already done at"):
            answer = await context.request.post(str(await form.get_attribute("action")), form=fields)
            assert told in await answer.text()
        await page.reload()
        assert "when I married." in await page.locator(".thread").inner_text()
        assert await page.locator(".thread li").count() == 1, "the same form sent twice is one message"
        await page.get_by_label("Add a document").set_input_files(broken)
        await page.get_by_role("button", name="Send the document").click()
        assert "can't be read" in await page.locator(".error-summary").inner_text()
        case = urlsplit(page.url).path.removesuffix("/evidence")
        await look_over(world, context, (case, f"{case}/withdraw"))
        await page.get_by_role("link", name="Withdraw this case").click()
        await page.get_by_role("button", name="Withdraw the case").click()
        assert "Your case is withdrawn" in await page.get_by_role("status").inner_text()
        assert await page.locator(".files li").count() == 0
        await page.goto("/cases")
        assert "Withdrawn" in await page.locator("tbody").inner_text()


async def test_what_was_typed_when_the_session_had_ended_comes_back_to_its_writer_alone(
    world: World, person: Person
) -> None:
    other = await world.candidate(passed=False)
    await world.activate(other)
    async with world.signed_in(person) as context:
        page = await context.new_page()
        await page.goto("/cases/new?kind=other")
        await page.get_by_label("Your message").fill("Long and dear to me")
        await context.clear_cookies(name="session")
        await page.get_by_role("button", name="Open the case").click()
        assert urlsplit(page.url).path == "/sign-in/cisco"
        strangers = await context.new_page()
        await strangers.goto("/sign-in/cisco")
        await sign_in(strangers, other.candidate_id, PASSWORD)
        await strangers.goto("/cases/new?kind=other")
        assert await strangers.get_by_label("Your message").input_value() == ""
        await context.clear_cookies(name="session")
        await strangers.close()
        await page.goto("/sign-in/cisco")
        await sign_in(page, person.candidate_id, PASSWORD)
        await page.goto("/cases/new?kind=other")
        assert await page.get_by_label("Your message").input_value() == "Long and dear to me"
        assert "What you typed is back" in await page.get_by_role("status").inner_text()


async def test_a_mail_is_found_by_its_number_and_a_strangers_is_not(inside: BrowserContext) -> None:
    page = await inside.new_page()
    await page.goto("/mails")
    number = await page.locator("tbody td").first.inner_text()
    subject = await page.locator("tbody th").first.inner_text()
    await page.get_by_label("Number of a mail").fill(number.lower().replace("-", " "))
    await page.get_by_role("button", name="Find the mail").click()
    assert await page.locator("h1").inner_text() == subject
    answer = await page.goto("/mails/0000-0000")
    assert answer is not None
    assert (answer.status, await heading(page)) == (404, "We didn't send a mail with this number to you")
    await page.close()


async def test_pages_have_nothing_that_axe_finds(world: World, inside: BrowserContext) -> None:
    await look_over(world, inside, PAGES)


async def test_the_first_page_says_what_happened_and_what_to_claim(inside: BrowserContext) -> None:
    page = await inside.new_page()
    await page.goto("/")
    activity = await page.locator(".way").inner_text()
    assert "Cisco Certified Network Associate earned" in activity
    assert "Passed 200-301" in activity
    assert await page.get_by_role("link", name=re.compile("Claim it|Order it")).count() >= 1
    await page.close()
