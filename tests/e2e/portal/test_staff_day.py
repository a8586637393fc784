"""A day at the desk in one browser: in with a second factor, one thing of every queue, and the log of it all."""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio
from playwright.async_api import Locator, Page

from services.identity.domain.one_time_codes import STEP_SECONDS, code_at
from tests.e2e.portal.colleagues import PASSWORD, Colleague, at_desk, colleague, operate, sign_in
from tests.e2e.portal.people import Person, World, left
from tests.e2e.portal.troubles import challenge, fail, let_be_late, malformed, stray
from tests.e2e.samples import EXAM, TAKEN, spoken
from tests.e2e.waiting import eventually

STRAY = "X-ELSEWHERE"
QUIET = TAKEN + timedelta(days=45)
"""A day of which we hold no registration: whatever the vendor has then, we have forgotten."""


@dataclass
class Morning:
    """Who is at work, and whom the day is about."""

    manager: Colleague
    reviewer: Colleague
    auditor: Colleague
    asking: Person
    case_id: str
    booked: Person
    """Whose result came in under a number that nobody knows."""
    missing: Person
    """Whose result has not come in."""
    failed: Person
    """Who challenges the result."""
    passed: Person
    twice: Person
    """The other account of whoever has passed."""


@pytest_asyncio.fixture(scope="module")
async def morning(world: World) -> Morning:
    asking, booked, missing, failed, twice = [await world.candidate(passed=False) for _ in range(5)]
    path = f"/programs/cisco/candidates/{asking.candidate_id}/cases"
    case = await operate(world, "POST", "identity", path, {"kind": "other", "text": "Do you hold my pass of 2019?"})
    await stray(world, booked, STRAY)
    await fail(world, failed)
    await world.vendor.publish(malformed())
    await let_be_late(world, missing)
    await challenge(world, failed)
    passed = await world.candidate()
    await eventually(
        lambda: world.staff.get("exams", "/programs/cisco/unmatched"),
        lambda page: STRAY in [item["vendor_candidate_id"] for item in page["items"]],
    )
    return Morning(
        manager=await colleague(world, "manager"),
        reviewer=await colleague(world, "reviewer", name="Noor El-Amin"),
        auditor=await colleague(world, "auditor", name="Ada Berg"),
        asking=asking,
        case_id=str(case["case_id"]),
        booked=booked,
        missing=missing,
        failed=failed,
        passed=passed,
        twice=twice,
    )


async def words(place: Page | Locator) -> str:
    there = place if isinstance(place, Locator) else place.locator("main")
    return (await there.inner_text()).replace("\xa0", " ")


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name).click()


async def test_from_signing_in_to_the_log_of_the_day(world: World, morning: Morning) -> None:
    context = await world.browser.new_context(base_url=world.stage.public_url, java_script_enabled=False)
    page = await context.new_page()
    await signed_in(page, morning.manager)
    await a_case_is_answered(page, morning)
    await a_result_is_matched(page, morning)
    await a_late_result_is_asked_for(page, morning)
    await a_challenge_is_decided(world, page, morning)
    await accounts_are_merged(page, morning)
    await a_certification_is_granted(page, morning)
    await everybody_is_told(page)
    await vendors_are_looked_at(page)
    await context.close()
    async with at_desk(world, morning.auditor) as evening:
        await the_log_tells_it(await evening.new_page(), morning)


