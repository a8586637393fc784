"""Decisions about one candidate's certifications, with what follows before it is done."""

import asyncio
from datetime import date
from typing import Any, Final, Literal
from urllib.parse import quote

from aiohttp import web

from services.portal.backend.client import Refused
from services.portal.languages import mark, say
from services.portal.languages.days import spoken
from services.portal.staff.acts import Reason
from services.portal.staff.candidates.shapes import Decisions
from services.portal.staff.consequences import Change, Following, sentences_of, state_of
from services.portal.staff.decisions.shapes import Decided, Held, Holding
from services.portal.staff.people import Names, names_at
from services.portal.staff.queues import DECISIONS
from services.portal.staff.shell import on_desk, side_of
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Typed, Unfit, change_key, in_words, read, typed, unfit
from services.portal.web.visit import VISIT, part

KINDS: Final = {
    "grant": (mark("Grant"), mark("Awards it without its requirements.")),
    "revoke": (mark("Revoke"), mark("Ends it, and what was in hand for it.")),
    "suspend": (mark("Suspend"), mark("Sets it aside while its dates run on.")),
    "reinstate": (mark("Reinstate"), mark("Ends a suspension, or undoes a revocation.")),
    "extend": (mark("Extend"), mark("Moves its last active day.")),
    "emeritus": (mark("Year of emeritus"), mark("Grants a year of emeritus, to be paid.")),
}
_HEADINGS: Final = {
    "grant": mark("Grant {certification}?"),
    "revoke": mark("Revoke {certification}?"),
    "suspend": mark("Suspend {certification}?"),
    "reinstate": mark("Reinstate {certification}?"),
    "extend": mark("Extend {certification}?"),
    "emeritus": mark("Grant a year of emeritus for {certification}?"),
}
_FIELDS: Final = {f"body.{name}": name for name in ("kind", "certification", "reason", "on", "until", "paid_on")}
_SENTENCES: Final = {
    "candidate": mark("Enter a candidate ID"),
    "kind": mark("Choose what you decide"),
    "certification": mark("Choose a certification"),
    "reason": mark("Write the reason: the candidate reads it"),
    "reason.string_too_long": mark("Write at most 1000 characters"),
    "on": mark("Enter a day, at most a year ahead, or leave it empty for today"),
    "until": mark("Enter the last active day; only an extension or a grant has one"),
    "paid_on": mark("Enter the day of the payment; only a year of emeritus has one"),
}


class Whom(Answers):
    candidate: str


class Decision(Answers):
    kind: Literal["grant", "revoke", "suspend", "reinstate", "extend", "emeritus"]
    certification: str
    reason: Reason
    on: date | None = None
    until: date | None = None
    paid_on: date | None = None


