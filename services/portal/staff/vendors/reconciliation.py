"""Vendors' lists of registrations compared with ours."""

import asyncio
from datetime import date
from typing import Any, Final, Literal

from aiohttp import web

from services.portal.backend.client import Content, Nothing, Refused
from services.portal.languages import mark, say
from services.portal.staff.kit import Column, Number, next_after, with_query
from services.portal.staff.listing import Listing, filters_of, listed, page_of, path_of
from services.portal.staff.people import Names, names_at
from services.portal.staff.shell import on_desk, side_of
from services.portal.staff.vendors import differences
from services.portal.staff.vendors.queues import RECONCILIATION
from services.portal.staff.vendors.shapes import Finding, Findings, Run, Runs, VerdictsPage
from services.portal.web.answers import passed_on, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Typed, Unfit, change_key, in_words, read, typed, unfit
from services.portal.web.vendor_names import vendor_name
from services.portal.web.visit import VISIT, Visit, part

_MOST_BYTES: Final = 5 * 1_048_576
_ROWS: Final = "50"
_SENTENCES: Final = {
    "vendor": mark("Choose the vendor"),
    "first": mark("Enter the first day of the list"),
    "last": mark("Enter the last day of the list; it can't be before the first"),
    "list": mark("Choose the vendor's list: CSV, TSV or JSON lines"),
    "action": mark("Choose what to do"),
    "reason": mark("Write why it is left as it is"),
}
_KINDS: Final = {"csv": "text/csv", "tsv": "text/tab-separated-values", "txt": "text/tab-separated-values"}
_FIELDS: Final = {"query.vendor": "vendor", "query.first": "first", "query.last": "last", "body": "list"}


class NewRun(Answers):
    vendor: str
    first: date
    last: date


class Act(Answers):
    action: Literal["take_theirs", "ask_vendor", "dismiss"]
    reason: str | None = None


