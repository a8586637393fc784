"""Staff in front of browsers: how they come to their accounts, and in."""

import secrets
import time
from base64 import b32decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import BrowserContext, Page

from services.identity.domain.one_time_codes import STEP_SECONDS, code_at
from tests.e2e.portal.people import World, left
from tests.e2e.waiting import eventually

PASSWORD = "quite another sort of marmalade"


@dataclass
class Colleague:
    """Somebody who works for a sample program; recovery codes stand in for the app's, one a sign-in."""

    email: str
    codes: list[str]
    secret: bytes
    """What the app has."""
    program: str


async def invited(world: World, name: str, *roles: str, program: str = "cisco") -> tuple[str, str]:
    """Their address, and path and query of the link in the invitation."""
    email = f"{secrets.token_hex(4)}@staff.example"
    body = {"email": email, "name": name, "roles": list(roles)}
    await operate(world, "POST", "identity", f"/programs/{program}/staff", body)

    async def found() -> list[str]:
        params = {"q": email}
        async with world.session.get(f"{world.stage.inbox_url}/api/messages", params=params) as response:
            return [mail["id"] for mail in (await response.json())["messages"]]

    await eventually(found, bool)
    return email, await world.mail_link(email, "", "/staff/activate")


async def operate(world: World, method: str, service: str, path: str, body: dict[str, Any]) -> Any:
    """Change something as the operator."""
    await world.staff.get("identity", "/totals")
    headers = {"Authorization": f"Bearer {world.staff._token}", "Idempotency-Key": secrets.token_hex(8)}
    url = world.stage.api_url(service) + path
    async with world.session.request(method, url, json=body, headers=headers) as response:
        assert response.status < 300, (response.status, await response.text())
        return await response.json()


async def colleague(world: World, *roles: str, name: str = "Rosa Mäkinen", program: str = "cisco") -> Colleague:
    """Somebody with these roles and an open account."""
    email, link = await invited(world, name, *roles, program=program)
    token = parse_qs(urlsplit(link).query)["token"][0]
    base = world.stage.api_url("identity")
    async with world.session.post(f"{base}/staff/enrolments", json={"token": token}) as response:
        secret = b32decode((await response.json())["secret"])
    body = {"token": token, "password": PASSWORD, "code": code_now(secret)}
    async with world.session.post(f"{base}/staff/activations", json=body) as response:
        codes = (await response.json())["recovery_codes"]
    return Colleague(email, codes, secret, program)


def code_now(secret: bytes) -> str:
    """What the app shows."""
    return code_at(secret, int(time.time()) // STEP_SECONDS)


@asynccontextmanager
async def at_desk(world: World, who: Colleague, **options: Any) -> AsyncIterator[BrowserContext]:
    """A browser in which somebody of staff is signed in; scripts are off."""
    settings = {"java_script_enabled": False, **options}
    context = await world.browser.new_context(base_url=world.stage.public_url, **settings)
    page = await context.new_page()
    await page.goto(f"/staff/sign-in/{who.program}")
    await sign_in(page, who.email, PASSWORD, who.codes.pop())
    await left(page, "/staff/sign-in")
    await page.close()
    try:
        yield context
    finally:
        await context.close()


async def sign_in(page: Page, email: str, password: str, code: str) -> None:
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_label("Code").fill(code)
    await page.get_by_role("button", name="Sign in").click()
