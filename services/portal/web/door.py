"""What every request passes: who is it, may its form be believed, and what comes back when something fails."""

from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from libs.common.errors import Unavailable
from libs.common.http.measured import Measured, method_of, route_of
from libs.common.http.senders import TRUSTED_PROXIES, read_networks, sender
from libs.common.http.trace import HEADER, incoming
from libs.common.languages import READER, language_of, wanted_language
from libs.common.pages.visitors import LANGUAGE_FIELD
from libs.common.programs import Program
from libs.common.tracing import begun_by_request
from services.portal.backend.client import Backend, Browser, Down, Problem, Refused
from services.portal.backend.shapes import Tokens
from services.portal.languages import mark, say
from services.portal.languages.days import ZONE, clock_time
from services.portal.web.answers import from_the_top, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.drafts import KEPT, Drafts, page_of
from services.portal.web.forms import TOKEN_FIELD, FormTokens
from services.portal.web.gate import GATE, Gate
from services.portal.web.look import shown
from services.portal.web.origin import is_from_us
from services.portal.web.policy import POLICY
from services.portal.web.repeats import LEADS_TO, Busy, Done, Repeats
from services.portal.web.sessions import Refresh, Sessions, StaffSessions
from services.portal.web.vendor_names import VendorNames
from services.portal.web.visit import VISIT, SignedOut, Visit, is_of_staff

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_PROXIES: Final = read_networks(TRUSTED_PROXIES)
_CHANGES: Final = frozenset({"POST"})

log = structlog.get_logger(__name__)


