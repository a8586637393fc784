"""The handlers of the ledger, of withdrawals and of holds."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from aiohttp import web

from services.portal.backend.client import Nothing, Refused
from services.portal.backend.shapes import Certifications
from services.portal.credits.claims import Claim, in_hand
from services.portal.credits.shapes import Claimed, Credits, Submission, SubmissionPage
from services.portal.credits.sheet import sheet
from services.portal.credits.words import rows_of, sum_of
from services.portal.languages import mark, say
from services.portal.languages.days import spoken
from services.portal.plan.effort import claimed
from services.portal.plan.known import worked_out
from services.portal.plan.trying import Moved, moved_by
from services.portal.web.answers import passed_on, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Unfit, asked, change_key, read, typed, unfit
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, Visit

_ROWS = "25"
_MOST = "200"


class Hold(Answers):
    until: date | None = None


class CreditPages:
    """The handlers of `/credits`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = "/credits/{submission}"
        return [
            web.get("/credits", self.show_all),
            web.get("/credits.csv", self.download),
            web.get("/credits/files/{evidence}", self.show_file),
            web.get(f"{one}/withdraw", self.ask_to_withdraw),
            web.post(f"{one}/withdraw", self.withdraw),
            web.get(f"{one}/hold", self.ask_for_hold),
            web.post(f"{one}/hold", self.hold),
        ]

    async def show_all(self, request: web.Request) -> web.Response:
        visit, after = request[VISIT], request.query.get("after")
        query = {"limit": _ROWS} | ({"cursor": after} if after else {})
        _, held, ledger, all_of_them, page = await asyncio.gather(
            visit.introduce(),
            visit.mine("certs", "/certifications", Certifications),
            visit.mine("certs", "/credits", Credits),
            visit.mine("certs", "/submissions", SubmissionPage, limit=_MOST),
            visit.mine("certs", "/submissions", SubmissionPage, **query),
        )
        program = visit.theirs
        ends = {one.certification: one.expires_on for one in held.certifications if one.status == "active"}
        claims = in_hand(ledger, all_of_them.items)
        values: dict[str, Any] = {
            "sum": sum_of(program, ledger, claims, ends),
            "with_credits": program.policy.credits is not None,
            "may_claim": program.policy.credits is not None or program.policy.courses is not None,
            "reviews": [row for row in rows_of(ledger, all_of_them.items) if row.in_review],
            "rows": rows_of(ledger, page.items),
            "older": page.next,
            "first": after is None,
        }
        return shown(visit, "credits/list.html", say("Credits"), **values)

    async def download(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        ledger = await visit.mine("certs", "/credits", Credits)
        found: list[Submission] = []
        cursor: str | None = ""
        while cursor is not None:
            query = {"limit": _MOST} | ({"cursor": cursor} if cursor else {})
            page = await visit.mine("certs", "/submissions", SubmissionPage, **query)
            found += page.items
            cursor = page.next
        headers = {"Content-Disposition": 'attachment; filename="credits.csv"', "X-Content-Type-Options": "nosniff"}
        content = sheet(rows_of(ledger, found))
        return web.Response(body=content, content_type="text/csv", charset="utf-8", headers=headers)

    async def show_file(self, request: web.Request) -> web.Response:
        name = request.match_info["evidence"]
        return passed_on(await request[VISIT].fetch_mine("certs", f"/evidence/{name}"))

    async def ask_to_withdraw(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        _, (one, _, _) = await asyncio.gather(visit.introduce(), _one(visit, request.match_info["submission"]))
        if one.state != "pending" or one.origin != "claim":
            return redirect("/credits")
        return shown(visit, "credits/withdraw.html", say("Withdraw this claim?"), one=one)

    async def withdraw(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["submission"]
        answer = redirect("/credits")
        try:
            await visit.change("DELETE", "certs", f"/submissions/{name}", Nothing, key=await change_key(request))
        except Refused as refusal:
            if refusal.code != "conflict":
                raise
            self._cookies.tell(answer, say("It was decided before: it can't be withdrawn any more."))
            return answer
        self._cookies.tell(answer, say("Withdrawn. You can claim it again until its deadline."))
        return answer

    async def ask_for_hold(self, request: web.Request) -> web.Response:
        visit, query = request[VISIT], asked(request)
        _, (one, claim, ledger) = await asyncio.gather(visit.introduce(), _one(visit, request.match_info["submission"]))
        if claim is None or not ledger.may_be_held:
            return redirect("/credits")
        if "until.day" not in query and "now" not in query:
            return _hold_page(visit, one, claim, None, given={"until": claim.held_until})
        try:
            until = _until(query, ledger.as_of)
        except Unfit as wrong:
            return _hold_page(visit, one, claim, None, given=query, faults=wrong.faults)
        before, after = await asyncio.gather(
            worked_out(visit, [claimed(claim, ledger.as_of, claim.held_until)]),
            worked_out(visit, [claimed(claim, ledger.as_of, until)]),
        )
        moved = moved_by(visit.theirs, before.outcome, after.outcome)
        return _hold_page(
            visit, one, claim, _Effect(until, moved), given=query if until else {"until": claim.held_until}
        )

    async def hold(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["submission"]
        answers = await typed(request)
        body = {"held_until": answers.get("until") or None}
        try:
            path = f"/submissions/{name}/hold"
            await visit.change("PUT", "certs", path, Claimed, key=await change_key(request), body=body)
        except Refused as refusal:
            wrong = unfit(refusal.problem, {"body.held_until": "until"}, {"until": say(_DAY)})
            if wrong is None and refusal.code != "conflict":
                raise
            answer = redirect("/credits")
            self._cookies.tell(answer, say("Nothing was changed: these credits can't be held until that day."))
            return answer
        answer = redirect("/credits")
        until = read(Hold, answers, {}).until
        said = say("On hold until {day}.", day=spoken(until)) if until else say("These credits count now.")
        self._cookies.tell(answer, said)
        return answer


_DAY: Final = mark("Enter a day to come, within ten years, as day, month and year")


def _until(query: dict[str, Any], today: date) -> date | None:
    """The day to try; None for at once. Raises `Unfit`."""
    if "now" in query:
        return None
    until = read(Hold, query, {"until": say(_DAY)}).until
    if until is None or not today < until <= date(today.year + 10, today.month, 1):
        raise Unfit({"until": say(_DAY)})
    return until


@dataclass(frozen=True, slots=True)
class _Effect:
    """What another day would do."""

    until: date | None
    moved: list[Moved]


def _hold_page(
    visit: Visit,
    one: Submission,
    claim: Claim,
    effect: _Effect | None,
    *,
    given: Mapping[str, Any],
    faults: Faults | None = None,
) -> web.Response:
    values: dict[str, Any] = {"one": one, "claim": claim, "effect": effect, "given": given, "faults": faults or {}}
    return shown(visit, "credits/hold.html", say("When may these credits be used?"), problem=bool(faults), **values)


async def _one(visit: Visit, name: str) -> tuple[Submission, Claim | None, Credits]:
    """A claim, and what of it is in hand."""
    ledger, page = await asyncio.gather(
        visit.mine("certs", "/credits", Credits), visit.mine("certs", "/submissions", SubmissionPage, limit=_MOST)
    )
    one = next((each for each in page.items if each.submission_id == name), None)
    if one is None:
        raise web.HTTPNotFound
    return one, next((claim for claim in in_hand(ledger, page.items) if claim.id == name), None), ledger
