"""The queues of cases, and what staff do with one of them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from aiohttp import web
from pydantic import StringConstraints

from libs.common.casework.progress import UNDECIDED
from services.portal.backend.client import Fetched, Nothing, Refused
from services.portal.languages import mark, say
from services.portal.staff.acts import Asked, Reason, confirm, done
from services.portal.staff.cases import words
from services.portal.staff.cases.queues import CASES, NAMES, SECOND
from services.portal.staff.cases.shapes import Case, CaseLine, CasePage, Person
from services.portal.staff.cases.shelves import filtered, shelf_of
from services.portal.staff.kit import Column, Number, Queue, Row, next_after, with_query
from services.portal.staff.owners import own
from services.portal.staff.people import Names, names_at
from services.portal.staff.shell import on_desk, side_of
from services.portal.web.answers import as_picture, passed_on, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Typed, Unfit, change_key, in_words, read, typed
from services.portal.web.visit import VISIT, Visit, part

_ROWS: Final = "50"
_SENTENCES: Final = {
    "text": mark("Write the message"),
    "text.string_too_long": mark("Write at most 4000 characters"),
    "decision": mark("Choose whether to accept or to refuse"),
    "reason": mark("Write the reason: the candidate reads it"),
    "reason.string_too_long": mark("Write at most 1000 characters"),
    "other": mark("Enter the ID of the account that ends"),
}


class Reply(Answers):
    text: Annotated[str, StringConstraints(max_length=4000)]
    needs_answer: Literal["yes"] | None = None


class Decision(Answers):
    decision: Literal["accept", "refuse"]
    reason: Reason
    other: str | None = None


@dataclass(frozen=True, slots=True)
class _Open:
    """The item beside the queue."""

    case: Case
    person: Person | None


class CaseQueue:
    """Handlers of the queues of cases and of `/staff/cases/{case_id}`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        case = "/staff/cases/{case_id}"
        return [
            *(web.get(queue.address, self._listing(queue)) for queue in (CASES, NAMES, SECOND)),
            web.get(case, self.show),
            web.post(f"{case}/owner", self.own),
            web.post(f"{case}/message", self.write),
            web.post(f"{case}/decision", self.decide),
            web.get(f"{case}/evidence/{{evidence_id}}", self.evidence),
            web.get(f"{case}/evidence/{{evidence_id}}/picture", self.picture),
        ]

    def _listing(self, queue: Queue) -> Callable[[web.Request], Any]:
        async def listing(request: web.Request) -> web.Response:
            return await self._page(request, queue, request.query.get("item"))

        return listing

    async def show(self, request: web.Request) -> web.Response:
        """A case by its own address, as links in other places have it."""
        return redirect(f"{CASES.address}?item={quote(request.match_info['case_id'], safe='')}")

    async def own(self, request: web.Request) -> web.Response:
        """Take a case, or give it back."""
        await own(request, "identity", _path(request))
        return redirect(with_query(_from(await request.post()).address, {}, item=request.match_info["case_id"]))

    async def write(self, request: web.Request) -> web.Response:
        visit, queue, given = request[VISIT], _from(await request.post()), await typed(request)
        try:
            reply = read(Reply, given, in_words(_SENTENCES))
            body = {"text": reply.text, "needs_answer": reply.needs_answer is not None}
            key = await change_key(request)
            await visit.change("POST", "identity", f"{_path(request)}/messages", Nothing, key=key, body=body)
        except Unfit as unfit:
            return await self._page(request, queue, request.match_info["case_id"], unfit.faults, given)
        sentence = say("your message is sent, and a mail says so")
        return await self._next(visit, queue, request.match_info["case_id"], sentence)

    async def decide(self, request: web.Request) -> web.Response:
        """Ask once more what is decided, then decide."""
        queue, given = _from(await request.post()), await typed(request)
        case_id = request.match_info["case_id"]
        try:
            decision = read(Decision, given, in_words(_SENTENCES))
            if "sure" not in given:
                return await self._confirm(request, queue, decision)
            return await self._decided(request, queue, decision)
        except Unfit as unfit:
            return await self._page(request, queue, case_id, unfit.faults, given)

    async def _confirm(self, request: web.Request, queue: Queue, decision: Decision) -> web.Response:
        visit = request[VISIT]
        side, case = await asyncio.gather(side_of(visit), visit.mine("identity", _path(request), Case))
        accept = decision.decision == "accept"
        if accept and case.kind == "duplicate" and not (decision.other or case.details.get("candidate_id")):
            raise Unfit({"other": say(_SENTENCES["other"])})
        asked = Asked(
            action=f"{CASES.address}/{case.case_id}/decision",
            button=say("Accept {case}", case=case.reference) if accept else say("Refuse {case}", case=case.reference),
            follows=words.follows(case, accept=accept, other=decision.other),
            back=with_query(queue.address, {}, item=case.case_id),
            for_good=[say("A decided case stays decided. The candidate can open a new one.")],
            hidden={"queue": queue.name, **decision.model_dump(exclude_none=True)},
            danger=not accept,
        )
        heading = (
            say("Accept {case}: {kind}?", case=case.reference, kind=words.kind_of(case.kind))
            if accept
            else say("Refuse {case}: {kind}?", case=case.reference, kind=words.kind_of(case.kind))
        )
        return confirm(visit, heading, side, asked)

    async def _decided(self, request: web.Request, queue: Queue, decision: Decision) -> web.Response:
        visit = request[VISIT]
        body = {"decision": decision.decision, "reason": decision.reason}
        if decision.other:
            body["other_candidate_id"] = decision.other
        key = await change_key(request)
        try:
            case = await visit.change("POST", "identity", f"{_path(request)}/decision", Case, key=key, body=body)
        except Refused as refusal:
            # What identity refuses here has words for people: a second opinion is needed, two accounts can't be merged.
            raise Unfit({"decision": refusal.problem.detail or refusal.problem.title}) from refusal
        sentence = {
            "accepted": say("{case} is accepted", case=case.reference),
            "refused": say("{case} is refused", case=case.reference),
            "decided_once": say("{case} has your opinion and waits for a second person", case=case.reference),
        }.get(case.state, say("{case} is open again: your opinions differ", case=case.reference))
        return await self._next(visit, queue, case.case_id, sentence)

    async def evidence(self, request: web.Request) -> web.Response:
        return passed_on(await _evidence(request))

    async def picture(self, request: web.Request) -> web.Response:
        return as_picture(await _evidence(request))

    async def _next(self, visit: Visit, queue: Queue, case_id: str, sentence: str) -> web.Response:
        """Back to the queue, with what is due next."""
        page = await part(visit.mine("identity", "/cases", CasePage, limit=_ROWS, **shelf_of(queue.name)))
        following = next_after([case.case_id for case in page.items], case_id) if page else None
        return done(self._cookies, queue, following, sentence)

    async def _page(
        self,
        request: web.Request,
        queue: Queue,
        item: str | None,
        faults: Faults | None = None,
        given: Typed | None = None,
    ) -> web.Response:
        visit = request[VISIT]
        query = {name: value for name, value in request.query.items() if name not in ("item", "after")}
        after = request.query.get("after")
        asked = {"limit": _ROWS, **filtered(visit, query), **shelf_of(queue.name)} | (
            {"cursor": after} if after else {}
        )
        side, names, page, opened = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            visit.mine("identity", "/cases", CasePage, **asked),
            _opened(visit, item),
        )
        values: dict[str, Any] = {
            "queue": queue,
            "columns": _columns(queue),
            "rows": _rows(queue, page.items, names),
            "numbers": [Number(value, said) for value, said in words.numbers_of(page.items, bool(page.next))],
            "older": page.next,
            "first": after is None,
            "query": query,
            "base": with_query(queue.address, query),
            "kinds": [("", say("All kinds")), *((kind, say(title)) for kind, title in words.KINDS.items())],
            "states": [("", say("Undecided")), *((state, say(chip.word)) for state, chip in words.STATES.items())],
            "open": opened.case.case_id if opened else None,
            "item": _shown(visit, opened, names) if opened else None,
            "faults": faults or {},
            "given": given or {},
        }
        return on_desk(visit, "staff/cases/list.html", say(queue.title), side, problem=bool(faults), **values)