async def signed_in(page: Page, manager: Colleague) -> None:
    """With the code that the app shows next: the one of now has opened the account."""
    await page.goto("/staff")
    await page.get_by_role("link", name="Cisco").click()
    await sign_in(page, manager.email, PASSWORD, code_at(manager.secret, int(time.time()) // STEP_SECONDS + 1))
    await left(page, "/staff/sign-in")
    told = await words(page)
    assert re.search(r"Cases: \d", told), told
    assert re.search(r"Unmatched: \d", told), told
    assert re.search(r"\b[1-9]\d* messages of vendors in 14 days", told), told
    assert await page.locator("svg.chart").count() > 0


async def a_case_is_answered(page: Page, day: Morning) -> None:
    await page.locator("main").get_by_role("link", name=re.compile("^Cases:")).click()
    row = page.locator("table.queue tbody tr", has_text=day.asking.candidate_id)
    await row.get_by_role("link").click()
    await press(page, "Take it")
    assert "You are on this." in await words(page.locator(".item"))
    assert "Do you hold my pass of 2019?" in await words(page.locator(".thread"))
    await page.get_by_label("Write to the candidate").fill("Yes. It stands below Exams.")
    await press(page, "Send the message")
    assert "your message is sent, and a mail says so" in await words(page.locator(".told")), "and the next one opens"
    await page.goto(f"/staff/cases?item={day.case_id}")
    assert "It stands below Exams." in await words(page.locator(".thread"))


async def a_result_is_matched(page: Page, day: Morning) -> None:
    await page.goto("/staff/unmatched")
    await page.get_by_role("link", name=STRAY).click()
    assert f"counts for {day.booked.candidate_id} from {spoken(TAKEN)}" in await words(page.locator(".item"))
    await press(page, "Take it")
    assert "You are on this." in await words(page.locator(".item"))
    await page.get_by_label("Reason", exact=True).fill("The registration is theirs")
    await press(page, "Assign to Zoë Ångström")
    await press(page, "Assign it to Zoë Ångström")
    assert "Done: the result is" in await words(page.get_by_role("status"))


async def a_late_result_is_asked_for(page: Page, day: Morning) -> None:
    await page.goto("/staff/late")
    await page.get_by_role("link", name=f"G-{day.missing.number}").click()
    question = await page.get_by_label("Question for the vendor").input_value()
    assert f"G-{day.missing.number}" in question
    assert day.missing.candidate_id not in question


async def a_challenge_is_decided(world: World, page: Page, day: Morning) -> None:
    """By the manager, and by a second person in another browser."""
    await page.goto("/staff/challenges")
    await page.locator("table.queue").get_by_role("link", name=day.failed.candidate_id).click()
    mine = page.url.partition("#")[0]
    await _change_to_pass(page, mine, "Question 7 had two right answers")
    assert "a second person is asked" in await words(page.get_by_role("status"))
    async with at_desk(world, day.reviewer) as second:
        other = await second.new_page()
        await _change_to_pass(other, mine, "I agree")
        assert "the result is changed" in await words(other.get_by_role("status"))


async def _change_to_pass(page: Page, address: str, reason: str) -> None:
    await page.goto(address)
    await page.get_by_label("Change", exact=True).check()
    await page.get_by_label("The result becomes").select_option("pass")
    await page.get_by_label("Reason", exact=True).fill(reason)
    await press(page, "Decide the challenge")
    assert "The result becomes: Passed" in await words(page)
    await press(page, "Change the result")


async def accounts_are_merged(page: Page, day: Morning) -> None:
    ends, goes_on = day.twice.candidate_id, day.passed.candidate_id
    await page.goto(f"/staff/merges/preview?from={ends}&into={goes_on}")
    assert "Are both of these Zoë" in await words(page.locator("h1"))
    assert "If you merge them" in await words(page)
    await page.get_by_label("Reason").fill("Same person, confirmed by phone")
    await press(page, f"Merge {ends} into {goes_on}")
    assert f"{ends} is merged into {goes_on}" in await words(page.locator(".told"))


async def a_certification_is_granted(page: Page, day: Morning) -> None:
    await page.goto("/staff/decisions")
    await page.get_by_label("Candidate ID").fill(day.passed.candidate_id)
    await press(page, "Show certifications")
    await page.get_by_label("Grant", exact=True).check()
    await page.get_by_label("Certification").select_option("CCNP-Enterprise")
    await page.get_by_label("Reason").fill("Clause 2.6: held before our records begin.")
    await press(page, "Show what would change")
    row = page.locator("table.data tbody tr").filter(has=page.get_by_text("CCNP-Enterprise", exact=True))
    before, after = [await row.locator("td").nth(column).inner_text() for column in (1, 2)]
    assert before == "not held"
    assert after.startswith("active")
    await press(page, "Grant CCNP-Enterprise")
    assert "You: Grant, CCNP-Enterprise" in await words(page)


async def everybody_is_told(page: Page) -> None:
    today = datetime.now(UTC).date()
    await page.goto("/staff/announcements/new")
    for legend, day in (("First day", today), ("Last day", today + timedelta(days=3))):
        boxes = page.get_by_role("group", name=legend)
        for label, value in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
            await boxes.get_by_label(label, exact=True).fill(str(value))
    await page.get_by_label("Title in English").fill("Closed on Thursday")
    await page.get_by_label("Text in English").fill("Results arrive all the same.")
    await press(page, "Keep the draft")
    await press(page, "Publish the announcement")
    assert "Every candidate of the program" in await words(page)
    await press(page, "Publish the announcement")
    assert "You: published it" in await words(page.locator(".item"))


async def vendors_are_looked_at(page: Page) -> None:
    """A message that was refused, and a list of the vendor's beside ours."""
    await page.goto("/staff/refused-messages")
    await page.locator("tbody a").first.click()
    assert "data.grade" in await page.get_by_label("Words for the vendor").input_value()
    await page.goto("/staff/reconciliation/new")
    await page.get_by_label("Vendor", exact=True).select_option("vue")
    for name, day in (("first", QUIET - timedelta(days=9)), ("last", QUIET + timedelta(days=9))):
        for part in ("day", "month", "year"):
            await page.locator(f"[name='{name}.{part}']").fill(str(getattr(day, part)))
    listed = (
        "registration_id,candidate_id,exam_code,state,scheduled_at\n"
        f"G-FORGOTTEN,V-FORGOTTEN,{EXAM},no_show,{QUIET:%Y-%m-%dT%H:%M:%SZ}\n"
    )
    file: Any = {"name": "list.csv", "mimeType": "text/csv", "buffer": listed.encode()}
    await page.get_by_label("The vendor's list").set_input_files(file)
    await press(page, "Compare the list")
    await page.wait_for_url(re.compile(r"/staff/reconciliation/(?!new)"))  # a page cannot be loaded anew on its way

    async def compared() -> int:
        await page.reload()
        return await page.locator("table.queue tbody tr").get_by_text("G-FORGOTTEN").count()

    await eventually(compared, bool)


async def the_log_tells_it(page: Page, day: Morning) -> None:
    """Whom it was about stands there, who did it, and that nothing was altered since."""
    expected = {
        "identity": (("merge accounts", day.twice), ("ask candidate", day.asking)),
        "exams": (("assign result", day.booked), ("decide challenge", day.failed)),
        "certs": (("decide certification", day.passed),),
    }
    for service, done in expected.items():
        for operation, person in done:
            await page.goto(f"/staff/audit?service={service}&candidate={person.candidate_id}")
            assert "Unchanged" in await words(page.locator(".queue-foot").first)
            log = await words(page.locator("table.queue tbody"))
            assert re.search(rf"Rosa Mäkinen.*{operation}", log.replace("\n", " ")), (service, log)
