"""Plans, goals and credits: what is chosen, claimed and held, and that trying changes nothing."""

from typing import Any

import pytest_asyncio
from playwright.async_api import BrowserContext, Locator

from tests.e2e import desk
from tests.e2e.portal.eyes import look_over
from tests.e2e.portal.people import Person, World

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest_asyncio.fixture(scope="module")
async def planner(world: World) -> Person:
    """Somebody who holds CCNA until 10 March 2028, and changes plans."""
    person = await world.candidate()
    await world.activate(person)
    return person


async def text_of(place: Locator) -> str:
    return (await place.inner_text()).replace("\xa0", " ")


async def accept(world: World, person: Person) -> None:
    """A reviewer accepts whatever the candidate has claimed."""
    secret = world.stage.operator_secret
    credentials = {"grant_type": "client_credentials", "client_id": "operator", "client_secret": secret}
    _, issued = await desk.post(world.stage, world.session, "/tokens", credentials)
    page = await world.staff.get("certs", f"/programs/cisco/candidates/{person.candidate_id}/submissions")
    for one in page["items"]:
        if one["state"] != "pending":
            continue
        url = f"{world.stage.api_url('certs')}/programs/cisco/reviews/{one['submission_id']}/decision"
        headers = {"Authorization": f"Bearer {issued['access_token']}"}
        async with world.session.post(url, json={"decision": "accepted"}, headers=headers) as response:
            assert response.status == 200, await response.text()


async def fill_day(page: Any, name: str, day: tuple[int, int, int]) -> None:
    for part, value in zip(("day", "month", "year"), reversed(day), strict=True):
        await page.locator(f'[name="{name}.{part}"]').fill(str(value))


async def test_a_goal_is_chosen_seen_first_and_given_up(world: World, planner: Person) -> None:
    async with world.signed_in(planner) as context:
        page = await context.new_page()
        await page.goto("/plan")
        assert await text_of(page.locator("h1")) == "Renew Cisco Certified Network Associate by 10 March 2028"
        await page.get_by_role("button", name="Add to my goals").click()
        assert "Choose at least one certification" in await text_of(page.locator(".error-summary"))
        await page.locator("summary", has_text="Professional").click()
        await page.get_by_label("Cisco Certified Network Professional, Enterprise").check()
        await page.get_by_role("button", name="Add to my goals").click()
        assert "1 goal added" in await text_of(page.locator("[role=status]"))
        goal = page.locator("article.goal").first
        assert "Pass 350-401" in await text_of(goal)
        assert "2 things are missing." in await text_of(goal)
        await page.get_by_role("link", name="Cisco Certified Network Professional, Enterprise").click()
        await page.get_by_label("If I pass").select_option("350-401")
        await page.get_by_role("button", name="Work it out").click()
        assert "That's not enough" in await text_of(page.locator("[role=status]"))
        form = {"token": await page.locator("[name=token]").first.input_value(), "certification": "NOTHING"}
        answer = await context.request.post("/plan/goals", form=form)
        assert "Choose certifications of the list" in await answer.text()
        await page.get_by_role("button", name="Remove this goal").click()
        assert "No goals yet." in await text_of(page.locator("main"))


async def test_trying_changes_nothing_and_says_what_it_would_cost(inside: BrowserContext) -> None:
    page = await inside.new_page()
    await page.goto("/plan/CCNA")
    assert "gain" in await text_of(page.locator("h1"))
    cards = page.locator(".plans > li")
    assert await cards.count() == 3
    assert "Active until 10 March 2028" in (await text_of(cards.nth(2))).replace("\n", " ")
    await page.get_by_label("If I pass").select_option("350-401")
    await fill_day(page, "exam_on", (2027, 13, 40))
    await page.get_by_role("button", name="Work it out").click()
    assert "Enter the day of the exam" in await text_of(page.locator(".error-summary"))
    assert await page.locator('[name="exam_on.month"]').input_value() == "13", "what was typed is kept"
    await fill_day(page, "exam_on", (2027, 3, 10))
    await page.locator('[name="credits"]').fill("0")
    await page.get_by_role("button", name="Work it out").click()
    answer = await text_of(page.locator("[role=status]"))
    assert "would be active until 10 March 2030" in answer
    assert "That costs 366 days" in answer
    assert "What you tried" in await text_of(page.locator("figure"))
    await page.goto("/plan/CCNA?view=table")
    assert await page.locator("table tbody tr").count() == 3, "nothing of it is kept"
    await page.goto("/credits")
    assert await text_of(page.locator("h1")) == "No credits yet"
    missing = await page.goto("/plan/NOTHING")
    assert missing is not None
    assert missing.status == 404
    await page.close()


