"""The proof that a copy of everything and an erasure ask for, from whoever has a password, an app, or neither."""

from dataclasses import replace
from typing import Any

import pytest

from libs.common.programs.sign_in import OpenIdProvider, SignIn
from services.portal.backend.client import Problem, Refused
from services.portal.my_data.pages import MyData
from services.portal.web.cookies import Cookies
from tests.unit.portal import pages
from tests.unit.portal.pages import PROFILE, Services, browser, text_of

FACTOR = {"on": False, "since": None, "recovery_codes_left": 0}
TOKENS = {"access_token": "new", "expires_in": 300}
EXPORT = {"export_id": "e1", "state": "requested", "requested_at": "2026-11-22T09:00:00Z", "ready_at": None}
NOT_YET = Refused(Problem(type="urn:certrail:problem:step-up-needed", status=403))


def services(**more: Any) -> Services:
    answers = {"/second-factor": FACTOR, "/step-up": TOKENS, "/exports": {**EXPORT, "expires_at": None}}
    answers |= {"/erasure": {"state": "requested"}, "/profile": PROFILE}
    return Services({f"/{path}": answer for path, answer in more.items()}, answers)


def routes() -> Any:
    return MyData(Cookies(secure=False)).routes()


@pytest.mark.parametrize(("page", "asked"), [("copy", "/exports"), ("erase", "/erasure")])
async def test_nothing_is_ordered_without_a_proof(page: str, asked: str) -> None:
    there = services()
    async with browser(routes(), there) as client:
        answer = await client.post(f"/my-data/{page}", data={"key": "k"})
        assert "Enter your password" in await text_of(answer)
        assert there.asked == []
        answer = await client.post(
            f"/my-data/{page}", data={"key": "k", "password": "a password"}, allow_redirects=False
        )
        assert (answer.status, answer.headers["Location"]) == (303, "/my-data")
    assert [path for _, path, _ in there.asked][1:] == [asked]
    assert there.asked[0][2] == {"password": "a password"}


async def test_a_code_is_taken_as_apps_show_it() -> None:
    there = services(**{"second-factor": FACTOR | {"on": True}})
    async with browser(routes(), there) as client:
        assert "Six digits from your authenticator app" in await text_of(await client.get("/my-data/erase"))
        await client.post("/my-data/erase", data={"key": "k", "code": "123 456"}, allow_redirects=False)
    assert there.asked[0][2] == {"code": "123456"}


async def test_a_proof_that_does_not_fit_is_said_at_its_field() -> None:
    wrong = Refused(Problem(type="urn:certrail:problem:unauthenticated", status=401))
    there = services(**{"step-up": wrong})
    async with browser(routes(), there) as client:
        page = await client.post("/my-data/erase", data={"key": "k", "password": "wrong"})
        assert "That isn't your password" in await text_of(page)
    assert len(there.asked) == 1, "nothing but the proof"


async def test_whoever_has_no_password_proves_it_at_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = OpenIdProvider("Cisco", "https://id.example", "portal", "cisco-id", ("openid",), frozenset())
    ways = SignIn(local_passwords=False, openid=provider)
    monkeypatch.setattr(pages, "CISCO", replace(pages.CISCO, sign_in=ways))
    there = services(erasure=NOT_YET)
    async with browser(routes(), there) as client:
        answer = await client.post("/my-data/erase", data={"key": "k"})
        page = await answer.text()
    assert 'href="/sign-in/cisco/provider?fresh=yes&amp;then=/my-data/erase"' in page
    assert "again first, then send this once more" in page
