"""What somebody of staff has taken, on one page: of every kind, by the day it is due, with what does not answer."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any, cast

import pytest

from services.portal.backend.client import Backend, Browser, Down
from services.portal.staff.claims.shapes import Review
from services.portal.staff.kit import Count
from services.portal.staff.mine.pages import MyWork
from services.portal.staff.mine.shelves import count
from services.portal.web.sessions import StaffSession
from services.portal.web.visit import Visit
from tests.unit.portal.pages import CISCO, Services, browser, text_of
from tests.unit.portal.test_staff import case
from tests.unit.portal.test_staffresults import challenge, unmatched

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOON.date()
SCOPES = frozenset({"accounts:manage", "certs:review", "exams:decide", "operations:read"})
REVIEW = {
    "submission_id": "s1",
    "kind": "credits",
    "origin": "candidate",
    "state": "pending",
    "item": "BRKSEC-1",
    "title": "Zero trust",
    "completed_on": TODAY,
    "submitted_at": NOON,
    "due_on": TODAY + timedelta(days=2),
    "evidence": [],
    "overdue": True,
}


def rosa(scopes: frozenset[str] = SCOPES) -> StaffSession:
    return StaffSession("", "cisco", "rosa", "Rosa", "", (), ("cisco",), scopes, "", NOON)


class Desks(Services):
    """Services with one item of each kind that Rosa has taken. `lists`: which of them were asked for hers."""

    def __init__(self, **changed: Any) -> None:
        lists: dict[str, Any] = {
            "/cases": case(due_on=TODAY + timedelta(days=3)),
            "/reviews": Review.model_validate(REVIEW),
            "/challenges": challenge(due_on=TODAY - timedelta(days=1), overdue=True),
            "/unmatched": unmatched(received_at=NOON - timedelta(days=2), age_days=2),
        }
        pages = {path: {"items": [item.model_dump()], "count": 1} for path, item in lists.items()}
        super().__init__({f"/{path}": answer for path, answer in changed.items()}, pages)
        self.lists: set[str] = set()

    async def read(self, browser: Browser, service: str, path: str, into: Any, query: Any = None) -> Any:
        if (query or {}).get("assignee") != rosa().subject:
            raise Down(service)
        self.lists.add(path.rpartition("/")[2])
        return await super().read(browser, service, path, into, query)


def visit_to(services: Services, staff: StaffSession) -> Visit:
    return Visit(
        cast("Backend", services), Browser("", ""), path="/", anchor="", form_token="", program=CISCO, staff=staff
    )


async def test_everything_somebody_took_is_on_one_page_by_the_day_it_is_due() -> None:
    async with browser(MyWork().routes(), Desks(), rosa()) as client:
        answer = await client.get("/staff/mine")
        text, page = await text_of(answer), unescape(await answer.text())
    assert re.findall(r'<a href="(/staff/[a-z-]+\?owner=me[^"]*)"', page) == [
        "/staff/challenges?owner=me&item=c1",
        "/staff/unmatched?owner=me&item=i1",
        "/staff/course-claims?owner=me&item=s1",
        "/staff/cases?owner=me&item=c1",
    ], "where each is worked on"
    assert re.findall(r"(\d+) Nov 2026", text) == ["21", "23", "24", "25"], "an unmatched result has three days"
    assert "4 waiting 2 past their promise" in text
    assert "My work 4" in text, "the list at the side counts the same"


async def test_what_does_not_answer_is_named_and_costs_its_part_and_the_number() -> None:
    desks = Desks(reviews=Down("certs"))
    async with browser(MyWork().routes(), desks, rosa()) as client:
        text = await text_of(await client.get("/staff/mine"))
    assert "Course claims This part isn't answering." in text
    assert "200-301" in text
    with pytest.raises(Down):
        await count(visit_to(desks, rosa()))


async def test_what_somebody_may_not_see_is_not_asked_for() -> None:
    desks = Desks()
    assert await count(visit_to(desks, rosa(SCOPES - {"certs:review"}))) == Count(3, 1)
    assert desks.lists == {"cases", "challenges", "unmatched"}


async def test_more_than_a_page_of_one_kind_shows_in_the_number() -> None:
    desks = Desks(cases={"items": [case().model_dump()], "next": "x"})
    assert (await count(visit_to(desks, rosa()))).words == "4+"
