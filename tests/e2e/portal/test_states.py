"""Certifications that are not simply active, what is booked and paid for, and pages on paper."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, ViewportSize

from tests.e2e.portal.colleagues import operate
from tests.e2e.portal.eyes import look_over
from tests.e2e.portal.people import Person, World
from tests.e2e.samples import registration, result
from tests.e2e.vendor import vendor_message
from tests.e2e.waiting import eventually

CCNA = "Cisco Certified Network Associate"
WHY = "Clause 4.2: somebody else sat the exam."
BOOKED, ELSEWHERE = "350-401", "Harbour Square test centre"
NOW = datetime.now(UTC)
PAPER = ViewportSize(width=703, height=1000)
"""A4 within its margins, in pixels."""
LONG_AGO = NOW - timedelta(days=3 * 365 + 31)
"""When an exam was sat whose certification has run out this month."""


@dataclass
class Former:
    """Somebody whose certification has run out, who has booked the next exam, and holds a code that pays for it."""

    person: Person
    code: str


@pytest_asyncio.fixture(scope="module")
async def former(world: World) -> Former:
    person = await world.candidate(passed=False)
    await world.activate(person)
    await world.vendor.publish(vendor_message(result(person.number).model_copy(update={"taken_at": LONG_AGO})))
    booked = registration(person.number, person.email).model_copy(
        update={
            "registration_id": f"G2-{person.number}",
            "exam_code": BOOKED,
            "scheduled_at": NOW + timedelta(days=12),
            "site": ELSEWHERE,
        }
    )
    await world.vendor.publish(vendor_message(booked))
    code = f"CODE-{secrets.token_hex(4).upper()}"
    await _paid(world, person, code)
    path = f"/programs/cisco/candidates/{person.candidate_id}"
    await eventually(
        lambda: world.staff.get("certs", f"{path}/certifications"),
        lambda page: [one["status"] for one in page["certifications"]] == ["expired"],
    )
    await eventually(
        lambda: world.staff.get("exams", f"{path}/appointments", coming="true"),
        lambda page: [one["site"] for one in page["items"]] == [ELSEWHERE],
    )
    return Former(person, code)


async def _paid(world: World, person: Person, code: str) -> None:
    """A list with one code, which is theirs."""
    batch = f"B-{code}"
    await world.staff.get("identity", "/totals")
    headers = {
        "Authorization": f"Bearer {world.staff._token}",
        "Content-Type": "text/csv",
        "Idempotency-Key": secrets.token_hex(8),
    }
    listed = f"code,vendor,batch,exams,valid_until\n{code},vue,{batch},{BOOKED},{(NOW + timedelta(days=90)).date()}\n"
    url = f"{world.stage.api_url('exams')}/programs/cisco/voucher-imports"
    async with world.session.post(url, data=listed, headers=headers) as response:
        assert (await response.json())["added"] == 1
    path = f"/programs/cisco/voucher-batches/{batch}/assignments"
    await operate(world, "POST", "exams", path, {"candidate_id": person.candidate_id, "exam": BOOKED})


async def words(page: Page, where: str = "main") -> str:
    return (await page.locator(where).first.inner_text()).replace("\xa0", " ")


@pytest.mark.parametrize(("kind", "state"), [("suspend", "Suspended"), ("revoke", "Revoked")])
async def test_what_staff_have_stopped_is_said_first_and_with_its_reason(world: World, kind: str, state: str) -> None:
    person = await world.candidate()
    await world.activate(person)
    path = f"/programs/cisco/candidates/{person.candidate_id}/decisions"
    await operate(world, "POST", "certs", path, {"kind": kind, "certification": "CCNA", "reason": WHY})
    async with world.signed_in(person) as context:
        page = await context.new_page()
        await page.goto("/")
        assert await words(page, "h1") == f"{CCNA} needs your attention"
        assert state in await words(page, ".board")
        await page.goto("/certifications/CCNA")
        assert state in await words(page, ".hero")
        assert WHY in await words(page)
        await page.close()
        await look_over(world, context, ("/", "/certifications", "/certifications/CCNA", "/share/certifications/CCNA"))


async def test_what_has_run_out_is_said_with_its_day_and_what_is_booked_with_its_place(
    world: World, former: Former
) -> None:
    async with world.signed_in(former.person) as context:
        page = await context.new_page()
        await page.goto("/")
        assert (await words(page, "h1")).startswith(f"{CCNA} expired on")
        await page.goto("/exams")
        exams = await words(page)
        assert ELSEWHERE in exams
        assert former.code not in exams, "whoever looks over a shoulder sees its end alone"
        await page.get_by_role("button", name="Show the code").click()
        assert await words(page, "h1") == f"Your code is {former.code}"
        await page.close()
        await look_over(world, context, ("/", "/certifications", "/certifications/CCNA", "/exams", "/exams/schedule"))


async def test_on_paper_stands_what_is_said_and_nothing_to_press(world: World, inside: BrowserContext) -> None:
    """In black on white, whatever the screen is like."""
    page = await inside.new_page()
    await page.emulate_media(media="print", color_scheme="dark")
    await page.set_viewport_size(PAPER)
    for path in ("/", "/certifications/CCNA", "/exams"):
        await page.goto(path)
        await page.locator("html").evaluate("html => html.dataset.theme = 'dark'")
        assert await page.locator("h1").is_visible()
        assert await page.locator(".account").is_visible(), "whose it is"
        for what in ("nav", "button", "a.button", "form", "details.narrow-menu"):
            for one in await page.locator(what).all():
                assert not await one.is_visible(), (path, await one.evaluate("node => node.outerHTML"))
        colours = await page.locator("body").evaluate(
            "body => [getComputedStyle(body).backgroundColor, getComputedStyle(body).color]"
        )
        sideways = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways == 0, path
        assert colours == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"], path
    await page.close()


async def test_on_paper_stands_what_is_folded_on_a_screen_of_why_and_what_is_missing(
    world: World, inside: BrowserContext
) -> None:
    page = await inside.new_page()
    await page.goto("/certifications/CCNA")
    folded = page.locator("details.on-paper:not([open])")
    assert await folded.count() > 0
    for one in await folded.all():
        assert not await one.locator("> :not(summary)").first.is_visible(), "on a screen somebody has to ask for it"
    await page.emulate_media(media="print")
    for one in await folded.all():
        assert await one.locator("> :not(summary)").last.is_visible()
    assert not await page.locator("#then").is_visible(), "a heading of a form that is not printed"
    await page.close()
