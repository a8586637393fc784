"""The handlers of exams: what is ahead, what is waited for, what was."""

import asyncio
from datetime import date
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from services.portal.backend.client import M, Refused
from services.portal.backend.shapes import ExpectedList
from services.portal.exams.shapes import (
    Appointments,
    Attempt,
    Attempts,
    Happenings,
    Retake,
    Terms,
    Vouchers,
    Where,
)
from services.portal.exams.words import (
    CHALLENGES,
    GRADES,
    KINDS,
    OBSTACLES,
    asked,
    base_of,
    case_about,
    chip_of,
    late_said,
    sort_link,
)
from services.portal.languages import say
from services.portal.web.answers import passed_on
from services.portal.web.forms import Faults
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, Visit, part

_ROWS: Final = "25"
_LONGEST: Final = 100
"""Signs of a registration number."""
_MOST_PAGES: Final = 20
"""Pages of a hundred in which an attempt is looked for; nobody has sat so many exams."""


class ExamPages:
    """The handlers of `/exams`."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/exams", self.list_all),
            web.get("/exams/history.csv", self.download_history),
            web.get("/exams/appointments.ics", self.download_calendar),
            web.get("/exams/appointments/{appointment_id}/calendar.ics", self.download_appointment),
            web.get("/exams/where", self.find_result),
            web.get("/exams/{attempt_id}", self.show_one),
        ]

    async def list_all(self, request: web.Request) -> web.Response:
        visit, after, what = request[VISIT], request.query.get("after"), asked(request.query)
        query = {"limit": _ROWS} | what | ({"cursor": after} if after else {})
        _, expected, ahead, vouchers, page = await asyncio.gather(
            visit.introduce(),
            part(visit.mine("exams", "/expected-results", ExpectedList)),
            part(visit.mine("exams", "/appointments", Appointments, coming="true", limit="100")),
            part(visit.mine("exams", "/vouchers", Vouchers)),
            visit.mine("exams", "/history", Attempts, **query),
        )
        values: dict[str, Any] = {
            "expected": [(one, late_said(one)) for one in expected.items] if expected else None,
            "ahead": ahead.items if ahead else None,
            "vouchers": vouchers.items if vouchers else None,
            "attempts": [(one, chip_of(one)) for one in page.items],
            "older": page.next,
            "first": after is None,
            "what": what,
            "base": base_of(what),
            "csv": base_of(what, "/exams/history.csv"),
            "sorts": {name: sort_link(name, what) for name in ("date", "exam", "grade", "score")},
            "grades": [(value, say(word)) for value, word in GRADES],
            "kinds": [(value, say(word)) for value, word in KINDS],
        }
        return shown(visit, "exams/list.html", say("Exams"), **values)

    async def show_one(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["attempt_id"]
        _, one = await asyncio.gather(visit.introduce(), attempt(visit, name))
        terms, retake, happened = await asyncio.gather(
            self._of_result(visit, one, "challenge", Terms),
            self._retake(visit, one),
            part(visit.mine("certs", "/history", Happenings)),
        )
        changed = [] if happened is None or one.exam_code is None else _changed(happened, one, one.exam_code)
        values: dict[str, Any] = {
            "one": one,
            "state": chip_of(one),
            "terms": terms,
            "obstacle": say(OBSTACLES[terms.why_not]) if terms and terms.why_not in OBSTACLES else "",
            "challenges": [(each, CHALLENGES[each.state]) for each in terms.challenges] if terms else [],
            "retake": retake,
            "changed": changed,
            "case": case_about(one),
        }
        return shown(visit, "exams/one.html", one.title or one.exam_code or one.text, **values)

    async def _of_result(self, visit: Visit, one: Attempt, below: str, into: type[M]) -> M | None:
        if one.result is None:
            return None
        return await _if_given(visit, f"/results/{quote(one.result, safe='')}/{below}", into)

    async def _retake(self, visit: Visit, one: Attempt) -> Retake | None:
        if one.exam_code is None or one.grade == "pass":
            return None
        return await _if_given(visit, f"/exams/{quote(one.exam_code, safe='')}/retake", Retake)

    async def find_result(self, request: web.Request) -> web.Response:
        visit, number = request[VISIT], request.query.get("registration", "").strip()[:_LONGEST]
        faults: Faults = {}
        if not number and "registration" in request.query:
            faults = {"registration": say("Enter the registration number")}
        found = None
        if number:
            _, found = await asyncio.gather(
                visit.introduce(), visit.mine("exams", "/results/where", Where, registration_id=number)
            )
        else:
            await visit.introduce()
        heading = say("Where is my result?")
        values: dict[str, Any] = {"answers": found.answers if found else None, "number": number, "faults": faults}
        return shown(visit, "exams/where.html", heading, problem=bool(faults), **values)

    async def download_history(self, request: web.Request) -> web.Response:
        return passed_on(await request[VISIT].fetch_mine("exams", "/history.csv", **asked(request.query)))

    async def download_calendar(self, request: web.Request) -> web.Response:
        return passed_on(await request[VISIT].fetch_mine("exams", "/appointments.ics"))

    async def download_appointment(self, request: web.Request) -> web.Response:
        name = quote(request.match_info["appointment_id"], safe="")
        return passed_on(await request[VISIT].fetch_mine("exams", f"/appointments/{name}/calendar.ics"))


async def attempt(visit: Visit, name: str) -> Attempt:
    """One attempt of the candidate's. Raises the page for what is not there."""
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        page = await visit.mine("exams", "/history", Attempts, **query)
        for one in page.items:
            if one.id == name:
                return one
        if page.next is None:
            break
        cursor = page.next
    raise web.HTTPNotFound


async def _if_given(visit: Visit, below: str, into: type[M]) -> M | None:
    """What may also not be there."""
    try:
        return await part(visit.mine("exams", below, into))
    except Refused as refusal:
        if refusal.problem.status == 404:  # noqa: PLR2004 not found
            return None
        raise


def _changed(happened: Happenings, one: Attempt, code: str) -> list[tuple[str, date, str]]:
    """What the attempt has changed, by what the history gives as its cause: certification, day, words."""
    return [
        (line.certification, line.on, line.text)
        for line in happened.lines
        if line.on == one.taken_on and code in line.text
    ]
