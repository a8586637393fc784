"""The one flow for whoever cannot get in (first time, password or ID forgotten), and where its link leads."""

from collections.abc import Mapping

from aiohttp import web

from libs.common.clock import Clock
from libs.common.programs import Program
from services.portal.access.provider import ProviderSignIn, link_ended
from services.portal.access.words import program_of, slowed, unfit_password
from services.portal.backend.client import Nothing, Refused
from services.portal.languages import say
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Faults
from services.portal.web.look import shown
from services.portal.web.visit import VISIT


class Recover:
    """Handlers of `/recover`, `/activate` and `/confirm-email`."""

    def __init__(
        self, cookies: Cookies, provider: ProviderSignIn, programs: Mapping[str, Program], clock: Clock
    ) -> None:
        self._cookies = cookies
        self._provider = provider
        self._programs = programs
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/recover", self.choose),
            web.get("/recover/{program}", self.ask),
            web.post("/recover/{program}", self.send),
            web.get("/activate", self.ask_password),
            web.post("/activate", self.set_password),
            web.get("/confirm-email", self.ask_address),
            web.post("/confirm-email", self.confirm_address),
        ]

    async def choose(self, request: web.Request) -> web.Response:
        """Where no program is known, signing in asks for it first."""
        program = self._cookies.program(request)
        return redirect(f"/recover/{program}" if program in self._programs else "/sign-in")

    async def ask(self, request: web.Request) -> web.Response:
        return self._form(request, program_of(request, self._programs), {})

    async def send(self, request: web.Request) -> web.Response:
        """The answer is the same whether there is such an account or not."""
        visit, program = request[VISIT], program_of(request, self._programs)
        login = str((await request.post()).get("login", "")).strip()
        if not login:
            return self._form(request, program, {"login": say("Enter your e-mail address or candidate ID")})
        body = {"program": program.id, "login": login}
        try:
            await visit.backend.send(visit.browser, "POST", "identity", "/access-requests", Nothing, body=body)
        except Refused as refusal:
            if refusal.code == "too-many-tries":
                return self._form(request, program, {"login": slowed(refusal, self._clock.now())})
            if refusal.code != "invalid-request":
                raise
            wrong = say("Enter an e-mail address or a candidate ID as it stands in our mails")
            return self._form(request, program, {"login": wrong})
        return shown(visit, "access/sent.html", say("Look into your mailbox"), program=program, login=login)

    async def ask_password(self, request: web.Request) -> web.Response:
        """Where a link leads: to a password, or to the account that somebody has yet to prove."""
        link, waiting = request.query.get("token", ""), self._provider.waiting(request)
        if waiting is not None:
            return self._provider.connect_form(request, waiting, link)
        return self._password_form(request, link, {})

    async def set_password(self, request: web.Request) -> web.Response:
        visit, form = request[VISIT], await request.post()
        link, password = str(form.get("link", "")), str(form.get("password", ""))
        body = {"token": link, "password": password}
        try:
            await visit.backend.send(visit.browser, "POST", "identity", "/activations", Nothing, body=body)
        except Refused as refusal:
            if refusal.code == "link-invalid":
                return link_ended(request)
            if refusal.code == "local-passwords-off":
                lead = say("This program takes no passwords. Sign in with its provider, then open the link again.")
                return shown(visit, "access/ready.html", say("No password is needed"), lead=lead)
            wrong = unfit_password([fault.code for fault in refusal.problem.errors])
            if wrong is None:
                raise
            return self._password_form(request, link, {"password": wrong})
        lead = say("You can sign in with it now. On other devices you were signed in on, you have to sign in again.")
        return shown(visit, "access/ready.html", say("Your password is set"), lead=lead)

    async def ask_address(self, request: web.Request) -> web.Response:
        """A page first: programs that look at mails follow links, and must confirm nothing."""
        link = request.query.get("token", "")
        return shown(request[VISIT], "access/confirm_email.html", say("Use this address from now on"), link=link)

    async def confirm_address(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        body = {"token": str((await request.post()).get("link", ""))}
        try:
            await visit.backend.send(visit.browser, "POST", "identity", "/email-confirmations", Nothing, body=body)
        except Refused as refusal:
            if refusal.code not in ("link-invalid", "invalid-request"):
                raise
            heading = say("This link has ended")
            address, verb = "/security/email", say("Ask for a new one")
            return shown(visit, "access/link_ended.html", heading, status=410, address=address, verb=verb)
        lead = say("We write to this address from now on, and you can sign in with it. The former one opens nothing.")
        return shown(visit, "access/ready.html", say("Your address is changed"), lead=lead)

    def _password_form(self, request: web.Request, link: str, faults: Faults) -> web.Response:
        heading = say("Choose a password")
        return shown(request[VISIT], "access/password.html", heading, problem=bool(faults), link=link, faults=faults)

    def _form(self, request: web.Request, program: Program, faults: Faults) -> web.Response:
        heading = say("Get in again")
        return shown(
            request[VISIT], "access/recover.html", heading, program=program, problem=bool(faults), faults=faults
        )
