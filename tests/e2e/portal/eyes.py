"""How pages are looked at: their weight, their width, and what axe finds."""

from collections.abc import Iterable
from typing import Any, cast

from playwright.async_api import BrowserContext, Page, Response, ViewportSize

from tests.browsers import walks_at_length
from tests.e2e.portal.people import World
from tests.nodes import PACKAGES

AXE = PACKAGES / "node_modules" / "axe-core" / "axe.min.js"
MOST_BYTES = 100_000
"""Of a page with all that it loads, unpacked."""
NARROW, PHONE, WIDE = 320, 390, 1280
"""Widths of windows in pixels."""
NOT_THERE = ("/nothing-there", "/staff/nothing", "/mails?number=0000-0000")
"""Looked at as pages of what is not there."""
IN_THE_DARK = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""Nothing but the colours is another in the dark."""


async def look_over(world: World, inside: BrowserContext, paths: Iterable[str]) -> None:
    """Open pages as whoever is signed in.

    Each has one heading, is light, does not scroll sideways in the narrowest window, and has nothing that axe finds. At
    length: in any width; in the dark, too; and in a language that is written from right to left.
    """
    page = await _opened_eyes(world, inside)
    for path in paths:
        weight = await opened(page, path)
        assert weight < MOST_BYTES, (path, weight)
        await _whole(page, path, NARROW, *((PHONE,) if walks_at_length() else ()), WIDE)
        await _examine(page, path)
        if walks_at_length():
            await page.emulate_media(color_scheme="dark")
            await _examine(page, f"{path} in the dark", **IN_THE_DARK)
            await page.emulate_media(color_scheme="light")
    await page.context.close()
    if walks_at_length():
        # Whole addresses are of those who verify: their pages are another service's, and have its language.
        await look_from_right_to_left(world, inside, [path for path in paths if path.startswith("/")])


async def look_from_right_to_left(world: World, inside: BrowserContext, paths: Iterable[str]) -> None:
    """Open pages in Arabic, as whoever is signed in and has chosen no language: on a telephone and on a desk."""
    page = await _opened_eyes(world, inside, locale="ar")
    for path in paths:
        await opened(page, path)
        assert await page.locator("html").get_attribute("dir") == "rtl", path
        for width in (PHONE, WIDE):
            await _whole(page, f"{path} from right to left", width)
            await _examine(page, f"{path} from right to left, {width} px")
    await page.context.close()


async def _opened_eyes(world: World, inside: BrowserContext, **options: Any) -> Page:
    """A page of a browser with scripts, for axe alone, signed in as another one is."""
    context = await world.browser.new_context(
        base_url=world.stage.public_url, reduced_motion="reduce", color_scheme="light", **options
    )
    await context.add_init_script(path=AXE)
    await context.add_cookies(cast("Any", await inside.cookies()))
    return await context.new_page()


async def _whole(page: Page, where: str, *widths: int) -> None:
    """One heading, no part missing, and nothing beyond the edge of a window of each width, which stays at the last."""
    assert await page.locator("h1").count() == 1, where
    assert await page.locator(".away").count() == 0, (where, "a part is missing")
    for width in widths:
        await page.set_viewport_size(ViewportSize(width=width, height=800))
        sideways = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways == 0, (where, width)
        # A list beside its open item must not be wider than its place either.
        hidden = await page.evaluate(
            "[...document.querySelectorAll('.list')].filter(one => one.scrollWidth > one.clientWidth).length"
        )
        assert hidden == 0, (where, width)


async def _examine(page: Page, where: str, **options: Any) -> None:
    """Let axe look, whose findings alone come back: its account of what is well is a hundred times as long."""
    found = await page.evaluate(
        """async options => (await axe.run({...options, resultTypes: ["violations"]})).violations
            .map(one => [one.id, one.nodes[0].html.slice(0, 200)])""",
        options,
    )
    assert found == [], where


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