async def test_credits_are_claimed_held_as_planned_and_not_lost(world: World, planner: Person) -> None:
    async with world.signed_in(planner) as context:
        page = await context.new_page()
        await page.goto("/credits/claim")
        await page.get_by_role("button", name="Check my answers").click()
        assert "Enter its name" in await text_of(page.locator(".error-summary"))
        await page.get_by_label("Its name").fill("Core technologies")
        await page.get_by_label("Its code").fill("ENCOR-ILT")
        await page.get_by_label("Credits", exact=True).fill("30")
        await fill_day(page, "completed_on", (2026, 11, 2))
        await fill_day(page, "until", (2027, 6, 1))
        await page.get_by_label("Certificate of attendance").set_input_files(
            {"name": "attended.pdf", "mimeType": "application/pdf", "buffer": PDF}
        )
        await page.get_by_role("button", name="Check my answers").click()
        assert "attended.pdf" in await text_of(page.locator(".summary"))
        await page.get_by_role("button", name="Change my answers").click()
        assert await page.get_by_label("Its code").input_value() == "ENCOR-ILT"
        await page.get_by_role("button", name="Check my answers").click()
        await page.get_by_role("button", name="Claim 30 credits").click()
        assert "We answer by" in await text_of(page.locator("[role=status]"))
        assert "In review" in await text_of(page.locator("table"))
        await accept(world, planner)

        await page.goto("/plan/CCNA")
        assert await text_of(page.locator("h1")) == "Hold your credits and gain 278 days"
        await page.get_by_role("link", name="Keep this plan").click()
        form = {"token": await page.locator("[name=token]").input_value(), "plan": "longest", "until": "2027-12-31"}
        other = await context.request.post("/plan/CCNA/keep", form=form)
        assert other.url.partition("#")[0].endswith("/plan/CCNA/keep?plan=longest"), "what was not shown is not done"
        assert "It costs 4 days" in await text_of(page.locator("main"))
        await page.get_by_role("button", name="Hold 30 credits").click()
        assert "on hold until 6 March 2028" in await text_of(page.locator("[role=status]"))
        assert await text_of(page.locator("h1")) == "Your plan lasts until 6 March 2031"

        await page.goto("/credits")
        assert await text_of(page.locator("h1")) == "30 of 30 credits"
        assert "30 are on hold until 6 March 2028; 0 are free." in await text_of(page.locator(".lead"))
        await page.get_by_role("link", name="Choose another day").click()
        await page.get_by_role("link", name="See what using them now does").click()
        assert "Active until 2 November 2029 instead of" in await text_of(page.locator(".effect"))
        await page.goto("/credits")
        assert "30 are on hold" in await text_of(page.locator(".lead")), "looking changes nothing"
        sheet = await context.request.get("/credits.csv")
        assert "Core technologies,ENCOR-ILT,30,On hold" in await sheet.text()


async def test_a_claim_can_be_withdrawn_and_pages_are_whole_at_any_width(world: World, planner: Person) -> None:
    async with world.signed_in(planner) as context:
        page = await context.new_page()
        await page.goto("/credits/claim")
        await page.get_by_label("Its name").fill("A seminar")
        await page.get_by_label("Its code").fill("SEM-1")
        await page.get_by_label("Credits", exact=True).fill("5")
        await fill_day(page, "completed_on", (2026, 11, 3))
        await page.get_by_role("button", name="Check my answers").click()
        await page.get_by_role("button", name="Claim 5 credits").click()
        hold = await page.get_by_role("link", name="Choose a day for A seminar").get_attribute("href")
        withdrawal = await page.get_by_role("link", name="Withdraw A seminar").get_attribute("href")
        assert hold is not None
        assert withdrawal is not None
        await look_over(
            world,
            context,
            (
                "/plan",
                "/plan/CCNA?view=table&exam=350-401&exam_on.day=1&exam_on.month=2&exam_on.year=2027&credits=0",
                "/plan/CCNA?exam=&credits=x",
                "/plan/CCNP-Enterprise",
                "/credits",
                "/credits/claim",
                f"{hold}?until.day=1&until.month=6&until.year=2027",
            ),
        )
        await page.goto(withdrawal)
        await page.get_by_role("button", name="Withdraw this claim").click()
        assert "Withdrawn" in await text_of(page.locator("table"))
