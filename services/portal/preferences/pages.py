"""Settings: a list, and a page for each change."""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args
from zoneinfo import available_timezones

from aiohttp import web
from pydantic import Field

from libs.common.clock import Clock
from libs.common.languages import READER, language_of
from services.portal.languages import mark, say
from services.portal.preferences.words import DIGESTS, KINDS, agreed_text, kinds_in_words, news_in_words
from services.portal.profile import asking
from services.portal.profile.shapes import WholeProfile
from services.portal.profile.zones import city_of, zones
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Several, Typed, Unfit, change_key, read, typed
from services.portal.web.look import shown
from services.portal.web.sessions import Sessions
from services.portal.web.visit import VISIT, Theme

_PAGES: Final[Mapping[str, str]] = {
    "language": mark("Change the language"),
    "time-zone": mark("Change the time zone"),
    "theme": mark("Change light and dark"),
    "news": mark("News by e-mail"),
    "mails": mark("Choose your mails"),
}
_THEMES: Final[Mapping[str, str]] = {
    "device": mark("As my device"),
    "light": mark("Light"),
    "dark": mark("Dark"),
}


class Mails(Answers):
    kinds: Several = Field(default=[])
    digest: Literal["each", "daily", "weekly"]


class Preferences:
    """The handlers of `/settings`."""

    def __init__(self, sessions: Sessions, cookies: Cookies, clock: Clock) -> None:
        self._sessions = sessions
        self._cookies = cookies
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        names = "|".join(_PAGES)
        return [
            web.get("/settings", self.show),
            web.get(f"/settings/{{page:{names}}}", self.ask),
            web.post("/settings/language", self.take_language),
            web.post("/settings/time-zone", self.take_zone),
            web.post("/settings/theme", self.take_theme),
            web.post("/settings/news", self.take_news),
            web.post("/settings/mails", self.take_mails),
        ]

    async def show(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        profile = await asking.whole(visit)
        rows = [
            (say("Language"), READER.get().name, ("/settings/language", say("language"))),
            (say("Time zone"), self._zone(profile, visit.theirs.time_zone), ("/settings/time-zone", say("time zone"))),
            (say("Light and dark"), say(_THEMES[visit.theme]), ("/settings/theme", say("light and dark"))),
            (say("News by e-mail"), news_in_words(profile.news), ("/settings/news", say("news by e-mail"))),
            (say("Mails"), kinds_in_words(profile.mails), ("/settings/mails", say("which mails you get"))),
            (say("How often"), say(DIGESTS[profile.digest or "each"][0]), ("/settings/mails#digest", say("how often"))),
        ]
        agreed = agreed_text(profile.news, visit.theirs.news)
        return shown(visit, "preferences/settings.html", say("Settings"), rows=rows, agreed=agreed)

    async def ask(self, request: web.Request) -> web.Response:
        return await self._page(request, request.match_info["page"])

    async def take_language(self, request: web.Request) -> web.Response:
        chosen = language_of(str((await typed(request)).get("language", "")))
        if chosen is None:
            return await self._page(request, "language", faults={"language": say("Choose your language")})
        await self._changed(request, {"language": chosen.code})
        READER.set(chosen)
        answer = self._back(say("We speak and write {language} with you now.", language=chosen.name))
        self._cookies.keep_language(answer, chosen)
        return answer

    async def take_zone(self, request: web.Request) -> web.Response:
        what = await typed(request)
        zone = str(what.get("time_zone", ""))
        if zone not in available_timezones():
            return await self._page(request, "time-zone", what, {"time_zone": say("Choose your time zone")})
        await self._changed(request, {"time_zone": zone})
        return self._back(say("Times are those of {city} now.", city=city_of(zone)))

    async def take_theme(self, request: web.Request) -> web.Response:
        request[VISIT].signed_in  # noqa: B018 raises where nobody is signed in
        chosen = (await typed(request)).get("theme")
        theme: Theme | None = next((one for one in get_args(Theme) if one == chosen), None)
        if theme is None:
            return await self._page(request, "theme", faults={"theme": say("Choose light, dark or as your device")})
        answer = self._back(say("Saved for this browser."))
        self._cookies.keep_theme(answer, theme)
        return answer

    async def take_news(self, request: web.Request) -> web.Response:
        what = await typed(request)
        answer = asking.answered_news(what, request[VISIT].theirs.news)
        if answer.faults:
            return await self._page(request, "news", what, answer.faults)
        await asking.save(request[VISIT], answer.body, await change_key(request))
        if answer.body["marketing"]["given"]:
            return self._back(say("You get news from now on. Each has a link that ends them."))
        return self._back(say("You get no news from now on."))

    async def take_mails(self, request: web.Request) -> web.Response:
        what = await typed(request)
        try:
            chosen = read(Mails, what, {"digest": say("Choose how often")})
        except Unfit as fault:
            return await self._page(request, "mails", what, fault.faults)
        body = {
            "mails": {kind: kind in chosen.kinds for kind in KINDS},
            "digest": None if chosen.digest == "each" else chosen.digest,
        }
        await asking.save(request[VISIT], body, await change_key(request))
        return self._back(say("Saved. Mails about access and awards come in any case."))

    async def _changed(self, request: web.Request, body: Mapping[str, str]) -> None:
        visit = request[VISIT]
        profile = await asking.save(visit, body, await change_key(request))
        await self._sessions.speak(visit.signed_in.key, profile.language, profile.time_zone)

    def _zone(self, profile: WholeProfile, programs: str) -> str:
        if profile.time_zone is None:
            return say("{city}, which is the program's", city=city_of(programs))
        return city_of(profile.time_zone)

    def _back(self, sentence: str) -> web.Response:
        answer = redirect("/settings")
        self._cookies.tell(answer, sentence)
        return answer

    async def _page(
        self, request: web.Request, page: str, what: Typed | None = None, faults: Faults | None = None
    ) -> web.Response:
        visit = request[VISIT]
        profile = await asking.whole(visit)
        typed_or_known = what or {
            "language": profile.language or READER.get().code,
            "time_zone": profile.time_zone or "",
            "theme": visit.theme,
            "kinds": [kind for kind in KINDS if profile.mails.get(kind, True)],
            "digest": profile.digest or "each",
        }
        values: dict[str, Any] = {
            "zones": zones(self._clock.now(), profile.time_zone or "") if page == "time-zone" else [],
            "themes": [(name, say(words), None) for name, words in _THEMES.items()],
            "kinds": [(kind, say(name), say(about)) for kind, (name, about) in KINDS.items()],
            "digests": [(one, say(name), say(about) if about else None) for one, (name, about) in DIGESTS.items()],
            "news": visit.theirs.news,
            "said": news_in_words(profile.news),
        }
        return shown(
            visit,
            "preferences/change.html",
            say(_PAGES[page]),
            problem=bool(faults),
            page=page,
            what=typed_or_known,
            faults=faults or {},
            **values,
        )
