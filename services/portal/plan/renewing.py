"""The handlers of one certification's plans: what would be, what else may be tried, and what is kept."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from aiohttp import web

from libs.common.languages import READER
from libs.common.programs import Program
from services.portal.backend.client import Down
from services.portal.credits.claims import total
from services.portal.credits.shapes import Claimed
from services.portal.languages import say, say_many
from services.portal.languages.days import spoken
from services.portal.plan.effort import Effort, least_effort
from services.portal.plan.goals import exam_name, goal_card, title_of
from services.portal.plan.known import Known, known_of, worked_out
from services.portal.plan.pages import away
from services.portal.plan.picture import picture_of
from services.portal.plan.plans import Case, Plan, drafts_of, plans_of, spare_of
from services.portal.plan.shapes import Chosen, Outcome, Renewal
from services.portal.plan.trying import (
    Answer,
    Trial,
    also_moved,
    answer_of,
    assumptions_of,
    check,
    prefilled,
    sentences,
)
from services.portal.plan.words import cards_of, heading_of
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Typed, Unfit, asked, change_key, read, typed
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, Visit


class Kept(Answers):
    """Until when credits are held; none where they are to be used."""

    plan: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Worked:
    """Plans of one certification, worked out; the outcome is that of the best one."""

    case: Case
    plans: list[Plan]
    outcome: Sequence[Outcome]

    def plan(self, kind: str) -> Plan | None:
        """One that may be kept: it needs nothing but credits in hand, and is not what happens anyway."""
        effort = self.case.effort
        if effort is None or effort.to_do or not effort.claims:
            return None
        return next((one for one in self.plans if one.kind == kind and one.renewed and not one.kept), None)


class PlanPages:
    """The handlers of `/plan/{certification}`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/plan/{certification}", self.show_one),
            web.get("/plan/{certification}/keep", self.ask_to_keep),
            web.post("/plan/{certification}/keep", self.keep),
        ]

    async def show_one(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["certification"]
        visit.signed_in  # noqa: B018 whoever is not is sent to sign in before anything is asked
        try:
            known = await known_of(visit)
            renewal = known.renewal(name)
            if renewal is not None:
                return await self._renewal(visit, known, renewal, asked(request))
            return await self._goal(visit, known, name, asked(request))
        except Down:
            return away(visit)

    async def _renewal(self, visit: Visit, known: Known, renewal: Renewal, query: Typed) -> web.Response:
        program, name = visit.theirs, renewal.certification
        title = title_of(program, name)
        worked, (answer, outcome, faults) = await asyncio.gather(
            _worked_out(visit, known, renewal), _tried(visit, known, name, query)
        )
        case = worked.case
        coming = [day for day in _reminders(program, renewal.expires_on) if day > known.today]
        cards = cards_of(case, worked.plans, reminded=bool(coming))
        heading, lead = heading_of(case, worked.plans, title)
        tried = (say("What you tried"), answer.plan) if answer is not None and answer.plan is not None else None
        values: dict[str, Any] = {
            "lead": lead,
            "case": case,
            "cards": cards,
            "picture": picture_of(
                cards, tried, renewal.expires_on, known.today, mirrored=READER.get().direction == "rtl"
            ),
            "as_table": query.get("view") == "table",
            "moved": also_moved(program, name, known.ends, worked.outcome if outcome is None else outcome),
            "moved_by_trial": outcome is not None,
            "reminders": coming,
            "results_away": known.results_away,
            **_form(program, known, case.effort, case.suggested),
            **_given(query, answer, faults),
        }
        return shown(visit, "plan/one.html", heading, problem=bool(faults), **values)

    async def _goal(self, visit: Visit, known: Known, name: str, query: Typed) -> web.Response:
        program, goal, held = visit.theirs, known.goal(name), known.of(name)
        if goal is None and held is None:
            raise web.HTTPNotFound
        title = title_of(program, name)
        if goal is None:
            heading = say("There is nothing to plan for {title}", title=title)
            return shown(visit, "plan/nothing.html", heading, text=held.text if held else "", name=name)
        chosen, (answer, outcome, faults) = await asyncio.gather(
            visit.mine("certs", "/goals", Chosen), _tried(visit, known, name, query)
        )
        card = goal_card(program, goal, known.today)
        values: dict[str, Any] = {
            "card": card,
            "chosen": name in chosen.certifications,
            "moved": also_moved(program, name, known.ends, outcome or []),
            "results_away": known.results_away,
            **_form(program, known, None, known.today),
            **_given(query, answer, faults),
        }
        heading = say_many(
            "{count} thing is missing for {title}",
            "{count} things are missing for {title}",
            card.of - card.have,
            title=title,
        )
        return shown(visit, "plan/goal.html", heading, problem=bool(faults), **values)

    async def ask_to_keep(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["certification"]
        known = await known_of(visit)
        renewal = known.renewal(name)
        if renewal is None:
            raise web.HTTPNotFound
        worked = await _worked_out(visit, known, renewal)
        plan = worked.plan(request.query.get("plan", ""))
        if plan is None:
            return redirect(f"/plan/{name}")
        claims = worked.case.effort.claims if worked.case.effort else ()
        heading = (
            say("Hold your credits until {day}?", day=spoken(plan.held_until))
            if plan.held_until is not None
            else say("Use your credits now?")
        )
        title = title_of(visit.theirs, name)
        return shown(
            visit, "plan/keep.html", heading, plan=plan, claims=claims, credits=total(claims), name=name, title=title
        )

    async def keep(self, request: web.Request) -> web.Response:
        visit, name = request[VISIT], request.match_info["certification"]
        wanted = read(Kept, await typed(request), {})
        known = await known_of(visit)
        renewal = known.renewal(name)
        if renewal is None:
            raise web.HTTPNotFound
        worked = await _worked_out(visit, known, renewal)
        plan = worked.plan(wanted.plan)
        effort = worked.case.effort
        answer = redirect(f"/plan/{name}")
        if plan is None or effort is None:
            self._cookies.tell(answer, say("There was nothing left to change."))
            return answer
        if plan.held_until != wanted.until:
            # Facts have moved since the page was shown: what was agreed to is not what would be done.
            return redirect(f"/plan/{name}/keep?plan={plan.kind}")
        key = await change_key(request)
        body = {"held_until": wanted.until.isoformat() if wanted.until else None}
        for number, claim in enumerate(claim for claim in effort.claims if claim.held_until != wanted.until):
            path = f"/submissions/{claim.id}/hold"
            await visit.change("PUT", "certs", path, Claimed, key=f"{key}-{number}", body=body)
        self._cookies.tell(
            answer,
            say("Done: your credits are on hold until {day}. We use them on that day.", day=spoken(wanted.until))
            if wanted.until
            else say("Done: your credits are in use now."),
        )
        return answer


async def _worked_out(visit: Visit, known: Known, renewal: Renewal) -> Worked:
    program = visit.theirs
    written = program.certifications[renewal.certification]
    effort = least_effort(renewal, written, known.claims, known.waiting)
    retake = program.policy.retake
    spare = spare_of(effort, (retake.free_after_fail_days or 0) if retake else 0)
    years = _years(program, known, renewal.certification)
    case = Case(renewal.certification, renewal.expires_on, known.today, effort, known.may_be_held, spare, years)
    drafts = drafts_of(case)
    asked_for = [draft for draft in drafts if draft.assume]
    answers = await asyncio.gather(*(worked_out(visit, draft.assume) for draft in asked_for))
    found = dict(zip((draft.kind for draft in asked_for), answers, strict=True))
    plans = plans_of(case, drafts, found)
    best = found.get(plans[0].kind)
    return Worked(case, plans, best.outcome if best is not None and plans[0].renewed else [])


async def _tried(
    visit: Visit, known: Known, name: str, query: Typed
) -> tuple[Answer | None, Sequence[Outcome] | None, dict[str, str]]:
    """What the form asks: its answer and everything as it would be; or what is wrong with it."""
    if "credits" not in query and "exam" not in query:
        return None, None, {}
    program = visit.theirs
    try:
        trial = read(Trial, query, sentences())
        check(trial, program, known.today)
    except Unfit as unfit:
        return None, None, unfit.faults
    assume = assumptions_of(trial, known.claims, known.today, may_be_held=known.may_be_held)
    said = await worked_out(visit, assume)
    expires_on = known.ends.get(name)
    years = _years(program, known, name)
    return answer_of(trial, title_of(program, name), expires_on, said.of(name), years=years), said.outcome, {}


def _years(program: Program, known: Known, certification: str) -> int | None:
    """How long a certification lasts from each renewal."""
    written, held = program.certifications.get(certification), known.of(certification)
    return written.validity_years_of(held.earned_on) if written is not None and held is not None else None


def _form(program: Program, known: Known, effort: Effort | None, suggested: date) -> dict[str, Any]:
    """What the form of "try something else" offers."""
    first = [*known.waiting, *(effort.exams if effort else ())]
    offered = [code for code, exam in program.exams.items() if exam.last_day is None or exam.last_day >= known.today]
    codes = list(dict.fromkeys([*first, *sorted(offered)]))
    return {
        "with_credits": program.policy.credits is not None,
        "exams": [(code, _labelled(program, code, known)) for code in codes],
        "given": prefilled(first, known.waiting, known.claims, known.today, suggested),
        "in_hand": total(known.claims),
    }


def _given(query: Typed, answer: Answer | None, faults: dict[str, str]) -> dict[str, Any]:
    """What was tried: the answer, or what is wrong with it, and what was typed."""
    found: dict[str, Any] = {"answer": answer, "faults": faults}
    if answer is None and not faults:
        return found
    # A day is shown as it was typed into its three boxes, not as what they make.
    return found | {"given": {name: text for name, text in query.items() if not name.endswith("_on")}}


def _labelled(program: Program, code: str, known: Known) -> str:
    name = exam_name(program, code)
    return say("{exam} (result expected)", exam=name) if code in known.waiting else name


def _reminders(program: Program, expires_on: date) -> list[date]:
    return [expires_on - timedelta(days=days) for days in program.reminders]
