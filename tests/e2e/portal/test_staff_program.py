"""Staff who decide about claims and certifications, announce something, and try other rules."""

import re
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import BrowserContext

from tests.e2e.portal.colleagues import Colleague, at_desk, colleague, operate
from tests.e2e.portal.eyes import look_over
from tests.e2e.portal.people import Person, World
from tests.e2e.waiting import eventually

WHY = "Clause 4.2: the course was attended in full."
NOW = Path("deploy/programs/cisco.yaml").read_text(encoding="utf-8")
NEXT = re.sub(r"(?m)^version: (\d+)$", lambda found: f"version: {int(found[1]) + 1}", NOW)
"""The definition in force under the next number."""


@pytest_asyncio.fixture(scope="module")
async def rosa(world: World) -> Colleague:
    return await colleague(world, "manager")


@pytest_asyncio.fixture(scope="module")
async def desk(world: World, rosa: Colleague) -> AsyncIterator[BrowserContext]:
    """A browser in which a manager is signed in, with scripts off."""
    async with at_desk(world, rosa) as context:
        yield context


async def claim(world: World, person: Person) -> dict[str, Any]:
    """A claim of credits; the operator may claim for a candidate."""
    done = (datetime.now(UTC) - timedelta(days=9)).date().isoformat()
    body = {"item": "ENCOR-ILT", "title": "Core Networks", "credits": 30, "completed_on": done}
    path = f"/programs/cisco/candidates/{person.candidate_id}/credit-claims"
    return dict(await operate(world, "POST", "certs", path, body))


async def test_a_claim_is_accepted_after_its_consequence_was_shown(world: World, desk: BrowserContext) -> None:
    person = await world.candidate()
    made = await claim(world, person)
    page = await desk.new_page()
    await page.goto(f"/staff/course-claims?item={made['submission_id']}")
    item = await page.locator(".item").inner_text()
    assert "If you accept it" in item
    assert "Cisco Certified Network Associate" in item or "CCNA" in item
    await page.get_by_role("button", name="Take it").click()
    assert "You are on this." in await page.locator(".item").inner_text()
    async with at_desk(world, await colleague(world, "reviewer", name="Noor El-Amin")) as second:
        other = await second.new_page()
        await other.goto(f"/staff/course-claims?item={made['submission_id']}")
        assert "Rosa Mäkinen is on this since" in await other.locator(".item").inner_text()
        await other.get_by_role("button", name="Take it over").click()
        assert "You are on this." in await other.locator(".item").inner_text()
    await page.reload()
    assert "Noor El-Amin is on this since" in await page.locator(".item").inner_text()
    await page.get_by_label("Reject", exact=True).check()
    await page.get_by_role("button", name="Decide the claim").click()
    assert "Write the reason" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("Accept", exact=True).check()
    await page.get_by_role("button", name="Decide the claim").click()
    follows = await page.locator(".consequence").first.inner_text()
    assert "CCNA is active until" in follows
    await page.get_by_role("button", name="Accept the claim").click()
    assert "Core Networks is accepted" in await page.locator(".told").inner_text()
    await page.close()


async def test_a_certification_is_suspended_after_before_and_after_were_shown(
    world: World, desk: BrowserContext
) -> None:
    person = await world.candidate()
    page = await desk.new_page()
    await page.goto("/staff/decisions")
    await page.get_by_label("Candidate ID").fill(person.candidate_id)
    await page.get_by_role("button", name="Show certifications").click()
    await page.get_by_label("Reinstate").check()
    await page.get_by_label("Certification").select_option("CCNA")
    await page.get_by_label("Reason").fill(WHY)
    await page.get_by_role("button", name="Show what would change").click()
    assert "This would change nothing" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("Suspend").check()
    await page.get_by_role("button", name="Show what would change").click()
    asked = await page.locator("main").inner_text()
    assert "Suspend CCNA?" in asked
    assert "CCNA becomes suspended" in asked
    await page.get_by_role("button", name="Suspend CCNA").click()
    told = await page.locator("main").inner_text()
    assert "Done:" in told
    assert "You: Suspend, CCNA" in told
    assert WHY in told
    await page.close()


