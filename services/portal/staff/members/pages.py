"""Who works for the program: added, given other roles, invited again, removed."""

import asyncio
from typing import Any, Final

from aiohttp import web
from pydantic import Field

from services.portal.backend.client import Nothing, Problem, Refused
from services.portal.languages import mark, say
from services.portal.staff.acts import Asked, confirm
from services.portal.staff.kit import Column
from services.portal.staff.listing import path_of
from services.portal.staff.members import words
from services.portal.staff.members.shapes import Member, Members
from services.portal.staff.queues import PEOPLE
from services.portal.staff.shell import on_desk, side_of
from services.portal.staff.systems import words as of_systems
from services.portal.staff.systems.shapes import Systems
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Several, Typed, Unfit, change_key, in_words, read, typed, unfit
from services.portal.web.visit import VISIT, part

_SENTENCES: Final = {
    "email": mark("Enter the e-mail address, like name@example.com"),
    "name": mark("Enter the name"),
    "roles": mark("Choose a role; an auditor has no other"),
}
_TAKEN: Final = mark("Somebody with this address works here already")
_LAST: Final = mark("The program would have no manager any more. Make somebody else a manager first")
_ENOUGH: Final = mark("The most links of an hour are sent. Wait an hour")
_ELSEWHERE: Final = mark("This account works for other programs too, so only the operator can do that")


class NewMember(Answers):
    email: str = Field(max_length=254, pattern=r"^[^\s@]+@[^\s@]+\.[^\s@.]+$")
    name: str = Field(min_length=1, max_length=200)
    roles: Several = Field(min_length=1)


class Roles(Answers):
    roles: Several = Field(min_length=1)


