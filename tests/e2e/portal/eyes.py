"""How pages are looked at: their weight, their width, and what axe finds."""

from collections.abc import Iterable
from typing import Any

from playwright.async_api import BrowserContext, Page, Response, ViewportSize

from tests.e2e.portal.people import World
from tests.nodes import PACKAGES

AXE = PACKAGES / "node_modules" / "axe-core" / "axe.min.js"
MOST_BYTES = 100_000
"""Of a page with all that it loads, unpacked."""
WIDTHS = (320, 390, 1280)
NOT_THERE = ("/nothing-there", "/staff/nothing")
"""Looked at as pages of what is not there."""


async def look_over(world: World, inside: BrowserContext, paths: Iterable[str]) -> None:
    """Open pages as whoever is signed in, in light and dark.

    Each has one heading, is light, whole at any width, and has nothing that axe finds.
    """
    cookies: Any = await inside.cookies()
    for scheme in ("light", "dark"):
        context = await world.browser.new_context(base_url=world.stage.public_url, color_scheme=scheme, bypass_csp=True)
        await context.add_cookies(cookies)
        page = await context.new_page()
        for path in paths:
            weight = await opened(page, path)
            assert weight < MOST_BYTES, (path, weight)
            await page.add_script_tag(path=AXE)
            found = await page.evaluate("axe.run()")
            assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == [], (path, scheme)
            assert await page.locator("h1").count() == 1, path
            for width in WIDTHS:
                await page.set_viewport_size(ViewportSize(width=width, height=800))
                sideways = await page.evaluate(
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                )
                assert sideways == 0, (path, width)
        await context.close()


async def opened(page: Page, path: str) -> int:
    """Go to a page, which must be one and not that of a fault. Returns what it and all that it loads weigh, in bytes."""
    loaded: list[Response] = []

    def note(one: Response) -> None:
        loaded.append(one)

    page.on("response", note)
    answer = await page.goto(path, wait_until="load")
    assert answer is not None, path
    assert answer.status == 200 or path in NOT_THERE, (path, answer.status)
    page.remove_listener("response", note)
    return sum([int(await one.header_value("content-length") or 0) for one in loaded])