class DecisionPages:
    """Handlers of `/staff/decisions`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(DECISIONS.address, self.ask),
            web.get(f"{DECISIONS.address}/{{candidate_id}}", self.show),
            web.post(f"{DECISIONS.address}/{{candidate_id}}", self.decide),
        ]

    async def ask(self, request: web.Request) -> web.Response:
        """About whom; with the ID in the address, on to the page about them."""
        visit = request[VISIT]
        candidate, faults = request.query.get("candidate"), {}
        if candidate is not None:
            try:
                whom = read(Whom, {"candidate": candidate.strip()}, in_words(_SENTENCES))
                return redirect(_address(whom.candidate))
            except Unfit as wrong:
                faults = wrong.faults
        values: dict[str, Any] = {"queue": DECISIONS, "faults": faults}
        side = await side_of(visit)
        return on_desk(visit, "staff/decisions/ask.html", say(DECISIONS.title), side, problem=bool(faults), **values)

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request)

    async def decide(self, request: web.Request) -> web.Response:
        """Show before and after, then decide."""
        given = await typed(request)
        try:
            decision = read(Decision, given, in_words(_SENTENCES))
            return await (self._decided if "sure" in given else self._confirm)(request, decision)
        except Unfit as wrong:
            return await self._page(request, wrong.faults, given)
        except Refused as refusal:
            refused = unfit(refusal.problem, _FIELDS, in_words(_SENTENCES))
            if refused is None and refusal.code == "decision-without-effect":
                refused = Unfit(
                    {"kind": say("This would change nothing: {reason}", reason=refusal.problem.detail or "")}
                )
            if refused is None:
                raise
            return await self._page(request, refused.faults, given)

    async def _confirm(self, request: web.Request, decision: Decision) -> web.Response:
        visit, candidate_id = request[VISIT], request.match_info["candidate_id"]
        body = decision.model_dump(mode="json", exclude_none=True)
        side, following = await asyncio.gather(
            side_of(visit),
            visit.change("POST", "certs", f"{_path(candidate_id)}/decisions/preview", Following, key="", body=body),
        )
        values: dict[str, Any] = {
            "candidate_id": candidate_id,
            "address": _address(candidate_id),
            "decision": decision,
            "hidden": {name: str(value) for name, value in body.items()},
            "rows": [_before_after(change) for change in following.changes],
            "follows": [
                *sentences_of(following),
                say("The candidate reads the reason in a mail and in their account."),
                say("Verifiers, badges and links show it within a minute."),
            ],
            "as_of": following.as_of,
            "button": say(KINDS[decision.kind][0]),
            "danger": decision.kind in ("revoke", "suspend"),
        }
        heading = say(_HEADINGS[decision.kind], certification=decision.certification)
        return on_desk(visit, "staff/decisions/confirm.html", heading, side, **values)

    async def _decided(self, request: web.Request, decision: Decision) -> web.Response:
        visit, candidate_id = request[VISIT], request.match_info["candidate_id"]
        body, key = decision.model_dump(mode="json", exclude_none=True), await change_key(request)
        path = f"{_path(candidate_id)}/decisions"
        decided = await visit.change("POST", "certs", path, Decided, key=key, body=body)
        answer = redirect(_address(candidate_id))
        sentence = (
            say(
                "Done: {certification} is decided and counts from {day}.",
                certification=decided.now.title,
                day=spoken(decided.decision.on),
            )
            if decided.now
            else say("Done: it is decided and counts from {day}.", day=spoken(decided.decision.on))
        )
        self._cookies.tell(answer, sentence)
        return answer

    async def _page(
        self, request: web.Request, faults: Faults | None = None, given: Typed | None = None
    ) -> web.Response:
        visit, candidate_id = request[VISIT], request.match_info["candidate_id"]
        side, names, held, decisions = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            visit.mine("certs", f"{_path(candidate_id)}/certifications", Held),
            part(visit.mine("certs", f"{_path(candidate_id)}/decisions", Decisions)),
        )
        values: dict[str, Any] = {
            "queue": DECISIONS,
            "candidate_id": candidate_id,
            "address": _address(candidate_id),
            "held": [(one, _standing(one)) for one in held.certifications],
            "decisions": None if decisions is None else [_line(one, names) for one in decisions.items],
            "kinds": [(name, say(title), say(about)) for name, (title, about) in KINDS.items()],
            "certifications": [(one.id, one.title) for one in visit.program.certifications.values()]
            if visit.program
            else [],
            "faults": faults or {},
            "given": given or {"certification": request.query.get("certification", "")},
        }
        heading = say("Decide about certifications of {candidate}", candidate=candidate_id)
        return on_desk(visit, "staff/decisions/page.html", heading, side, problem=bool(faults), **values)


def _standing(one: Holding) -> str:
    return state_of(one.side)


def _before_after(change: Change) -> tuple[str, str, str]:
    return change.certification, state_of(change.before), state_of(change.after)


def _line(one: Any, names: Names) -> tuple[object, str, str]:
    words = say(
        "{who}: {kind}, {certification}, from {day}",
        who=names.of(one.decided_by),
        kind=say(KINDS[one.kind][0]) if one.kind in KINDS else one.kind,
        certification=one.certification,
        day=spoken(one.on),
    )
    return one.decided_at, words, one.reason


def _path(candidate_id: str) -> str:
    return f"/candidates/{quote(candidate_id, safe='')}"


def _address(candidate_id: str) -> str:
    return f"{DECISIONS.address}/{quote(candidate_id, safe='')}"
