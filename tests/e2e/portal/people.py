"""People in front of browsers: how they come to their accounts, and in."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from playwright.async_api import Browser, BrowserContext, Page

from tests.e2e import desk
from tests.e2e.samples import registration, result
from tests.e2e.stage import Stage
from tests.e2e.vendor import Vendor, vendor_message
from tests.e2e.waiting import eventually

PASSWORD = "plenty of quiet marmalade"


@dataclass(frozen=True, slots=True)
class Person:
    """A candidate of the sample program `cisco`."""

    number: str
    """At the vendor."""
    email: str
    candidate_id: str


class World:
    """The platform, a vendor and browsers: what the tests of all pages share."""

    def __init__(self, stage: Stage, vendor: Vendor, session: aiohttp.ClientSession, browser: Browser) -> None:
        self.stage = stage
        self.vendor = vendor
        self.session = session
        self.browser = browser
        self.staff = desk.operator(stage, session)

    async def candidate(self, *, passed: bool = True) -> Person:
        """Somebody whom the vendor has registered, and who has passed; all mails of that are sent."""
        number = f"V-{secrets.token_hex(4)}"
        email = f"{number.lower()}@example.com"
        await self.vendor.publish(vendor_message(registration(number, email)))
        if passed:
            await self.vendor.publish(vendor_message(result(number)))
        found = await eventually(
            lambda: self.staff.get("identity", "/candidates", program="cisco", system="vue", external_id=number),
            lambda page: len(page["items"]) == 1,
        )
        person = Person(number, email, str(found["items"][0]["candidate_id"]))
        path = f"/programs/cisco/candidates/{person.candidate_id}"
        if passed:
            await eventually(lambda: self.staff.get("fulfillment", f"{path}/offers"), lambda page: bool(page["items"]))
        await eventually(
            lambda: self.staff.get("notify", f"{path}/messages"),
            lambda page: [mail["state"] for mail in page["items"]] == ["sent"] * (3 if passed else 1),
        )
        return person

    async def mail_link(self, email: str, word: str, path: str) -> str:
        """Path and query of the first link below `path` in the mail to an address whose subject has a word."""
        async with self.session.get(f"{self.stage.inbox_url}/api/messages", params={"q": email}) as response:
            first = next(mail["id"] for mail in (await response.json())["messages"] if word in mail["subject"])
        async with self.session.get(f"{self.stage.inbox_url}/api/messages/{first}") as response:
            links = [urlsplit(str(link)) for link in (await response.json())["links"]]
        return next(f"{link.path}?{link.query}" for link in links if link.path.startswith(path))

    async def activate(self, person: Person) -> None:
        """Set the password with the link of the first mail."""
        context = await self.browser.new_context(base_url=self.stage.public_url, java_script_enabled=False)
        page = await context.new_page()
        await page.goto(await self.mail_link(person.email, "ctivate", "/activate"))
        await page.get_by_label("New password").fill(PASSWORD)
        await page.get_by_role("button", name="Set the password").click()
        await context.close()

    @asynccontextmanager
    async def signed_in(self, person: Person, **options: Any) -> AsyncIterator[BrowserContext]:
        """A browser in which somebody with a password is signed in; scripts are off."""
        context = await self.browser.new_context(
            base_url=self.stage.public_url, **{"java_script_enabled": False, **options}
        )
        page = await context.new_page()
        await page.goto("/sign-in/cisco")
        await sign_in(page, person.candidate_id, PASSWORD)
        await page.close()
        try:
            yield context
        finally:
            await context.close()


async def sign_in(page: Page, login: str, password: str) -> None:
    await page.get_by_label("E-mail or candidate ID").fill(login)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
