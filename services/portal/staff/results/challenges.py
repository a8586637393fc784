"""The queue of results that candidates challenge."""

import asyncio
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import StringConstraints

from libs.common.casework.progress import UNDECIDED
from services.portal.backend.client import Fetched
from services.portal.languages import mark, say
from services.portal.staff.acts import Asked, Reason, confirm, done, submit
from services.portal.staff.kit import Column, next_after, with_query
from services.portal.staff.listing import Listing, filters_of, listed, page_of, path_of
from services.portal.staff.owners import own, owned_by
from services.portal.staff.people import Names, names_at
from services.portal.staff.results import rulings
from services.portal.staff.results.queues import CHALLENGES
from services.portal.staff.results.shapes import Challenge, ChallengePage
from services.portal.staff.shell import side_of
from services.portal.web.answers import as_picture, passed_on, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Typed, Unfit, in_words, read, typed
from services.portal.web.visit import VISIT, Visit, part

_FILTERS: Final = ("state", "ground", "exam_code")
_SENTENCES: Final = {
    "decision": mark("Choose what becomes of the result"),
    "reason": mark("Write the reason: the candidate reads it"),
    "reason.string_too_long": mark("Write at most 1000 characters"),
    "grade": mark("Choose what the result becomes"),
    "score": mark("Enter the score as a number"),
    "text": mark("Write the message"),
    "text.string_too_long": mark("Write at most 4000 characters"),
}


class Decision(Answers):
    decision: Literal["upheld", "changed", "refused"]
    grade: Literal["pass", "fail", "invalidated"] | None = None
    score: float | None = None
    reason: Reason


class Question(Answers):
    text: Annotated[str, StringConstraints(max_length=4000)]
    needs_answer: str | None = None


