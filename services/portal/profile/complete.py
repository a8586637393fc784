"""The gate: what the program wants to know before anything else, and whether it is still right."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from libs.common.clock import Clock
from services.portal.backend.client import Refused
from services.portal.languages import say
from services.portal.profile import asking
from services.portal.profile.asking import Answered
from services.portal.profile.lines import rows_of
from services.portal.profile.shapes import WholeProfile
from services.portal.profile.steps import ABOUT, Step, Way, groups_of, way_of
from services.portal.profile.zones import zones
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Faults, Typed, Unfit, change_key, typed
from services.portal.web.gate import GATE
from services.portal.web.look import shown
from services.portal.web.sessions import Sessions
from services.portal.web.visit import VISIT

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of questions.

    Attributes:
        country: whose form of an address it has.
        what: as it was typed, or as it is known.
        other: whether another country was chosen than the one whose boxes were filled in.
    """

    profile: WholeProfile
    way: Way
    step: Step
    country: str
    what: Typed
    faults: Faults = field(default_factory=dict)
    other: bool = False

    @property
    def questions(self) -> list[str]:
        """Those about the person that are still open."""
        return [name for name in ABOUT if name in self.profile.missing]


class Complete:
    """The handlers of the gate.

    Args:
        leave: what signs out, for whoever goes on another time.
    """

    def __init__(self, sessions: Sessions, cookies: Cookies, clock: Clock, leave: Handler) -> None:
        self._sessions = sessions
        self._cookies = cookies
        self._clock = clock
        self._leave = leave

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(GATE, self.ask),
            web.post(GATE, self.take),
            web.post(f"{GATE}/right", self.confirm),
        ]

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """The first questions that are still open; else whether all is right; else where somebody wanted to go."""
        visit = request[VISIT]
        profile = await asking.whole(visit)
        way = way_of(profile.missing, request.query.get("steps", ""))
        if way.step is not None:
            what = asking.typed_address(profile) | asking.shown_about(profile)
            country = asking.country_of(profile, request.query.get("country"))
            return await self._page(request, _Page(profile, way, way.step, country, what))
        if not profile.confirmation_due:
            return await self._through(request)
        heading, rows = say("Is this still right?"), rows_of(profile)
        return shown(visit, "profile/still_right.html", heading, profile=profile, rows=rows, plain_head=True)

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Keep what was answered. What is right is kept also where something else is not, if they go on later."""
        visit, what = request[VISIT], await typed(request)
        profile = await asking.whole(visit)
        way = way_of(profile.missing, request.query.get("steps", ""))
        if way.step is None:
            return redirect(GATE)
        later = "later" in what
        page = _Page(profile, way, way.step, asking.country_of(profile, None), what)
        if "address" in way.step.groups:
            page = _with_country(page)
        stays = not later and bool(page.faults or page.other)
        answer = Answered(what=what) if stays else await self._answered(request, page)
        if stays or (answer.faults and not later):
            return await self._page(request, replace(page, what=answer.what, faults=page.faults | answer.faults))
        try:
            after = await self._saved(request, answer) if answer.body else profile
        except Unfit as fault:
            return await self._page(request, replace(page, what=answer.what, faults=fault.faults))
        if later:
            visit.said = say("What you typed is kept. The rest can wait until you sign in again.")
            return await self._leave(request)
        return await self._onward(request, replace(page, profile=after, what=answer.what))

    async def confirm(self, request: web.Request) -> web.StreamResponse:
        await asking.save(request[VISIT], {"confirmed": True}, await change_key(request))
        return await self._through(request)

    async def _answered(self, request: web.Request, page: _Page) -> Answered:
        visit, found = request[VISIT], Answered(what=page.what)
        for group in page.step.groups:
            if group == "address":
                boxes = await asking.address_boxes(visit, page.profile, page.country)
                one = asking.answered_address(page.country, boxes, page.what)
                found.what = one.what
            elif group == "about":
                one = asking.answered_about(page.questions, page.what)
            else:
                one = asking.answered_news(page.what, visit.theirs.news)
            found.body |= one.body
            found.faults |= one.faults
        return found

    async def _saved(self, request: web.Request, answer: Answered) -> WholeProfile:
        visit = request[VISIT]
        try:
            after = await asking.save(visit, answer.body, await change_key(request))
        except Refused as refusal:
            raise asking.refused_fields(refusal.problem) or refusal from None
        if answer.body.keys() & {"language", "time_zone"}:
            await self._sessions.speak(visit.signed_in.key, after.language, after.time_zone)
        return after

    async def _onward(self, request: web.Request, page: _Page) -> web.StreamResponse:
        """To the next step; back to this one where its country needs more than the form has said."""
        missing = page.profile.missing
        if groups_of(missing) & set(page.step.groups):
            boxes = await asking.address_boxes(request[VISIT], page.profile, page.country)
            return await self._page(request, replace(page, faults=asking.lacking_parts(boxes, missing)))
        if missing:
            return redirect(f"{GATE}?steps={page.way.key}")
        await asking.save(request[VISIT], {"confirmed": True}, f"{await change_key(request)}-all")
        answer = await self._through(request)
        self._cookies.tell(answer, say("Your profile is complete."))
        return answer

    async def _through(self, request: web.Request) -> web.Response:
        await self._sessions.let_in(request[VISIT].signed_in.key)
        answer = redirect(self._cookies.wanted(request))
        self._cookies.drop_wanted(answer)
        return answer

    async def _page(self, request: web.Request, page: _Page) -> web.Response:
        visit = request[VISIT]
        values: dict[str, Any] = {"boxes": [], "countries": [], "employers": [], "zones": []}
        if "address" in page.step.groups:
            values |= await asking.address_page(visit, page.profile, page.country)
        if "about" in page.step.groups and "employer" in page.questions:
            values["employers"] = await asking.employers(visit)
        if "about" in page.step.groups and "time_zone" in page.questions:
            values["zones"] = zones(self._clock.now())
        return shown(
            visit,
            "profile/complete.html",
            say("Complete your profile"),
            problem=bool(page.faults),
            page=page,
            titles=[say(one.title) for one in page.way.steps],
            news=visit.theirs.news,
            plain_head=True,
            **values,
        )


def _with_country(page: _Page) -> _Page:
    country = asking.read_country(page.what)
    if country is None:
        return replace(page, faults={"country": say("Choose the country")})
    return replace(page, country=country, other=country != page.what.get("shown_country"))
