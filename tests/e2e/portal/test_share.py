"""Proof for others, and parcels: a link from its first step to a verifier and its end; a kit, its address, its end."""

import re
from datetime import UTC, date, datetime
from functools import partial
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from deploy.local.platform import PROGRAMS
from libs.common.languages import ARABIC, ENGLISH, SPANISH, Language
from libs.common.programs.loader import load_programs
from services.certs.pages.assets import SHELF
from services.certs.public.addresses import Addresses
from services.certs.transcripts.pages import VerificationPages, verification
from services.certs.transcripts.shown import Shown, ShownCertification
from tests.e2e.portal.eyes import look_over
from tests.e2e.portal.people import Person, World
from tests.e2e.waiting import eventually
from tests.languages import read_in

EARNED, LAST = date(2022, 4, 18), date(2026, 6, 3)
CHECKED = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module")
async def sharer(world: World) -> Person:
    """Somebody who shares, and orders."""
    person = await world.candidate()
    await world.activate(person)
    path = f"/programs/cisco/candidates/{person.candidate_id}"
    await eventually(
        lambda: world.staff.get("certs", f"{path}/badges"), lambda found: found["badges"][0]["current"] is not None
    )
    return person


async def test_a_link_is_made_in_four_steps_seen_by_a_verifier_changed_and_withdrawn(
    world: World, sharer: Person
) -> None:
    async with world.signed_in(sharer) as context:
        page = await context.new_page()
        await page.goto("/share")
        assert await page.locator("h1").inner_text() == "Nothing is shared"
        link = await _published(page)
        assert await page.locator("h1").inner_text() == "For a tender"
        assert await page.get_by_role("status").inner_text() == "Your link is ready."
        assert "subject=" in str(await page.get_by_role("link", name="Send by e-mail").get_attribute("href"))
        assert await _natural_width(page) > 0, "the QR code is drawn"
        mine = urlsplit(page.url).path

        seen = await _verified(world, link)
        assert "Genuine and unchanged" in seen
        assert "Zoë Ångström" in seen
        assert "Cisco Certified Network Associate" in seen
        assert "For the campus network." in seen
        assert sharer.candidate_id not in seen

        async def log() -> str:
            await page.goto(mine)
            return await page.locator("#views ~ *").first.inner_text()

        await eventually(log, lambda text: "A browser" in text)
        verifier = f"{world.stage.api_url('certs')}/public{urlsplit(link).path}"
        await look_over(world, context, ("/share", mine, f"{mine}/edit", f"{mine}/withdraw", verifier))
        await look_over(world, context, (f"{verifier}?lang={language}" for language in ("ar", "es")))
        await page.get_by_role("link", name="Change this link").click()
        await page.get_by_label("Remark").fill("For lot 2.")
        await page.get_by_role("button", name="Save the changes").click()
        assert "For lot 2." in await _verified(world, link)

        await page.goto(mine)
        await page.get_by_role("link", name="Withdraw the link").click()
        await page.get_by_role("button", name="Withdraw the link").click()
        assert "It can't be opened again; make a new one instead." in await page.locator(".lead").inner_text()
        assert "This link has ended" in await _verified(world, link, status=410)


async def _published(page: Page) -> str:
    """Go through the four steps, and once back. Returns the address of the link."""
    await page.get_by_role("link", name="New link").click()
    await page.get_by_role("button", name="Continue").click()
    assert "Choose at least one thing to show" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("Cisco Certified Network Associate").check()
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_label("Live", exact=True).check()
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_label("Day").fill("99")
    await page.get_by_role("button", name="Continue").click()
    assert await page.locator(".error-summary li").count() == 2
    await page.get_by_label("Name of the link").fill("For a tender")
    await page.get_by_label("Day").fill("28")
    await page.get_by_label("Remark").fill("For the\ncampus network.")
    await page.get_by_role("button", name="Go back").click()
    assert await page.get_by_label("Live", exact=True).is_checked()
    await page.get_by_role("button", name="Continue").click()
    assert await page.get_by_label("Name of the link").input_value() == "For a tender"
    await page.get_by_role("button", name="Continue").click()
    assert await page.locator("h1").inner_text() == "Check and publish"
    await page.get_by_role("button", name="Publish the link").click()
    return await page.get_by_label("The whole link").input_value()


async def _verified(world: World, link: str, *, status: int = 200) -> str:
    """What a verifier sees behind a link, without cookies or scripts. The stage has no gateway, so certs is asked."""
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    context = await world.browser.new_context(java_script_enabled=False, user_agent=agent)
    page = await context.new_page()
    answer = await page.goto(f"{world.stage.api_url('certs')}/public{urlsplit(link).path}")
    assert answer is not None
    assert answer.status == status
    assert await context.cookies() == []
    text = await page.locator("main").inner_text()
    await context.close()
    return text.replace("\xa0", " ")