class Door:
    """The middleware of all pages."""

    def __init__(
        self,
        *,
        backend: Backend,
        sessions: Sessions,
        staff: StaffSessions,
        cookies: Cookies,
        forms: FormTokens,
        drafts: Drafts,
        repeats: Repeats,
        vendors: VendorNames,
        programs: Mapping[str, Program],
    ) -> None:
        self._vendors = vendors
        self._backend = backend
        self._sessions = sessions
        self._staff = staff
        self._cookies = cookies
        self._forms = forms
        self._drafts = drafts
        self._repeats = repeats
        self._programs = programs
        self._gate = Gate(sessions)
        self._measured = Measured()

    @web.middleware
    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer with a page in any case, count it, and let what it asks of services carry its trace."""
        began = perf_counter()
        with begun_by_request(incoming(request.headers.get(HEADER))):
            answer = await self._page(request, handler)
            self._measured.note(method_of(request), route_of(request), answer.status, perf_counter() - began)
        return answer

    async def _page(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        anchor = self._cookies.anchor(request)
        visit = Visit(
            backend=self._backend,
            browser=Browser(
                sender(request.remote, request.headers, _PROXIES), request.headers.get("User-Agent", "")[:500]
            ),
            path=request.path,
            anchor=anchor,
            form_token=self._forms.token(anchor),
            theme=self._cookies.theme(request),
            said=self._cookies.said(request),
        )
        request[VISIT] = visit
        self._speak(request, visit)
        KEPT.set({})
        answer = await self._answer(request, visit, handler)
        if request.method in _CHANGES and answer.status == 303:  # noqa: PLR2004 see other
            answer.headers["Location"] = from_the_top(answer.headers["Location"])
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        self._cookies.keep_anchor(answer, request, anchor)
        if visit.said and answer.content_type == "text/html":
            self._cookies.drop_said(answer)
        return answer

    def _speak(self, request: web.Request, visit: Visit) -> None:
        """Set the language and the zone of what follows: those of the profile, else what the browser asks for.

        Pages for visitors name the language that was chosen on them in the addresses they link to.
        """
        session, program = visit.session, visit.program
        language = language_of(session.language) if session else language_of(request.query.get(LANGUAGE_FIELD))
        chosen = language or self._cookies.language(request)
        READER.set(chosen or wanted_language(request.headers.get("Accept-Language", "")))
        zone = (session.time_zone if session else None) or (program.time_zone if program else None)
        ZONE.set(ZoneInfo(zone or "UTC"))

    async def _answer(self, request: web.Request, visit: Visit, handler: Handler) -> web.StreamResponse:
        try:
            await self._recognise(request, visit)
            await self._vendors.learn(visit)
            if request.method in _CHANGES and not await self._believed(request, visit):
                return shown(
                    visit, "templates/message.html", say("This form is too old"), status=403, text=say(_OLD_FORM)
                )
            shows = request.method == "GET" and request.match_info.http_exception is None
            if shows and await self._gate.holds_back(visit, request.path):
                return self._to_gate(request)
            await self._put_back(request, visit)
            answer = await self._once(request, visit, handler)
            return await self._remember(visit, await self._sent(request, visit, answer))
        except SignedOut:
            return await self._to_sign_in(request, visit)
        except Refused as refusal:
            return await self._refused(request, visit, refusal.problem)
        except Exception as error:  # noqa: BLE001 a browser gets a page, whatever has happened
            return _failed(visit, error)

    async def _recognise(self, request: web.Request, visit: Visit) -> None:
        if is_of_staff(request.path):
            await self._recognise_staff(request, visit)
        else:
            await self._recognise_candidate(request, visit)

    async def _recognise_staff(self, request: web.Request, visit: Visit) -> None:
        cookie = self._cookies.staff_session(request)
        if cookie is None:
            return
        session = await self._staff.find(cookie, self._refresh(visit, "/staff/tokens"))
        if session is None or session.program not in self._programs:
            return
        visit.staff = session
        visit.program = self._programs[session.program]
        self._speak(request, visit)
        visit.browser = Browser(visit.browser.address, visit.browser.agent, session.access_token)

    def _refresh(self, visit: Visit, path: str) -> Refresh:
        async def refresh(token: str) -> Tokens:
            body = {"grant_type": "refresh_token", "refresh_token": token}
            return await self._backend.send(visit.browser, "POST", "identity", path, Tokens, body=body)

        return refresh

    async def _recognise_candidate(self, request: web.Request, visit: Visit) -> None:
        cookie = self._cookies.session(request)
        if cookie is None:
            return
        session = await self._sessions.find(cookie, self._refresh(visit, "/tokens"))
        if session is None or session.program not in self._programs:
            return
        visit.session = session
        visit.program = self._programs[session.program]
        self._speak(request, visit)
        visit.browser = Browser(visit.browser.address, visit.browser.agent, session.access_token)

    async def _believed(self, request: web.Request, visit: Visit) -> bool:
        # What browsers say themselves of where a form is from (Fetch Metadata), beside the token that only we can make.
        if not is_from_us(request):
            return False
        form = await request.post()
        token = form.get(TOKEN_FIELD)
        return self._forms.fits(visit.anchor, token if isinstance(token, str) else None)

    async def _refused(self, request: web.Request, visit: Visit, problem: Problem) -> web.StreamResponse:
        if problem.code == "unauthenticated":
            return await self._to_sign_in(request, visit)
        if problem.status == 404:  # noqa: PLR2004 not found
            return shown(visit, "templates/message.html", say(_NOTHING), status=404, text=say(_SEARCH))
        log.warning("page_refused", route=visit.path.split("/")[1], code=problem.code)
        return shown(visit, "templates/message.html", problem.title, status=problem.status, text=problem.detail or "")

    def _to_gate(self, request: web.Request) -> web.Response:
        answer = redirect(GATE)
        self._cookies.keep_wanted(answer, request.path_qs)
        return answer

    async def _to_sign_in(self, request: web.Request, visit: Visit) -> web.StreamResponse:
        program = visit.program.id if visit.program else self._cookies.program(request)
        base = "/staff/sign-in" if is_of_staff(request.path) else "/sign-in"
        answer = redirect(f"{base}/{program}" if program in self._programs else base)
        if is_of_staff(request.path):
            self._cookies.drop_staff_session(answer)
        else:
            self._cookies.drop_session(answer)
        if request.method == "GET":
            self._cookies.keep_wanted(answer, request.path_qs)
        elif owner := self._cookies.owner(request):
            page = page_of(request.app, request.path)
            self._cookies.keep_wanted(answer, request.path_qs if page == request.path else page)
            if draft := await self._drafts.keep(owner, page, await request.post()):
                self._cookies.keep_draft(answer, draft)
        return answer

    async def _put_back(self, request: web.Request, visit: Visit) -> None:
        """Let the page's forms show what was typed when the session had ended."""
        draft, session = self._cookies.draft(request), visit.session
        if draft is None or session is None or request.method in _CHANGES:
            return
        owner = self._drafts.owner(session.program, session.candidate_id)
        if found := await self._drafts.find(draft, owner, request.path):
            KEPT.set(found)
            visit.said = say("You were signed out while writing. What you typed is back; nothing was sent yet.")

    async def _once(self, request: web.Request, visit: Visit, handler: Handler) -> web.StreamResponse:
        """What a handler answers; a form that was sent before hears what came of it, and does nothing again."""
        session = visit.staff or visit.session
        if session is None or request.method not in _CHANGES:
            return await handler(request)
        form = await request.post()
        try:
            done = await self._repeats.begin(session, request.path_qs, form)
        except Busy:
            return shown(
                visit, "templates/message.html", say("This is being done already"), status=409, text=say(_BUSY)
            )
        if done is not None:
            answer = redirect(done.to)
            self._cookies.tell(answer, _done_said(done))
            return answer
        to = None
        try:
            found = await handler(request)
            to = found.headers["Location"] if found.status == 303 else found.get(LEADS_TO)  # noqa: PLR2004 see other
        finally:
            if to is None:
                await self._repeats.give_up(session, request.path_qs, form)
        if to is not None:
            await self._repeats.finish(session, request.path_qs, form, to, once=LEADS_TO in found)
        return found

    async def _remember(self, visit: Visit, answer: web.StreamResponse) -> web.StreamResponse:
        """The answer; the candidate's name is kept for the pages that follow."""
        session, profile = visit.session, visit.profile
        if session is not None and profile is not None and profile.name and profile.name != session.name:
            await self._sessions.call(session.key, profile.name)
        return answer

    async def _sent(self, request: web.Request, visit: Visit, answer: web.StreamResponse) -> web.StreamResponse:
        """The answer; whoever sends a form again has had their draft back."""
        draft = self._cookies.draft(request)
        if draft is not None and visit.session is not None and request.method in _CHANGES:
            await self._drafts.drop(draft)
            self._cookies.drop_draft(answer)
        return answer


