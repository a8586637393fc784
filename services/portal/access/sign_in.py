"""Signing in with a candidate ID or an address, a password, and a code where the account asks for one.

Identity asks for the code once the password is right, and then for all three together. So that nobody types the
password twice, it waits sealed in the page that asks for the code, for a few minutes.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import orjson
from aiohttp import web

from libs.common.clock import Clock
from libs.common.programs import Program
from libs.common.sealing import SecretBox
from services.portal.access.entering import Entrance
from services.portal.access.provider import ProviderSignIn
from services.portal.access.words import program_of, slowed, wrong_code
from services.portal.backend.client import Refused
from services.portal.backend.shapes import Tokens, Ways
from services.portal.languages import say
from services.portal.web.answers import redirect
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, Visit

_CODE_WAITS: Final = timedelta(minutes=5)


class SignIn:
    """Handlers of `/sign-in` and `/sign-out`."""

    def __init__(
        self,
        *,
        entrance: Entrance,
        provider: ProviderSignIn,
        box: SecretBox,
        programs: Mapping[str, Program],
        clock: Clock,
    ) -> None:
        self._entrance = entrance
        self._provider = provider
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
        return shown(request[VISIT], "access/choose.html", say("Sign in"), programs=programs)

    async def ask(self, request: web.Request) -> web.Response:
        """The form; or, where the program's provider has sent the browser back, what it says."""
        visit, program = request[VISIT], self._program(request)
        told = None
        if "state" in request.query:
            answer = await self._provider.came_back(request, program)
            if isinstance(answer, web.Response):
                return answer
            told = answer
        elif visit.session is not None and visit.session.program == program.id:
            return redirect("/")
        return self._form(visit, program, await _ways(visit, program), told=told)

    async def enter(self, request: web.Request) -> web.Response:
        visit, program, form = request[VISIT], self._program(request), await request.post()
        login, code = (str(form.get(name, "")).strip() for name in ("login", "code"))
        password = str(form.get("password", ""))
        if "proved" in form:
            return await self._with_code(request, program, str(form["proved"]), code)
        faults = {}
        if not login:
            faults["login"] = say("Enter your e-mail address or candidate ID")
        if not password:
            faults["password"] = say("Enter your password")
        if faults:
            return self._form(visit, program, await _ways(visit, program), login=login, faults=faults)
        try:
            return await self._enter(request, program, {"login": login, "password": password})
        except Refused as refusal:
            if refusal.code == "second-factor-needed":
                return self._code_form(visit, program, self._sealed(login, password))
            return await self._not_in(visit, program, login, refusal)

    async def leave(self, request: web.Request) -> web.Response:
        """Sign out here."""
        visit = request[VISIT]
        program = visit.program or self._entrance.last_program(request, self._programs)
        if visit.session is not None:
            await self._entrance.end(visit)
        lead = say("On this device. Close the browser if others use it too.")
        answer = shown(visit, "access/left.html", say("You're signed out"), program=program, lead=lead)
        self._entrance.leave(answer)
        return answer

    async def _with_code(self, request: web.Request, program: Program, proved: str, code: str) -> web.Response:
        opened = self._opened(proved)
        if opened is None:
            return redirect(f"/sign-in/{program.id}")
        if not code:
            return self._code_form(request[VISIT], program, proved, say("Enter the code that the app shows"))
        try:
            return await self._enter(request, program, opened | {"code": code})
        except Refused as refusal:
            if refusal.code in ("second-factor-needed", "unauthenticated", "invalid-request"):
                return self._code_form(request[VISIT], program, proved, wrong_code())
            return await self._not_in(request[VISIT], program, opened["login"], refusal)

    async def _enter(self, request: web.Request, program: Program, proof: Mapping[str, str]) -> web.Response:
        visit = request[VISIT]
        body = {"grant_type": "password", "program": program.id, **proof}
        tokens = await visit.backend.send(visit.browser, "POST", "identity", "/tokens", Tokens, body=body)
        return await self._entrance.enter(request, program, tokens)

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

    async def _not_in(self, visit: Visit, program: Program, login: str, refusal: Refused) -> web.Response:
        if refusal.code == "too-many-tries":
            wrong = slowed(refusal, self._clock.now())
        elif refusal.code in ("unauthenticated", "invalid-request"):
            wrong = say("That e-mail or ID and password don't fit together.")
        elif refusal.code == "local-passwords-off":
            return redirect(f"/sign-in/{program.id}")
        else:
            raise refusal
        return self._form(visit, program, await _ways(visit, program), login=login, faults={"login": wrong})

    def _form(
        self,
        visit: Visit,
        program: Program,
        ways: Ways,
        *,
        login: str = "",
        faults: Mapping[str, str] | None = None,
        told: str | None = None,
    ) -> web.Response:
        return shown(
            visit,
            "access/sign_in.html",
            say("Sign in"),
            program=program,
            problem=bool(faults) or told is not None,
            ways=ways,
            login=login,
            faults=faults or {},
            told=told,
        )

    def _code_form(self, visit: Visit, program: Program, proved: str, wrong: str | None = None) -> web.Response:
        return shown(
            visit,
            "access/code.html",
            say("Enter your code"),
            program=program,
            problem=wrong is not None,
            action=f"/sign-in/{program.id}",
            hidden={"proved": proved},
            faults={"code": wrong} if wrong else {},
        )

    def _program(self, request: web.Request) -> Program:
        return program_of(request, self._programs)


async def _ways(visit: Visit, program: Program) -> Ways:
    return await visit.backend.read(visit.browser, "identity", f"/programs/{program.id}/sign-in", Ways)
