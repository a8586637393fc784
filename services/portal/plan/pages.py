"""The handlers of goals, and of the way to all plans."""

import asyncio
from typing import Any

from aiohttp import web
from pydantic import Field

from services.portal.backend.client import Down
from services.portal.backend.shapes import Certifications
from services.portal.home.answer import chip_of
from services.portal.languages import say, say_many
from services.portal.languages.days import spoken
from services.portal.plan.goals import goal_card, levels_of, sorted_goals, title_of
from services.portal.plan.shapes import Chosen, Progress, Renewals
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Several, Unfit, change_key, read, typed
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, Visit, part

MOST_GOALS = 20
"""As many as certs keeps."""


class Picked(Answers):
    certification: Several = Field(min_length=1, max_length=MOST_GOALS)


class Dropped(Answers):
    certification: str


class GoalPages:
    """The handlers of `/plan` and of what is chosen there."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/plan", self.show_all),
            web.post("/plan/goals", self.pick),
            web.post("/plan/goals/drop", self.drop),
        ]

    async def show_all(self, request: web.Request) -> web.Response:
        return await self._page(request[VISIT], {})

    async def pick(self, request: web.Request) -> web.Response:
        visit, answers = request[VISIT], await typed(request)
        chosen = await visit.mine("certs", "/goals", Chosen)
        try:
            picked = read(Picked, answers, {"certification": say("Choose at least one certification")})
            wanted = list(dict.fromkeys([*chosen.certifications, *picked.certification]))
            _check(visit, picked.certification, wanted)
        except Unfit as unfit:
            return await self._page(visit, unfit.faults)
        await self._choose(request, wanted)
        answer = redirect("/plan#goals")
        self._cookies.tell(
            answer,
            say_many(
                "{count} goal added to your plan.", "{count} goals added to your plan.", len(picked.certification)
            ),
        )
        return answer

    async def drop(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        dropped = read(Dropped, await typed(request), {})
        chosen = await visit.mine("certs", "/goals", Chosen)
        await self._choose(request, [one for one in chosen.certifications if one != dropped.certification])
        answer = redirect("/plan")
        title = title_of(visit.theirs, dropped.certification)
        self._cookies.tell(answer, say("{title} is no longer a goal. What you have passed still counts.", title=title))
        return answer

    async def _choose(self, request: web.Request, wanted: list[str]) -> None:
        body = {"certifications": wanted}
        await request[VISIT].change("PUT", "certs", "/goals", Chosen, key=await change_key(request), body=body)

    async def _page(self, visit: Visit, faults: dict[str, str]) -> web.Response:
        program = visit.theirs
        try:
            _, held, progress, renewals, chosen = await asyncio.gather(
                visit.introduce(),
                visit.mine("certs", "/certifications", Certifications),
                visit.mine("certs", "/progress", Progress),
                part(visit.mine("certs", "/renewals", Renewals)),
                visit.mine("certs", "/goals", Chosen),
            )
        except Down:
            return away(visit)
        mine, begun = sorted_goals(progress.goals, chosen.certifications)
        states = {one.certification: (one, chip_of(one, held.as_of)) for one in held.certifications}
        due = (
            [(one, *states[one.certification]) for one in renewals.renewals if one.certification in states]
            if (renewals)
            else []
        )
        heading, lead = _heading(len(mine), due[0][1].title if due else None, due[0][0].expires_on if due else None)
        values: dict[str, Any] = {
            "lead": lead,
            "due": due,
            "renewals_away": renewals is None,
            "mine": [goal_card(program, goal, held.as_of) for goal in mine],
            "begun": [goal_card(program, goal, held.as_of) for goal in begun],
            "levels": levels_of(program, progress.goals, chosen.certifications),
            "faults": faults,
        }
        return shown(visit, "plan/list.html", heading, problem=bool(faults), **values)


def away(visit: Visit) -> web.Response:
    """What is said where certs does not answer."""
    text = say("Your dates are safe and unchanged.")
    heading = say("We can't work out plans right now")
    return shown(visit, "templates/message.html", heading, status=503, text=text, again=True)


def _check(visit: Visit, picked: list[str], wanted: list[str]) -> None:
    if any(name not in visit.theirs.certifications for name in picked):
        raise Unfit({"certification": say("Choose certifications of the list")})
    if len(wanted) > MOST_GOALS:
        raise Unfit({"certification": say("You can have {count} goals. Remove one first", count=MOST_GOALS)})


def _heading(goals: int, title: str | None, expires_on: Any) -> tuple[str, str]:
    under_way = say_many("{count} goal is under way.", "{count} goals are under way.", goals)
    if title is not None:
        heading = say("Renew {title} by {day}", title=title, day=spoken(expires_on))
        return heading, under_way if goals else say("Look at what each way costs, or pick a new goal.")
    if goals:
        return under_way.rstrip("."), say("Nothing that you hold has to be renewed.")
    return say("Pick a goal"), say("See what it takes, what you have of it, and until when that counts.")
