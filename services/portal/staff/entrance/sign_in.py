"""Signing in as staff, changing to another program, and leaving."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import structlog
from aiohttp import web
from pydantic import BaseModel

from libs.common.programs import Program
from services.portal.backend.client import Down, Nothing, Refused
from services.portal.backend.shapes import Tokens
from services.portal.languages import mark, say
from services.portal.web.answers import forget_pages, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Password, Unfit, in_words, read, typed
from services.portal.web.look import shown
from services.portal.web.sessions import StaffSessions
from services.portal.web.visit import VISIT, Visit, is_of_staff

_SENTENCES: Final = {
    "email": mark("Enter your e-mail address"),
    "password": mark("Enter your password"),
    "code": mark("Enter the code that your app shows now, or one of your recovery codes"),
}

log = structlog.get_logger(__name__)


class Proof(Answers):
    """What staff sign in with."""

    email: str
    password: Password
    code: str


class Roles(BaseModel):
    program: str
    roles: list[str]


class Me(BaseModel):
    """Who somebody of staff is, as identity has it."""

    staff_id: str
    email: str
    name: str
    programs: list[Roles]


class StaffSignIn:
    """Handlers of `/staff/sign-in`, `/staff/programs` and `/staff/sign-out`."""

    def __init__(self, sessions: StaffSessions, cookies: Cookies, programs: Mapping[str, Program]) -> None:
        self._sessions = sessions
        self._cookies = cookies
        self._programs = programs

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/staff/sign-in", self.choose),
            web.get("/staff/sign-in/{program}", self.ask),
            web.post("/staff/sign-in/{program}", self.enter),
            web.post("/staff/sign-out", self.leave),
        ]

    async def choose(self, request: web.Request) -> web.Response:
        """Which program; with one alone there is nothing to choose."""
        if len(self._programs) == 1:
            return redirect(f"/staff/sign-in/{next(iter(self._programs))}")
        programs = sorted(self._programs.values(), key=lambda one: one.name)
        return shown(request[VISIT], "staff/entrance/choose.html", say("Sign in as staff"), programs=programs)

    async def ask(self, request: web.Request) -> web.Response:
        visit, program = request[VISIT], self.program(request)
        if visit.staff is not None and visit.staff.program == program.id:
            return redirect("/staff")
        return self._form(visit, program, visit.staff.email if visit.staff else "", {})

    async def enter(self, request: web.Request) -> web.Response:
        visit, program, given = request[VISIT], self.program(request), await typed(request)
        email = str(given.get("email", ""))
        try:
            proof = read(Proof, given, in_words(_SENTENCES))
            return await self._enter(request, visit, program, proof)
        except Unfit as unfit:
            return self._form(visit, program, email, unfit.faults)
        except Refused as refusal:
            return self._form(visit, program, email, {"email": _refused(refusal)})

    async def _enter(self, request: web.Request, visit: Visit, program: Program, proof: Proof) -> web.Response:
        body = {"grant_type": "password", "program": program.id, **proof.model_dump()}
        tokens = await visit.backend.send(visit.browser, "POST", "identity", "/staff/tokens", Tokens, body=body)
        visit.browser = replace(visit.browser, token=tokens.access_token)
        me = await visit.backend.read(visit.browser, "identity", "/staff/me", Me)
        if visit.staff is not None:
            await self._sessions.close(visit.staff.key)
        cookie = await self._sessions.open(
            program.id,
            tokens,
            staff_id=me.staff_id,
            name=me.name,
            email=me.email,
            roles=next((each.roles for each in me.programs if each.program == program.id), ()),
            programs=(each.program for each in me.programs),
        )
        wanted = self._cookies.wanted(request)
        answer = redirect(wanted if is_of_staff(wanted) else "/staff")
        self._cookies.keep_staff_session(answer, cookie)
        self._cookies.keep_program(answer, program.id)
        self._cookies.drop_wanted(answer)
        return answer

    async def leave(self, request: web.Request) -> web.Response:
        """Sign out, and in all other places too: identity ends sessions of staff together."""
        visit = request[VISIT]
        program = visit.program or self._programs.get(self._cookies.program(request) or "")
        if visit.staff is not None:
            await self._sessions.close(visit.staff.key)
            try:
                await visit.backend.send(visit.browser, "DELETE", "identity", "/staff/sessions", Nothing)
            except (Down, Refused) as error:
                # Its refresh token went with our row, so nobody goes on with it: it ends by itself within the hour.
                log.warning("staff_session_not_ended", cause=type(error).__name__)
        visit.staff = None
        heading = say("You're signed out")
        answer = shown(visit, "staff/entrance/left.html", heading, program=program)
        forget_pages(answer)
        self._cookies.drop_staff_session(answer)
        self._cookies.drop_wanted(answer)
        return answer

    def program(self, request: web.Request) -> Program:
        """The program that the address names. Raises `HTTPNotFound`."""
        program = self._programs.get(request.match_info["program"])
        if program is None:
            raise web.HTTPNotFound
        return program

    def _form(self, visit: Visit, program: Program, email: str, faults: Faults) -> web.Response:
        # Where a session of another program is open, this is still the page of the one that is asked for.
        visit.staff, visit.program = None, program
        heading = say("Sign in as staff")
        values: dict[str, Any] = {"email": email, "faults": faults}
        return shown(visit, "staff/entrance/sign_in.html", heading, problem=bool(faults), **values)


def _refused(refusal: Refused) -> str:
    """What to do about it."""
    if refusal.code == "too-many-tries":
        return say("Too many tries. Wait ten minutes, or ask for a new link now")
    if refusal.code in ("unauthenticated", "invalid-request", "second-factor-needed"):
        return say("E-mail, password, code and program don't fit together. A code works once: wait for the next one")
    raise refusal
