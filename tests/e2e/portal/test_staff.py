"""Staff in the portal: in with a code, a name decided by two people, a candidate found and looked at with a reason."""

import secrets
import time
from base64 import b32decode
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from services.identity.domain.one_time_codes import STEP_SECONDS, code_at
from tests.e2e.portal.colleagues import PASSWORD, Colleague, at_desk, code_now, colleague, invited, operate, sign_in
from tests.e2e.portal.eyes import look_over
from tests.e2e.portal.people import Person, World
from tests.e2e.waiting import eventually

WHY = "The marriage certificate says so."


@pytest_asyncio.fixture(scope="module")
async def rosa(world: World) -> Colleague:
    return await colleague(world, "manager")


@pytest_asyncio.fixture(scope="module")
async def desk(world: World, rosa: Colleague) -> AsyncIterator[BrowserContext]:
    """A browser in which a manager is signed in, with scripts off."""
    async with at_desk(world, rosa) as context:
        yield context


async def name_case(world: World, person: Person, family_name: str) -> str:
    path = f"/programs/cisco/candidates/{person.candidate_id}/cases"
    body = {"kind": "name", "given_name": "Zoë", "family_name": family_name, "text": "I have married."}
    return str((await operate(world, "POST", "identity", path, body))["case_id"])


async def decide(page: Page, queue: str, case_id: str) -> None:
    await page.goto(f"/staff/{queue}?item={case_id}")
    await page.get_by_label("Accept", exact=True).check()
    await page.get_by_label("Reason").fill(WHY)
    await page.get_by_role("button", name="Decide").click()