class MemberPages:
    """Handlers of `/staff/people`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = f"{PEOPLE.address}/{{staff_id}}"
        return [
            web.get(PEOPLE.address, self.listing),
            web.get(f"{PEOPLE.address}/new", self.new),
            web.post(f"{PEOPLE.address}/new", self.add),
            web.get(one, self.show),
            web.post(f"{one}/roles", self.set_roles),
            web.post(f"{one}/invitation", self.invite),
            web.post(f"{one}/removal", self.remove),
        ]

    async def listing(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        side, people, systems = await asyncio.gather(
            side_of(visit),
            visit.mine("identity", "/staff", Members),
            part(visit.mine("identity", "/systems", Systems)),
        )
        values: dict[str, Any] = {
            "queue": PEOPLE,
            "columns": [Column(say("Name")), Column(say("Roles")), Column(say("State"))],
            "rows": [words.row_of(one) for one in people.items],
            "system_columns": [Column(say("System")), Column(say("State")), Column(say("Last used"))],
            "systems": None if systems is None else [of_systems.row_of(one) for one in systems.items],
        }
        return on_desk(visit, "staff/members/list.html", say(PEOPLE.title), side, **values)

    async def new(self, request: web.Request) -> web.Response:
        return await self._form(request, {})

    async def add(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        try:
            body, key = read(NewMember, given, in_words(_SENTENCES)).model_dump(), await change_key(request)
            one = await visit.change("POST", "identity", "/staff", Member, key=key, body=body)
        except Unfit as wrong:
            return await self._form(request, given, wrong.faults)
        except Refused as refusal:
            return await self._form(request, given, _faults(refusal.problem, {"email": _TAKEN}))
        sentence = say("{name} has a mail with a link, or gets in with the account there is", name=one.name)
        return self._told(words.address_of(one.staff_id), sentence)

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request)

    async def set_roles(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        try:
            body, key = read(Roles, given, in_words(_SENTENCES)).model_dump(), await change_key(request)
            await visit.change("PUT", "identity", f"{_path(request)}/roles", Member, key=key, body=body)
        except Unfit as wrong:
            return await self._page(request, given, wrong.faults)
        except Refused as refusal:
            return await self._page(request, given, _faults(refusal.problem, {"roles": _LAST}))
        sentence = say("the roles are changed; they hold within minutes")
        return self._told(words.address_of(request.match_info["staff_id"]), sentence)

    async def invite(self, request: web.Request) -> web.Response:
        """Mail a new link. Where app and codes are lost, they are forgotten with it, which is asked for first."""
        visit, given = request[VISIT], await typed(request)
        forget, faults = "forget" in given, Faults()
        if "sure" in given or not forget:
            path, key = f"{_path(request)}/invitations", await change_key(request)
            try:
                body = {"forget_second_factor": forget}
                await visit.change("POST", "identity", path, Nothing, key=key, body=body)
                return self._told(words.address_of(request.match_info["staff_id"]), say("a mail with a link is sent"))
            except Refused as refusal:
                said = _ELSEWHERE if refusal.code == "forbidden" else _ENOUGH
                faults = _faults(refusal.problem, {"sure" if forget else "invitation": said})
        if not forget:
            return await self._page(request, faults=faults)
        side, one = await asyncio.gather(side_of(visit), visit.mine("identity", _path(request), Member))
        asked = Asked(
            action=f"{words.address_of(one.staff_id)}/invitation",
            button=say("Forget the app and send a link"),
            follows=[
                say("App and recovery codes work no more, and all sessions end at once."),
                say("The account is shut until {name} uses the link of the mail.", name=one.name),
                say("Be sure that it is {name} who asks for it.", name=one.name),
            ],
            back=words.address_of(one.staff_id),
            hidden={"forget": "yes"},
            danger=True,
        )
        return confirm(visit, say("Has {name} lost app and codes?", name=one.name), side, asked, faults=faults)

    async def remove(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        faults: Faults = {}
        if "sure" in given:
            try:
                key = await change_key(request)
                await visit.change("DELETE", "identity", _path(request), Nothing, key=key)
                return self._told(PEOPLE.address, say("they work here no more"))
            except Refused as refusal:
                faults = _faults(refusal.problem, {"sure": _LAST})
        side, one = await asyncio.gather(side_of(visit), visit.mine("identity", _path(request), Member))
        asked = Asked(
            action=f"{words.address_of(one.staff_id)}/removal",
            button=say("Remove {name}", name=one.name),
            follows=[
                say("All roles in this program are taken away, and sessions here end at once."),
                say("What they decided stays, with their name. They can be added again."),
            ],
            back=words.address_of(one.staff_id),
            danger=True,
        )
        return confirm(visit, say("Remove {name} from the program?", name=one.name), side, asked, faults=faults)

    async def _page(
        self, request: web.Request, given: Typed | None = None, faults: Faults | None = None
    ) -> web.Response:
        visit = request[VISIT]
        side, one = await asyncio.gather(side_of(visit), visit.mine("identity", _path(request), Member))
        values: dict[str, Any] = {
            "queue": PEOPLE,
            "one": one,
            "chip": words.chip_of(one),
            "address": words.address_of(one.staff_id),
            "roles_to_choose": words.choices(),
            "chosen": one.roles if given is None else _listed(given),
            "faults": faults or {},
        }
        return on_desk(visit, "staff/members/one.html", one.name, side, problem=bool(faults), **values)

    async def _form(self, request: web.Request, given: Typed, faults: Faults | None = None) -> web.Response:
        visit = request[VISIT]
        values: dict[str, Any] = {
            "queue": PEOPLE,
            "given": given,
            "roles_to_choose": words.choices(),
            "chosen": _listed(given),
            "faults": faults or {},
        }
        heading = say("Add somebody to the program")
        return on_desk(visit, "staff/members/form.html", heading, await side_of(visit), problem=bool(faults), **values)

    def _told(self, to: str, sentence: str) -> web.Response:
        answer = redirect(to)
        self._cookies.tell(answer, say("Done: {sentence}", sentence=sentence))
        return answer


def _listed(given: Typed) -> list[str]:
    roles = given.get("roles", [])
    return [roles] if isinstance(roles, str) else roles


def _faults(problem: Problem, refused: Faults) -> Faults:
    """What the form is refused for: its fields, or `refused` where its state does not allow it.

    Raises `Refused` for anything else.
    """
    wrong = unfit(problem, {f"body.{name}": name for name in NewMember.model_fields}, in_words(_SENTENCES))
    if wrong is not None:
        return wrong.faults
    if problem.code in ("conflict", "forbidden"):
        return in_words(refused)
    raise Refused(problem)


def _path(request: web.Request) -> str:
    return f"/staff{path_of(request.match_info['staff_id'])}"
