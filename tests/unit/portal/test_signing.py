"""Ways in and out: a password goes on as it was typed, no other site signs anybody in, and no page stays behind."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from libs.common.clock import SystemClock
from libs.common.http.problems import UNAUTHENTICATED
from libs.common.http.problems import Problem as Refusal
from libs.common.sealing import SecretBox
from services.portal.access.entering import Entrance
from services.portal.access.provider import Attempt, ProviderSignIn
from services.portal.access.recover import Recover
from services.portal.access.sign_in import SignIn
from services.portal.backend.client import Problem, Refused
from services.portal.security.pages import SecurityPages
from services.portal.staff.entrance.account import StaffAccount
from services.portal.staff.entrance.sign_in import StaffSignIn
from services.portal.web.cookies import Cookies
from tests.unit.portal.pages import CISCO, Services, browser

PASSWORD = " correct horse  battery "
WRONG = Refused(Problem(status=401, code="unauthenticated"))
BEGUN = {"authorization_url": "https://acme.example/authorize", "state": "s", "binding": "b"}
PROGRAMS = {"cisco": CISCO}
BOX = SecretBox("s" * 32, purpose="test")


class NoSessions:
    """Where every session has ended already."""

    async def verify(self, _authorization: str) -> None:
        raise Refusal(UNAUTHENTICATED)

    async def close(self, _key: str) -> None:
        return None


@pytest.fixture
def services() -> Services:
    answers = {
        "/tokens": WRONG,
        "/activations": WRONG,
        "/step-up": WRONG,
        "/proofs": WRONG,
        "/second-factor": {"on": False, "since": None, "recovery_codes_left": 0},
        "/openid/authorizations": BEGUN,
        "/sign-in": {},
    }
    return Services(answers, {})


@pytest.fixture
async def client(services: Services) -> AsyncIterator[Any]:
    cookies, clock = Cookies(secure=False), SystemClock()
    none = cast("Any", NoSessions())
    entrance = Entrance(none, cookies, none, none)
    provider = ProviderSignIn(entrance, cookies, BOX, PROGRAMS, clock)
    ways = (
        SignIn(entrance=entrance, provider=provider, box=BOX, programs=PROGRAMS, clock=clock),
        provider,
        Recover(cookies, provider, PROGRAMS, clock),
        SecurityPages(entrance, cookies),
        StaffSignIn(none, cookies, PROGRAMS),
        StaffAccount(BOX, PROGRAMS),
    )
    async with browser([route for way in ways for route in way.routes()], services) as client:
        yield client


@pytest.mark.parametrize(
    ("page", "fields"),
    [
        ("/sign-in/cisco", {"login": "CSCO1", "password": PASSWORD}),
        ("/activate", {"link": "l", "password": PASSWORD}),
        ("/security/password", {"password": PASSWORD, "new_password": "another one altogether"}),
        ("/staff/sign-in/cisco", {"email": "a@example.com", "password": PASSWORD, "code": "123456"}),
        ("/staff/activate", {"link": "l", "password": PASSWORD, "code": "123456"}),
    ],
)
async def test_password_goes_on_as_it_was_typed(
    client: Any, services: Services, page: str, fields: dict[str, str]
) -> None:
    await client.post(page, data=fields, allow_redirects=False)
    ((_, _, body),) = services.asked
    assert body["password"] == PASSWORD


async def test_password_that_proves_an_account_to_a_provider_goes_on_as_it_was_typed(
    client: Any, services: Services
) -> None:
    attempt = Attempt(program="cisco", pending="p")
    cookies = {"attempt": BOX.seal(attempt.model_dump_json().encode())}
    fields = {"login": " CSCO1 ", "password": PASSWORD}
    await client.post("/sign-in/cisco/proof", data=fields, cookies=cookies, allow_redirects=False)
    ((_, _, body),) = services.asked
    assert body == {"kind": "password", "pending": "p", "login": "CSCO1", "password": PASSWORD}


async def test_new_password_goes_on_as_it_was_typed(client: Any, services: Services) -> None:
    services.answer("/step-up", {"access_token": "a", "refresh_token": "", "expires_in": 900})
    fields = {"password": "the present one", "new_password": PASSWORD}
    await client.post("/security/password", data=fields, allow_redirects=False)
    assert services.asked[-1] == ("PUT", "/password", {"password": PASSWORD})


@pytest.mark.parametrize(
    ("site", "there"),
    [
        (None, BEGUN["authorization_url"]),
        ("none", BEGUN["authorization_url"]),
        ("same-origin", BEGUN["authorization_url"]),
        ("same-site", "/sign-in/cisco"),
        ("cross-site", "/sign-in/cisco"),
    ],
)
async def test_no_other_site_begins_a_sign_in_at_the_provider(
    client: Any, services: Services, site: str | None, there: str
) -> None:
    headers = {} if site is None else {"Sec-Fetch-Site": site}
    answer = await client.get("/sign-in/cisco/provider", headers=headers, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, there)
    assert bool(services.asked) is (there != "/sign-in/cisco")


@pytest.mark.parametrize("way", ["/sign-out", "/security/everywhere", "/staff/sign-out"])
async def test_browser_keeps_no_page_of_whoever_has_left(client: Any, services: Services, way: str) -> None:
    services.answer("/sessions", {})
    answer = await client.post(way)
    assert (answer.status, answer.headers["Clear-Site-Data"]) == (200, '"cache"')
    assert (await client.get("/sign-in/cisco")).headers.get("Clear-Site-Data") is None
