"""People in front of browsers: how they come to their accounts, and in."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from playwright.async_api import Browser, BrowserContext, Page

from tests.browsers import open_browser
from tests.e2e import desk
from tests.e2e.samples import registration, result
from tests.e2e.stage import WHOLE, Stage
from tests.e2e.vendor import Vendor, open_vendor, vendor_message
from tests.e2e.waiting import eventually

PASSWORD = "plenty of quiet marmalade"


@dataclass(frozen=True, slots=True)
class Person:
    """A candidate of a sample program."""

    number: str
    """At the vendor."""
    email: str
    candidate_id: str
    program: str = "cisco"


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

    async def newcomer(self) -> Person:
        """Somebody of the sample program `juniper`, which asks for an address, an employer, and a yes or no to news."""
        number = f"V-{secrets.token_hex(4)}"
        email = f"{number.lower()}@example.com"
        registered = registration(number, email).model_copy(update={"exam_code": "JN0-105"})
        await self.vendor.publish(vendor_message(registered, program="juniper"))
        found = await eventually(
            lambda: self.staff.get("identity", "/candidates", program="juniper", system="vue", external_id=number),
            lambda page: len(page["items"]) == 1,
        )
        person = Person(number, email, str(found["items"][0]["candidate_id"]), "juniper")
        path = f"/programs/juniper/candidates/{person.candidate_id}/messages"
        await eventually(
            lambda: self.staff.get("notify", path), lambda page: [mail["state"] for mail in page["items"]] == ["sent"]
        )
        await self.activate(person)
        return person

    async def mail_link(self, email: str, word: str, path: str) -> str:
        """Path and query of the first link below `path` in the mail to an address whose subject has a word."""
        async with self.session.get(f"{self.stage.inbox_url}/api/messages", params={"q": email}) as response:
            first = next(mail["id"] for mail in (await response.json())["messages"] if word in mail["subject"])
        async with self.session.get(f"{self.stage.inbox_url}/api/messages/{first}") as response:
            links = [urlsplit(str(link)) for link in (await response.json())["links"]]
        return next(f"{link.path}?{link.query}" for link in links if link.path.startswith(path))

    async def activate(self, person: Person) -> None:
        """Set the password with the token of the first mail's link."""
        link = await self.mail_link(person.email, "ctivate", "/activate")
        body = {"token": parse_qs(urlsplit(link).query)["token"][0], "password": PASSWORD}
        status, answer = await desk.post(self.stage, self.session, "/activations", body)
        assert status == 204, answer

    async def act_as(self, person: Person, method: str, service: str, path: str, body: dict[str, Any]) -> None:
        """Change something as a candidate with a password; `path` is below the candidate's own."""
        who = {"program": person.program, "login": person.candidate_id, "password": PASSWORD}
        status, issued = await desk.post(self.stage, self.session, "/tokens", {"grant_type": "password", **who})
        assert status == 200, issued
        headers = {"Authorization": f"Bearer {issued['access_token']}", "Idempotency-Key": secrets.token_hex(8)}
        url = f"{self.stage.api_url(service)}/programs/{person.program}/candidates/{person.candidate_id}{path}"
        async with self.session.request(method, url, json=body, headers=headers) as response:
            assert response.status < 300, (response.status, await response.text())

    @asynccontextmanager
    async def signed_in(self, person: Person, **options: Any) -> AsyncIterator[BrowserContext]:
        """A browser in which somebody with a password is signed in; scripts are off."""
        context = await self.browser.new_context(
            base_url=self.stage.public_url, **{"java_script_enabled": False, **options}
        )
        page = await context.new_page()
        await page.goto(f"/sign-in/{person.program}")
        await sign_in(page, person.candidate_id, PASSWORD)
        await left(page, "/sign-in")
        await page.close()
        try:
            yield context
        finally:
            await context.close()


@asynccontextmanager
async def people_on(stage: Stage) -> AsyncIterator[World]:
    """Start everything on a stage, with a mail catcher, a vendor and a browser."""
    async with aiohttp.ClientSession() as session, open_browser() as browser:
        await stage.start_mail_catcher()
        await stage.start(WHOLE)
        await stage.start_portal()
        async with open_vendor(stage.broker) as vendor:
            yield World(stage, vendor, session, browser)


async def left(page: Page, path: str) -> None:
    """Wait until a form has led on from its address.

    A page that is closed while it still goes somewhere may take its form along, and Chromium may never say that it is
    closed: then whoever waits for that waits for good.
    """
    await page.wait_for_url(lambda url: not urlsplit(url).path.startswith(path))


async def sign_in(page: Page, login: str, password: str) -> None:
    await page.get_by_label("E-mail or candidate ID").fill(login)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
