"""The handlers of certifications."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from aiohttp import web

from services.portal.backend.client import M, Refused
from services.portal.backend.shapes import Certification, Certifications, History, Line
from services.portal.certifications.agreement import AgreementPages
from services.portal.certifications.board import Board, SideRow, board_of
from services.portal.certifications.reminders import reminder_days, reminder_row
from services.portal.certifications.shapes import (
    Agreement,
    Availability,
    Fact,
    Goals,
    Reasons,
    Reminder,
    Reminders,
    Renewals,
    Seen,
)
from services.portal.certifications.why import why_of
from services.portal.certifications.words import (
    case_about,
    happened,
    items_of,
    learned_later,
    seen_sentence,
    share_of,
    ways_of,
)
from services.portal.home.answer import chip_of, heading_of
from services.portal.languages import say
from services.portal.languages.days import in_days, spoken
from services.portal.timeline.lanes import days_lane
from services.portal.timeline.scale import Scale
from services.portal.timeline.view import remember_view, wants_table
from services.portal.web.answers import passed_on
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Faults
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, part

_HISTORY = 4
_PASSES = 6
_EARNING = frozenset({"exam", "credits", "course"})
_RENEWS = frozenset({"awarded", "renewed", "extended", "imported", "reactivated"})


class CertificationPages:
    """The handlers of `/certifications`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = "/certifications/{certification}"
        return [
            web.get("/certifications", self.list_all),
            *AgreementPages(self._cookies).routes(),
            web.get(one, self.show_one),
            web.get(f"{one}/history", self.show_history),
            web.get(f"{one}/reasons.json", self.download_reasons),
        ]

    async def list_all(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        program = visit.theirs
        _, held, history, goals = await asyncio.gather(
            visit.introduce(),
            visit.mine("certs", "/certifications", Certifications),
            part(visit.mine("certs", "/history", History)),
            part(visit.mine("certs", "/progress", Goals)),
        )
        retired = [name for name, each in program.certifications.items() if each.retired_on is not None]
        lines = history.lines if history else ()
        answer = heading_of(held.certifications, held.as_of)
        values: dict[str, Any] = {
            "board": board_of(held.certifications, lines, held.as_of, retired=retired),
            "answer": answer,
            "under_way": sum(bool(goal.in_hand) for goal in goals.goals) if goals else None,
            "as_table": wants_table(request, self._cookies),
            "waiting": any(one.status == "pending_agreement" for one in held.certifications),
        }
        page = shown(visit, "certifications/list.html", say("Certifications"), **values)
        remember_view(page, request, self._cookies)
        return page

    async def show_one(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["certification"]
        program, path = visit.theirs, f"/certifications/{quote(name, safe='')}"
        (_, held, history, renewals), (reasons, certificate, logos), (mails, agreement) = await asyncio.gather(
            asyncio.gather(
                visit.introduce(),
                visit.mine("certs", "/certifications", Certifications),
                part(visit.mine("certs", "/history", History)),
                part(visit.mine("certs", "/renewals", Renewals)),
            ),
            asyncio.gather(
                _if_given(visit.mine("certs", f"{path}/reasons", Reasons)),
                _if_given(visit.mine("certs", f"{path}/certificate", Availability)),
                _if_given(visit.mine("certs", f"{path}/logos", Availability)),
            ),
            asyncio.gather(
                part(visit.mine("notify", "/messages", Reminders, limit="100")),
                part(visit.mine("certs", "/agreement", Agreement)),
            ),
        )
        one = _found(held, name)
        lines = _lines(history, name)
        renewal = next((each for each in renewals.renewals if each.certification == name), None) if renewals else None
        ahead = one.expires_on is not None and one.expires_on >= held.as_of
        values: dict[str, Any] = {
            "one": one,
            "state": chip_of(one, held.as_of),
            "left": in_days(one.expires_on, held.as_of) if one.expires_on and ahead else "",
            "board": _Around(
                one, lines or [], held.as_of, _passes(reasons), mails.items if mails else [], program.reminders
            ).board(),
            "lines": [(line, happened(line)) for line in lines[:_HISTORY]] if lines is not None else None,
            "all_lines": len(lines or ()),
            "why": why_of(one, reasons, lines or []) if reasons else None,
            "ways": ways_of(renewal) if renewal else None,
            "renewals_down": renewals is None,
            "items": items_of(one, held.as_of, certificate, logos),
            "share": share_of(one),
            "case": case_about(one),
            "being_applied": bool(agreement and agreement.accepted and one.status == "pending_agreement"),
            "as_table": wants_table(request, self._cookies),
            "today": held.as_of,
            "path": path,
            "faults": {},
        }
        page = shown(visit, "certifications/one.html", one.title, **values)
        remember_view(page, request, self._cookies)
        return page

    async def show_history(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["certification"]
        _, held, history = await asyncio.gather(
            visit.introduce(),
            visit.mine("certs", "/certifications", Certifications),
            visit.mine("certs", "/history", History),
        )
        one, lines = _found(held, name), _lines(history, name) or []
        on, faults = day_asked(request.query, held.as_of)
        seen = await visit.mine("certs", f"/certifications/as-seen-on/{on.isoformat()}", Seen) if on else None
        then = next((each for each in seen.certifications if each.certification == name), None) if seen else None
        values: dict[str, Any] = {
            "one": one,
            "path": f"/certifications/{quote(name, safe='')}",
            "on": on,
            "given": on or dict(request.query),
            "answer": seen_sentence(then, on) if on else "",
            "later": learned_later(lines, seen) if seen else [],
            "then": then,
            "lines": [(line, happened(line)) for line in lines],
            "faults": faults,
        }
        heading = (
            say("{title} on {day}", title=one.title, day=spoken(on))
            if on
            else say("History of {title}", title=one.title)
        )
        return shown(visit, "certifications/history.html", heading, problem=bool(faults), **values)

    async def download_reasons(self, request: web.Request) -> web.Response:
        return passed_on(await request[VISIT].fetch_mine("certs", f"{_path(request)}/reasons"))


def day_asked(query: Mapping[str, str], today: date) -> tuple[date | None, Faults]:
    """The day that the address asks for, as `on` or in three parts; nothing where it asks for none."""
    parts = [query.get(f"on.{name}", "").strip() for name in ("year", "month", "day")]
    text = query.get("on", "").strip() or ("{:0>4}-{:0>2}-{:0>2}".format(*parts) if any(parts) else "")
    if not text:
        return None, {}
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None, {"on": say("Enter a day that exists, as day, month and year")}
    if day > today:
        return None, {"on": say("The day can't be after today")}
    return day, {}


def _path(request: web.Request) -> str:
    return f"/certifications/{quote(request.match_info['certification'], safe='')}"


def _found(held: Certifications, name: str) -> Certification:
    found = next((each for each in held.certifications if each.certification == name), None)
    if found is None:
        raise web.HTTPNotFound
    return found


def _lines(history: History | None, name: str) -> list[Line] | None:
    return [line for line in history.lines if line.certification == name] if history else None


@dataclass(frozen=True, slots=True)
class _Around:
    """What the time line of one certification has beside it.

    Attributes:
        reminders: days before the end on which the program reminds.
    """

    one: Certification
    lines: Sequence[Line]
    today: date
    passes: Sequence[Fact]
    mails: Sequence[Reminder]
    reminders: Sequence[int]

    def board(self) -> Board | None:
        days = [fact.on for fact in self.passes]
        return board_of([self.one], self.lines, self.today, around=self._rows, more=days)

    def _rows(self, scale: Scale) -> tuple[Sequence[SideRow], Sequence[SideRow]]:
        reminded = self._reminded(scale)
        return [_pass_row(fact, scale) for fact in self.passes], [reminded] if reminded else []

    def _reminded(self, scale: Scale) -> SideRow | None:
        one = self.one
        if one.expires_on is None or one.status != "active":
            return None
        extended = (line.on for line in self.lines if line.kind in _RENEWS and line.withdrawn_at is None)
        days = reminder_days(one.expires_on, self.reminders, max(extended, default=one.earned_on))
        return reminder_row(days, self.mails, self.today, scale)


def _pass_row(fact: Fact, scale: Scale) -> SideRow:
    return SideRow(fact.text[:1].upper() + fact.text[1:], "", days_lane([(fact.on, "pass")], scale))


def _passes(reasons: Reasons | None) -> list[Fact]:
    """What was passed or completed for it, the latest few."""
    found = [fact for fact in reasons.facts if fact.kind in _EARNING] if reasons else []
    return found[-_PASSES:]


async def _if_given(answer: Awaitable[M]) -> M | None:
    """A part that may also be refused, as nothing may be had of what is not active."""
    try:
        return await part(answer)
    except Refused:
        return None
