"""Staff at the queues of results and vendors: every item with its evidence, and what a decision does."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from services.exams.unmatched.store import item_id
from tests.e2e.portal.colleagues import Colleague, at_desk, colleague
from tests.e2e.portal.eyes import look_over
from tests.e2e.portal.people import Person, World
from tests.e2e.portal.troubles import challenge, fail, let_be_late, malformed, park, stray
from tests.e2e.samples import EXAM, TAKEN, spoken
from tests.e2e.waiting import eventually


@dataclass
class Waiting:
    """One item for each queue, and who works at them."""

    manager: Colleague
    reviewer: Colleague
    booked: Person
    """Whose result came under another ID; their own is late."""
    failed: Person


@pytest_asyncio.fixture(scope="module")
async def waiting(world: World) -> Waiting:
    booked, failed = await world.candidate(passed=False), await world.candidate(passed=False)
    await stray(world, booked, "X-STRAY")
    await fail(world, failed)
    await world.vendor.publish(malformed())
    await park(world, "parked-1", booked)
    await park(world, "parked-2", booked)
    await challenge(world, failed)
    await let_be_late(world, booked)
    await eventually(lambda: world.staff.get("exams", "/rejections"), lambda page: bool(page["items"]))
    manager = await colleague(world, "manager")
    return Waiting(manager, await colleague(world, "reviewer", name="Noor El-Amin"), booked, failed)


@pytest_asyncio.fixture(scope="module")
async def desk(world: World, waiting: Waiting) -> AsyncIterator[BrowserContext]:
    """A manager at the desk, with scripts off."""
    async with at_desk(world, waiting.manager) as context:
        yield context


async def text_of(page: Page, where: str = "main") -> str:
    return (await page.locator(where).inner_text()).replace("\xa0", " ")


PAGES = (
    "/staff/unmatched",
    "/staff/unmatched?item={unmatched}",
    "/staff/challenges?item={challenge}",
    "/staff/late?item={late}",
    "/staff/refused-messages?item={refused}",
    "/staff/parked-messages?item=certs:parked-look",
    "/staff/vendors",
    "/staff/reconciliation",
    "/staff/reconciliation/new",
    "/staff/badge-provider",
    "/staff/fulfilment-houses",
    "/staff/rules",
)


async def test_pages_of_the_queues_are_whole_at_any_width_and_have_nothing_that_axe_finds(
    world: World, desk: BrowserContext, waiting: Waiting
) -> None:
    await park(world, "parked-look", waiting.booked)
    await let_be_late(world, waiting.booked)  # again, where an assignment was taken back before
    unmatched = await world.staff.get("exams", "/programs/cisco/unmatched")
    # Of any state: another test decides it, before or after.
    theirs = f"/programs/cisco/candidates/{waiting.failed.candidate_id}/challenges"
    challenges = await world.staff.get("exams", theirs)
    refused = await world.staff.get("exams", "/rejections")
    ids = {
        "unmatched": unmatched["items"][0]["item_id"],
        "challenge": challenges["items"][0]["challenge_id"],
        "refused": refused["items"][0]["rejection_id"],
        "late": item_id(f"cisco:vue:G-{waiting.booked.number}"),
    }
    await look_over(world, desk, [path.format(**ids) for path in PAGES])


async def test_a_result_is_assigned_after_what_follows_was_said_and_taken_back(
    desk: BrowserContext, waiting: Waiting
) -> None:
    page = await desk.new_page()
    await page.goto("/staff/unmatched")
    await page.get_by_role("link", name="X-STRAY").click()
    assert await page.locator(".item h2").inner_text() == "Is this Zoë Ångström?"
    item = await text_of(page, ".item")
    assert "If you assign it" in item
    assert f"counts for {waiting.booked.candidate_id} from {spoken(TAKEN)}" in item
    await page.get_by_role("button", name="Assign to Zoë Ångström").click()
    assert "Write why you think so" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("Reason", exact=True).fill("The registration is theirs")
    await page.get_by_role("button", name="Assign to Zoë Ångström").click()
    assert (await page.locator("h1").inner_text()).startswith("Assign 200-301 of")
    await page.get_by_role("button", name="Assign it to Zoë Ångström").click()
    assert "Done: the result is" in await page.get_by_role("status").inner_text()
    await page.get_by_role("link", name="take it back").click()
    assert await page.locator(".item h2").inner_text() == f"Assigned to {waiting.booked.candidate_id}"
    await page.get_by_label("Why it isn't theirs").fill("It was another's after all")
    await page.get_by_role("button", name="Take the assignment back").click()
    assert await page.locator(".item h2").inner_text() == "Is this Zoë Ångström?"
    assert "It was another's after all" in await text_of(page, ".steps-done")
    await page.close()


async def test_a_challenge_is_decided_by_two_people(world: World, desk: BrowserContext, waiting: Waiting) -> None:
    page = await desk.new_page()
    await page.goto("/staff/challenges")
    await page.locator("table.queue").get_by_role("link", name=waiting.failed.candidate_id).click()
    assert "I think question 7 was right." in await text_of(page, ".thread")
    await page.get_by_role("button", name="Take it").click()
    assert "You are on this." in await text_of(page, ".item")
    await page.get_by_label("Change", exact=True).check()
    await page.get_by_label("Reason", exact=True).fill("Question 7 had two right answers")
    await page.get_by_role("button", name="Decide the challenge").click()
    assert "Choose what the result becomes" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("The result becomes").select_option("pass")
    await page.get_by_role("button", name="Decide the challenge").click()
    sure = await text_of(page)
    assert "someone else must decide the same" in sure
    assert "The result becomes: Passed" in sure
    await page.get_by_role("button", name="Change the result").click()
    assert "a second person is asked" in await page.get_by_role("status").inner_text()
    await page.goto("/staff/challenges")
    await page.locator("table.queue").get_by_role("link", name=waiting.failed.candidate_id).click()
    assert "someone else must agree" in await text_of(page, ".item")
    assert await page.get_by_role("button", name="Decide the challenge").count() == 0
    async with at_desk(world, waiting.reviewer) as second:
        other = await second.new_page()
        await other.goto(page.url)
        assert "Rosa Mäkinen would make it: Passed" in await text_of(other, ".item")
        await other.get_by_label("Change", exact=True).check()
        await other.get_by_label("The result becomes").select_option("pass")
        await other.get_by_label("Reason", exact=True).fill("I agree")
        await other.get_by_role("button", name="Decide the challenge").click()
        await other.get_by_role("button", name="Change the result").click()
        assert "the result is changed" in await other.get_by_role("status").inner_text()
    await page.close()


async def test_refused_messages_come_with_words_for_the_vendor(desk: BrowserContext) -> None:
    page = await desk.new_page()
    await page.goto("/staff/refused-messages")
    await page.locator("tbody a").first.click()
    words = await page.get_by_label("Words for the vendor").input_value()
    assert words.startswith("We could not take this message of yours:")
    assert "data.grade" in words
    file = await desk.request.get("/staff/refused-messages.csv")
    assert (await file.text()).startswith("vendor,refused_at,message_id,routing_key,path,code,message\r\n")
    await page.close()


async def test_parked_messages_are_tried_again_or_dropped_for_a_reason(desk: BrowserContext, waiting: Waiting) -> None:
    page = await desk.new_page()
    await page.goto("/staff/parked-messages?item=certs:parked-1")
    item = await text_of(page, ".item")
    assert "It was tried 5 times since" in item
    assert waiting.booked.candidate_id in item
    await page.get_by_role("button", name="Drop the message").click()
    assert "Choose why it is dropped" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("It was a trial").check()
    await page.get_by_role("button", name="Drop the message").click()
    assert await page.locator("h1").inner_text() == "Drop this message for good?"
    await page.get_by_role("button", name="Drop the message").click()
    assert "Done: the message is dropped" in await page.get_by_role("status").inner_text()
    assert "parked-2" in page.url, "the next one opens"
    await page.get_by_role("button", name="Try it again").click()
    assert "Done: the message is tried again" in await page.get_by_role("status").inner_text()
    await page.close()


async def test_a_list_is_compared_and_each_difference_decided(desk: BrowserContext, waiting: Waiting) -> None:
    page = await desk.new_page()
    await page.goto("/staff/reconciliation/new")
    await page.get_by_role("button", name="Compare the list").click()
    assert "There are" in await page.locator(".error-summary").inner_text()
    vendor = page.get_by_label("Vendor", exact=True)
    if await vendor.evaluate("one => one.tagName") == "SELECT":
        await vendor.select_option("vue")
    else:
        await vendor.fill("vue")
    for name, day in (("first", TAKEN - timedelta(days=9)), ("last", TAKEN + timedelta(days=9))):
        for part in ("day", "month", "year"):
            await page.locator(f"[name='{name}.{part}']").fill(str(getattr(day, part)))
    listed = (
        "registration_id,candidate_id,exam_code,state,scheduled_at\n"
        f"G-{waiting.failed.number},{waiting.failed.number},{EXAM},no_show,{TAKEN:%Y-%m-%dT%H:%M:%SZ}\n"
    )
    file: Any = {"name": "list.csv", "mimeType": "text/csv", "buffer": listed.encode()}
    await page.get_by_label("The vendor's list").set_input_files(file)
    await page.get_by_role("button", name="Compare the list").click()
    await page.wait_for_url(re.compile(r"/staff/reconciliation/(?!new)"))  # a page cannot be loaded anew on its way

    async def compared() -> int:
        await page.reload()
        return await page.locator("table.queue tbody tr").count()

    await eventually(compared, bool)
    await page.locator("tbody").get_by_role("link", name=re.compile(f"G-{waiting.booked.number}")).click()
    assert "Only we have it" in await text_of(page, ".item")
    await page.get_by_label("Leave it as it is").check()
    await page.get_by_role("button", name="Decide about").click()
    assert "Write why it is left as it is" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("Ask the vendor").check()
    await page.get_by_role("button", name="Decide about").click()
    assert "Done: The vendor is to be asked" in await page.get_by_role("status").inner_text()
    await page.close()


async def test_what_is_late_comes_with_a_question_for_the_vendor(
    world: World, desk: BrowserContext, waiting: Waiting
) -> None:
    await let_be_late(world, waiting.booked)  # again: an assignment that was taken back begins its watch anew
    page = await desk.new_page()
    await page.goto("/staff/late")
    await page.get_by_role("link", name=f"G-{waiting.booked.number}").click()
    assert "A result with this registration has come" in await text_of(page, ".item")
    asked = await page.get_by_label("Question for the vendor").input_value()
    assert f"G-{waiting.booked.number}" in asked
    assert waiting.booked.candidate_id not in asked
    assert "Not asked yet" in await text_of(page, ".item")
    await page.get_by_role("button", name="Note that the vendor was asked").click()
    assert "Choose how you asked" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("By phone").check()
    await page.get_by_role("button", name="Note that the vendor was asked").click()
    assert "Done: noted for 1 result" in await page.get_by_role("status").inner_text()
    await page.goto("/staff/late")
    await page.get_by_role("link", name=f"G-{waiting.booked.number}").click()
    assert "You asked on" in await text_of(page, ".item")
    await page.close()
