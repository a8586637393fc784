"""A candidate's whole life in one browser, from the vendor's first word to the renewal; and the way in by keyboard."""

import asyncio
import secrets
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from playwright.async_api import BrowserContext, Locator, Page
from pymongo import MongoClient

from deploy.local.platform import PROGRAMS
from deploy.mongo.users import database_name
from libs.common.events import vendors
from libs.common.programs import add_years
from libs.common.programs.loader import load_programs
from tests.e2e.portal.colleagues import operate
from tests.e2e.portal.people import PASSWORD, Person, World, sign_in
from tests.e2e.samples import EXAM
from tests.e2e.vendor import vendor_message
from tests.e2e.waiting import eventually

CCNA = "Cisco Certified Network Associate"
DAYS_LEFT = 60
"""One of the program's reminder days."""
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
A_MINUTE_AND_MORE = 100.0
"""Seconds: what time alone brings about is looked for once a minute."""


def today() -> date:
    """The program's day."""
    return datetime.now(ZoneInfo(load_programs(PROGRAMS)["cisco"].time_zone)).date()


def taken_on() -> datetime:
    """When an exam was sat whose certification expires in so many days: at an hour that is of one day everywhere."""
    return datetime.combine(add_years(today() + timedelta(days=DAYS_LEFT), -3), time(19), UTC)


async def words(place: Page | Locator) -> str:
    there = place if isinstance(place, Locator) else place.locator("main")
    return (await there.inner_text()).replace("\xa0", " ")


async def h1(page: Page) -> str:
    return await words(page.locator("h1"))


async def mail(world: World, page: Page, email: str, subject: str) -> None:
    """Open a mail from the inbox."""

    async def there() -> int:
        await page.goto(f"{world.stage.inbox_url}/?q={email}")
        return await page.get_by_role("link", name=subject).count()

    await eventually(there, bool)
    await page.get_by_role("link", name=subject).first.click()


async def pass_night(world: World, person: Person) -> None:
    """Let everything that certs knows of somebody have been known the day before yesterday, and looked at yesterday."""

    def shift() -> None:
        with MongoClient[dict[str, Any]](world.stage.mongo.admin_url, tz_aware=True) as client:
            rows = client[database_name("certs")]["candidates"]
            row = rows.find_one({"_id": person.candidate_id}) or {}
            facts = [fact | {"known_at": fact["known_at"] - timedelta(days=2)} for fact in row["facts"]]
            seen = {"evaluated_at": row["evaluated_at"] - timedelta(days=1), "next_transition_on": today().isoformat()}
            rows.update_one({"_id": row["_id"]}, {"$set": {"facts": facts, **seen}})

    await asyncio.to_thread(shift)


async def pass_quarter_hour(world: World, person: Person) -> int:
    """Let reminders have waited for one another. Returns how many there are."""

    def shift() -> int:
        with MongoClient[dict[str, Any]](world.stage.mongo.admin_url) as client:
            rows = client[database_name("notify")]["gathered"]
            waiting = {"candidate_id": person.candidate_id, "due_at": {"$exists": True}}
            return rows.update_many(waiting, {"$set": {"due_at": datetime.now(UTC)}}).matched_count

    return await asyncio.to_thread(shift)


async def fill_day(page: Page, name: str, day: date) -> None:
    for part in ("day", "month", "year"):
        await page.locator(f'[name="{name}.{part}"]').fill(str(getattr(day, part)))


async def test_from_the_first_registration_to_a_renewal_by_credits(world: World) -> None:
    number = f"V-{secrets.token_hex(4)}"
    email = f"{number.lower()}@example.com"
    someone = vendors.VendorCandidate(given_name="Amara", family_name="Okafor", email=email, country="SE")
    registered = vendors.ExamRegistered(
        vendor_candidate_id=number,
        registration_id=f"G-{number}",
        exam_code=EXAM,
        delivery="test_center",
        scheduled_at=taken_on(),
        candidate=someone,
    )
    await world.vendor.publish(vendor_message(registered))
    found = await eventually(
        lambda: world.staff.get("identity", "/candidates", program="cisco", system="vue", external_id=number),
        lambda page: len(page["items"]) == 1,
    )
    person = Person(number, email, str(found["items"][0]["candidate_id"]))
    context = await world.browser.new_context(base_url=world.stage.public_url, java_script_enabled=False)
    page = await context.new_page()

    await first_login(world, page, person)
    assert await h1(page) == "Nothing earned yet"

    result = vendors.ExamResultReported(
        result_id=f"R-{number}",
        revision=1,
        vendor_candidate_id=number,
        registration_id=f"G-{number}",
        exam_code=EXAM,
        taken_at=taken_on(),
        grade="pass",
    )
    await world.vendor.publish(vendor_message(result))

    async def reloaded() -> str:
        await page.reload()
        return await h1(page)

    await eventually(reloaded, lambda text: text == f"{CCNA} is active")
    assert f"Renew {CCNA} by" in await words(page) or f"in {DAYS_LEFT} days" in await words(page)
    await pass_night(world, person)

    await certificate(page)
    await kit(page)
    await shared(world, page)
    await reminded(world, page, person)
    await renewed(world, page, person)
    await context.close()


