"""The queue of results that are past their promise."""

import asyncio
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import BeforeValidator, StringConstraints

from services.portal.backend.client import Refused
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import day_there
from services.portal.staff.acts import Asked, confirm, done, one_line
from services.portal.staff.kit import Column, with_query
from services.portal.staff.listing import Listing, csv_file, filters_of, listed, page_of
from services.portal.staff.people import Names, names_at
from services.portal.staff.results import asking, words
from services.portal.staff.results.counts import figures_at
from services.portal.staff.results.queues import LATE
from services.portal.staff.results.shapes import Late, LatePage, Noted
from services.portal.staff.shell import side_of
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Typed, Unfit, change_key, in_words, read, typed, unfit
from services.portal.web.vendor_names import vendor_name
from services.portal.web.visit import VISIT, Visit, part

_FILTERS: Final = ("vendor", "exam_code", "stage", "to_ask")
_FILE_ROWS: Final = 2_000
"""Of one file for a vendor."""
_AT_ONCE: Final = 200
"""As many as exams takes in one note."""
_COLUMNS: Final = ("vendor", "registration_id", "exam_code", "scheduled_at", "due_on", "business_days_late")
_SENTENCES: Final = {
    "how": mark("Choose how you asked"),
    "note": mark("Write at most 1000 characters"),
    "asked_on": mark("Enter the day on which you asked, today or before"),
}
_FIELDS: Final = {"body.how": "how", "body.note": "note", "body.asked_on": "asked_on"}


class Question(Answers):
    late_id: str
    how: Literal["mail", "phone", "portal", "other"]
    note: Annotated[str | None, BeforeValidator(one_line), StringConstraints(max_length=1000)] = None
    asked_on: date | None = None
    others: str | None = None
    """Ticked for all of the same vendor."""
    meant: str | None = None
    """The ids that were shown before somebody was sure of them."""


class LateQueue:
    """Handlers of `/staff/late`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(LATE.address, self.show),
            web.get(f"{LATE.address}.csv", self.file),
            web.post(f"{LATE.address}/questions", self.note),
        ]

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request, request.query.get("item"))

    async def note(self, request: web.Request) -> web.Response:
        """Note that the vendor was asked; about several results only after they were shown."""
        visit, given = request[VISIT], await typed(request)
        try:
            question = read(Question, given, in_words(_SENTENCES))
            if question.others and "sure" not in given:
                return await self._sure(visit, question)
            body = question.model_dump(mode="json", include={"how", "note", "asked_on"}, exclude_none=True)
            ids = question.meant.split() if question.others and question.meant else [question.late_id]
            noted = await visit.change(
                "POST",
                "exams",
                "/late-results/questions",
                Noted,
                key=await change_key(request),
                body=body | {"late_ids": ids},
            )
        except Unfit as wrong:
            return await self._page(request, given.get("late_id"), wrong.faults, given)
        except Refused as refusal:
            refused = unfit(refusal.problem, _FIELDS, in_words(_SENTENCES))
            if refused is None:
                raise
            return await self._page(request, given.get("late_id"), refused.faults, given)
        page = await part(visit.mine("exams", "/late-results", LatePage, limit="2", to_ask="true"))
        following = next((one.late_id for one in page.items if one.late_id not in ids), None) if page else None
        return done(self._cookies, LATE, following, asking.noted_said(noted))

    async def _sure(self, visit: Visit, question: Question) -> web.Response:
        side, all_late = await asyncio.gather(side_of(visit), _whole(visit, {}, _FILE_ROWS))
        one = next((each for each in all_late if each.late_id == question.late_id), None)
        if one is None:
            raise web.HTTPNotFound
        meant = [one, *(each for each in all_late if each.vendor == one.vendor and each.late_id != one.late_id)]
        meant = meant[:_AT_ONCE]
        hidden = question.model_dump(mode="json", exclude_none=True, exclude={"meant"})
        asked = Asked(
            action=f"{LATE.address}/questions",
            button=say_many("Note it for {count} result", "Note it for {count} results", len(meant)),
            follows=asking.follows(meant),
            back=with_query(LATE.address, {}, item=one.late_id),
            hidden=hidden | {"meant": " ".join(each.late_id for each in meant)},
        )
        heading = say("Was {vendor} asked about all of these?", vendor=vendor_name(one.vendor))
        return confirm(visit, heading, side, asked)

    async def _page(
        self, request: web.Request, item_id: str | None, faults: Faults | None = None, given: Typed | None = None
    ) -> web.Response:
        visit, query = request[VISIT], filters_of(request)
        asked: dict[str, str] = {name: query[name] for name in _FILTERS if name in query}
        side, names, page, figures = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            visit.mine("exams", "/late-results", LatePage, **page_of(request), **asked),
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
                Column(say("Vendor")),
            ],
            [words.late_row(each, today) for each in page.items],
            words.late_numbers(page, figures, today),
            query,
            page.next,
            "after" not in request.query,
            [(with_query(f"{LATE.address}.csv", asked), say("Download as CSV for the vendor"))],
        )
        vendors = sorted({each.vendor for each in figures.vendors} if figures else ())
        values: dict[str, Any] = {
            "vendors": [("", say("All vendors")), *((name, vendor_name(name)) for name in vendors)]
        }
        item = _shown(one, page.items, visit, names, today) if one else None
        template = "staff/results/late.html"
        return listed(
            visit, template, side, listing, open_item=item_id, item=item, faults=faults, given=given, **values
        )

    async def file(self, request: web.Request) -> web.Response:
        """What a vendor is asked about, as a file."""
        query = filters_of(request)
        asked: dict[str, str] = {name: query[name] for name in _FILTERS if name in query}
        rows = await _whole(request[VISIT], asked, _FILE_ROWS)
        name = f"late-results-{asked.get('vendor', 'all-vendors')}.csv".replace('"', "")
        return csv_file(name, _COLUMNS, map(words.late_line, rows))


async def _whole(visit: Visit, asked: dict[str, str], most: int) -> list[Late]:
    """All late results that fit, up to about `most`."""
    rows: list[Late] = []
    after: dict[str, str] = {}
    while len(rows) < most:
        page = await visit.mine("exams", "/late-results", LatePage, limit="200", **asked, **after)
        rows += page.items
        if page.next is None:
            break
        after = {"cursor": page.next}
    return rows


async def _one(visit: Visit, page: LatePage, item_id: str | None, asked: dict[str, str]) -> Late | None:
    """The open result; it may be on another page of the list. Raises `HTTPNotFound`: it may have come meanwhile."""
    if item_id is None:
        return None
    after = page.next
    while True:
        found = next((each for each in page.items if each.late_id == item_id), None)
        if found is not None:
            return found
        if after is None:
            raise web.HTTPNotFound
        page = await visit.mine("exams", "/late-results", LatePage, limit="200", cursor=after, **asked)
        after = page.next


def _shown(one: Late, others: list[Late], visit: Visit, names: Names, today: date) -> dict[str, Any]:
    program = visit.program.name if visit.program else visit.at_desk.program
    same = [each for each in others if each.vendor == one.vendor and each.late_id != one.late_id]
    return {
        "label": one.registration_id,
        "one": one,
        "chip": words.late_chip(one),
        "ask_chip": asking.chip_of(one, today),
        "since": asking.since_said(one),
        "facts": words.late_facts(one),
        "told": words.late_said(one),
        "question": words.question_about([one], program),
        "same_vendor": len(same),
        "hows": [(name, say(text), None) for name, text in asking.HOWS.items()],
        "may_note": visit.at_desk.may("accounts:manage"),
        "steps": asking.steps_of(one.questions, names),
    }
