"""The one flow for whoever cannot get in (first time, password or ID forgotten), and where its link leads."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from libs.common.programs import Program
from services.portal.backend.client import Nothing, Refused
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.look import shown
from services.portal.web.visit import VISIT

LEAST_LETTERS: Final = 12
"""Of a password; identity decides."""

_SENTENCES: Final = {
    "password_weak": "Choose one with at least 12 characters that doesn't contain your ID, address or name",
    "password_leaked": "This password is in lists of leaked ones. Choose another",
}


class Recover:
    """Handlers of `/recover` and `/activate`."""

    def __init__(self, cookies: Cookies, programs: Mapping[str, Program]) -> None:
        self._cookies = cookies
        self._programs = programs

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/recover", self.choose),
            web.get("/recover/{program}", self.ask),
            web.post("/recover/{program}", self.send),
            web.get("/activate", self.ask_password),
            web.post("/activate", self.set_password),
        ]

    async def choose(self, request: web.Request) -> web.Response:
        """Where no program is known, signing in asks for it first."""
        program = self._cookies.program(request)
        return redirect(f"/recover/{program}" if program in self._programs else "/sign-in")

    async def ask(self, request: web.Request) -> web.Response:
        return self._form(request, {})

    async def send(self, request: web.Request) -> web.Response:
        """The answer is the same whether there is such an account or not."""
        visit, program = request[VISIT], self._program(request)
        login = str((await request.post()).get("login", "")).strip()
        if not login:
            return self._form(request, {"login": "Enter your e-mail address or candidate ID"})
        body = {"program": program.id, "login": login}
        try:
            await visit.backend.send(visit.browser, "POST", "identity", "/access-requests", Nothing, body=body)
        except Refused as refusal:
            if refusal.code != "invalid-request":
                raise
            return self._form(request, {"login": "Enter an e-mail address or a candidate ID as it stands in our mails"})
        return shown(visit, "access/sent.html", "Look into your mailbox", program=program, login=login)

    async def ask_password(self, request: web.Request) -> web.Response:
        return self._password_form(request, str(request.query.get("token", "")), {})

    async def set_password(self, request: web.Request) -> web.Response:
        visit, form = request[VISIT], await request.post()
        link, password = str(form.get("link", "")), str(form.get("password", ""))
        if len(password) < LEAST_LETTERS:
            return self._password_form(request, link, {"password": _SENTENCES["password_weak"]})
        body = {"token": link, "password": password}
        try:
            await visit.backend.send(visit.browser, "POST", "identity", "/activations", Nothing, body=body)
        except Refused as refusal:
            if refusal.code == "link-invalid":
                return shown(visit, "access/link_ended.html", "This link has ended", status=410)
            codes = [fault.code for fault in refusal.problem.errors]
            wrong = next((_SENTENCES[code] for code in codes if code in _SENTENCES), None)
            if wrong is None:
                raise
            return self._password_form(request, link, {"password": wrong})
        return shown(visit, "access/ready.html", "Your password is set")

    def _password_form(self, request: web.Request, link: str, faults: Mapping[str, Any]) -> web.Response:
        heading = "Choose a password"
        return shown(request[VISIT], "access/password.html", heading, problem=bool(faults), link=link, faults=faults)

    def _form(self, request: web.Request, faults: Mapping[str, str]) -> web.Response:
        return shown(
            request[VISIT],
            "access/recover.html",
            "Get in again",
            program=self._program(request),
            problem=bool(faults),
            faults=faults,
        )

    def _program(self, request: web.Request) -> Program:
        program = self._programs.get(request.match_info["program"])
        if program is None:
            raise web.HTTPNotFound
        return program