class ReconciliationPages:
    """Handlers of `/staff/reconciliation`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = RECONCILIATION.address + "/{run_id}"
        return [
            web.get(RECONCILIATION.address, self.show),
            web.get(f"{RECONCILIATION.address}/new", self.ask),
            web.post(f"{RECONCILIATION.address}/new", self.start),
            web.get(one, self.run),
            web.get(f"{one}/findings.csv", self.file("findings")),
            web.get(f"{one}/questions.csv", self.file("questions")),
            web.post(f"{one}/findings/{{finding_id}}", self.act),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """All comparisons; an open one has a page of its own."""
        visit = request[VISIT]
        if "item" in request.query:
            return redirect(RECONCILIATION.address + path_of(request.query["item"]))
        side, page = await asyncio.gather(
            side_of(visit), visit.mine("exams", "/reconciliations", Runs, **page_of(request))
        )
        columns = [say("Vendor"), say("Days"), say("They have"), say("We have"), say("Differences"), say("State")]
        listing = Listing(
            RECONCILIATION,
            say("Comparisons, the latest first"),
            [Column(title) for title in columns],
            [differences.run_row(run) for run in page.items],
            [],
            {},
            page.next,
            "after" not in request.query,
        )
        return listed(visit, "staff/vendors/runs.html", side, listing)

    async def ask(self, request: web.Request) -> web.Response:
        return await self._form(request, {}, {})

    async def start(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        sentences = in_words(_SENTENCES)
        try:
            new = read(NewRun, given, sentences)
            content = _list_of(await request.post())
            query = {"vendor": new.vendor, "first": new.first.isoformat(), "last": new.last.isoformat()}
            below, key = with_query("/reconciliations", query), await change_key(request)
            run = await visit.give("exams", below, Run, content, key=key)
        except Unfit as fault:
            return await self._form(request, fault.faults, given)
        except Refused as refusal:
            found = unfit(refusal.problem, _FIELDS, {})
            if found is None:
                raise
            return await self._form(request, found.faults, given)
        answer = redirect(RECONCILIATION.address + path_of(run.reconciliation_id))
        self._cookies.tell(answer, say("Done: the list is being compared. Takes a few seconds."))
        return answer

    async def _form(self, request: web.Request, faults: Faults, given: Typed) -> web.Response:
        visit = request[VISIT]
        side, heard = await asyncio.gather(
            side_of(visit), part(visit.mine("exams", "/vendors", VerdictsPage, days="400"))
        )
        names = sorted({one.vendor for one in heard.items} if heard else ())
        values: dict[str, Any] = {
            "faults": faults,
            "given": given,
            "vendors": [(name, vendor_name(name)) for name in names],
        }
        heading = say("Compare a vendor's list")
        return on_desk(visit, "staff/vendors/new_run.html", heading, side, problem=bool(faults), **values)

    async def run(self, request: web.Request) -> web.Response:
        return await self._run(request, request.query.get("item"))

    async def act(self, request: web.Request) -> web.Response:
        visit, given, finding_id = request[VISIT], await typed(request), request.match_info["finding_id"]
        try:
            act = _act_of(given)
            body = {"action": act.action, "reason": " ".join(act.reason.split()) if act.reason else None}
            below, key = f"{_path(request)}/findings{path_of(finding_id)}/action", await change_key(request)
            await visit.change("PUT", "exams", below, Nothing, key=key, body=body)
        except Unfit as fault:
            return await self._run(request, finding_id, fault.faults, given)
        except Refused as refusal:
            if refusal.code == "not-found":
                raise
            said = refusal.problem.detail or refusal.problem.title
            return await self._run(request, finding_id, {"action": said}, given)
        left = await part(visit.mine("exams", f"{_path(request)}/findings", Findings, open="true", limit=_ROWS))
        following = next_after([one.finding_id for one in left.items], finding_id) if left else None
        here = RECONCILIATION.address + path_of(request.match_info["run_id"])
        answer = redirect(with_query(here, {"open": "true"}, item=following))
        self._cookies.tell(answer, say("Done: {sentence}", sentence=say(differences.ACTIONS[act.action])))
        return answer

    def file(self, what: Literal["findings", "questions"]) -> Any:
        async def fetched(request: web.Request) -> web.Response:
            return passed_on(await request[VISIT].fetch_mine("exams", f"{_path(request)}/{what}.csv"))

        return fetched

    async def _run(
        self, request: web.Request, finding_id: str | None, faults: Faults | None = None, given: Typed | None = None
    ) -> web.Response:
        visit, query, path = request[VISIT], filters_of(request), _path(request)
        asked = page_of(request) | {name: query[name] for name in ("kind", "open") if name in query}
        side, names, run, page = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            visit.mine("exams", path, Run),
            visit.mine("exams", f"{path}/findings", Findings, **asked),
        )
        one = await _finding(visit, path, page, finding_id)
        here = RECONCILIATION.address + path_of(run.reconciliation_id)
        columns = [say("Registration"), say("Difference"), say("They have"), say("We have"), say("State")]
        values: dict[str, Any] = {
            "run": run,
            "chip_of_run": differences.run_chip(run),
            "here": here,
            "base": with_query(here, query),
            "query": query,
            "numbers": [
                Number(run.counts.equal, say("equal")),
                Number(differences.open_of(run), say("differ")),
                Number(run.counts.listed, say("on their list")),
            ],
            "columns": [Column(title) for title in columns],
            "rows": [differences.finding_row(each) for each in page.items],
            "kinds": [("", say("All differences")), *((name, say(text)) for name, text in differences.KINDS.items())],
            "caption": say("Differences, by registration"),
            "files": [(f"{here}/questions.csv", say("Questions for the vendor as CSV"))],
            "older": page.next,
            "first": "after" not in request.query,
            "open": finding_id,
            "item": _shown(one, names) if one else None,
            "faults": faults or {},
            "given": given or {},
        }
        heading = say(
            "{vendor}, {first} to {last}",
            vendor=vendor_name(run.vendor),
            first=run.first_day.isoformat(),
            last=run.last_day.isoformat(),
        )
        return on_desk(visit, "staff/vendors/run.html", heading, side, problem=bool(faults), **values)


def _act_of(given: Typed) -> Act:
    """What is to be done about a finding. Raises `Unfit`."""
    act = read(Act, given, in_words(_SENTENCES))
    if act.action == "dismiss" and not act.reason:
        raise Unfit({"reason": say(_SENTENCES["reason"])})
    return act


def _path(request: web.Request) -> str:
    return f"/reconciliations{path_of(request.match_info['run_id'])}"


def _list_of(form: Any) -> Content:
    """The list in the form; its kind is told by the end of its name. Raises `Unfit`."""
    found = form.get("list")
    if not isinstance(found, web.FileField) or not found.filename:
        raise Unfit({"list": say(_SENTENCES["list"])})
    content = found.file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise Unfit({"list": say("This file is too large. Lists can have up to 5 MB here")})
    ending = found.filename.rpartition(".")[2].lower()
    return Content(_KINDS.get(ending, "application/x-ndjson"), content)


async def _finding(visit: Visit, path: str, page: Findings, finding_id: str | None) -> Finding | None:
    """The open finding; it may be on another page, or was dealt with. Raises `HTTPNotFound`."""
    if finding_id is None:
        return None
    found = next((one for one in page.items if one.finding_id == finding_id), None)
    after: dict[str, str] = {}
    while found is None:
        page = await visit.mine("exams", f"{path}/findings", Findings, limit="200", **after)
        found = next((one for one in page.items if one.finding_id == finding_id), None)
        if found is None and page.next is None:
            raise web.HTTPNotFound
        after = {"cursor": page.next or ""}
    return found


def _shown(one: Finding, names: Names) -> dict[str, Any]:
    return {
        "one": one,
        "label": one.registration_id or say("Line {number}", number=one.line),
        "kind": say(differences.KINDS.get(one.kind, one.kind)),
        "facts": differences.facts_of(one),
        "choices": differences.choices_of(one),
        "done": differences.done_said(one, names),
    }