async def _natural_width(page: Page) -> int:
    box = await page.locator(".qr img").bounding_box()
    source = await page.locator(".qr img").get_attribute("src")
    answer = await page.request.get(str(source))
    assert answer.headers["content-type"].startswith("image/svg+xml")
    return int(box["width"]) if box else 0


async def test_certificate_logo_and_badge_are_files_and_choices_are_kept(world: World, sharer: Person) -> None:
    async with world.signed_in(sharer) as context:
        page = await context.new_page()
        await page.goto("/share")
        await page.get_by_role("link", name="Certificate, logo and badge").click()
        base = urlsplit(page.url).path
        for file, kind in (
            ("certificate.pdf", "application/pdf"),
            ("badge.png", "image/png"),
            ("logos/logo.svg", "image/svg+xml"),
        ):
            # The first that is drawn in a process reads its fonts first, and may be asked for again.
            answer = await eventually(partial(context.request.get, f"{base}/{file}"), lambda found: found.status == 200)
            assert answer.headers["content-type"].partition(";")[0] == kind
            assert "attachment" in answer.headers["content-disposition"]
        await page.reload()
        assert "Zoë Ångström" in await page.locator("#certificate + .card").inner_text()
        assert "linkedin.com/profile/add" in str(
            await page.get_by_role("link", name="Add it to your LinkedIn profile").get_attribute("href")
        )
        await page.goto("/share/choices")
        await page.get_by_label("Put my name in badges").check()
        await page.get_by_role("button", name="Save what others see").click()
        await page.goto("/share/choices")
        assert await page.get_by_label("Put my name in badges").is_checked()


async def test_a_kit_is_claimed_to_a_street_once_its_label_is_confirmed(world: World, sharer: Person) -> None:
    async with world.signed_in(sharer) as context:
        page = await context.new_page()
        await page.goto("/kits")
        await page.get_by_role("link", name="Claim it").click()
        await page.get_by_label("Street and number").fill("Box 42")
        await page.locator("#city").fill("Uppsala")
        await page.get_by_label("Postal code").fill("753 09")
        await page.get_by_role("button", name="Check the address").click()
        assert "That's a P.O. box." in await page.locator(".error-summary").inner_text()
        assert await page.locator("#city").input_value() == "Uppsala"
        await page.get_by_label("Street and number").fill("Storgatan 1")
        await page.get_by_role("button", name="Check the address").click()
        assert "Zoë Ångström\nStorgatan 1" in await page.locator(".pairs .address").inner_text()
        await page.get_by_role("button", name="Post it to this address").click()
        assert "It is ordered" in await page.get_by_role("status").inner_text()
        assert "Storgatan 1" in await page.locator(".pairs .address").first.inner_text()
        mine = urlsplit(page.url).path
        await look_over(world, context, (mine, "/kits"))


async def test_pages_of_sharing_and_kits_are_whole_and_have_nothing_that_axe_finds(
    world: World, inside: BrowserContext
) -> None:
    page = await inside.new_page()
    await page.goto("/kits")
    claim = await page.get_by_role("link", name="Claim it").get_attribute("href")
    await page.close()
    certificate = "/share/certifications/CCNA"
    paths = ("/share", "/share/transcripts/new", certificate, "/share/choices", "/kits", str(claim))
    await look_over(world, inside, paths)


@pytest.mark.parametrize(("paper", "language"), [("A4", ENGLISH), ("Letter", SPANISH), ("A4", ARABIC)])
async def test_a_transcript_of_six_is_printed_on_one_page(world: World, paper: str, language: Language) -> None:
    program = load_programs(PROGRAMS)["juniper"]
    six = [
        ShownCertification(f"C{number}", "Enterprise Routing and Switching, Professional", state, EARNED, LAST, LAST)
        for number, state in enumerate((*["active"] * 4, "expired", "revoked"))
    ]
    with read_in(language):
        seen = verification(
            program, "Daniel Okoye", Shown(tuple(six)), kind="live", code="7K4M9QXD2HTP", checked_at=CHECKED
        )
        html = VerificationPages(Addresses("https://certs.example")).page(program, seen, "/v/x", record=True).decode()
    page = await world.browser.new_page()
    await page.set_content(re.sub("<link[^>]*>", "", html))
    await page.add_style_tag(content=SHELF.style.content.decode())
    printed = await page.pdf(format=paper)
    await page.close()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
