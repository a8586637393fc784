"""Signing in with a candidate ID or an address, a password, and a code where the account asks for one.

Identity asks for the code once the password is right, and then for all three together. So that nobody types the
password twice, it waits sealed in the page that asks for the code, for a few minutes.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import orjson
import structlog
from aiohttp import web

from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.http.auth import TokenVerifier
from libs.common.http.problems import Problem
from libs.common.programs import Program
from libs.common.sealing import SecretBox
from services.portal.backend.client import Down, Nothing, Refused
from services.portal.backend.shapes import Profile, Tokens, Ways
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.look import shown
from services.portal.web.sessions import Session, Sessions
from services.portal.web.visit import VISIT, Visit, part

_CODE_WAITS: Final = timedelta(minutes=5)
_TRIES_REST: Final = 600
"""Seconds, where identity does not say."""
_WRONG: Final = "That e-mail or ID and password don't fit together."
_WRONG_CODE: Final = "That code doesn't fit, or it was used before. Enter the one that the app shows now."

log = structlog.get_logger(__name__)


class SignIn:
    """Handlers of `/sign-in` and `/sign-out`."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        cookies: Cookies,
        verifier: TokenVerifier,
        box: SecretBox,
        programs: Mapping[str, Program],
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._cookies = cookies
        self._verifier = verifier
        self._box = box
        self._programs = programs
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/sign-in", self.choose),
            web.get("/sign-in/{program}", self.ask),
            web.post("/sign-in/{program}", self.enter),
            web.post("/sign-out", self.leave),
        ]

    async def choose(self, request: web.Request) -> web.Response:
        """Which program; with one alone there is nothing to choose."""
        if len(self._programs) == 1:
            return redirect(f"/sign-in/{next(iter(self._programs))}")
        programs = sorted(self._programs.values(), key=lambda one: one.name)
        return shown(request[VISIT], "access/choose.html", "Sign in", programs=programs)

    async def ask(self, request: web.Request) -> web.Response:
        visit, program = request[VISIT], self._program(request)
        if visit.session is not None and visit.session.program == program.id:
            return redirect("/")
        ways = await visit.backend.read(visit.browser, "identity", f"/programs/{program.id}/sign-in", Ways)
        return self._form(visit, program, ways)

    async def enter(self, request: web.Request) -> web.Response:
        visit, program, form = request[VISIT], self._program(request), await request.post()
        login, password, code = (str(form.get(name, "")).strip() for name in ("login", "password", "code"))
        if "proved" in form:
            return await self._with_code(request, program, str(form["proved"]), code)
        faults = {}
        if not login:
            faults["login"] = "Enter your e-mail address or candidate ID"
        if not password:
            faults["password"] = "Enter your password"  # noqa: S105 a sentence
        if faults:
            return self._form(visit, program, Ways(), login=login, faults=faults)
        try:
            return await self._enter(request, program, {"login": login, "password": password})
        except Refused as refusal:
            if refusal.code == "second-factor-needed":
                return self._code_form(visit, program, self._sealed(login, password))
            return self._not_in(visit, program, login, refusal)

    async def _with_code(self, request: web.Request, program: Program, proved: str, code: str) -> web.Response:
        opened = self._opened(proved)
        if opened is None:
            return redirect(f"/sign-in/{program.id}")
        if not code:
            return self._code_form(request[VISIT], program, proved, "Enter the code that the app shows")
        try:
            return await self._enter(request, program, opened | {"code": code})
        except Refused as refusal:
            if refusal.code in ("second-factor-needed", "unauthenticated", "invalid-request"):
                return self._code_form(request[VISIT], program, proved, _WRONG_CODE)
            return self._not_in(request[VISIT], program, opened["login"], refusal)

    async def _enter(self, request: web.Request, program: Program, proof: Mapping[str, str]) -> web.Response:
        visit = request[VISIT]
        body = {"grant_type": "password", "program": program.id, **proof}
        tokens = await visit.backend.send(visit.browser, "POST", "identity", "/tokens", Tokens, body=body)
        return await self._signed_in(request, program, tokens)

    def _sealed(self, login: str, password: str) -> str:
        until = (self._clock.now() + _CODE_WAITS).isoformat()
        return self._box.seal(orjson.dumps({"login": login, "password": password, "until": until}))

    def _opened(self, proved: str) -> dict[str, str] | None:
        """Login and password; None where they have waited too long, or are not of our making."""
        try:
            found = orjson.loads(self._box.open(proved))
        except ValueError:
            return None
        if datetime.fromisoformat(found.pop("until")) < self._clock.now():
            return None
        return dict(found)

    async def leave(self, request: web.Request) -> web.Response:
        """Sign out here: identity ends the session, so that its refresh token is worth nothing any more."""
        visit = request[VISIT]
        if visit.session is not None:
            await self._sessions.close(visit.session.key)
            await self._end(visit, visit.session)
        program = visit.program or self._programs.get(self._cookies.program(request) or "")
        visit.session = None
        answer = shown(visit, "access/left.html", "You're signed out", program=program)
        self._cookies.drop_session(answer)
        self._cookies.drop_wanted(answer)
        return answer

    async def _end(self, visit: Visit, session: Session) -> None:
        try:
            caller = await self._verifier.verify(f"Bearer {session.access_token}")
            path = f"/sessions/{caller.session_id}"
            await visit.backend.send(visit.browser, "DELETE", "identity", path, Nothing)
        except (Down, Refused, Problem, Unavailable) as error:
            # Its refresh token went with our row, so nobody goes on with it: it ends by itself, or has ended before.
            log.warning("session_not_ended", cause=type(error).__name__)

    async def _signed_in(self, request: web.Request, program: Program, tokens: Tokens) -> web.Response:
        caller = await self._verifier.verify(f"Bearer {tokens.access_token}")
        if caller.candidate_id is None:
            raise web.HTTPForbidden
        answer = redirect(self._cookies.wanted(request))
        visit = request[VISIT]
        visit.browser = replace(visit.browser, token=tokens.access_token)
        path = f"/programs/{program.id}/candidates/{caller.candidate_id}/profile"
        profile = await part(visit.backend.read(visit.browser, "identity", path, Profile))
        cookie = await self._sessions.open(
            program.id,
            caller.candidate_id,
            tokens,
            language=profile.language if profile else None,
            time_zone=profile.time_zone if profile else None,
        )
        self._cookies.keep_session(answer, cookie)
        self._cookies.keep_program(answer, program.id)
        self._cookies.drop_wanted(answer)
        return answer

    def _not_in(self, visit: Visit, program: Program, login: str, refusal: Refused) -> web.Response:
        if refusal.code == "too-many-tries":
            again = self._clock.now() + timedelta(seconds=refusal.retry_after or _TRIES_REST)
            there = again.astimezone(ZoneInfo(program.time_zone))
            wrong = f"Too many tries. You can try again at {there:%H:%M}. Recovering your password works now."
        elif refusal.code in ("unauthenticated", "invalid-request"):
            wrong = _WRONG
        else:
            raise refusal
        return self._form(visit, program, Ways(), login=login, faults={"login": wrong})

    def _form(
        self, visit: Visit, program: Program, ways: Ways, *, login: str = "", faults: Mapping[str, str] | None = None
    ) -> web.Response:
        return shown(
            visit,
            "access/sign_in.html",
            "Sign in",
            program=program,
            problem=bool(faults),
            ways=ways,
            login=login,
            faults=faults or {},
        )

    def _code_form(self, visit: Visit, program: Program, proved: str, wrong: str | None = None) -> web.Response:
        return shown(
            visit,
            "access/code.html",
            "Enter your code",
            program=program,
            problem=wrong is not None,
            proved=proved,
            faults={"code": wrong} if wrong else {},
        )

    def _program(self, request: web.Request) -> Program:
        program = self._programs.get(request.match_info["program"])
        if program is None:
            raise web.HTTPNotFound
        return program