def _done_said(done: Done) -> str:
    time = clock_time(done.at)
    if done.once:
        return say("Already done at {time}. A secret is shown once: make a new one if you missed it.", time=time)
    return say("Already done at {time}.", time=time)


def _failed(visit: Visit, error: Exception) -> web.StreamResponse:
    """The page for what went wrong."""
    if isinstance(error, (Down, Unavailable)):
        heading = say("We can't show this right now")
        return shown(visit, "templates/message.html", heading, status=503, text=say(_DOWN), again=True)
    if isinstance(error, web.HTTPException):
        if error.status == 404:  # noqa: PLR2004 not found
            return shown(visit, "templates/message.html", say(_NOTHING), status=404, text=say(_SEARCH))
        return shown(visit, "templates/message.html", error.reason, status=error.status, text=say(_SEARCH))
    # The error's own text may hold what somebody has typed.
    log.error("page_failed", route=visit.path.split("/")[1], cause=type(error).__name__, exc_info=error)
    return shown(visit, "templates/message.html", say("This went wrong on our side"), status=500, text=say(_DOWN))


_OLD_FORM: Final = mark("Go back, load the page again and send the form once more. Nothing was changed.")
_BUSY: Final = mark(
    "You sent it twice, and the first is still at work. Go back and look in a minute what became of it."
)
_DOWN: Final = mark("Nothing is lost: results and credits are kept and show as soon as we're back.")
_NOTHING: Final = mark("There's nothing here, or it isn't yours to see.")
_SEARCH: Final = mark("The address may be mistyped, or what was here has moved.")
