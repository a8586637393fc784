"""The profile, and a page for each change of it. Names on certificates are changed by a case, with evidence."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from services.portal.backend.client import Refused
from services.portal.languages import mark, say
from services.portal.profile import asking
from services.portal.profile.asking import Answered
from services.portal.profile.lines import rows_of
from services.portal.profile.shapes import WholeProfile
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Faults, Typed, Unfit, change_key, typed
from services.portal.web.look import shown
from services.portal.web.visit import VISIT

_PAGES: Final[Mapping[str, tuple[str, str, str]]] = {
    "native-name": ("native_name", mark("Change the name in your script"), mark("Your name in your script is saved.")),
    "employer": ("employer", mark("Change your employer"), mark("Your employer is saved.")),
    "job-title": ("job_title", mark("Change your job title"), mark("Your job title is saved.")),
}
"""By the last part of a page's address: the question, its heading, and what is said when it is saved."""


class ProfilePages:
    """The handlers of `/profile` but for other IDs and the gate."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        names = "|".join(_PAGES)
        return [
            web.get("/profile", self.show),
            web.get("/profile/address", self.ask_address),
            web.post("/profile/address", self.take_address),
            web.get(f"/profile/{{page:{names}}}", self.ask),
            web.post(f"/profile/{{page:{names}}}", self.take),
        ]

    async def show(self, request: web.Request) -> web.Response:
        profile = await asking.whole(request[VISIT])
        return shown(
            request[VISIT], "profile/profile.html", say("Your profile"), profile=profile, rows=rows_of(profile)
        )

    async def ask_address(self, request: web.Request) -> web.Response:
        profile = await asking.whole(request[VISIT])
        country = asking.country_of(profile, request.query.get("country"))
        return await self._address(request, profile, country, asking.typed_address(profile))

    async def take_address(self, request: web.Request) -> web.Response:
        visit, what = request[VISIT], await typed(request)
        profile = await asking.whole(visit)
        country = asking.read_country(what)
        if country is None:
            faults = {"country": say("Choose the country")}
            return await self._address(request, profile, asking.country_of(profile, None), what, faults=faults)
        if country != what.get("shown_country"):
            return await self._address(request, profile, country, what, other=True)
        answer = asking.answered_address(country, await asking.address_boxes(visit, profile, country), what)
        try:
            after = await self._saved(request, answer)
        except Unfit as fault:
            return await self._address(request, profile, country, answer.what, faults=fault.faults)
        lacking = asking.lacking_parts(await asking.address_boxes(visit, after, country), after.missing)
        if lacking:
            return await self._address(request, after, country, answer.what, faults=lacking)
        return self._back(say("Your address is saved. Orders on their way keep the address they were made with."))

    async def ask(self, request: web.Request) -> web.Response:
        profile = await asking.whole(request[VISIT])
        return await self._form(request, asking.shown_about(profile), {})

    async def take(self, request: web.Request) -> web.Response:
        question, _, done = _PAGES[request.match_info["page"]]
        what = await typed(request)
        answer = asking.answered_about([question], what)
        if asking.is_empty(question, what) and question not in request[VISIT].theirs.profile_required:
            answer = Answered({question: None})
        try:
            await self._saved(request, answer)
        except Unfit as fault:
            return await self._form(
                request, asking.shown_about(await asking.whole(request[VISIT])) | what, fault.faults
            )
        return self._back(say(done))

    async def _saved(self, request: web.Request, answer: Answered) -> WholeProfile:
        if answer.faults:
            raise Unfit(answer.faults)
        try:
            return await asking.save(request[VISIT], answer.body, await change_key(request))
        except Refused as refusal:
            raise asking.refused_fields(refusal.problem) or refusal from None

    def _back(self, sentence: str) -> web.Response:
        answer = redirect("/profile")
        self._cookies.tell(answer, sentence)
        return answer

    async def _form(self, request: web.Request, what: Mapping[str, Any], faults: Faults) -> web.Response:
        visit, page = request[VISIT], request.match_info["page"]
        question, heading, _ = _PAGES[page]
        await visit.introduce()
        return shown(
            visit,
            "profile/change.html",
            say(heading),
            problem=bool(faults),
            page=page,
            question=question,
            what=what,
            faults=faults,
            employers=await asking.employers(visit) if question == "employer" else [],
        )

    async def _address(
        self,
        request: web.Request,
        profile: WholeProfile,
        country: str,
        what: Typed,
        *,
        faults: Faults | None = None,
        other: bool = False,
    ) -> web.Response:
        values = await asking.address_page(request[VISIT], profile, country)
        heading = say("Change your postal address")
        return shown(
            request[VISIT],
            "profile/address.html",
            heading,
            problem=bool(faults),
            country=country,
            what=what,
            faults=faults or {},
            other=other,
            **values,
        )
