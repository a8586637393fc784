"""A real browser for the tests of pages."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

REQUIRED = "CERTRAIL_TEST_BROWSER_REQUIRED"
"""Set where nothing may be left out: then the tests run, and fail where there is no browser."""

AT_LENGTH = "CERTRAIL_TEST_PAGES"
"""Set to go through every page in a browser: minutes of a processor, beside what is always walked."""

_CHROMIUM = shutil.which("chromium")

needs_browser = pytest.mark.skipif(
    _CHROMIUM is None and REQUIRED not in os.environ, reason="needs Chromium, which the set-up installs"
)

at_length = pytest.mark.skipif(AT_LENGTH not in os.environ, reason=f"walks through pages at length: {AT_LENGTH}=1")


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """The system's Chromium, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()
