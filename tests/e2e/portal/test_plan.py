"""Plans, goals and credits: what is chosen, claimed and held, and that trying changes nothing."""

from datetime import UTC, date, datetime, timedelta

import pytest_asyncio
from playwright.async_api import BrowserContext, Locator, Page

from libs.common.programs import add_years
from tests.e2e import desk
from tests.e2e.portal.eyes import look_over
from tests.e2e.portal.people import Person, World
from tests.e2e.samples import LAST, spoken

TODAY = datetime.now(UTC).date()
COMPLETED = TODAY - timedelta(days=21)
"""The course whose credits are claimed."""
HELD = TODAY + timedelta(days=190)
"""Until when the candidate would keep them."""
IN_TIME = LAST - timedelta(days=4)
"""The last day but the margin that a plan leaves."""
EARLY = add_years(LAST, -1)
"""When an exam is tried that could wait a year."""
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest_asyncio.fixture(scope="module")
async def planner(world: World) -> Person:
    """Somebody who holds CCNA until `LAST`, and changes plans."""
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


def typed(name: str, day: date) -> str:
    """A day as a form sends it."""
    return f"{name}.day={day.day}&{name}.month={day.month}&{name}.year={day.year}"


async def fill_day(page: Page, name: str, day: date) -> None:
    for part in ("day", "month", "year"):
        await page.locator(f'[name="{name}.{part}"]').fill(str(getattr(day, part)))


async def test_a_goal_is_chosen_seen_first_and_given_up(world: World, planner: Person) -> None:
    async with world.signed_in(planner) as context:
        page = await context.new_page()
        await page.goto("/plan")
        assert await text_of(page.locator("h1")) == f"Renew Cisco Certified Network Associate by {spoken(LAST)}"
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
    assert f"Active until {spoken(LAST)}" in (await text_of(cards.nth(2))).replace("\n", " ")
    await page.get_by_label("If I pass").select_option("350-401")
    for part, value in (("day", "40"), ("month", "13"), ("year", "2027")):
        await page.locator(f'[name="exam_on.{part}"]').fill(value)
    await page.get_by_role("button", name="Work it out").click()
    assert "Enter the day of the exam" in await text_of(page.locator(".error-summary"))
    assert await page.locator('[name="exam_on.month"]').input_value() == "13", "what was typed is kept"
    await fill_day(page, "exam_on", EARLY)
    await page.locator('[name="credits"]').fill("0")
    await page.get_by_role("button", name="Work it out").click()
    answer = await text_of(page.locator("[role=status]"))
    assert f"would be active until {spoken(add_years(EARLY, 3))}" in answer
    assert f"That costs {(LAST - EARLY).days} days" in answer
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
        await fill_day(page, "completed_on", COMPLETED)
        await fill_day(page, "until", HELD)
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
        assert (
            await text_of(page.locator("h1"))
            == f"Hold your credits and gain {(add_years(IN_TIME, 3) - add_years(HELD, 3)).days} days"
        )
        await page.get_by_role("link", name="Keep this plan").click()
        form = {
            "token": await page.locator("[name=token]").input_value(),
            "plan": "longest",
            "until": (IN_TIME - timedelta(days=60)).isoformat(),
        }
        other = await context.request.post("/plan/CCNA/keep", form=form)
        assert other.url.partition("#")[0].endswith("/plan/CCNA/keep?plan=longest"), "what was not shown is not done"
        assert "It costs 4 days" in await text_of(page.locator("main"))
        await page.get_by_role("button", name="Hold 30 credits").click()
        assert f"on hold until {spoken(IN_TIME)}" in await text_of(page.locator("[role=status]"))
        assert await text_of(page.locator("h1")) == f"Your plan lasts until {spoken(add_years(IN_TIME, 3))}"

        await page.goto("/credits")
        assert await text_of(page.locator("h1")) == "30 of 30 credits"
        assert f"30 are on hold until {spoken(IN_TIME)}; 0 are free." in await text_of(page.locator(".lead"))
        await page.get_by_role("link", name="Choose another day").click()
        await page.get_by_role("link", name="See what using them now does").click()
        assert f"Active until {spoken(add_years(COMPLETED, 3))} instead of" in await text_of(page.locator(".effect"))
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
        await fill_day(page, "completed_on", COMPLETED)
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
                f"/plan/CCNA?view=table&exam=350-401&{typed('exam_on', EARLY)}&credits=0",
                "/plan/CCNA?exam=&credits=x",
                "/plan/CCNP-Enterprise",
                "/credits",
                "/credits/claim",
                f"{hold}?{typed('until', HELD)}",
            ),
        )
        await page.goto(withdrawal)
        await page.get_by_role("button", name="Withdraw this claim").click()
        assert "Withdrawn" in await text_of(page.locator("table"))
