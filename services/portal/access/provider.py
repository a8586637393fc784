"""Signing in with the program's own identity provider: there, back, and what a first time has to prove.

The way there is a link and no form, so that the content security policy of no page has to let forms go elsewhere.
What only this browser may know of an attempt lies sealed in a cookie, for as long as identity waits.
"""

from collections.abc import Mapping
from typing import Final

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from libs.common.clock import Clock
from libs.common.programs import Program
from libs.common.sealing import SecretBox
from services.portal.access.entering import Entrance
from services.portal.access.words import program_of, slowed, wrong_code
from services.portal.backend.client import Refused
from services.portal.backend.shapes import Tokens
from services.portal.languages import say
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Faults, as_typed
from services.portal.web.look import shown
from services.portal.web.origin import is_from_us
from services.portal.web.visit import VISIT

_WRONG: Final = ("unauthenticated", "invalid-request")


class Begun(BaseModel):
    """Where to go, and what to bring back."""

    authorization_url: str
    state: str
    binding: str


class Outcome(BaseModel):
    """What a sign-in has come to."""

    state: str
    tokens: Tokens | None = None
    pending: str | None = None


class Attempt(BaseModel):
    """What the browser keeps of a sign-in under way: how it began, or what it still wants."""

    program: str
    state: str = ""
    binding: str = ""
    pending: str = ""


