"""The door of the portal before forms of staff: what is pressed twice is done once."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from libs.common.clock import FixedClock
from libs.common.mongo.client import open_client, open_database
from libs.common.mongo.migrations import migrate
from libs.common.sealing import SecretBox
from services.portal.backend.client import Backend
from services.portal.backend.shapes import Tokens
from services.portal.staff.hooks.pages import HookPages
from services.portal.web.cookies import Cookies
from services.portal.web.door import Door
from services.portal.web.drafts import MIGRATION as DRAFTS
from services.portal.web.drafts import Drafts
from services.portal.web.forms import FormTokens
from services.portal.web.repeats import MIGRATION as DONE
from services.portal.web.repeats import Repeats
from services.portal.web.sessions import MIGRATIONS, Sessions, StaffSessions
from services.portal.web.vendor_names import VendorNames
from tests.servers import MongoUnderTest
from tests.unit.portal.pages import CISCO, Services

ANCHOR, SECRET = "a" * 43, "s" * 32
HOOK: dict[str, Any] = {
    "hook_id": "h1",
    "url": "https://x.example/",
    "events": [],
    "description": "Payroll",
    "personal_data": False,
    "state": "active",
    "off_because": None,
    "secrets": [],
    "created_at": "2026-11-22T00:00:00Z",
    "created_by": "staff:s1",
    "failures": 0,
    "failing_since": None,
    "last_error": None,
    "secret": "whsec_SHOWN-ONCE",
}
PING = {
    "delivery_id": "d1",
    "event": "ping",
    "state": "waiting",
    "created_at": "2026-11-22T00:00:00Z",
    "delivered_at": None,
    "due_at": None,
    "attempts": 0,
    "tries": [],
}


class Slow(Services):
    """Notify, which takes its time to make a hook."""

    def __init__(self) -> None:
        answers = {"/hooks": HOOK, "/hooks/h1": HOOK, "/pings": PING}
        answers |= {"/deliveries": {"items": []}, "/hook-events": {"items": []}}
        super().__init__(answers, {"/vendor-names": {"items": []}, "/colleagues": {"items": []}})
        self.made = asyncio.Event()
        self.made.set()

    async def send(self, *where: Any, **what: Any) -> Any:
        found = await super().send(*where, **what)
        await self.made.wait()
        return found


@asynccontextmanager
async def desk(mongo: MongoUnderTest, clock: FixedClock, services: Services) -> AsyncIterator[TestClient[Any, Any]]:
    """A manager's browser."""
    client = open_client(mongo.url("portal"), application="test")
    database, cookies, box = open_database(client), Cookies(secure=False), SecretBox(SECRET, purpose="test")
    await migrate(database, (*MIGRATIONS, DRAFTS, DONE), owner="test", clock=clock)
    staff = StaffSessions(database, box, clock)
    claims = base64.urlsafe_b64encode(orjson.dumps({"scope": "hooks:manage"})).decode().rstrip("=")
    tokens = Tokens(access_token=f"h.{claims}.s", refresh_token="r", expires_in=900)
    session = await staff.open(
        "cisco", tokens, staff_id="s1", name="Ada", email="a@x.example", roles=["manager"], programs=["cisco"]
    )
    door = Door(
        backend=cast("Backend", services),
        sessions=Sessions(database, box, clock),
        staff=staff,
        cookies=cookies,
        forms=FormTokens(SECRET),
        drafts=Drafts(database, SECRET, box, clock),
        repeats=Repeats(database, clock),
        vendors=VendorNames(clock),
        programs={"cisco": CISCO},
    )
    app = web.Application(middlewares=[door.handle])
    app.add_routes(HookPages(cookies).routes())
    async with TestClient(TestServer(app), cookies={"staff": session, "form": ANCHOR}) as browser:
        yield browser
    client.close()


def form(**typed: str) -> dict[str, str]:
    token = FormTokens(SECRET).token(ANCHOR)
    hook = {"url": "https://x.example/", "description": "Payroll", "events": "certs.Awarded.v1"}
    return {"token": token, "key": "k1"} | hook | typed


@pytest.fixture
def notify() -> Slow:
    return Slow()


async def test_a_hook_whose_form_is_sent_twice_is_made_once_and_its_secret_shown_once(
    mongo: MongoUnderTest, clock: FixedClock, notify: Slow
) -> None:
    async with desk(mongo, clock, notify) as browser:
        first = await browser.post("/staff/hooks/new", data=form())
        assert (first.status, "whsec_SHOWN-ONCE" in await first.text()) == (200, True)
        second = await browser.post("/staff/hooks/new", data=form(), allow_redirects=False)
        assert (second.status, second.headers["Location"]) == (303, "/staff/hooks/h1#top")
        page = await (await browser.get("/staff/hooks/h1")).text()
        assert "A secret is shown once" in page
        assert "whsec_SHOWN-ONCE" not in page
        assert len(notify.asked) == 1
        await browser.post("/staff/hooks/new", data=form(key="k2"))
        assert len(notify.asked) == 2, "another form of the same words is another hook"


async def test_a_button_pressed_twice_at_once_acts_once_and_both_lead_to_the_same(
    mongo: MongoUnderTest, clock: FixedClock, notify: Slow
) -> None:
    async with desk(mongo, clock, notify) as browser:
        notify.made.clear()
        sent = [
            asyncio.create_task(browser.post("/staff/hooks/h1/ping", data=form(), allow_redirects=False))
            for _ in range(2)
        ]
        await asyncio.wait(sent, timeout=0.5)
        notify.made.set()
        answers = [await each for each in sent]
        assert [answer.headers["Location"] for answer in answers] == ["/staff/hooks/h1#top"] * 2
        assert len(notify.asked) == 1


async def test_a_form_that_was_refused_is_sent_again(mongo: MongoUnderTest, clock: FixedClock, notify: Slow) -> None:
    async with desk(mongo, clock, notify) as browser:
        for _ in range(2):
            answer = await browser.post("/staff/hooks/new", data=form(url="nowhere"))
            assert "Enter the address" in await answer.text()
        assert notify.asked == []
