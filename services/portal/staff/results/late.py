"""The queue of results that are past their promise."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from services.portal.languages import say
from services.portal.languages.days import day_there
from services.portal.staff.kit import Column, with_query
from services.portal.staff.listing import Listing, csv_file, filters_of, listed, page_of
from services.portal.staff.results import words
from services.portal.staff.results.counts import figures_at
from services.portal.staff.results.queues import LATE
from services.portal.staff.results.shapes import Late, LatePage
from services.portal.staff.shell import side_of
from services.portal.web.visit import VISIT, Visit, part

_FILTERS: Final = ("vendor", "exam_code", "stage")
_FILE_ROWS: Final = 2_000
"""Of one file for a vendor."""
_COLUMNS: Final = ("vendor", "registration_id", "exam_code", "scheduled_at", "due_on", "business_days_late")


class LateQueue:
    """Handlers of `/staff/late`."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get(LATE.address, self.show), web.get(f"{LATE.address}.csv", self.file)]

    async def show(self, request: web.Request) -> web.Response:
        visit, query, item_id = request[VISIT], filters_of(request), request.query.get("item")
        asked: dict[str, str] = {name: query[name] for name in _FILTERS if name in query}
        side, page, figures = await asyncio.gather(
            side_of(visit),
            visit.program_read("exams", "/late-results", LatePage, **page_of(request), **asked),
            part(figures_at(visit)),
        )
        today = day_there(datetime.now(UTC))
        one = await _one(visit, page, item_id, asked)
        listing = Listing(
            LATE,
            say("Results past their promise, the longest due first"),
            [
                Column(say("Days late"), sorted="ascending"),
                Column(say("Exam")),
                Column(say("Registration")),
                Column(say("Candidate")),
                Column(say("State")),
            ],
            [words.late_row(each) for each in page.items],
            words.late_numbers(page.count, figures, today),
            query,
            page.next,
            "after" not in request.query,
            [(with_query(f"{LATE.address}.csv", asked), say("Download as CSV for the vendor"))],
        )
        vendors = sorted({each.vendor for each in figures.vendors} if figures else ())
        values: dict[str, Any] = {"vendors": [("", say("All vendors")), *((name, name) for name in vendors)]}
        item = _shown(one, page.items, visit) if one else None
        return listed(visit, "staff/results/late.html", side, listing, open_item=item_id, item=item, **values)

    async def file(self, request: web.Request) -> web.Response:
        """What a vendor is asked about, as a file."""
        visit, query = request[VISIT], filters_of(request)
        asked: dict[str, str] = {name: query[name] for name in _FILTERS if name in query}
        rows: list[Late] = []
        after: dict[str, str] = {}
        while len(rows) < _FILE_ROWS:
            page = await visit.program_read("exams", "/late-results", LatePage, limit="200", **asked, **after)
            rows += page.items
            if page.next is None:
                break
            after = {"cursor": page.next}
        name = f"late-results-{asked.get('vendor', 'all-vendors')}.csv".replace('"', "")
        return csv_file(name, _COLUMNS, map(words.late_line, rows))


async def _one(visit: Visit, page: LatePage, item_id: str | None, asked: dict[str, str]) -> Late | None:
    """The open result; it may be on another page of the list. Raises `HTTPNotFound`: it may have come meanwhile."""
    if item_id is None:
        return None
    after = page.next
    while True:
        found = next((each for each in page.items if each.registration_id == item_id), None)
        if found is not None:
            return found
        if after is None:
            raise web.HTTPNotFound
        page = await visit.program_read("exams", "/late-results", LatePage, limit="200", cursor=after, **asked)
        after = page.next


def _shown(one: Late, others: list[Late], visit: Visit) -> dict[str, Any]:
    program = visit.program.name if visit.program else visit.at_desk.program
    same = [each for each in others if each.vendor == one.vendor and each.registration_id != one.registration_id]
    return {
        "label": one.registration_id,
        "one": one,
        "chip": words.late_chip(one),
        "facts": words.late_facts(one),
        "told": words.late_said(one),
        "question": words.question_about([one], program),
        "same_vendor": len(same),
    }
