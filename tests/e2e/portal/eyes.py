"""How pages are looked at: their weight, their width, and what axe finds."""

from collections.abc import Iterable
from typing import Any, cast

from playwright.async_api import BrowserContext, Page, Response, ViewportSize

from tests.e2e.portal.people import World
from tests.nodes import PACKAGES

AXE = PACKAGES / "node_modules" / "axe-core" / "axe.min.js"
MOST_BYTES = 100_000
"""Of a page with all that it loads, unpacked."""
WIDTHS = (320, 390, 1280)
NOT_THERE = ("/nothing-there", "/staff/nothing", "/mails?number=0000-0000")
"""Looked at as pages of what is not there."""


async def look_over(world: World, inside: BrowserContext, paths: Iterable[str]) -> None:
    """Open pages as whoever is signed in.

    Each has one heading, is light, whole at any width, and has nothing that axe finds; in the dark all of it can be
    read, too.
    """
    context = await world.browser.new_context(
        base_url=world.stage.public_url, reduced_motion="reduce", color_scheme="light", bypass_csp=True
    )
    await context.add_cookies(cast("Any", await inside.cookies()))
    page = await context.new_page()
    for path in paths:
        await page.emulate_media(color_scheme="light")
        weight = await opened(page, path)
        assert weight < MOST_BYTES, (path, weight)
        assert await page.locator("h1").count() == 1, path
        assert await page.locator(".away").count() == 0, (path, "a part is missing")
        await page.add_script_tag(path=AXE)
        await _examine(page, path, "axe.run()")
        for width in WIDTHS:
            await page.set_viewport_size(ViewportSize(width=width, height=800))
            sideways = await page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert sideways == 0, (path, width)
        # Nothing but the colours is another in the dark.
        await page.emulate_media(color_scheme="dark")
        await _examine(page, f"{path} in the dark", "axe.run({runOnly: ['color-contrast', 'link-in-text-block']})")
    await context.close()


async def _examine(page: Page, where: str, run: str) -> None:
    found = await page.evaluate(run)
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == [], where


async def opened(page: Page, path: str) -> int:
    """Go to a page, which must be no fault. Returns what it and all that it loads weigh, in bytes."""
    loaded: list[Response] = []

    def note(one: Response) -> None:
        loaded.append(one)

    page.on("response", note)
    answer = await page.goto(path, wait_until="load")
    assert answer is not None, path
    assert answer.status == 200 or path in NOT_THERE, (path, answer.status)
    page.remove_listener("response", note)
    return sum([int(await one.header_value("content-length") or 0) for one in loaded])