async def test_an_announcement_is_written_published_and_withdrawn(world: World, desk: BrowserContext) -> None:
    title, today = f"Closed {secrets.token_hex(3)}", datetime.now(UTC).date()
    page = await desk.new_page()
    await page.goto("/staff/announcements/new")
    await page.get_by_role("button", name="Keep the draft").click()
    assert "Write the title and the text" in await page.locator(".error-summary").inner_text()
    for legend, day in (("First day", today), ("Last day", today + timedelta(days=3))):
        boxes = page.get_by_role("group", name=legend)
        for label, value in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
            await boxes.get_by_label(label, exact=True).fill(str(value))
    await page.get_by_label("Title in English").fill(title)
    await page.get_by_label("Text in English").fill("We are closed.\n\nResults arrive all the same.")
    await page.get_by_role("button", name="Keep the draft").click()
    assert await page.locator(".item article p").count() == 2
    await page.get_by_role("button", name="Publish the announcement").click()
    assert "Every candidate of the program" in await page.locator("main").inner_text()
    await page.get_by_role("button", name="Publish the announcement").click()
    assert "You: published it" in await page.locator(".item").inner_text()
    await page.get_by_role("button", name="Withdraw the announcement").click()
    await page.get_by_role("button", name="Withdraw the announcement").click()
    assert "Write the reason" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("Reason").fill("We are open after all.")
    await page.get_by_role("button", name="Withdraw the announcement").click()
    assert "We are open after all." in await page.locator(".item").inner_text()
    await page.close()


async def test_a_definition_is_tried_and_a_wrong_one_is_kept_to_be_corrected(desk: BrowserContext) -> None:
    page = await desk.new_page()
    await page.goto("/staff/rules")
    await page.get_by_label("Or its text").fill("id: cisco\nversion: none\n")
    await page.get_by_role("button", name="Start the dry run").click()
    assert "Correct the definition" in await page.locator(".error-summary").inner_text()
    assert "version: none" in await page.get_by_label("Or its text").input_value()
    await page.get_by_label("Or its text").fill(NEXT)
    await page.get_by_role("button", name="Start the dry run").click()
    assert "Nothing is published yet." in await page.locator("main").inner_text()

    async def heading() -> str:
        await page.reload()
        return await page.locator("h1").inner_text()

    await eventually(heading, lambda said: said.endswith("changes nothing for anybody"))
    await page.close()


async def test_an_order_is_called_off_with_a_reason(world: World, desk: BrowserContext) -> None:
    person = await world.candidate()
    mine = f"/programs/cisco/candidates/{person.candidate_id}"

    async def offered() -> list[Any]:
        return list((await world.staff.get("fulfillment", f"{mine}/offers"))["items"])

    (offer, *_) = await eventually(offered, bool)
    address = {"lines": ["Road 1"], "city": "Bonn", "postal_code": "53111", "country": "DE"}
    body = {"address": address, "name": "Zoe Angstrom"}
    order = await operate(world, "POST", "fulfillment", f"{mine}/offers/{offer['offer_id']}/claim", body)
    page = await desk.new_page()
    await page.goto(f"/staff/returned-parcels?state=pending&item={order['order_id']}")
    assert "Road 1" in await page.locator(".item").inner_text()
    await page.get_by_role("button", name="Cancel the order").click()
    await page.get_by_role("button", name="Cancel the order").click()
    assert "Write the reason" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("Reason").fill("The kit is not made any more.")
    await page.get_by_role("button", name="Cancel the order").click()
    assert "the order is cancelled" in await page.locator(".told").inner_text()
    await page.goto(f"/staff/returned-parcels?item={order['order_id']}")
    assert "The kit is not made any more." in await page.locator(".item").inner_text()
    await page.close()


async def test_pages_of_the_program_are_whole_at_any_width_and_have_nothing_that_axe_finds(
    world: World, desk: BrowserContext
) -> None:
    person = await world.candidate()
    made = await claim(world, person)
    pages = (
        f"/staff/course-claims?item={made['submission_id']}",
        *("/staff/returned-parcels", "/staff/fulfilment-houses", f"/staff/decisions/{person.candidate_id}"),
        *("/staff/decisions?candidate=", "/staff/announcements", "/staff/announcements/new", "/staff/rules"),
    )
    await look_over(world, desk, pages)
