"""IDs at partners: whose they are, how that was verified, and how one is claimed."""

import asyncio
from typing import Any, Final

from aiohttp import web

from services.portal.backend.client import Down, Refused
from services.portal.languages import mark, say
from services.portal.profile.shapes import Account, CasePage, Claimed
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Typed, Unfit, change_key, read, typed, unfit
from services.portal.web.look import shown
from services.portal.web.vendor_names import EXAM_VENDORS, vendor_name
from services.portal.web.visit import VISIT, part

_BADGES: Final = {"credly": "Credly"}
"""Providers of badges, which have no definition of their own, by what they are called on the bus."""
_VERIFIED: Final = {
    "registration": mark("With your test registration"),
    "claim": mark("With a registration number from you"),
    "staff": mark("By our staff"),
    "case": mark("By our staff, in a case"),
}
_OTHERWISE: Final = mark("By signing in there")
_ENDED: Final = frozenset({"accepted", "refused", "withdrawn", "arrived", "lapsed"})


class Claim(Answers):
    system: str
    external_id: str
    registration_id: str


class IdPages:
    """The handlers of `/profile/ids`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/profile/ids", self.show),
            web.get("/profile/ids/claim", self.ask),
            web.post("/profile/ids/claim", self.take),
        ]

    async def show(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        _, account, cases = await asyncio.gather(
            visit.introduce(), visit.mine("identity", "", Account), part(visit.mine("identity", "/cases", CasePage))
        )
        values: dict[str, Any] = {
            "ids": [
                (_name(one.system), one, say(_VERIFIED.get(one.verified_by, _OTHERWISE)))
                for one in account.external_ids
            ],
            "former": account.merged_from,
            "claims": [one for one in cases.items if one.kind == "mapping" and one.state not in _ENDED]
            if cases
            else None,
        }
        return shown(visit, "profile/ids.html", say("Your other IDs"), **values)

    async def ask(self, request: web.Request) -> web.Response:
        return await self._form(request, {}, {})

    async def take(self, request: web.Request) -> web.Response:
        what = await typed(request)
        sentences = {
            "system": say("Choose whose ID it is"),
            "external_id": say("Enter the ID as the partner writes it"),
            "registration_id": say("Enter the registration number as it stands on a score report or confirmation"),
        }
        try:
            claim = read(Claim, what, sentences)
            claimed = await self._claimed(request, claim, sentences)
        except Unfit as fault:
            return await self._form(request, what, fault.faults)
        answer = redirect("/profile/ids")
        name = _name(claim.system)
        if claimed.state == "linked":
            done = say("Your ID at {partner} is yours here too. Results under it count for you.", partner=name)
        else:
            done = say("Our staff look at your claim. You lose nothing meanwhile, and we write to you.")
        self._cookies.tell(answer, done)
        return answer

    async def _claimed(self, request: web.Request, claim: Claim, sentences: Faults) -> Claimed:
        key = await change_key(request)
        try:
            return await request[VISIT].change(
                "POST", "identity", "/external-ids", Claimed, key=key, body=claim.model_dump()
            )
        except Refused as refusal:
            if refusal.code == "conflict":
                raise Unfit(
                    {"system": say("You have many open cases. Wait for one of them, or withdraw one")}
                ) from None
            fields = {f"body.{name}": name for name in Claim.model_fields}
            raise unfit(refusal.problem, fields, sentences) or refusal from None

    async def _form(self, request: web.Request, what: Typed, faults: Faults) -> web.Response:
        visit = request[VISIT]
        _, account = await asyncio.gather(visit.introduce(), part(visit.mine("identity", "", Account)))
        held = (one.system for one in account.external_ids) if account else ()
        systems = dict.fromkeys([*EXAM_VENDORS.get(), *held])
        if not systems:
            raise Down("exams")
        return shown(
            visit,
            "profile/claim.html",
            say("Claim an ID"),
            problem=bool(faults),
            systems=[(one, _name(one)) for one in systems],
            what=what,
            faults=faults,
        )


def _name(system: str) -> str:
    return _BADGES.get(system) or vendor_name(system)