class ChallengeQueue:
    """Handlers of `/staff/challenges`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = CHALLENGES.address + "/{challenge_id}"
        return [
            web.get(CHALLENGES.address, self.show),
            web.post(f"{one}/owner", self.own),
            web.post(f"{one}/message", self.write),
            web.post(f"{one}/decision", self.decide),
            web.get(f"{one}/evidence/{{evidence_id}}", self.evidence),
            web.get(f"{one}/evidence/{{evidence_id}}/picture", self.picture),
        ]

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request, request.query.get("item"))

    async def own(self, request: web.Request) -> web.Response:
        """Take a challenge, or give it back."""
        await own(request, "exams", _path(request))
        return redirect(with_query(CHALLENGES.address, {}, item=request.match_info["challenge_id"]))

    async def write(self, request: web.Request) -> web.Response:
        visit, given, item_id = request[VISIT], await typed(request), request.match_info["challenge_id"]
        try:
            question = read(Question, given, in_words(_SENTENCES))
            body = {"text": question.text, "needs_answer": question.needs_answer is not None}
            await submit(request, "exams", _path(request) + "/messages", body, about="text")
        except Unfit as unfit:
            return await self._page(request, item_id, unfit.faults, given)
        return await self._next(visit, item_id, say("your message is sent, and a mail says so"))

    async def decide(self, request: web.Request) -> web.Response:
        """Ask once more what is decided, then decide."""
        visit, given, item_id = request[VISIT], await typed(request), request.match_info["challenge_id"]
        try:
            decision = _read(given)
            if "sure" not in given:
                return await self._sure(request, decision)
            await submit(request, "exams", _path(request) + "/decision", _body(decision), about="decision")
        except Unfit as unfit:
            return await self._page(request, item_id, unfit.faults, given)
        one = await visit.mine("exams", _path(request), Challenge)
        sentence = {
            "upheld": say("the result stands"),
            "changed": say("the result is changed"),
            "refused": say("the challenge is refused"),
            "decided_once": say("your opinion is kept, and a second person is asked"),
        }.get(one.state, say("your opinions differ, so the challenge is open again"))
        return await self._next(visit, item_id, sentence)

    async def _sure(self, request: web.Request, decision: Decision) -> web.Response:
        visit = request[VISIT]
        side, one = await asyncio.gather(side_of(visit), visit.mine("exams", _path(request), Challenge))
        whose = {"exam": one.exam_code, "candidate": one.candidate_id}
        button, heading = {
            "upheld": (say("Let the result stand"), say("Let {exam} of {candidate} stand?", **whose)),
            "changed": (say("Change the result"), say("Change {exam} of {candidate}?", **whose)),
            "refused": (say("Refuse the challenge"), say("Refuse the challenge of {candidate}?", **whose)),
        }[decision.decision]
        hidden = {name: str(value) for name, value in decision.model_dump(exclude_none=True).items()}
        asked = Asked(
            action=CHALLENGES.address + path_of(one.challenge_id) + "/decision",
            button=button,
            follows=rulings.follows(one, decision.decision, decision.grade, decision.score),
            back=with_query(CHALLENGES.address, {}, item=one.challenge_id),
            for_good=[say("A decided challenge stays decided; the candidate is told.")],
            hidden=hidden,
            danger=decision.decision != "upheld",
        )
        return confirm(visit, heading, side, asked)

    async def evidence(self, request: web.Request) -> web.Response:
        return passed_on(await _evidence(request))

    async def picture(self, request: web.Request) -> web.Response:
        return as_picture(await _evidence(request))

    async def _next(self, visit: Visit, item_id: str, sentence: str) -> web.Response:
        page = await part(visit.mine("exams", "/challenges", ChallengePage, limit="50"))
        following = next_after([one.challenge_id for one in page.items], item_id) if page else None
        return done(self._cookies, CHALLENGES, following, sentence)

    async def _page(
        self, request: web.Request, item_id: str | None, faults: Faults | None = None, given: Typed | None = None
    ) -> web.Response:
        visit, query = request[VISIT], filters_of(request)
        asked = page_of(request) | {name: query[name] for name in _FILTERS if name in query}
        asked |= owned_by(visit, query.get("owner"))
        side, names, page, one = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            visit.mine("exams", "/challenges", ChallengePage, **asked),
            _opened(visit, item_id),
        )
        listing = Listing(
            CHALLENGES,
            say("Challenges, what is due first at the front"),
            [
                Column(say("Due"), sorted="ascending"),
                Column(say("Exam")),
                Column(say("Candidate")),
                Column(say("Asked for")),
                Column(say("State")),
                Column(say("Owner")),
            ],
            [rulings.row_of(each, names) for each in page.items],
            rulings.numbers_of(page.items, more=page.next is not None),
            query,
            page.next,
            "after" not in request.query,
        )
        values: dict[str, Any] = {
            "states": [("", say("Undecided")), *((name, say(chip.word)) for name, chip in rulings.STATES.items())],
            "grounds": [("", say("All reasons")), *((name, say(text)) for name, text in rulings.GROUNDS.items())],
        }
        item = _shown(visit, one, names) if one else None
        template = "staff/results/challenges.html"
        return listed(
            visit, template, side, listing, open_item=item_id, item=item, faults=faults, given=given, **values
        )


def _read(given: Typed) -> Decision:
    """What was decided. Raises `Unfit`."""
    decision = read(Decision, given, in_words(_SENTENCES))
    if decision.decision == "changed" and decision.grade is None:
        raise Unfit({"grade": say(_SENTENCES["grade"])})
    return decision


async def _evidence(request: web.Request) -> Fetched:
    return await request[VISIT].fetch_mine(
        "exams", f"{_path(request)}/evidence{path_of(request.match_info['evidence_id'])}"
    )


def _path(request: web.Request) -> str:
    return f"/challenges{path_of(request.match_info['challenge_id'])}"


def _body(decision: Decision) -> dict[str, Any]:
    """As exams takes it: only a change says what the result becomes."""
    body = decision.model_dump(exclude_none=True)
    return body if decision.decision == "changed" else {name: body[name] for name in ("decision", "reason")}


async def _opened(visit: Visit, item_id: str | None) -> Challenge | None:
    return await visit.mine("exams", f"/challenges{path_of(item_id)}", Challenge) if item_id else None


def _shown(visit: Visit, one: Challenge, names: Names) -> dict[str, Any]:
    me = visit.at_desk.subject
    return {
        "label": one.challenge_id,
        "one": one,
        "chip": rulings.chip_of(one),
        "facts": rulings.facts_of(one),
        "ground": rulings.GROUNDS.get(one.ground, one.ground),
        "since": rulings.since_said(one.vendor_since),
        "owner": names.of(one.assignee) if one.assignee else None,
        "mine": one.assignee == me,
        "taken_at": rulings.taken_at(one.history),
        "undecided": one.state in UNDECIDED,
        "may_decide": rulings.may_decide(one, me),
        "opinion": rulings.opinion_said(one.first_opinion, names) if one.first_opinion else None,
        "follows": rulings.follows(one, "upheld"),
        "steps": rulings.steps_of(one.history, names),
    }