async def _opened(visit: Visit, item: str | None) -> _Open | None:
    """The case of the address. Raises `Refused` where there is none."""
    if not item:
        return None
    case = await visit.mine("identity", f"/cases/{quote(item, safe='')}", Case)
    person = await part(visit.mine("identity", f"/candidates/{quote(case.candidate_id, safe='')}", Person))
    return _Open(case, person)


def _shown(visit: Visit, opened: _Open, names: Names) -> dict[str, Any]:
    case = opened.case
    return {
        "case": case,
        "person": opened.person,
        "kind": words.kind_of(case.kind),
        "chip": words.chip_of(case),
        "facts": words.facts_of(case, opened.person),
        "steps": words.steps_of(case, names),
        "owner": names.of(case.assignee) if case.assignee else None,
        "mine": case.assignee == visit.at_desk.subject,
        "since": words.taken_at(case),
        "undecided": case.state in UNDECIDED,
        "may_decide": words.may_decide(case, visit.at_desk.subject),
        "if_accepted": words.follows(case, accept=True),
        "first_of": names.of(case.first_by) if case.first_by else None,
    }


def _columns(queue: Queue) -> list[Column]:
    due = Column(say("Due"), sorted="ascending")
    if queue is NAMES:
        return [
            due,
            Column(say("New name")),
            Column(say("Documents")),
            Column(say("First reviewer")),
            Column(say("State")),
        ]
    return [due, Column(say("Case")), Column(say("Candidate")), Column(say("State")), Column(say("Owner"))]


def _rows(queue: Queue, cases: list[CaseLine], names: Names) -> list[Row]:
    return [words.name_row_of(case, names) if queue is NAMES else words.row_of(case, names) for case in cases]


def _from(form: Mapping[str, Any]) -> Queue:
    """The queue that a form was sent from."""
    name = form.get("queue")
    return next((queue for queue in (NAMES, SECOND) if queue.name == name), CASES)


async def _evidence(request: web.Request) -> Fetched:
    name = quote(request.match_info["evidence_id"], safe="")
    return await request[VISIT].fetch_mine("identity", f"{_path(request)}/evidence/{name}")


def _path(request: web.Request) -> str:
    return f"/cases/{quote(request.match_info['case_id'], safe='')}"
