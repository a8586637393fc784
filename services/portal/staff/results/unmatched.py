"""The queue of results whose candidate is not known."""

import asyncio
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import StringConstraints

from services.portal.backend.client import Nothing, Refused
from services.portal.languages import mark, say
from services.portal.languages.days import spoken
from services.portal.staff.acts import Asked, Reason, confirm, done, submit
from services.portal.staff.kit import Column, next_after, with_query
from services.portal.staff.listing import Listing, filters_of, listed, page_of, path_of
from services.portal.staff.owners import own, owned_by
from services.portal.staff.people import Names, names_at
from services.portal.staff.results import words
from services.portal.staff.results.counts import figures_at
from services.portal.staff.results.queues import UNMATCHED
from services.portal.staff.results.shapes import Person, UnmatchedDetail, UnmatchedPage, WhatIf
from services.portal.staff.shell import side_of
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Typed, Unfit, change_key, in_words, read, typed
from services.portal.web.vendor_names import vendor_name
from services.portal.web.visit import VISIT, Visit, part

_FILTERS: Final = ("vendor", "exam_code", "older_than_days", "asked_vendor", "sort")
_SENTENCES: Final = {
    "candidate": mark("Enter the candidate's ID"),
    "reason": mark("Write why you think so: whoever looks at it later reads it"),
    "reason.string_too_long": mark("Write at most 1000 characters"),
    "text": mark("Write the note"),
    "text.string_too_long": mark("Write at most 1000 characters"),
}


class Assign(Answers):
    candidate: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    reason: Reason


class Because(Answers):
    reason: Reason


class Note(Answers):
    text: Reason
    asked: str | None = None


class UnmatchedQueue:
    """Handlers of `/staff/unmatched`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = UNMATCHED.address + "/{item_id}"
        return [
            web.get(UNMATCHED.address, self.show),
            web.post(f"{one}/owner", self.own),
            web.post(f"{one}/assignment", self.assign),
            web.post(f"{one}/unassignment", self.unassign),
            web.post(f"{one}/note", self.note),
            web.post(f"{one}/link", self.link),
        ]

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request, request.query.get("item"))

    async def own(self, request: web.Request) -> web.Response:
        """Take a result to work on it, or give it back."""
        item_id = request.match_info["item_id"]
        await own(request, "exams", f"/unmatched{path_of(item_id)}")
        return redirect(with_query(UNMATCHED.address, {}, item=item_id))

    async def assign(self, request: web.Request) -> web.Response:
        """Ask once more whose it is, then assign it."""
        visit, given, item_id = request[VISIT], await typed(request), request.match_info["item_id"]
        try:
            answers = read(Assign, given, in_words(_SENTENCES))
            if "sure" not in given:
                return await self._sure(request, item_id, answers)
            body = {"candidate_id": answers.candidate, "reason": answers.reason}
            await submit(request, "exams", _path(request) + "/assignment", body, about="candidate")
        except Unfit as unfit:
            return await self._page(request, item_id, unfit.faults, given)
        sentence = say("the result is {candidate}'s", candidate=answers.candidate)
        page = await part(visit.mine("exams", "/unmatched", UnmatchedPage, limit="2"))
        answer = done(
            self._cookies,
            UNMATCHED,
            next_after([one.item_id for one in page.items], item_id) if page else None,
            sentence,
        )
        # What has just been done can be undone: the page that opens says where.
        answer.headers["Location"] += f"{'&' if '?' in answer.headers['Location'] else '?'}{_undo(item_id)}"
        return answer

    async def _sure(self, request: web.Request, item_id: str, answers: Assign) -> web.Response:
        visit = request[VISIT]
        side, item, person, what_if = await asyncio.gather(
            side_of(visit),
            visit.mine("exams", f"/unmatched{path_of(item_id)}", UnmatchedDetail),
            _person(visit, answers.candidate),
            _what_if_of(visit, answers.candidate, item_id),
        )
        if person is None:
            raise Unfit({"candidate": say("There is no candidate with this ID in the program")})
        asked = Asked(
            action=UNMATCHED.address + path_of(item_id) + "/assignment",
            button=say("Assign it to {name}", name=person.name),
            follows=words.follows(item, person, what_if),
            back=with_query(UNMATCHED.address, {}, item=item_id, candidate=answers.candidate),
            hidden={"candidate": answers.candidate, "reason": answers.reason},
        )
        heading = say(
            "Assign {exam} of {day} to {name}?", exam=item.exam_code, day=spoken(item.taken_on), name=person.name
        )
        return confirm(visit, heading, side, asked)

    async def unassign(self, request: web.Request) -> web.Response:
        given, item_id = await typed(request), request.match_info["item_id"]
        try:
            answers = read(Because, given, in_words(_SENTENCES))
            await submit(request, "exams", _path(request) + "/unassignment", {"reason": answers.reason}, about="reason")
        except Unfit as unfit:
            return await self._page(request, item_id, unfit.faults, given)
        sentence = say("the assignment is taken back; what followed from it is taken back too")
        return done(self._cookies, UNMATCHED, item_id, sentence)

    async def note(self, request: web.Request) -> web.Response:
        given, item_id = await typed(request), request.match_info["item_id"]
        try:
            answers = read(Note, given, in_words(_SENTENCES))
            body = {"text": answers.text, "asked_vendor": answers.asked is not None}
            await submit(request, "exams", _path(request) + "/notes", body, about="text")
        except Unfit as unfit:
            return await self._page(request, item_id, unfit.faults, given)
        return done(self._cookies, UNMATCHED, item_id, say("your note is kept"))

    async def link(self, request: web.Request) -> web.Response:
        """Let all that comes under the same ID be the same candidate's."""
        visit, item_id = request[VISIT], request.match_info["item_id"]
        item = await visit.mine("exams", f"/unmatched{path_of(item_id)}", UnmatchedDetail)
        same = item.same_id_from_now_on
        if same is None or item.assignment is None:
            raise web.HTTPNotFound
        body = {**same.model_dump(), "reason": item.assignment.reason}
        key = await change_key(request)
        await visit.change("POST", "identity", "/external-ids/changes", Nothing, key=key, body=body)
        sentence = say("results under {id} are {candidate}'s from now on", id=same.external_id, candidate=same.to)
        return done(self._cookies, UNMATCHED, item_id, sentence)

    async def _page(
        self, request: web.Request, item_id: str | None, faults: Faults | None = None, given: Typed | None = None
    ) -> web.Response:
        visit, query = request[VISIT], filters_of(request)
        asked = page_of(request) | {name: query[name] for name in _FILTERS if name in query}
        asked |= owned_by(visit, query.get("owner"))
        side, names, page, figures, opened = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            visit.mine("exams", "/unmatched", UnmatchedPage, **asked),
            part(figures_at(visit)),
            _opened(visit, item_id, (given or {}).get("candidate") or request.query.get("candidate")),
        )
        late = sum(map(words.is_late, page.items))
        listing = Listing(
            UNMATCHED,
            say("Results that wait for their candidate"),
            _columns(query),
            [words.unmatched_row(one, names) for one in page.items],
            words.unmatched_numbers(page.count, late, figures),
            query,
            page.next,
            "after" not in request.query,
        )
        values: dict[str, Any] = {
            "vendors": _vendors(figures.vendors if figures else (), query.get("vendor")),
            "undo": request.query.get("undo"),
        }
        item = _shown(visit, opened, names) if opened else None
        template = "staff/results/unmatched.html"
        return listed(
            visit, template, side, listing, open_item=item_id, item=item, faults=faults, given=given, **values
        )


