"""`python -m tests.gallery`: starts the platform, lets a vendor tell the story, and takes the pictures."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from PIL import Image
from playwright.async_api import BrowserContext, Page, ViewportSize

from tests.e2e.portal.colleagues import at_desk, colleague
from tests.e2e.portal.people import World
from tests.e2e.vendor import vendor_message
from tests.e2e.waiting import eventually
from tests.gallery.story import AMARA, RANIA, strays
from tests.gallery.world import open_world, tell

FOLDER: Final = Path(__file__).parents[2] / "docs" / "gallery"
WIDE: Final = ViewportSize(width=1280, height=900)
PHONE: Final = ViewportSize(width=390, height=844)
COLOURS: Final = 128
"""Of a picture: pages have few, and the files stay small."""


class Shot(NamedTuple):
    """One picture."""

    name: str
    path: str
    size: ViewportSize = WIDE
    scheme: str = "light"
    then: Callable[[Page], Awaitable[None]] | None = None
    """What is done on the page first."""


async def take(world: World, cookies: Any, shots: list[Shot]) -> None:
    """Pictures of pages, as whoever has these cookies."""
    for shot in shots:
        options: Any = {"viewport": shot.size, "color_scheme": shot.scheme}
        context = await world.browser.new_context(base_url=world.stage.public_url, **options)
        await context.add_cookies(cookies)
        page = await context.new_page()
        await page.goto(shot.path)
        if shot.then is not None:
            await shot.then(page)
        picture = Image.open(io.BytesIO(await page.screenshot()))
        FOLDER.mkdir(parents=True, exist_ok=True)
        small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(FOLDER / f"{shot.name}.png", optimize=True)
        print(f"{shot.name:28} {shot.path}")
        await context.close()


async def publish(context: BrowserContext) -> str:
    """Make a link that shows the first two certifications. Returns its address."""
    page = await context.new_page()
    await page.goto("/share/transcripts/new")
    boxes = page.get_by_role("checkbox")
    for place in range(2):
        await boxes.nth(place).check()
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_label("Live", exact=True).check()
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_label("Name of the link").fill("Application, Harbour Networks")
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("button", name="Publish the link").click()
    link = await page.get_by_label("The whole link").input_value()
    await page.close()
    return link


async def leave_strays(world: World) -> None:
    """Let the vendor publish results that match nobody, and wait until staff see them."""
    left = list(strays(datetime.now(UTC)))
    for event in left:
        await world.vendor.publish(vendor_message(event))
    await eventually(
        lambda: world.staff.get("exams", "/programs/cisco/unmatched"), lambda page: len(page["items"]) == len(left)
    )


async def open_likeliest(page: Page) -> None:
    """The item of the queue that looks like somebody we know."""
    await page.locator(".queue").get_by_role("link", name="V7004").click()


async def send_empty(page: Page) -> None:
    await page.locator("main form button.primary").click()


async def photograph(world: World) -> None:
    """All pictures."""
    amara, rania = await tell(world, AMARA), await tell(world, RANIA)
    async with world.signed_in(amara) as context:
        link = await publish(context)
        shots = [
            Shot("home", "/"),
            Shot("home-phone-dark", "/", PHONE, "dark"),
            Shot("certification", "/certifications/CCNP-Enterprise"),
            Shot("plan", "/plan/CCNP-Enterprise"),
            Shot("exams-phone", "/exams", PHONE),
            Shot("kits", "/kits"),
            Shot("errors-phone", "/credits/claim", PHONE, then=send_empty),
        ]
        await take(world, await context.cookies(), shots)
    async with world.signed_in(rania) as context:
        page = await context.new_page()
        await page.goto("/settings/language")
        await page.get_by_label("العربية").check()
        await page.locator("main form button.primary").click()
        await take(
            world, await context.cookies(), [Shot("home-arabic-phone", "/", PHONE), Shot("plan-arabic", "/plan")]
        )
    await take(world, [], [Shot("verify", link), Shot("verify-phone-dark", link, PHONE, "dark")])
    await leave_strays(world)
    rosa = await colleague(world, "manager")
    async with at_desk(world, rosa) as context:
        shots = [
            Shot("staff", "/staff"),
            Shot("staff-candidate-dark", f"/staff/candidates/{amara.candidate_id}?item=gallery", WIDE, "dark"),
            Shot("staff-unmatched", "/staff/unmatched", then=open_likeliest),
        ]
        await take(world, await context.cookies(), shots)


async def main() -> None:
    async with open_world() as world:
        await photograph(world)


if __name__ == "__main__":
    asyncio.run(main())
