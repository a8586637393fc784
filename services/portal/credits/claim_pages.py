"""The handlers of a claim: the form, a look at the answers, and the claim itself."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from libs.common.clock import Clock
from libs.common.programs import Program
from services.portal.backend.client import Content, Refused
from services.portal.credits.claiming import (
    DELIVERIES,
    FIELDS,
    OTHER,
    Asked,
    Course,
    activities,
    asked_of,
    body_of,
    sentences,
)
from services.portal.credits.shapes import Claimed, Evidence
from services.portal.languages import say
from services.portal.languages.days import spoken
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Faults, Typed, Unfit, change_key, typed, unfit
from services.portal.web.look import shown
from services.portal.web.uploads import uploaded
from services.portal.web.visit import VISIT, Visit


class ClaimPages:
    """The handlers of `/credits/claim`."""

    def __init__(self, cookies: Cookies, clock: Clock) -> None:
        self._cookies = cookies
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/credits/claim", self.show_form),
            web.post("/credits/claim", self.look_at_answers),
            web.post("/credits/claim/send", self.claim),
        ]

    async def show_form(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        await visit.introduce()
        return _form(visit, request.query.get("kind") == "course", {}, {})

    async def look_at_answers(self, request: web.Request) -> web.Response:
        visit, answers = request[VISIT], await typed(request)
        course = answers.get("kind") == "course"
        await visit.introduce()
        if "edit" in answers:
            return _form(visit, course, answers, {})
        try:
            answers = await self._with_file(request, answers)
            asked = self._read(visit, answers, course=course)
        except Unfit as wrong:
            return _form(visit, course, answers, wrong.faults)
        return _check_page(visit, asked, answers)

    async def claim(self, request: web.Request) -> web.Response:
        visit, answers = request[VISIT], await typed(request)
        course = answers.get("kind") == "course"
        try:
            asked = self._read(visit, answers, course=course)
            done = await _send(request, asked)
        except Unfit as wrong:
            await visit.introduce()
            return _form(visit, course, answers, wrong.faults)
        answer = redirect("/credits")
        self._cookies.tell(answer, say("Claimed. We answer by {day}, and write to you.", day=spoken(done.due_on)))
        return answer

    async def _with_file(self, request: web.Request, answers: Typed) -> Typed:
        """With the file of this form, which is kept though something else may be wrong."""
        file = await uploaded(request, "file")
        if file is None:
            return answers
        content = Content(file.media_type, file.content)
        kept = await request[VISIT].give("certs", "/evidence", Evidence, content, key=await change_key(request))
        answers["evidence"], answers["file_name"] = kept.evidence_id, file.name
        return answers

    def _read(self, visit: Visit, answers: Typed, *, course: bool) -> Asked:
        program = visit.theirs
        return asked_of(answers, program, program.day_of(self._clock.now()), course=course)


async def _send(request: web.Request, asked: Asked) -> Claimed:
    visit = request[VISIT]
    path = "/course-claims" if isinstance(asked, Course) else "/credit-claims"
    body = body_of(asked, visit.theirs, [asked.evidence] if asked.evidence else [])
    try:
        return await visit.change("POST", "certs", path, Claimed, key=await change_key(request), body=body)
    except Refused as refusal:
        wrong = unfit(refusal.problem, FIELDS, {"code": sentences()["code"]})
        if wrong is None:
            raise
        raise wrong from None


def _form(visit: Visit, course: bool, answers: Mapping[str, Any], faults: Faults) -> web.Response:
    program = visit.theirs
    rules = program.policy
    if rules.credits is None and rules.courses is None:
        raise web.HTTPNotFound
    course = rules.courses is not None and (course or rules.credits is None)
    values: dict[str, Any] = {
        "course": course,
        "both": rules.credits is not None and rules.courses is not None,
        "activities": activities(program, course=course),
        "other": OTHER,
        "deliveries": [(one, words, None) for one, words in _deliveries(program)],
        "days": rules.credits.claim_within_days if rules.credits and not course else None,
        "may_be_held": not course and rules.credits is not None and rules.credits.may_be_held,
        "promise": (rules.courses if course else rules.credits),
        "given": answers,
        "faults": faults,
    }
    heading = say("Claim a course") if course else say("Claim credits")
    return shown(visit, "credits/claim.html", heading, problem=bool(faults), **values)


def _deliveries(program: Program) -> list[tuple[str, str]]:
    """Deliveries that are claimed: pairs of the program's word and ours."""
    courses = program.policy.courses
    claimed = sorted(courses.claimed) if courses else []
    return [(one, say(DELIVERIES.get(one, one.replace("_", " ").capitalize()))) for one in claimed]


def _check_page(visit: Visit, asked: Asked, answers: Typed) -> web.Response:
    program = visit.theirs
    course = isinstance(asked, Course)
    body = body_of(asked, program, [])
    words = dict(activities(program, course=course))
    name = asked.title if asked.activity == OTHER else words[asked.activity]
    hidden = {key: value for key, value in answers.items() if isinstance(value, str) and "." not in key}
    values: dict[str, Any] = {
        "asked": asked,
        "course": course,
        "name": name,
        "code": body["course"] if course else body["item"],
        "credits": body.get("credits"),
        "delivery": dict(_deliveries(program)).get(asked.delivery) if isinstance(asked, Course) else None,
        "hidden": hidden,
        "parts": {key: value for key, value in answers.items() if "." in key},
    }
    return shown(visit, "credits/check.html", say("Is this right?"), **values)