def _path(request: web.Request) -> str:
    return f"/unmatched{path_of(request.match_info['item_id'])}"


def _undo(item_id: str) -> str:
    return with_query("", {}, undo=item_id).removeprefix("?")


def _vendors(figures: Any, chosen: str | None) -> list[tuple[str, str]]:
    found = sorted({one.vendor for one in figures} | ({chosen} if chosen else set()))
    return [("", say("All vendors")), *((name, vendor_name(name)) for name in found)]


def _columns(query: dict[str, str]) -> list[Column]:
    newest = query.get("sort") == "newest"
    other = with_query(UNMATCHED.address, query, sort=None if newest else "newest")
    return [
        Column(say("Came in"), sorted="descending" if newest else "ascending", sort=other),
        Column(say("Exam")),
        Column(say("Vendor's ID")),
        Column(say("Registration")),
        Column(say("Likely match")),
        Column(say("Owner")),
    ]


_Opened = tuple[UnmatchedDetail, Person | None, WhatIf | None]


async def _opened(visit: Visit, item_id: str | None, candidate: str | None) -> _Opened | None:
    """The item, the candidate who may be meant, and what a pass would change for them."""
    if not item_id:
        return None
    item = await visit.mine("exams", f"/unmatched{path_of(item_id)}", UnmatchedDetail)
    whom = candidate or (item.suggestions[0].candidate_id if item.suggestions else None)
    if whom is None or item.assignment is not None:
        return item, None, None
    person, what_if = await asyncio.gather(_person(visit, whom), _what_if(visit, whom, item.exam_code))
    return item, person, what_if


async def _person(visit: Visit, candidate: str) -> Person | None:
    """None where there is no such candidate, or identity does not answer."""
    try:
        return await part(visit.mine("identity", f"/candidates{path_of(candidate)}", Person))
    except Refused:
        return None


async def _what_if(visit: Visit, candidate: str, exam: str) -> WhatIf | None:
    """None where it cannot be worked out."""
    path = f"/programs/{visit.at_desk.program}/candidates{path_of(candidate)}/what-if"
    body = {"assume": [{"exam": exam}]}
    try:
        return await part(visit.backend.send(visit.browser, "POST", "certs", path, WhatIf, body=body))
    except Refused:
        return None


async def _what_if_of(visit: Visit, candidate: str, item_id: str) -> WhatIf | None:
    item = await visit.mine("exams", f"/unmatched{path_of(item_id)}", UnmatchedDetail)
    return await _what_if(visit, candidate, item.exam_code)


def _shown(visit: Visit, opened: _Opened, names: Names) -> dict[str, Any]:
    item, person, what_if = opened
    facts = words.facts_of(item, person)
    return {
        "label": item.registration_id,
        "one": item,
        "person": person,
        "may_assign": visit.at_desk.may("accounts:manage"),
        "owner": names.of(item.assignee) if item.assignee else None,
        "mine": item.assignee == visit.at_desk.subject,
        "chip": words.likeness(item.suggestions),
        "facts": facts,
        "fitting": words.fitting(facts),
        "reasons": next(
            (each.reasons for each in item.suggestions if person and each.candidate_id == person.candidate_id), ()
        ),
        "others": [each for each in item.suggestions if person is None or each.candidate_id != person.candidate_id],
        "follows": words.follows(item, person, what_if) if person else (),
        "assigned_by": names.of(item.assignment.by) if item.assignment else None,
        "steps": words.handled(item.handling, names),
    }