class ProviderSignIn:
    """Handlers of the way through a provider."""

    def __init__(
        self, entrance: Entrance, cookies: Cookies, box: SecretBox, programs: Mapping[str, Program], clock: Clock
    ) -> None:
        self._entrance = entrance
        self._cookies = cookies
        self._box = box
        self._programs = programs
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/sign-in/{program}/provider", self.begin),
            web.post("/sign-in/{program}/proof", self.prove),
        ]

    async def begin(self, request: web.Request) -> web.Response:
        """Send the browser there. `fresh`: the provider asks anew, for what needs a recent proof; `then`: where to.

        Whoever is sent here by another site presses our button first: a provider may know them already and ask nothing,
        and nobody is signed in without an act of theirs.
        """
        visit, program = request[VISIT], program_of(request, self._programs)
        if not is_from_us(request):
            return redirect(f"/sign-in/{program.id}")
        path = f"/programs/{program.id}/openid/authorizations"
        body = {"fresh": "fresh" in request.query}
        try:
            begun = await visit.backend.send(visit.browser, "POST", "identity", path, Begun, body=body)
        except Refused as refusal:
            if refusal.code != "too-many-tries":
                raise
            text = slowed(refusal, self._clock.now())
            heading = say("Wait a moment")
            return shown(visit, "templates/message.html", heading, status=429, program=program, text=text)
        answer = redirect(begun.authorization_url)
        self._keep(answer, Attempt(program=program.id, state=begun.state, binding=begun.binding))
        if "then" in request.query:
            self._cookies.keep_wanted(answer, request.query["then"])
        return answer

    async def came_back(self, request: web.Request, program: Program) -> web.Response | str:
        """Let in whom the provider vouches for. Returns a sentence where nobody can be let in."""
        visit, given, attempt = request[VISIT], request.query, self._kept(request)
        name = _name(program)
        if attempt is None or attempt.program != program.id or attempt.state != given["state"]:
            return say("This sign-in was begun too long ago, or elsewhere. Begin again.")
        if "code" not in given:
            return say("{name} didn't let you in, or you went back. Nothing has changed.", name=name)
        body = {"state": attempt.state, "code": given["code"], "binding": attempt.binding}
        if "iss" in given:
            body["iss"] = given["iss"]
        path = f"/programs/{program.id}/openid/sessions"
        try:
            outcome = await visit.backend.send(visit.browser, "POST", "identity", path, Outcome, body=body)
        except Refused as refusal:
            if refusal.code == "too-many-tries":
                return slowed(refusal, self._clock.now())
            if refusal.problem.status not in _UNSETTLED:
                raise
            return say("{name} and we don't agree on who you are. Begin again; if it stays so, write to us.", name=name)
        if outcome.tokens is not None:
            return await self._entrance.enter(request, program, outcome.tokens)
        attempt = Attempt(program=program.id, pending=outcome.pending or "")
        if outcome.state == "second_factor_needed":
            answer = self._code_form(request, program, {})
        else:
            answer = self._whose_form(request, program, {})
        self._keep(answer, attempt)
        return answer

    async def prove(self, request: web.Request) -> web.Response:
        """By a code alone, by a login with its password, or by the link of a mail, with a code where one is asked."""
        visit, program, attempt = request[VISIT], program_of(request, self._programs), self._kept(request)
        if attempt is None or attempt.program != program.id or not attempt.pending:
            return redirect(f"/sign-in/{program.id}")
        form = await request.post()
        names = ("code", "login", "password", "link")
        given = {name: as_typed(name, str(form.get(name, ""))) for name in names if str(form.get(name, "")).strip()}
        kind = "link" if "link" in form else "password" if "login" in form else "code"
        body = {"kind": kind, "pending": attempt.pending, **given}
        path = f"/programs/{program.id}/openid/proofs"
        try:
            outcome = await visit.backend.send(visit.browser, "POST", "identity", path, Outcome, body=body)
        except Refused as refusal:
            return self._not_proved(request, program, kind, given, refusal)
        if outcome.tokens is None:
            return redirect(f"/sign-in/{program.id}")
        return await self._entrance.enter(request, program, outcome.tokens)

    def waiting(self, request: web.Request) -> Program | None:
        """The program in which somebody is known to the provider, and has yet to prove which account is theirs."""
        attempt = self._kept(request)
        return self._programs.get(attempt.program) if attempt is not None and attempt.pending else None

    def connect_form(
        self,
        request: web.Request,
        program: Program,
        link: str,
        faults: Faults | None = None,
        *,
        wants_code: bool = False,
    ) -> web.Response:
        """What the link of a mail leads to, where it shall prove an account."""
        name = _name(program)
        return shown(
            request[VISIT],
            "access/connect.html",
            say("Connect your account with {name}", name=name),
            program=program,
            problem=bool(faults),
            provider=name,
            link=link,
            wants_code=wants_code,
            faults=faults or {},
        )

    def _not_proved(
        self, request: web.Request, program: Program, kind: str, given: Mapping[str, str], refusal: Refused
    ) -> web.Response:
        if refusal.code == "link-invalid":
            return link_ended(request, program)
        if refusal.code == "sign-in-invalid":
            return redirect(f"/sign-in/{program.id}")
        if refusal.code == "too-many-tries":
            wrong = slowed(refusal, self._clock.now())
        elif refusal.code == "second-factor-needed":
            wrong = say("Enter the code that the app shows")
        elif refusal.code in _WRONG:
            wrong = wrong_code() if kind != "password" else say("That e-mail or ID and password don't fit together.")
        else:
            raise refusal
        if kind == "link":
            return self.connect_form(request, program, given.get("link", ""), {"code": wrong}, wants_code=True)
        if kind == "code":
            return self._code_form(request, program, {"code": wrong})
        field = "code" if refusal.code == "second-factor-needed" else "login"
        return self._whose_form(request, program, {field: wrong}, given.get("login", ""))

    def _code_form(self, request: web.Request, program: Program, faults: Faults) -> web.Response:
        return shown(
            request[VISIT],
            "access/code.html",
            say("Enter your code"),
            program=program,
            problem=bool(faults),
            action=f"/sign-in/{program.id}/proof",
            hidden={},
            faults=faults,
        )

    def _whose_form(self, request: web.Request, program: Program, faults: Faults, login: str = "") -> web.Response:
        return shown(
            request[VISIT],
            "access/whose.html",
            say("Which account is yours?"),
            program=program,
            problem=bool(faults),
            provider=_name(program),
            passwords=program.sign_in.local_passwords,
            login=login,
            faults=faults,
        )

    def _keep(self, answer: web.StreamResponse, attempt: Attempt) -> None:
        self._cookies.keep_attempt(answer, self._box.seal(orjson.dumps(attempt.model_dump())))

    def _kept(self, request: web.Request) -> Attempt | None:
        sealed = self._cookies.attempt(request)
        if sealed is None:
            return None
        try:
            return Attempt.model_validate_json(self._box.open(sealed))
        except (ValueError, ValidationError):
            return None


_UNSETTLED: Final = (401, 409, 410)
"""Who somebody is was not proved, or changed meanwhile."""


def link_ended(request: web.Request, program: Program | None = None) -> web.Response:
    """The page for a link that works no more."""
    return shown(
        request[VISIT],
        "access/link_ended.html",
        say("This link has ended"),
        status=410,
        program=program,
        address="/recover",
        verb=say("Send me a new link"),
    )


def _name(program: Program) -> str:
    """What the program's provider is called."""
    return program.sign_in.openid.name if program.sign_in.openid else program.name
