"""Pages under the second sample program's name, colours and mark: one of each layout."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio
from playwright.async_api import BrowserContext

from tests.browsers import at_length
from tests.e2e.portal.colleagues import at_desk, colleague
from tests.e2e.portal.eyes import look_over
from tests.e2e.portal.people import World
from tests.e2e.samples import registration, result
from tests.e2e.vendor import vendor_message
from tests.e2e.waiting import eventually

PASSED = datetime.now(UTC) - timedelta(days=1)
PROFILE = {
    "address": {"lines": ["Storgatan 1"], "city": "Uppsala", "postal_code": "753 09", "country": "SE"},
    "employer": "Orange",
    "marketing": {"given": False, "text_version": "2026-1"},
}
LAYOUTS = (
    "/",
    "/certifications/JNCIA-Junos",
    "/exams",
    "/plan",
    "/plan/JNCIA-Junos",
    "/share",
    "/profile",
    "/settings/theme",
)
AT_THE_DESK = ("/staff", "/staff/cases", "/staff/announcements/new", "/staff/rules")
BEFORE_SIGNING_IN = ("/sign-in/juniper", "/recover/juniper", "/staff/sign-in/juniper")

pytestmark = at_length


@pytest_asyncio.fixture(scope="module")
async def inside(world: World) -> AsyncIterator[BrowserContext]:
    """A browser in which a candidate of `juniper` is signed in, who has told everything and passed."""
    person = await world.newcomer()
    await world.act_as(person, "PATCH", "identity", "/profile", PROFILE)
    booked = {"registration_id": f"G2-{person.number}", "exam_code": "JN0-106"}
    registered = registration(person.number, person.email).model_copy(update={**booked, "scheduled_at": PASSED})
    await world.vendor.publish(vendor_message(registered, program="juniper"))
    passed = result(person.number).model_copy(update={**booked, "taken_at": PASSED})
    await world.vendor.publish(vendor_message(passed, program="juniper"))
    path = f"/programs/juniper/candidates/{person.candidate_id}/certifications"
    await eventually(lambda: world.staff.get("certs", path), lambda page: bool(page["certifications"]))
    async with world.signed_in(person) as context:
        yield context


async def test_layouts_of_candidates_stand_the_second_brand(world: World, inside: BrowserContext) -> None:
    page = await inside.new_page()
    await page.goto("/")
    assert await page.locator(".whose").inner_text() == "Juniper Networks Certification Program"
    await page.close()
    await look_over(world, inside, LAYOUTS)


async def test_layouts_of_staff_stand_the_second_brand(world: World) -> None:
    async with at_desk(world, await colleague(world, "manager", program="juniper")) as desk:
        await look_over(world, desk, AT_THE_DESK)


async def test_pages_before_signing_in_stand_the_second_brand(world: World) -> None:
    context = await world.browser.new_context(base_url=world.stage.public_url)
    await look_over(world, context, BEFORE_SIGNING_IN)
    await context.close()
