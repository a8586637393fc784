"""The handlers of security: where the account is signed in, its password and its address."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from services.portal.access.entering import Entrance
from services.portal.access.words import unfit_password
from services.portal.backend.client import Browser, Nothing, Refused
from services.portal.languages import say
from services.portal.security.proof import Proof, proof_of, proved, still_to_prove
from services.portal.security.shapes import Factor, Mailbox, Places
from services.portal.security.words import device
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Faults, Typed, Unfit, typed
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, Visit, part

LEAST_LETTERS: Final = 12
"""Of a password; identity decides."""


class SecurityPages:
    """The handlers of `/security` but for the second factor."""

    def __init__(self, entrance: Entrance, cookies: Cookies) -> None:
        self._entrance = entrance
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/security", self.show),
            web.post("/security/sessions/{session_id}/end", self.end_one),
            web.post("/security/others/end", self.end_others),
            web.get("/security/everywhere", self.ask_everywhere),
            web.post("/security/everywhere", self.end_all),
            web.get("/security/password", self.ask_password),
            web.post("/security/password", self.change_password),
            web.get("/security/email", self.ask_email),
            web.post("/security/email", self.change_email),
        ]

    async def show(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        ways = visit.theirs.sign_in
        _, places, factor, mailbox = await asyncio.gather(
            visit.introduce(),
            part(visit.backend.read(visit.browser, "identity", "/sessions", Places)),
            part(visit.backend.read(visit.browser, "identity", "/second-factor", Factor)),
            part(visit.mine("identity", "/profile", Mailbox)),
        )
        values: dict[str, Any] = {
            "places": [(one, device(one.user_agent)) for one in places.items] if places else None,
            "others": sum(not one.current for one in places.items) if places else 0,
            "factor": factor,
            "email": mailbox.email if mailbox else None,
            "passwords": ways.local_passwords,
            "provider": ways.openid.name if ways.openid else None,
        }
        return shown(visit, "security/security.html", say("Security"), **values)

    async def end_one(self, request: web.Request) -> web.Response:
        """End a session; one that has ended already is ended."""
        visit = request[VISIT]
        session_id = quote(request.match_info["session_id"], safe="")
        visit.signed_in  # noqa: B018 raises where nobody is signed in
        await _end(visit, session_id)
        return self._back(say("Signed out there."))

    async def end_others(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        visit.signed_in  # noqa: B018 raises where nobody is signed in
        places = await visit.backend.read(visit.browser, "identity", "/sessions", Places)
        for one in places.items:
            if not one.current:
                await _end(visit, quote(one.session_id, safe=""))
        return self._back(say("Signed out everywhere else."))

    async def ask_everywhere(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        visit.signed_in  # noqa: B018 raises where nobody is signed in
        await visit.introduce()
        return shown(visit, "security/everywhere.html", say("Sign out everywhere"))

    async def end_all(self, request: web.Request) -> web.Response:
        """Here too: the page after it asks to sign in."""
        visit = request[VISIT]
        program = visit.theirs
        await visit.backend.send(visit.browser, "DELETE", "identity", "/sessions", Nothing)
        await self._entrance.forget(visit)
        lead = say("On all devices, this one included.")
        answer = shown(visit, "access/left.html", say("You're signed out everywhere"), program=program, lead=lead)
        self._entrance.leave(answer)
        return answer

    async def ask_password(self, request: web.Request) -> web.Response:
        return await self._password_form(request[VISIT], {})

    async def change_password(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)

        async def change(browser: Browser) -> None:
            body = {"password": given["new_password"]}
            await visit.backend.send(browser, "PUT", "identity", "/password", Nothing, body=body)

        faults = {}
        if len(str(given.get("new_password", ""))) < LEAST_LETTERS:
            wrong = unfit_password(["password_weak"])
            faults = {"new_password": wrong or ""}
        problems = faults or await _made(visit, given, change, _password_fault)
        if problems:
            return await self._password_form(visit, problems)
        return self._back(say("Your password is changed. Everywhere else you are signed out."))

    async def ask_email(self, request: web.Request) -> web.Response:
        return await self._email_form(request[VISIT], {}, {})

    async def change_email(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)

        async def change(browser: Browser) -> None:
            body = {"email": given["email"]}
            await visit.backend.send(browser, "POST", "identity", "/email-changes", Nothing, body=body)

        faults = {} if given.get("email") else {"email": say("Enter the new address")}
        problems = faults or await _made(visit, given, change, _email_fault)
        if problems:
            return await self._email_form(visit, problems, given)
        sentence = say("We sent a link to {email}. Until you follow it, nothing changes.", email=given["email"])
        return self._back(sentence)

    def _back(self, sentence: str) -> web.Response:
        answer = redirect("/security")
        self._cookies.tell(answer, sentence)
        return answer

    async def _password_form(self, visit: Visit, faults: Faults) -> web.Response:
        _, proof = await asyncio.gather(visit.introduce(), proof_of(visit))
        if not visit.theirs.sign_in.local_passwords:
            raise web.HTTPNotFound
        values: dict[str, Any] = {"proof": proof, "faults": faults, "here": "/security/password"}
        return shown(visit, "security/password.html", say("Change your password"), problem=bool(faults), **values)

    async def _email_form(self, visit: Visit, faults: Faults, given: Typed) -> web.Response:
        _, proof, mailbox = await asyncio.gather(
            visit.introduce(), proof_of(visit), part(visit.mine("identity", "/profile", Mailbox))
        )
        values: dict[str, Any] = {
            "proof": proof,
            "faults": faults,
            "here": "/security/email",
            "typed": given,
            "email": mailbox.email if mailbox else None,
        }
        return shown(visit, "security/email.html", say("Change your address"), problem=bool(faults), **values)


async def _made(
    visit: Visit,
    given: Typed,
    change: Callable[[Browser], Awaitable[None]],
    fault_of: Callable[[Refused], Faults | None],
) -> Faults:
    """Make a change with the proof that came with it. Returns what is wrong, nothing where it is made."""
    proof: Proof = await proof_of(visit)
    try:
        await change(await proved(visit, proof, given))
    except Unfit as wrong:
        return wrong.faults
    except Refused as refusal:
        unproved = still_to_prove(proof, refusal)
        faults = unproved.faults if unproved else fault_of(refusal)
        if faults is None:
            raise
        return faults
    return {}


def _password_fault(refusal: Refused) -> Faults | None:
    wrong = unfit_password([fault.code for fault in refusal.problem.errors])
    return {"new_password": wrong} if wrong else None


def _email_fault(refusal: Refused) -> Faults | None:
    if refusal.code == "conflict":
        return {"email": say("You have asked for too many links. Try again tomorrow")}
    if any(fault.code == "unchanged" for fault in refusal.problem.errors):
        return {"email": say("We write to this address already. Enter another one")}
    if refusal.code == "invalid-request":
        return {"email": say("Enter an e-mail address, like name@example.com")}
    return None


async def _end(visit: Visit, session_id: str) -> None:
    try:
        await visit.backend.send(visit.browser, "DELETE", "identity", f"/sessions/{session_id}", Nothing)
    except Refused as refusal:
        if refusal.code != "not-found":
            raise
