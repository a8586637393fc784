"""The first page of staff: what waits, what is past its promise, and how it went lately."""

import asyncio
from datetime import UTC, date, datetime

from aiohttp import web
from pydantic import BaseModel, Field

from services.portal.backend.client import Down, Refused
from services.portal.languages import say, say_many
from services.portal.staff.cases.shapes import CasePage
from services.portal.staff.home.charts import DAYS, Chart, ages, late_results, results_per_day
from services.portal.staff.shell import Side, on_desk, side_of
from services.portal.web.visit import VISIT, Visit


class Count(BaseModel):
    channel: str
    count: int


class Day(BaseModel):
    day: date
    counts: list[Count]

    @property
    def told(self) -> int:
        """Messages that were meant; dry runs are not."""
        return sum(one.count for one in self.counts if one.channel != "dry_run")


class Verdicts(BaseModel):
    """What became of what a vendor has sent."""

    days: list[Day]


class VerdictsPage(BaseModel):
    items: list[Verdicts]


class VendorWatch(BaseModel):
    late_by_business_days: dict[str, int] = Field(default={})


class Watch(BaseModel):
    """How many results are late."""

    vendors: list[VendorWatch]


class StaffHome:
    """The handler of `/staff`."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/staff", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        side, told, cases, late = await asyncio.gather(side_of(visit), _told(visit), _cases(visit), _late(visit))
        answer = answer_of(side)
        waiting = [entry for _, entries in side.groups for entry in entries if entry.count and entry.count.waiting]
        charts = [chart for chart in (told, cases, late) if chart is not None]
        return on_desk(visit, "staff/home/home.html", answer, side, answer=answer, waiting=waiting, charts=charts)


async def _told(visit: Visit) -> Chart | str:
    """The chart; its title where the service does not answer."""
    try:
        page = await visit.mine("exams", "/vendors", VerdictsPage, days=str(DAYS))
    except (Down, Refused):
        return say("Vendors' messages per day")
    days = [(day.day, day.told) for vendor in page.items for day in vendor.days]
    return results_per_day(days, datetime.now(UTC).date())  # the service counts by days of UTC


async def _cases(visit: Visit) -> Chart | str | None:
    """The same; None for whoever may not see cases."""
    if not visit.at_desk.may("accounts:manage"):
        return None
    try:
        page = await visit.mine("identity", "/cases", CasePage, limit="100")
    except (Down, Refused):
        return say("Ages of open cases")
    return ages((case.opened_at for case in page.items), datetime.now(UTC))


async def _late(visit: Visit) -> Chart | str:
    try:
        watch = await visit.mine("exams", "/results-watch", Watch)
    except (Down, Refused):
        return say("Late results")
    return late_results(vendor.late_by_business_days for vendor in watch.vendors)


def answer_of(side: Side) -> str:
    """The heading: what is late, else how much waits. What stands in two queues is counted once."""
    counts = [
        entry.count
        for _, entries in side.groups
        for entry in entries
        if entry.count and entry.queue.name not in ("mine", "second-pair", "name-changes")
    ]
    late = sum(count.late for count in counts)
    if late:
        return say_many("{count} item is past its promise", "{count} items are past their promise", late)
    waiting = sum(count.waiting for count in counts)
    if waiting:
        return say_many("{count} item waits, in time", "{count} items wait, all in time", waiting)
    return say("Nothing waits")