async def test_an_invitation_opens_an_account_and_both_proofs_are_needed(world: World) -> None:
    email, link = await invited(world, "Per Holm", "support")
    context = await world.browser.new_context(base_url=world.stage.public_url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(link)
    await page.get_by_role("button", name="Go on").click()
    key = await page.locator(".key").inner_text()
    assert await page.locator("svg.qr").count() == 1
    await page.get_by_label("New password").fill(PASSWORD)
    await page.get_by_label("Code").fill("000000")
    await page.get_by_role("button", name="Open the account").click()
    assert "That code doesn't fit" in await page.locator(".error-summary").inner_text()
    assert await page.locator(".key").inner_text() == key, "the app is not set up a second time"
    secret = b32decode(key)
    await page.get_by_label("New password").fill(PASSWORD)
    await page.get_by_label("Code").fill(code_now(secret))
    await page.get_by_role("button", name="Open the account").click()
    assert await page.locator(".codes li").count() == 10
    await page.goto("/staff/cases")
    await page.get_by_role("link", name="Cisco").click()
    await sign_in(page, email, "not this one, surely", "123456")
    assert "don't fit together" in await page.locator(".error-summary").inner_text()
    assert await page.get_by_label("E-mail").input_value() == email
    await sign_in(page, email, PASSWORD, code_at(secret, int(time.time()) // STEP_SECONDS + 1))
    assert urlsplit(page.url).path == "/staff/cases", "where they wanted to go"
    assert await page.locator("h1").inner_text() != "Cases", "their role decides nothing"
    await page.goto("/staff")
    assert await page.locator(".shell > .side").get_by_role("link", name="Cases").count() == 0
    await page.goto("/")
    assert urlsplit(page.url).path.startswith("/sign-in"), "staff are no candidates"
    cookies: Any = await context.cookies()
    await page.goto("/staff/account")
    await page.get_by_role("button", name="Sign out").click()
    await context.add_cookies(cookies)
    await page.goto("/staff")
    assert urlsplit(page.url).path == "/staff/sign-in/cisco", "the cookie opens nothing any more"
    await context.close()


async def test_a_name_is_decided_by_two_people_who_see_what_follows(world: World, desk: BrowserContext) -> None:
    person = await world.candidate(passed=False)
    case_id = await name_case(world, person, "Åkesson")
    page = await desk.new_page()
    await page.goto(f"/staff/cases?item={case_id}")
    await page.get_by_role("button", name="Take it").click()
    assert "You are on this." in await page.locator(".item").inner_text()
    await page.goto("/staff/mine")
    await page.locator(f'main a[href*="{case_id}"]').click()
    assert "You are on this." in await page.locator(".item").inner_text(), "what is taken is found again"
    await page.get_by_role("button", name="Decide").click()
    summary = await page.locator(".error-summary").inner_text()
    assert "Choose whether to accept or to refuse" in summary
    assert "Write the reason" in summary
    await decide(page, "name-changes", case_id)
    asked = await page.locator("main").inner_text()
    assert "Nothing changes yet: someone else must decide the same." in asked
    assert "The name becomes Zoë Åkesson." in asked
    await page.get_by_role("button", name="Accept K").click()
    assert "has your opinion and waits for a second person" in await page.locator(".told").inner_text()
    await page.goto(f"/staff/second-pair?item={case_id}")
    assert "You asked for this, so someone else must agree." in await page.locator(".item").inner_text()
    per = await colleague(world, "reviewer", name="Per Holm")
    async with at_desk(world, per) as context:
        other = await context.new_page()
        await decide(other, "second-pair", case_id)
        await other.get_by_role("button", name="Accept K").click()
        assert "is accepted" in await other.locator(".told").inner_text()
        await other.goto(f"/staff/cases?item={case_id}")
        assert "Rosa Mäkinen: first opinion, accept" in await other.locator(".item").inner_text()
    profile = await world.staff.get("identity", f"/programs/cisco/candidates/{person.candidate_id}")
    assert profile["family_name"] == "Åkesson"
    await page.close()


async def test_a_candidate_is_found_and_the_reason_stands_in_the_log(world: World, desk: BrowserContext) -> None:
    person = await world.candidate()
    page = await desk.new_page()
    await page.goto("/staff")
    await page.get_by_label("Any ID, e-mail or name").fill(person.email)
    await page.get_by_role("button", name="Search").click()
    await page.locator(".queue").get_by_role("link").click()
    assert await page.locator("h1").inner_text() == f"Why do you look at {person.candidate_id}?"
    await page.get_by_role("button", name="Open the view").click()
    assert "Choose why you look at this candidate" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("A colleague asks").check()
    await page.get_by_role("button", name="Open the view").click()
    assert await page.locator("h1").inner_text() == "Zoë Ångström"
    await page.locator(".tabs").get_by_role("link", name="Certifications").click()
    assert "Cisco Certified Network Associate" in await page.locator("main").inner_text()
    auditor = await colleague(world, "auditor", name="Ada Berg")
    async with at_desk(world, auditor) as context:
        log = await context.new_page()
        await log.goto(f"/staff/audit?candidate={person.candidate_id}")
        told = await log.locator("main").inner_text()
        assert "give reason\nwhy colleague" in told
        assert "Unchanged" in told
        await look_over(world, context, ("/staff/audit?service=certs",))
    await page.close()


async def test_two_accounts_become_one_and_two_again(world: World, desk: BrowserContext) -> None:
    ends, goes_on = await world.candidate(passed=False), await world.candidate()
    page = await desk.new_page()
    await page.goto(f"/staff/merges/preview?from={ends.candidate_id}&into={goes_on.candidate_id}")
    assert "Are both of these Zoë" in await page.locator("h1").inner_text()
    await page.get_by_role("button", name="Merge").click()
    assert "Write why" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("Reason").fill("Same person, confirmed by phone")
    await page.get_by_role("button", name="Merge").click()
    assert f"{ends.candidate_id} is merged into {goes_on.candidate_id}" in await page.locator(".told").inner_text()

    async def undo() -> int:
        await page.reload()
        return await page.get_by_role("link", name="Undo it").count()

    await eventually(undo, bool)
    await page.get_by_role("link", name="Undo it").click()
    await page.get_by_label("Reason").fill("A brother of the same address")
    await page.get_by_role("button", name="Undo the merge").click()
    assert "are two accounts again" in await page.locator(".told").inner_text()
    await page.close()


async def test_two_accounts_of_one_name_and_place_are_offered_until_they_are_kept_apart(
    world: World, desk: BrowserContext
) -> None:
    home = {"lines": [f"Storgatan {secrets.token_hex(3)}"], "city": "Umeå", "postal_code": "90326", "country": "SE"}
    two = [await world.candidate(passed=False) for _ in range(2)]
    for each in two:
        path = f"/programs/cisco/candidates/{each.candidate_id}/profile"
        await operate(world, "PATCH", "identity", path, {"address": home})
    one, other = (each.candidate_id for each in two)
    page = await desk.new_page()

    async def offered() -> int:
        await page.goto("/staff/suspected-duplicates")
        return await page.locator("tbody tr", has_text=one).filter(has_text=other).count()

    await eventually(offered, bool)
    row = page.locator("tbody tr", has_text=one).filter(has_text=other)
    assert "name, address, country" in await row.inner_text()
    await row.get_by_role("link").click()
    assert "What fits: name, address, country" in await page.locator("main").inner_text()
    await page.get_by_role("link", name="They are two people").click()
    await page.get_by_role("button", name="Keep them apart").click()
    assert "Write why" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("Reason").fill("Mother and daughter")
    await page.get_by_role("button", name="Keep them apart").click()
    assert "are two people" in await page.locator(".told").inner_text()
    assert not await offered()
    await page.close()


async def test_pages_of_staff_are_light_whole_at_any_width_and_have_nothing_that_axe_finds(
    world: World, desk: BrowserContext, person: Person
) -> None:
    case_id = await name_case(world, person, "Öberg")
    view = f"/staff/candidates/{person.candidate_id}"
    pages = (
        *("/staff", "/staff/account", "/staff/search?q=zoe", f"/staff/cases?item={case_id}"),
        *(f"{view}?item={case_id}", f"{view}/exams", "/staff/nothing"),
    )
    await look_over(world, desk, pages)
