"""Opening an account of staff by a link, with an authenticator app, and asking for a new link."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

import orjson
import segno
from aiohttp import web
from markupsafe import Markup
from pydantic import BaseModel

from libs.common.programs import Program
from libs.common.sealing import SecretBox
from services.portal.backend.client import Nothing, Refused
from services.portal.languages import mark, say
from services.portal.web.forms import Answers, Faults, Password, Unfit, in_words, read, typed, unfit
from services.portal.web.look import shown
from services.portal.web.visit import VISIT

_SENTENCES: Final = {
    "password": mark("Choose one with at least 12 characters that doesn't contain your address or name"),
    "password.password_leaked": mark("This password is in lists of leaked ones. Choose another"),
    "code": mark("Enter the code that your app shows now"),
    "code.code_wrong": mark("That code doesn't fit, or it was used before. Enter the one that the app shows now"),
}
_FIELDS: Final = {"body.password": "password", "body.code": "code"}


class App(BaseModel):
    """An authenticator app to be set up; shown this once."""

    secret: str
    otpauth_uri: str


class Opening(Answers):
    password: Password
    code: str


class Opened(BaseModel):
    recovery_codes: list[str]


class StaffAccount:
    """Handlers of `/staff/activate` and `/staff/recover`.

    Args:
        box: seals the app's secret in the page until it is confirmed.
    """

    def __init__(self, box: SecretBox, programs: Mapping[str, Program]) -> None:
        self._box = box
        self._programs = programs

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/staff/activate", self.begin),
            web.post("/staff/activate/app", self.show_app),
            web.post("/staff/activate", self.open_account),
            web.get("/staff/recover/{program}", self.ask_link),
            web.post("/staff/recover/{program}", self.send_link),
        ]

    async def begin(self, request: web.Request) -> web.Response:
        """What is needed. A mail program that opens links begins nothing by that."""
        link = request.query.get("token", "")
        return shown(request[VISIT], "staff/entrance/begin.html", say("Open your account"), link=link)

    async def show_app(self, request: web.Request) -> web.Response:
        visit, link = request[VISIT], str((await request.post()).get("link", ""))
        body = {"token": link}
        try:
            app = await visit.backend.send(visit.browser, "POST", "identity", "/staff/enrolments", App, body=body)
        except Refused as refusal:
            if refusal.code == "conflict":
                return self._form(request, link, None, {})
            return self._ended(request, refusal)
        return self._form(request, link, app, {})

    async def open_account(self, request: web.Request) -> web.Response:
        visit, form, given = request[VISIT], await request.post(), await typed(request)
        link, app = str(form.get("link", "")), self._sealed_app(str(form.get("app", "")))
        sentences = in_words(_SENTENCES)
        try:
            opening = read(Opening, given, sentences)
            body = {"token": link, "password": opening.password, "code": opening.code}
            opened = await visit.backend.send(
                visit.browser, "POST", "identity", "/staff/activations", Opened, body=body
            )
        except Unfit as error:
            return self._form(request, link, app, error.faults)
        except Refused as refusal:
            found = unfit(refusal.problem, _FIELDS, sentences)
            return self._form(request, link, app, found.faults) if found else self._ended(request, refusal)
        codes = opened.recovery_codes
        return shown(visit, "staff/entrance/opened.html", say("Your account is open"), codes=codes)

    async def ask_link(self, request: web.Request) -> web.Response:
        return self._link_form(request, {})

    async def send_link(self, request: web.Request) -> web.Response:
        """The answer is the same whether there is such an account or not."""
        visit, email = request[VISIT], str((await request.post()).get("email", "")).strip()
        body = {"program": self._program(request).id, "email": email}
        try:
            await visit.backend.send(visit.browser, "POST", "identity", "/staff/access-requests", Nothing, body=body)
        except Refused as refusal:
            if refusal.code != "invalid-request":
                raise
            return self._link_form(request, {"email": say("Enter the e-mail address of your account")})
        program = self._program(request)
        heading = say("Look into your mailbox")
        return shown(visit, "staff/entrance/sent.html", heading, program=program, email=email)

    def _form(self, request: web.Request, link: str, app: App | None, faults: Faults) -> web.Response:
        values: dict[str, Any] = {
            "link": link,
            "app": app,
            "sealed": self._box.seal(orjson.dumps(app.model_dump())) if app else "",
            "picture": _picture(app.otpauth_uri) if app else None,
            "faults": faults,
        }
        heading = say("Set up the app and a password") if app else say("Choose a new password")
        return shown(request[VISIT], "staff/entrance/open.html", heading, problem=bool(faults), **values)

    def _sealed_app(self, sealed: str) -> App | None:
        try:
            return App.model_validate_json(self._box.open(sealed)) if sealed else None
        except ValueError:
            raise web.HTTPBadRequest from None

    def _ended(self, request: web.Request, refusal: Refused) -> web.Response:
        if refusal.code not in ("link-invalid", "invalid-request"):
            raise refusal
        return shown(request[VISIT], "staff/entrance/ended.html", say("This link has ended"), status=410)

    def _link_form(self, request: web.Request, faults: Faults) -> web.Response:
        program = self._program(request)
        heading = say("Get in again")
        values: dict[str, Any] = {"program": program, "faults": faults}
        return shown(request[VISIT], "staff/entrance/recover.html", heading, problem=bool(faults), **values)

    def _program(self, request: web.Request) -> Program:
        program = self._programs.get(request.match_info["program"])
        if program is None:
            raise web.HTTPNotFound
        return program


def _picture(uri: str) -> Markup:
    """The app's address as a QR code that a camera reads on any theme: inline SVG, black on white."""
    out = BytesIO()
    segno.make(uri, error="m").save(
        out, kind="svg", xmldecl=False, svgns=False, omitsize=True, light="#fff", border=4, svgclass="qr"
    )
    return Markup(out.getvalue().decode())  # noqa: S704 drawn here, of squares only
