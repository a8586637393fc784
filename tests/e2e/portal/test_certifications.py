"""A certification with its reasons, what was seen on a day, the agreement, and exams with a challenge."""

from datetime import timedelta
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext

from tests.e2e.portal.eyes import look_over
from tests.e2e.portal.people import World
from tests.e2e.samples import EXAM, LAST, TAKEN, registration, result, spoken
from tests.e2e.vendor import vendor_message
from tests.e2e.waiting import eventually

NEXT_MONTH = TAKEN + timedelta(days=30)
PAGES = (
    "/certifications?view=picture",
    "/certifications/CCNA",
    "/certifications/CCNA?view=table",
    "/certifications/CCNA/history",
    f"/certifications/CCNA/history?on={NEXT_MONTH.date()}",
    "/certifications/CCNA/history?on.day=31&on.month=2&on.year=2025",
    "/certifications/agreement",
    "/certifications/agreement/accept",
    "/exams",
    "/exams?grade=fail",
    "/exams/where",
    "/exams/schedule",
)


async def test_a_certification_says_why_and_what_was_seen_on_a_day(inside: BrowserContext) -> None:
    page = await inside.new_page()
    await page.goto("/certifications/CCNA")
    why = (await page.locator(".why").inner_text()).replace("\xa0", " ")
    assert f"{EXAM} passed on {spoken(TAKEN)}" in why
    assert "told by the test vendor" in why
    assert f"To earn it: pass {EXAM}" in why
    assert f"So it is active from {spoken(TAKEN)} to {spoken(LAST)}" in why
    data = await inside.request.get("/certifications/CCNA/reasons.json")
    assert [fact["kind"] for fact in (await data.json())["facts"]] == ["exam"]
    await page.get_by_role("link", name="Show as a table").click()
    await page.goto("/certifications/CCNA")
    assert await page.get_by_role("link", name="Show as a picture").count() == 1, "it is remembered"
    await page.get_by_role("link", name="Show as a picture").click()
    for box, part in (("#on", "day"), ("#on-month", "month"), ("#on-year", "year")):
        await page.locator(box).fill(str(getattr(NEXT_MONTH, part)))
    await page.get_by_role("button", name="Show that day").click()
    seen = (await page.locator("h1").inner_text()).replace("\xa0", " ")
    assert seen == f"On {spoken(NEXT_MONTH)}, a verifier saw nothing of it: it was not awarded."
    later = (await page.locator(".lead").inner_text()).replace("\xa0", " ")
    assert "we didn't know yet of this" in later
    file = await eventually(
        lambda: inside.request.get("/share/certifications/CCNA/certificate.pdf"), lambda answer: answer.status == 200
    )
    assert (await file.body())[:5] == b"%PDF-", "once its credential is issued and the page is set"
    await page.close()


async def test_the_agreement_is_read_and_accepted_after_one_more_look(world: World) -> None:
    somebody = await world.candidate()
    await world.activate(somebody)
    async with world.signed_in(somebody) as context:
        page = await context.new_page()
        await page.goto("/certifications/agreement")
        await page.get_by_role("link", name="Accept the agreement").click()
        assert await page.locator("h1").inner_text() == "Accept the agreement?"
        await page.get_by_role("button", name="Accept the agreement").click()
        assert "You accepted the agreement" in await page.locator(".said").inner_text()
        await page.goto("/certifications/agreement")
        assert "You accepted it on" in await page.locator(".lead").inner_text()


async def test_a_failed_exam_is_challenged_answered_and_withdrawn_and_a_way_that_is_not_agreed_is_told(
    world: World,
) -> None:
    somebody = await world.candidate(passed=False)
    await world.activate(somebody)
    failed = result(somebody.number).model_copy(update={"grade": "fail", "score": 400})
    await world.vendor.publish(vendor_message(failed))
    path = f"/programs/cisco/candidates/{somebody.candidate_id}"
    await eventually(
        lambda: world.staff.get("exams", f"{path}/history"),
        lambda found: [one["grade"] for one in found["items"]] == ["fail"],
    )
    async with world.signed_in(somebody) as context:
        page = await context.new_page()
        await page.goto("/exams")
        await page.get_by_role("link", name=EXAM).click()
        assert "Not passed" in await page.locator(".hero").inner_text()
        one = urlsplit(page.url).path
        await page.get_by_role("link", name="Challenge the result").click()
        await page.get_by_role("button", name="Challenge the result").click()
        assert await page.locator(".error-summary li").count() == 2
        await look_over(world, context, [one, f"{one}/challenge"])
        await page.get_by_label("How the exam was held").check()
        await page.get_by_label("What happened").fill("The computer stopped twice.")
        await page.get_by_role("button", name="Challenge the result").click()
        assert "The computer stopped twice." in await page.locator("main").inner_text()
        await page.get_by_label("Write to us").fill("It was computer 12.")
        await page.get_by_role("button", name="Send the message").click()
        assert "It was computer 12." in await page.locator(".way").inner_text()
        await look_over(world, context, [urlsplit(page.url).path])
        await page.get_by_role("link", name="Withdraw the challenge").click()
        await page.get_by_role("button", name="Withdraw the challenge").click()
        assert "Withdrawn by you" in await page.locator(".hero").inner_text()
        await page.goto(f"/exams/schedule?exam={EXAM}")
        await page.get_by_role("button", name="Go on to the vendor").click()
        assert await page.locator(".error-summary li").count() == 1, (
            "nothing is agreed with this vendor, and that is said"
        )


async def test_a_result_that_is_waited_for_is_said_first(world: World) -> None:
    somebody = await world.candidate(passed=False)
    await world.activate(somebody)
    await world.vendor.publish(vendor_message(registration(somebody.number, somebody.email)))
    async with world.signed_in(somebody) as context:
        page = await context.new_page()
        await page.goto("/exams/where")
        await page.get_by_role("button", name="Look for it").click()
        assert await page.locator(".error-summary li").count() == 1
        await page.get_by_label("Registration number").fill(f"G-{somebody.number}")
        await page.get_by_role("button", name="Look for it").click()
        assert EXAM in await page.locator(".found li").inner_text()
        await page.goto("/exams")
        assert await page.locator("tbody tr").count() + await page.locator(".tasks li").count() > 0


async def test_pages_of_certifications_and_exams_stand_a_close_look(world: World, inside: BrowserContext) -> None:
    await look_over(world, inside, PAGES)
