"""The handlers of ways to vendors, to book, move or cancel an appointment, and of codes that pay for one."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

from aiohttp import web

from libs.common.http.lost_ways import PAGE
from libs.common.ids import new_id
from libs.common.sealing import SecretBox
from services.portal.backend.client import Nothing, Refused
from services.portal.exams.shapes import Appointments, Attempts, HandOver, Rights, ShownVoucher, Ticket, Vouchers
from services.portal.languages import mark, say
from services.portal.web.forms import Answers, Faults, Unfit, change_key, in_words, read, typed
from services.portal.web.leaving import Leaving
from services.portal.web.look import shown
from services.portal.web.policy import policy_for
from services.portal.web.vendor_names import vendor_name
from services.portal.web.visit import VISIT, Visit, part

_SENTENCES: Final = {"exam": mark("Choose the exam"), "vendor": mark("Choose the vendor")}
_USABLE: Final = frozenset({"assigned"})


class Going(Answers):
    """Where somebody goes, and what for."""

    vendor: str
    exam: str
    purpose: Literal["schedule", "reschedule", "cancel"] = "schedule"
    registration: str | None = None
    voucher: str | None = None


class GoingPages:
    """The handlers of `/exams/schedule`, `/exams/hand-over`, `/exams/going`, `/exams/way-back` and codes."""

    def __init__(self, box: SecretBox) -> None:
        self._leaving = Leaving(box, Going)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/exams/schedule", self.choose),
            web.get(PAGE, self.lost),
            web.post("/exams/hand-over", self.take),
            web.get("/exams/going", self.go),
            web.post("/exams/vouchers/{voucher_id}", self.show_voucher),
        ]

    async def choose(self, request: web.Request) -> web.Response:
        return await self._choices(request, {"exam": request.query.get("exam", "")}, {})

    async def take(self, request: web.Request) -> web.Response:
        visit, what = request[VISIT], await typed(request)
        try:
            going = read(Going, what, in_words(_SENTENCES))
        except Unfit as unfit:
            return await self._choices(request, what, unfit.faults)
        return self._leaving.to("/exams/going", visit, going)

    async def go(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        going = self._leaving.choice(request, visit)
        body: dict[str, Any] = {
            "vendor": going.vendor,
            "exam_code": going.exam,
            "purpose": going.purpose,
            "return_to": "/exams",
        }
        body |= {"registration_id": going.registration} if going.registration else {}
        body |= {"voucher_id": going.voucher} if going.voucher else {}
        try:
            made = await visit.change("POST", "exams", "/hand-overs", HandOver, key=new_id(), body=body)
        except Refused as refusal:
            if refusal.problem.status not in (409, 422):
                raise
            reason = refusal.problem.detail or refusal.problem.title
            return await self._choices(request, going.model_dump(), {"exam": reason})
        ticket, cookie = await _ticket(visit, made) if made.form.ticket else (None, "")
        fields = made.form.fields | ({"login_hint": ticket.login_hint} if ticket else {})
        # A form by GET would drop what the address says itself.
        link = _with_query(made.form.action, fields) if made.form.method == "GET" else None
        departure = f"/hand-overs/{quote(made.hand_over_id, safe='')}/departure"
        await asyncio.gather(visit.introduce(), part(visit.change("POST", "exams", departure, Nothing, key=new_id())))
        heading = say("You go to {vendor} now, signed in", vendor=vendor_name(made.vendor))
        page = shown(visit, "exams/going.html", heading, made=made, fields=fields, link=link)
        if link is None:
            page.headers["Content-Security-Policy"] = policy_for(made.form.action)
        if cookie:
            page.headers.add("Set-Cookie", cookie)
        return page

    async def lost(self, request: web.Request) -> web.Response:
        """Where a vendor sent the browser back to us in a way that leads nowhere."""
        visit = request[VISIT]
        await visit.introduce()
        return shown(visit, "exams/lost.html", say("This way back has ended"))

    async def show_voucher(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], quote(request.match_info["voucher_id"], safe="")
        _, code = await asyncio.gather(
            visit.introduce(),
            visit.change("POST", "exams", f"/vouchers/{name}/showing", ShownVoucher, key=await change_key(request)),
        )
        return shown(visit, "exams/voucher.html", say("Your code"), code=code)

    async def _choices(self, request: web.Request, what: dict[str, Any], faults: Faults) -> web.Response:
        visit = request[VISIT]
        program = visit.theirs
        _, rights, ahead, before, vouchers = await asyncio.gather(
            visit.introduce(),
            part(visit.mine("exams", "/authorizations", Rights, limit="100")),
            part(visit.mine("exams", "/appointments", Appointments, limit="100")),
            part(visit.mine("exams", "/history", Attempts, limit="100")),
            part(visit.mine("exams", "/vouchers", Vouchers)),
        )
        known = [rights, ahead, before]
        vendors = sorted({one.vendor for page in known if page for one in page.items})
        values: dict[str, Any] = {
            "what": what,
            "faults": faults,
            "vendors": [(name, vendor_name(name)) for name in vendors],
            "rights": rights.items if rights else [],
            "exams": [(code, f"{code} {exam.title}") for code, exam in sorted(program.exams.items())],
            "vouchers": [
                (one.voucher_id, f"{one.code} ({', '.join(one.exams) or vendor_name(one.vendor)})")
                for one in (vouchers.items if vouchers else [])
                if one.state in _USABLE
            ],
        }
        return shown(visit, "exams/schedule.html", say("Schedule an exam"), problem=bool(faults), **values)


def _with_query(address: str, fields: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(fields)}"


async def _ticket(visit: Visit, made: HandOver) -> tuple[Ticket, str]:
    """What a vendor's login finds the candidate by, and the cookie of the only browser that it is good in."""
    body = {"client_id": made.form.ticket.client_id} if made.form.ticket else {}
    return await visit.backend.send_for_cookie(
        visit.browser, "POST", "identity", visit.below("/provider-tickets"), Ticket, body=body
    )
