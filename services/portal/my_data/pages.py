"""The handlers of `/my-data`."""

import asyncio
from typing import Any
from urllib.parse import quote

from aiohttp import web

from services.portal.backend.client import Nothing, Refused
from services.portal.languages import say
from services.portal.my_data.shapes import Erasure, Export, ExportPage
from services.portal.my_data.words import export_line
from services.portal.security.proof import proof_of, prove, still_to_prove
from services.portal.web.answers import passed_on, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Faults, Unfit, change_key, typed
from services.portal.web.look import shown
from services.portal.web.visit import VISIT, Visit, part


class MyData:
    """A copy of everything, and an erasure: asked for with a proof, followed, cancelled."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/my-data", self.show),
            web.get("/my-data/copy", self.ask_copy),
            web.post("/my-data/copy", self.order_copy),
            web.get("/my-data/copy/{export_id}", self.download),
            web.get("/my-data/erase", self.ask_erasure),
            web.post("/my-data/erase", self.order_erasure),
            web.post("/my-data/keep", self.cancel),
        ]

    async def show(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        _, exports, erasure = await asyncio.gather(
            visit.introduce(), part(visit.mine("identity", "/exports", ExportPage)), part(_erasure(visit))
        )
        values: dict[str, Any] = {
            "copies": [export_line(one) for one in exports.items] if exports else None,
            "erasure": erasure if erasure and erasure.state == "requested" else None,
            "erasure_away": erasure is None,
        }
        return shown(visit, "my_data/my_data.html", say("Your data"), **values)

    async def ask_copy(self, request: web.Request) -> web.Response:
        return await self._copy_form(request, {})

    async def order_copy(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        proof = await proof_of(visit)
        try:
            await prove(visit, proof, await typed(request))
            await visit.change("POST", "identity", "/exports", Export, key=await change_key(request))
        except Unfit as fault:
            return await self._copy_form(request, fault.faults)
        except Refused as refusal:
            if unproved := still_to_prove(proof, refusal):
                return await self._copy_form(request, unproved.faults)
            if refusal.code != "conflict":
                raise
            return self._back(
                say("You have three copies already. Each is deleted after seven days; take one of those.")
            )
        return self._back(say("We're preparing it. We'll mail you; you can leave this page."))

    async def download(self, request: web.Request) -> web.Response:
        export_id = quote(request.match_info["export_id"], safe="")
        return passed_on(await request[VISIT].fetch_mine("identity", f"/exports/{export_id}/archive"))

    async def ask_erasure(self, request: web.Request) -> web.Response:
        return await self._erasure_form(request, {})

    async def order_erasure(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        proof = await proof_of(visit)
        try:
            await prove(visit, proof, await typed(request))
            await visit.change("POST", "identity", "/erasure", Erasure, key=await change_key(request), body={})
        except Unfit as fault:
            return await self._erasure_form(request, fault.faults)
        except Refused as refusal:
            if unproved := still_to_prove(proof, refusal):
                return await self._erasure_form(request, unproved.faults)
            raise
        return self._back(say("You asked for it. Nothing is erased before the day below."))

    async def cancel(self, request: web.Request) -> web.Response:
        await request[VISIT].change("DELETE", "identity", "/erasure", Nothing, key=await change_key(request))
        return self._back(say("Your account stays. Nothing was erased."))

    def _back(self, sentence: str) -> web.Response:
        answer = redirect("/my-data")
        self._cookies.tell(answer, sentence)
        return answer

    async def _copy_form(self, request: web.Request, faults: Faults) -> web.Response:
        return await self._form(request, "my_data/copy.html", say("Get everything we hold about you"), faults)

    async def _erasure_form(self, request: web.Request, faults: Faults) -> web.Response:
        return await self._form(request, "my_data/erase.html", say("Erase your account"), faults)

    async def _form(self, request: web.Request, template: str, heading: str, faults: Faults) -> web.Response:
        visit = request[VISIT]
        _, proof = await asyncio.gather(visit.introduce(), proof_of(visit))
        return shown(visit, template, heading, problem=bool(faults), faults=faults, proof=proof, here=request.path)


async def _erasure(visit: Visit) -> Erasure:
    """The last one that was asked for; where there was none, its state is `none`."""
    try:
        return await visit.mine("identity", "/erasure", Erasure)
    except Refused as refusal:
        if refusal.problem.status != 404:  # noqa: PLR2004 not found
            raise
        return Erasure(state="none")
