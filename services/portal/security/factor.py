"""The handlers of the second factor. Secrets and recovery codes are shown once, on the page that answers the form."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from aiohttp import web

from libs.common.clock import Clock
from libs.common.sealing import SecretBox
from services.portal.backend.client import Browser, Nothing, Refused
from services.portal.languages import say
from services.portal.security.proof import Proof, proof_of, proved, still_to_prove
from services.portal.security.shapes import Enrolment, Factor, RecoveryCodes
from services.portal.security.words import in_groups, qr_code
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Faults, Unfit, typed
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, Visit

_BEGUN_LASTS: Final = timedelta(minutes=5)
"""As long as identity takes the proof that it was begun with."""
_PATH: Final = "/second-factor"


class FactorPages:
    """The handlers of `/security/second-factor`.

    Args:
        cookies: tell what was done.
        box: what was begun waits sealed in its page, with the token that confirms it.
        clock: tells when that ends.
    """

    def __init__(self, cookies: Cookies, box: SecretBox, clock: Clock) -> None:
        self._cookies = cookies
        self._box = box
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/security/second-factor", self.ask),
            web.post("/security/second-factor", self.begin),
            web.post("/security/second-factor/confirm", self.confirm),
            web.get("/security/second-factor/remove", self.ask_to_remove),
            web.post("/security/second-factor/remove", self.remove),
            web.get("/security/second-factor/codes", self.ask_for_codes),
            web.post("/security/second-factor/codes", self.renew_codes),
        ]

    async def ask(self, request: web.Request) -> web.Response:
        return await self._begin_form(request[VISIT], {})

    async def begin(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        proof = await proof_of(visit)
        try:
            browser = await proved(visit, proof, await typed(request))
            begun = await visit.backend.send(browser, "POST", "identity", _PATH, Enrolment)
        except (Unfit, Refused) as wrong:
            return await self._begin_form(visit, _faults(proof, wrong))
        return await self._confirm_form(visit, begun, self._sealed(begun, browser), {})

    async def confirm(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        opened = self._opened(str(given.get("started", "")))
        if opened is None:
            again = redirect("/security/second-factor")
            self._cookies.tell(again, say("That was begun more than five minutes ago. Begin again."))
            return again
        begun, token = opened
        code = str(given.get("code", "")).replace(" ", "")
        browser = Browser(visit.browser.address, visit.browser.agent, token)
        try:
            found = await visit.backend.send(
                browser, "POST", "identity", f"{_PATH}/confirmation", RecoveryCodes, body={"code": code}
            )
        except Refused as refusal:
            if refusal.code == "conflict":
                return redirect("/security")
            if refusal.code != "invalid-request":
                raise
            faults = {"code": say("That isn't the code that the app shows now. Enter the newest one")}
            return await self._confirm_form(visit, begun, str(given["started"]), faults)
        return await _codes(visit, found, say("Your second factor is on"))

    async def ask_to_remove(self, request: web.Request) -> web.Response:
        return await self._remove_form(request[VISIT], {})

    async def remove(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        proof = await proof_of(visit)
        try:
            browser = await proved(visit, proof, await typed(request))
            await visit.backend.send(browser, "DELETE", "identity", _PATH, Nothing)
        except (Unfit, Refused) as wrong:
            return await self._remove_form(visit, _faults(proof, wrong))
        answer = redirect("/security")
        self._cookies.tell(answer, say("Your second factor is off. Signing in takes your password alone."))
        return answer

    async def ask_for_codes(self, request: web.Request) -> web.Response:
        return await self._codes_form(request[VISIT], {})

    async def renew_codes(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        proof = await proof_of(visit)
        try:
            browser = await proved(visit, proof, await typed(request))
            found = await visit.backend.send(browser, "POST", "identity", f"{_PATH}/recovery-codes", RecoveryCodes)
        except (Unfit, Refused) as wrong:
            return await self._codes_form(visit, _faults(proof, wrong))
        return await _codes(visit, found, say("Your new recovery codes"))

    def _sealed(self, begun: Enrolment, browser: Browser) -> str:
        until = (self._clock.now() + _BEGUN_LASTS).isoformat()
        return self._box.seal(orjson.dumps({"begun": begun.model_dump(), "token": browser.token, "until": until}))

    def _opened(self, started: str) -> tuple[Enrolment, str] | None:
        """What was begun, and the token for it; None where it is too old, or not of our making."""
        try:
            found = orjson.loads(self._box.open(started))
        except ValueError:
            return None
        if datetime.fromisoformat(found["until"]) < self._clock.now():
            return None
        return Enrolment.model_validate(found["begun"]), str(found["token"])

    async def _begin_form(self, visit: Visit, faults: Faults) -> web.Response:
        return await _form(visit, "begin", say("Set up a second factor"), faults, "/security/second-factor")

    async def _confirm_form(self, visit: Visit, begun: Enrolment, started: str, faults: Faults) -> web.Response:
        await visit.introduce()
        values: dict[str, Any] = {
            "picture": qr_code(begun.otpauth_uri),
            "secret": in_groups(begun.secret),
            "started": started,
            "faults": faults,
        }
        heading = say("Add this account to your app")
        return shown(visit, "security/confirm.html", heading, problem=bool(faults), **values)

    async def _remove_form(self, visit: Visit, faults: Faults) -> web.Response:
        heading = say("Remove your second factor")
        return await _form(visit, "remove", heading, faults, "/security/second-factor/remove")

    async def _codes_form(self, visit: Visit, faults: Faults) -> web.Response:
        return await _form(visit, "renew", say("Get new recovery codes"), faults, "/security/second-factor/codes")


async def _form(visit: Visit, what: str, heading: str, faults: Faults, here: str) -> web.Response:
    _, proof, factor = await asyncio.gather(
        visit.introduce(),
        proof_of(visit),
        visit.backend.read(visit.browser, "identity", _PATH, Factor),
    )
    values: dict[str, Any] = {"proof": proof, "factor": factor, "faults": faults, "here": here}
    return shown(visit, f"security/{what}.html", heading, problem=bool(faults), **values)


async def _codes(visit: Visit, found: RecoveryCodes, heading: str) -> web.Response:
    await visit.introduce()
    codes = [in_groups(code) for code in found.recovery_codes]
    return shown(visit, "security/codes.html", heading, codes=codes)


def _faults(proof: Proof, wrong: Unfit | Refused) -> Faults:
    """What to say at the form. Raises again what is no matter of the form."""
    if isinstance(wrong, Unfit):
        return wrong.faults
    unproved = still_to_prove(proof, wrong)
    if unproved is None:
        raise wrong
    return unproved.faults
