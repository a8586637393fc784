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
"""Set to look at every page from all sides: minutes of a processor, beside what is always looked at."""

_CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""Where both are there, the one without a user interface: the same engine for a third of the processor's time."""

needs_browser = pytest.mark.skipif(
    _CHROMIUM is None and REQUIRED not in os.environ, reason="needs Chromium, which the set-up installs"
)

at_length = pytest.mark.skipif(AT_LENGTH not in os.environ, reason=f"looks at pages from all sides: {AT_LENGTH}=1")


def walks_at_length() -> bool:
    """Whether pages are looked at from all sides in this run."""
    return AT_LENGTH in os.environ


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """The system's Chromium, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()