async def first_login(world: World, page: Page, person: Person) -> None:
    """By the link of the mail, a password, and the candidate ID."""
    await mail(world, page, person.email, "ctivate")
    link = page.locator(f'ul a[href*="{world.stage.public_url}/activate"]').first
    await page.goto(str(await link.get_attribute("href")))
    await page.get_by_label("New password").fill(PASSWORD)
    await page.get_by_role("button", name="Set the password").click()
    await page.get_by_role("link", name="Sign in").click()
    if await page.get_by_role("link", name="Cisco").count():
        await page.get_by_role("link", name="Cisco").click()
    await sign_in(page, person.candidate_id, PASSWORD)


async def certificate(page: Page) -> None:
    """The certificate is a file, from the page of the certification."""
    await page.goto("/certifications/CCNA")
    link = await page.locator('a[href$="certificate.pdf"]').first.get_attribute("href")

    async def asked() -> Any:
        return await page.request.get(str(link))

    answer = await eventually(asked, lambda found: found.status == 200, seconds=A_MINUTE_AND_MORE)
    assert (await answer.body()).startswith(b"%PDF-")


async def kit(page: Page) -> None:
    await page.goto("/kits")
    await page.get_by_role("link", name="Claim it").click()
    await page.get_by_label("Street and number").fill("Storgatan 1")
    await page.locator("#city").fill("Uppsala")
    await page.get_by_label("Postal code").fill("753 09")
    await page.get_by_role("button", name="Check the address").click()
    await page.get_by_role("button", name="Post it to this address").click()
    assert "It is ordered" in await words(page.get_by_role("status"))


async def shared(world: World, page: Page) -> None:
    """A link is made, and a verifier opens it in a browser that has never been here."""
    await page.goto("/share/transcripts/new")
    await page.get_by_label(CCNA).check()
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_label("Live", exact=True).check()
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_label("Name of the link").fill("For the new job")
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("button", name="Publish the link").click()
    link = await page.get_by_label("The whole link").input_value()
    fresh = await world.browser.new_context(java_script_enabled=False)
    verifier = await fresh.new_page()
    answer = await verifier.goto(link)
    assert answer is not None
    assert answer.status == 200
    seen = await words(verifier)
    assert "Genuine and unchanged" in seen
    assert "Amara Okafor" in seen
    assert await fresh.cookies() == []
    await fresh.close()


async def reminded(world: World, page: Page, person: Person) -> None:
    """The reminder comes by mail, and stands among the mails that we have sent."""
    await eventually(lambda: pass_quarter_hour(world, person), bool, seconds=A_MINUTE_AND_MORE)
    subject = "expire"

    async def sent() -> str:
        await page.goto("/mails")
        return await words(page)

    await eventually(sent, lambda text: subject in text, seconds=A_MINUTE_AND_MORE)
    await mail(world, page, person.email, subject)
    assert CCNA in (await page.locator("pre").inner_text())


async def renewed(world: World, page: Page, person: Person) -> None:
    """Credits are claimed with a document, a reviewer accepts them, and the certification lasts longer."""
    done = today() - timedelta(days=2)
    await page.goto("/credits/claim")
    await page.get_by_label("Its name").fill("Core technologies")
    await page.get_by_label("Its code").fill("ENCOR-ILT")
    await page.get_by_label("Credits", exact=True).fill("30")
    await fill_day(page, "completed_on", done)
    await page.get_by_label("Certificate of attendance").set_input_files(
        {"name": "attended.pdf", "mimeType": "application/pdf", "buffer": PDF}
    )
    await page.get_by_role("button", name="Check my answers").click()
    await page.get_by_role("button", name="Claim 30 credits").click()
    claims = f"/programs/cisco/candidates/{person.candidate_id}/submissions"
    (claim,) = (await world.staff.get("certs", claims))["items"]
    review = f"/programs/cisco/reviews/{claim['submission_id']}/decision"
    await operate(world, "POST", "certs", review, {"decision": "accepted"})
    last = add_years(done, 3)

    async def told() -> str:
        await page.goto("/certifications/CCNA")
        return await words(page)

    text = await eventually(told, lambda text: f"{last.day} {last:%B %Y}" in text)
    assert "30 credits completed through" in text


async def test_the_way_in_and_to_the_reasons_by_keyboard_alone(world: World, person: Person) -> None:
    context = await world.browser.new_context(base_url=world.stage.public_url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/sign-in/cisco")
    await tab_to(page, "login")
    await page.keyboard.type(person.candidate_id)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: urlsplit(url).path == "/")
    await page.keyboard.press("Tab")
    assert await focused(page) == "Go to the content", "the first stop leads past the navigation"
    await page.keyboard.press("Enter")
    await reach(context, page, CCNA)
    assert await h1(page) == CCNA
    assert urlsplit(page.url).path == "/certifications/CCNA"
    await context.close()


async def focused(page: Page) -> str:
    return (await page.locator(":focus").inner_text()).strip()


async def tab_to(page: Page, name: str) -> None:
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await page.locator(f'[name="{name}"]:focus').count():
            return
    raise AssertionError(f"{name} is not reached by the keyboard")


async def reach(context: BrowserContext, page: Page, text: str) -> None:
    """Tab to a link of the content and follow it; each stop on the way is visible."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        stop = page.locator(":focus")
        if await stop.count() == 0:
            continue
        box = await stop.bounding_box()
        assert box is not None, await stop.evaluate("node => node.outerHTML")
        assert box["width"] > 0, await stop.evaluate("node => node.outerHTML")
        if text in await stop.inner_text():
            await page.keyboard.press("Enter")
            await page.wait_for_load_state()
            return
    raise AssertionError(f"{text} is not reached by the keyboard in {len(context.pages)} page")
