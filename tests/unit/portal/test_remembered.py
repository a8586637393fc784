"""What pages remember instead of asking for it each time: how much is parked, and the name of whoever is signed in."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from libs.common.clock import FixedClock
from services.portal.backend.client import Backend, Browser, Down
from services.portal.staff.kit import Count
from services.portal.staff.shell import Entry
from services.portal.staff.vendors.counts import ParkedCount
from services.portal.staff.vendors.queues import PARKED
from services.portal.web.sessions import Session, StaffSession
from services.portal.web.visit import Visit
from tests.unit.portal.pages import CISCO, PROFILE, Services

NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
ADA = StaffSession("", "cisco", "s1", "Ada", "", (), ("cisco",), frozenset({"parked:manage"}), "", NOW)
ANN = Session("", "cisco", "CSCO1", "", NOW)


class Counting(Services):
    """Services, and how often they were asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__(answers, {})
        self.times = 0

    async def read(self, *asked: Any) -> Any:
        self.times += 1
        return await super().read(*asked)


def visit_to(services: Counting, staff: StaffSession | None = None, session: Session | None = None) -> Visit:
    return Visit(
        cast("Backend", services),
        Browser("", "", "t"),
        path="/",
        anchor="",
        form_token="",
        program=CISCO,
        staff=staff,
        session=session,
    )


async def test_parked_messages_are_counted_once_a_minute_for_a_program_and_the_number_says_its_age() -> None:
    clock, services = FixedClock(NOW), Counting({"/parked-messages": {"items": [], "count": 2}})
    count = ParkedCount(clock)
    assert await count(visit_to(services, ADA)) == Count(10, 10)
    clock.advance(timedelta(seconds=59))
    again = await count(visit_to(services, ADA))
    assert (again, services.times) == (Count(10, 10, at=NOW), 5)
    assert Entry(PARKED, here=False, count=again).said == "10 waiting, counted at 20:00"
    await count(visit_to(services, ADA._replace(program="juniper")))
    assert services.times == 10, "another program has messages of its own"
    clock.advance(timedelta(seconds=1))
    await count(visit_to(services, ADA))
    assert services.times == 15


async def test_parked_messages_of_services_that_are_away_are_no_number() -> None:
    with pytest.raises(Down):
        await ParkedCount(FixedClock(NOW))(visit_to(Counting({"/parked-messages": Down("exams")}), ADA))


async def test_a_name_that_the_session_knows_is_not_asked_for() -> None:
    services = Counting({"/profile": PROFILE})
    first = visit_to(services, session=ANN)
    await first.introduce()
    assert (first.name, services.times) == ("Ann Lee", 1)
    second = visit_to(services, session=ANN._replace(name="Ann Lee"))
    await second.introduce()
    assert (second.name, services.times) == ("Ann Lee", 1)
