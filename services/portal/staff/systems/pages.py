"""Systems: added, given a new secret, disabled. A secret is shown once, by the answer that makes it."""

import asyncio
from typing import Any, Final

from aiohttp import web
from pydantic import Field

from services.portal.backend.client import Nothing, Refused
from services.portal.languages import mark, say
from services.portal.staff.acts import Asked, confirm
from services.portal.staff.listing import path_of
from services.portal.staff.people import names_at
from services.portal.staff.queues import PEOPLE
from services.portal.staff.shell import on_desk, side_of
from services.portal.staff.systems import words
from services.portal.staff.systems.shapes import NewSecret, System
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Several, Typed, Unfit, change_key, in_words, read, typed, unfit
from services.portal.web.repeats import LEADS_TO
from services.portal.web.visit import VISIT

_SENTENCES: Final = {
    "description": mark("Say whose it is and what for"),
    "description.string_too_long": mark("Write at most 200 characters"),
    "scopes": mark("Choose what the system may do"),
}
_OLD_WORKS_DAYS: Final = 7


class NewSystem(Answers):
    description: str = Field(min_length=1, max_length=200)
    scopes: Several = Field(min_length=1)


class SystemPages:
    """Handlers of `/staff/people/systems`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        systems = "/staff/people/systems"
        one = f"{systems}/{{client_id}}"
        return [
            web.get(f"{systems}/new", self.new),
            web.post(f"{systems}/new", self.add),
            web.get(one, self.show),
            web.post(f"{one}/secrets", self.rotate),
            web.post(f"{one}/end", self.disable),
        ]

    async def new(self, request: web.Request) -> web.Response:
        return await self._form(request, {})

    async def add(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        try:
            body, key = read(NewSystem, given, in_words(_SENTENCES)).model_dump(), await change_key(request)
            one = await visit.change("POST", "identity", "/systems", NewSecret, key=key, body=body)
        except Unfit as wrong:
            return await self._form(request, given, wrong.faults)
        except Refused as refusal:
            fields = {f"body.{name}": name for name in NewSystem.model_fields}
            wrong_at = unfit(refusal.problem, fields, in_words(_SENTENCES))
            if wrong_at is None:
                raise
            return await self._form(request, given, wrong_at.faults)
        return await self._secret(request, one)

    async def show(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        side, names, one = await asyncio.gather(
            side_of(visit), names_at(visit), visit.mine("identity", _path(request), System)
        )
        values: dict[str, Any] = {
            "queue": PEOPLE,
            "one": one,
            "chip": words.chip_of(one),
            "facts": [(name, value, None) for name, value in words.facts_of(one, names)],
            "address": words.address_of(one.client_id),
        }
        return on_desk(visit, "staff/systems/one.html", one.description, side, **values)

    async def rotate(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        leaked, faults = "leaked" in given, Faults()
        if "sure" in given:
            path, key = f"{_path(request)}/secrets", await change_key(request)
            body = {"old_works_days": 0 if leaked else _OLD_WORKS_DAYS}
            try:
                made = await visit.change("POST", "identity", path, NewSecret, key=key, body=body)
                return await self._secret(request, made)
            except Refused as refusal:
                if refusal.code != "conflict":
                    raise
                faults = {
                    "sure": say("The secrets have just been changed, or the system is disabled. Look at it again.")
                }
        side, one = await asyncio.gather(side_of(visit), visit.mine("identity", _path(request), System))
        asked = Asked(
            action=f"{words.address_of(one.client_id)}/secrets",
            button=say("Make a new secret"),
            follows=[
                say("The new secret is shown once, on the next page."),
                say("The secret of before stops at once.")
                if leaked
                else say("The secret of before works for 7 more days, so that the system can be changed meanwhile."),
            ],
            back=words.address_of(one.client_id),
            hidden={"leaked": "yes"} if leaked else {},
            danger=leaked,
        )
        heading = say("A new secret for “{system}”?", system=one.description)
        return confirm(visit, heading, side, asked, faults=faults)

    async def disable(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        if "sure" in given:
            key = await change_key(request)
            await visit.change("DELETE", "identity", _path(request), Nothing, key=key)
            answer = redirect(PEOPLE.address)
            self._cookies.tell(answer, say("Done: {sentence}", sentence=say("the system is disabled")))
            return answer
        side, one = await asyncio.gather(side_of(visit), visit.mine("identity", _path(request), System))
        asked = Asked(
            action=f"{words.address_of(one.client_id)}/end",
            button=say("Disable the system"),
            follows=[say("It gets in no more. What it is in with already ends by itself within minutes.")],
            back=words.address_of(one.client_id),
            for_good=[say("A disabled system is never switched on again. Add a new one instead.")],
            danger=True,
        )
        return confirm(visit, say("Disable “{system}”?", system=one.description), side, asked)

    async def _form(self, request: web.Request, given: Typed, faults: Faults | None = None) -> web.Response:
        visit, chosen = request[VISIT], given.get("scopes", [])
        values: dict[str, Any] = {
            "queue": PEOPLE,
            "given": given,
            "scopes": [(scope, say(may), scope) for scope, may in words.SCOPES.items()],
            "chosen": [chosen] if isinstance(chosen, str) else chosen,
            "faults": faults or {},
        }
        side = await side_of(visit)
        return on_desk(visit, "staff/systems/form.html", say("Add a system"), side, problem=bool(faults), **values)

    async def _secret(self, request: web.Request, one: NewSecret) -> web.Response:
        """The page with the secret. No redirect: it stands in no address, no cookie and no store."""
        visit = request[VISIT]
        values: dict[str, Any] = {
            "secret": one.client_secret,
            "of": [(say("ID"), one.client_id, None)],
            "about": say("“{system}” asks for access tokens with its ID and this secret.", system=one.description),
            "back": words.address_of(one.client_id),
        }
        answer = on_desk(visit, "staff/secret.html", say("The secret, this once"), await side_of(visit), **values)
        answer[LEADS_TO] = values["back"]
        return answer


def _path(request: web.Request) -> str:
    return f"/systems{path_of(request.match_info['client_id'])}"
