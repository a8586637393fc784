"""What vendors are called on pages."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from libs.common.clock import FixedClock
from services.portal.backend.client import Backend, Browser, Down
from services.portal.web.vendor_names import EXAM_VENDORS, VendorNames, vendor_name
from services.portal.web.visit import Visit
from tests.unit.portal.pages import CISCO, Services

KNOWN = {
    "items": [
        {"vendor": "vue", "name": "Test Centres", "exams": True},
        {"vendor": "kits", "name": "Kit House", "exams": False},
    ]
}


class Counting(Services):
    """Exams, which answers or not, and how often it was asked."""

    def __init__(self) -> None:
        super().__init__({"/vendor-names": KNOWN}, {})
        self.times = 0
        self.down = False

    async def read(self, *asked: Any) -> Any:
        self.times += 1
        if self.down:
            raise Down("exams")
        return await super().read(*asked)


def visit_to(exams: Counting, token: str | None = "t") -> Visit:
    browser = Browser("", "", token)
    return Visit(cast("Backend", exams), browser, path="/", anchor="", form_token="", program=CISCO)


async def test_pages_say_vendors_names_and_ask_for_them_now_and_then() -> None:
    clock, exams = FixedClock(datetime(2026, 11, 22, tzinfo=UTC)), Counting()
    names = VendorNames(clock)
    await names.learn(visit_to(exams, token=None))
    assert (vendor_name("vue"), exams.times) == ("vue", 0), "who is nobody yet cannot ask"
    for _ in range(3):
        await names.learn(visit_to(exams))
    assert (vendor_name("vue"), vendor_name("other"), exams.times) == ("Test Centres", "other", 1)
    assert EXAM_VENDORS.get() == ["vue"], "nobody has an ID at a house that prints"
    clock.advance(timedelta(minutes=11))
    exams.down = True
    for _ in range(3):
        await names.learn(visit_to(exams))
    assert (vendor_name("vue"), exams.times) == ("Test Centres", 2), "an outage costs one page its wait, and no names"
    clock.advance(timedelta(minutes=2))
    exams.down = False
    await names.learn(visit_to(exams))
    assert exams.times == 3
