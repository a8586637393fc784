"""The handlers of a candidate's view. Whoever opens it says why, once a session; that stands in the audit log."""

import asyncio
from typing import Any, Final, Literal
from urllib.parse import quote

from aiohttp import web

from services.portal.backend.client import Nothing, Refused
from services.portal.backend.shapes import Words
from services.portal.languages import mark, say
from services.portal.staff.acts import Asked, confirm
from services.portal.staff.candidates import words
from services.portal.staff.candidates.shapes import Overview
from services.portal.staff.candidates.tabs import LOADERS, Subject
from services.portal.staff.shell import on_desk, side_of
from services.portal.web.answers import passed_on, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Unfit, change_key, in_words, read, typed
from services.portal.web.sessions import StaffSessions
from services.portal.web.visit import VISIT, Visit

_WHY: Final = {"reason": mark("Choose why you look at this candidate")}

_NOT_AGAIN: Final = {
    "mail-not-repeated": mark(
        "Mails of this kind are not sent twice: their link works once. The candidate asks for a new one"
    ),
    "conflict": mark("It is still on its way, or nothing is sent to this address. Look at mail troubles"),
}
"""Why a mail is not sent again, by what notify says."""


class Why(Answers):
    reason: Literal["asked", "colleague", "check", "misuse"]


class CandidateView:
    """Handlers of `/staff/candidates/{candidate_id}`."""

    def __init__(self, sessions: StaffSessions, cookies: Cookies) -> None:
        self._sessions = sessions
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        candidate = "/staff/candidates/{candidate_id}"
        return [
            web.get(candidate, self.show),
            web.post(f"{candidate}/reason", self.give_reason),
            web.get(f"{candidate}/history.json", self.raw),
            web.get(f"{candidate}/mails/{{message_id}}", self.mail),
            web.post(f"{candidate}/mails/{{message_id}}/repetition", self.resend),
            web.get(f"{candidate}/{{tab}}", self.show),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """A tab; on the first opening without an item, the question why."""
        visit, candidate_id = request[VISIT], request.match_info["candidate_id"]
        tab = request.match_info.get("tab", "overview")
        if tab not in LOADERS:
            raise web.HTTPNotFound
        if not await self._reasoned(visit, candidate_id, request.query.get("item")):
            return await self._ask(visit, candidate_id, {})
        side, overview = await asyncio.gather(
            side_of(visit), visit.mine("identity", f"{_path(candidate_id)}/view", Overview)
        )
        subject = Subject(visit, overview)
        sections = await LOADERS[tab](subject)
        values: dict[str, Any] = {
            "one": overview,
            "state": words.state_of(overview),
            "tables": sections,
            "about": words.account_of(overview) if tab == "overview" else None,
            "tabs": words.TABS,
            "tab": tab,
            "base": subject.base,
            "may_decide": visit.at_desk.may("certs:decide"),
            "native": f"{overview.native_name.family_name} {overview.native_name.given_name}"
            if overview.native_name
            else None,
        }
        return on_desk(visit, "staff/candidates/view.html", overview.name, side, **values)

    async def give_reason(self, request: web.Request) -> web.Response:
        visit, candidate_id = request[VISIT], request.match_info["candidate_id"]
        try:
            why = read(Why, await typed(request), in_words(_WHY))
        except Unfit as unfit:
            return await self._ask(visit, candidate_id, unfit.faults)
        await self._log(visit, candidate_id, why.reason, await change_key(request))
        return redirect(f"/staff/candidates/{quote(candidate_id, safe='')}")

    async def raw(self, request: web.Request) -> web.Response:
        """What certs says of the candidate's history, as data."""
        visit, candidate_id = request[VISIT], request.match_info["candidate_id"]
        if not await self._reasoned(visit, candidate_id, None):
            return await self._ask(visit, candidate_id, {})
        return passed_on(await visit.fetch_mine("certs", f"{_path(candidate_id)}/history"))

    async def mail(self, request: web.Request) -> web.Response:
        """A mail with its words."""
        visit, candidate_id = request[VISIT], request.match_info["candidate_id"]
        if not await self._reasoned(visit, candidate_id, None):
            return await self._ask(visit, candidate_id, {})
        path = f"/messages/{quote(request.match_info['message_id'], safe='')}"
        side, mail = await asyncio.gather(side_of(visit), visit.backend.read(visit.browser, "notify", path, Words))
        values = {"mail": mail, "back": _mails(candidate_id), "may_resend": visit.at_desk.may("messages:manage")}
        return on_desk(visit, "staff/candidates/mail.html", mail.subject, side, **values)

    async def resend(self, request: web.Request) -> web.Response:
        """Show what follows, then send a mail once more."""
        visit, candidate_id = request[VISIT], request.match_info["candidate_id"]
        if not await self._reasoned(visit, candidate_id, None):
            return await self._ask(visit, candidate_id, {})
        path, given = f"/messages/{quote(request.match_info['message_id'], safe='')}", await typed(request)
        faults: Faults = {}
        if "sure" in given:
            try:
                again, key = f"{path}/repetitions", await change_key(request)
                await visit.backend.send(visit.browser, "POST", "notify", again, Nothing, key=key)
                return self._told(_mails(candidate_id), say("the mail is on its way again"))
            except Refused as refusal:
                if refusal.code not in _NOT_AGAIN:
                    raise
                faults = {"sure": say(_NOT_AGAIN[refusal.code])}
        side, mail = await asyncio.gather(side_of(visit), visit.backend.read(visit.browser, "notify", path, Words))
        back = f"{_mails(candidate_id)}/{quote(mail.message_id, safe='')}"
        asked = Asked(
            action=f"{back}/repetition",
            button=say("Send the mail again"),
            follows=[say("It says the same as before, and goes to the address that the candidate has now.")],
            back=back,
        )
        return confirm(visit, say("Send “{subject}” again?", subject=mail.subject), side, asked, faults=faults)

    def _told(self, to: str, sentence: str) -> web.Response:
        answer = redirect(to)
        self._cookies.tell(answer, say("Done: {sentence}", sentence=sentence))
        return answer

    async def _reasoned(self, visit: Visit, candidate_id: str, item: str | None) -> bool:
        """Whether there is a reason: given since they signed in, or the item that led here, which is noted as one."""
        if candidate_id in visit.at_desk.viewed:
            return True
        if item is None:
            return False
        await self._log(visit, candidate_id, "item", None)
        return True

    async def _log(self, visit: Visit, candidate_id: str, reason: str, key: str | None) -> None:
        path = f"{_path(candidate_id)}/views/{reason}"
        await visit.change("POST", "identity", path, Nothing, key=key or "")
        await self._sessions.note_view(visit.at_desk.key, candidate_id)

    async def _ask(self, visit: Visit, candidate_id: str, faults: Faults) -> web.Response:
        side, heading = await side_of(visit), say("Why do you look at {candidate}?", candidate=candidate_id)
        values: dict[str, Any] = {
            "candidate_id": candidate_id,
            "faults": faults,
            "reasons": [(name, say(sentence), None) for name, sentence in words.REASONS.items()],
        }
        return on_desk(visit, "staff/candidates/why.html", heading, side, problem=bool(faults), **values)


def _mails(candidate_id: str) -> str:
    return f"/staff/candidates/{quote(candidate_id, safe='')}/mails"


def _path(candidate_id: str) -> str:
    return f"/candidates/{quote(candidate_id, safe='')}"
