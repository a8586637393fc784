"""Web hooks: made, watched, paused, tried, and removed. A secret is shown once, by the answer that makes it."""

import asyncio
from typing import Any, Final

from aiohttp import web
from pydantic import Field

from services.portal.backend.client import Nothing, Refused
from services.portal.languages import mark, say, say_many
from services.portal.staff.acts import Asked, confirm
from services.portal.staff.hooks import words
from services.portal.staff.hooks.shapes import Delivery, Events, Hook, Hooks, Log, NewSecret, Replayed
from services.portal.staff.kit import Column, with_query
from services.portal.staff.listing import path_of
from services.portal.staff.people import names_at
from services.portal.staff.queues import HOOKS
from services.portal.staff.shell import on_desk, side_of
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Several, Typed, Unfit, change_key, in_words, read, typed, unfit
from services.portal.web.repeats import LEADS_TO
from services.portal.web.visit import VISIT, part

_ROWS: Final = "25"
_SENTENCES: Final = {
    "url": mark("Enter the address: it begins with https:// and everybody can reach it"),
    "description": mark("Say whose it is and what for"),
    "description.string_too_long": mark("Write at most 200 characters"),
    "events": mark("Choose what it is told of"),
    "deliveries": mark("Choose the messages that are to be sent again"),
}

_FULL: Final = mark(
    "There are as many hooks as there can be. Remove one first; or ask the operator whether hooks are set up"
)


class NewHook(Answers):
    url: str = Field(max_length=2000, pattern=r"^https?://")
    description: str = Field(min_length=1, max_length=200)
    events: Several = Field(min_length=1)
    personal_data: bool = False


class Chosen(Answers):
    deliveries: Several = Field(min_length=1)


class HookPages:
    """Handlers of `/staff/hooks`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = f"{HOOKS.address}/{{hook_id}}"
        return [
            web.get(HOOKS.address, self.listing),
            web.get(f"{HOOKS.address}/new", self.new),
            web.post(f"{HOOKS.address}/new", self.add),
            web.get(one, self.show),
            web.post(f"{one}/state", self.switch),
            web.post(f"{one}/ping", self.ping),
            web.post(f"{one}/replays", self.replay),
            web.post(f"{one}/secrets", self.rotate),
            web.post(f"{one}/removal", self.remove),
        ]

    async def listing(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        side, found = await asyncio.gather(side_of(visit), visit.mine("notify", "/hooks", Hooks))
        values: dict[str, Any] = {
            "queue": HOOKS,
            "columns": [Column(say("Hook")), Column(say("State")), Column(say("Events"))],
            "rows": [words.row_of(hook) for hook in found.items],
        }
        return on_desk(visit, "staff/hooks/list.html", say(HOOKS.title), side, **values)

    async def new(self, request: web.Request) -> web.Response:
        return await self._form(request, {})

    async def add(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        try:
            body, key = read(NewHook, given, in_words(_SENTENCES)).model_dump(), await change_key(request)
            hook = await visit.change("POST", "notify", "/hooks", NewSecret, key=key, body=body)
        except Unfit as wrong:
            return await self._form(request, given, wrong.faults)
        except Refused as refusal:
            fields = {f"body.{name}": name for name in NewHook.model_fields}
            wrong_at = unfit(refusal.problem, fields, {"events": in_words(_SENTENCES)["events"]})
            if wrong_at is None and refusal.code != "conflict":
                raise
            faults = wrong_at.faults if wrong_at else {"url": say(_FULL)}
            return await self._form(request, given, faults)
        return await self._secret(request, hook)

    async def show(self, request: web.Request) -> web.Response:
        return await self._page(request)

    async def switch(self, request: web.Request) -> web.Response:
        """Pause it, or let it go on."""
        visit, state = request[VISIT], (await request.post()).get("state")
        wanted = "paused" if state == "paused" else "active"
        key = await change_key(request)
        await visit.change("PATCH", "notify", _path(request), Hook, key=key, body={"state": wanted})
        if wanted == "paused":
            return self._told(request, say("the hook is paused; what happens is kept for it"))
        return self._told(request, say("the hook is on; what was kept is being sent"))

    async def ping(self, request: web.Request) -> web.Response:
        visit, path = request[VISIT], f"{_path(request)}/pings"
        try:
            await visit.change("POST", "notify", path, Delivery, key=await change_key(request))
        except Refused as refusal:
            if refusal.code != "conflict":
                raise
            return await self._page(request, {"state": say("Switch the hook on before you try it")})
        return self._told(request, say("a message that says nothing is on its way; the log shows what becomes of it"))

    async def replay(self, request: web.Request) -> web.Response:
        """Send again what was chosen, or all that was never taken."""
        visit, given = request[VISIT], await typed(request)
        try:
            if "dead" in given:
                hook = await visit.mine("notify", _path(request), Hook)
                body: dict[str, Any] = {"first": hook.created_at.isoformat(), "only_dead": True}
            else:
                body = {"delivery_ids": read(Chosen, given, in_words(_SENTENCES)).deliveries}
        except Unfit as wrong:
            return await self._page(request, wrong.faults)
        path, key = f"{_path(request)}/replays", await change_key(request)
        sent = await visit.change("POST", "notify", path, Replayed, key=key, body=body)
        return self._told(
            request, say_many("{count} message is sent again", "{count} messages are sent again", sent.count)
        )

    async def rotate(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        side, hook = await asyncio.gather(side_of(visit), visit.mine("notify", _path(request), Hook))
        faults: Faults = {}
        if "sure" in given:
            try:
                path, key = f"{_path(request)}/secrets", await change_key(request)
                hours = 0 if "leaked" in given else 24
                body = {"old_works_hours": hours}
                made = await visit.change("POST", "notify", path, NewSecret, key=key, body=body)
                return await self._secret(request, made)
            except Refused as refusal:
                if refusal.code != "conflict":
                    raise
                faults = {"sure": say("The secrets have just been changed. Look at the hook again.")}
        leaked = "leaked" in given
        asked = Asked(
            action=f"{words.address_of(hook.hook_id)}/secrets",
            button=say("Make a new secret"),
            follows=[
                say("The new secret is shown once, on the next page."),
                say("The secret of before stops at once.")
                if leaked
                else say("The secret of before signs too for 24 hours, so that the receiver can be changed meanwhile."),
            ],
            back=words.address_of(hook.hook_id),
            hidden={"leaked": "yes"} if leaked else {},
            danger=leaked,
        )
        return confirm(visit, say("A new secret for “{hook}”?", hook=hook.description), side, asked, faults=faults)

    async def remove(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        if "sure" in given:
            key = await change_key(request)
            await visit.change("DELETE", "notify", _path(request), Nothing, key=key)
            answer = redirect(HOOKS.address)
            self._cookies.tell(answer, say("Done: {sentence}", sentence=say("the hook is removed")))
            return answer
        side, hook = await asyncio.gather(side_of(visit), visit.mine("notify", _path(request), Hook))
        asked = Asked(
            action=f"{words.address_of(hook.hook_id)}/removal",
            button=say("Remove the hook"),
            follows=[say("Nothing more is sent to {address}.", address=hook.url)],
            back=words.address_of(hook.hook_id),
            for_good=[say("Messages that are kept for it are deleted, and its log with them.")],
            danger=True,
        )
        return confirm(visit, say("Remove “{hook}”?", hook=hook.description), side, asked)

    async def _page(self, request: web.Request, faults: Faults | None = None) -> web.Response:
        visit, path, after = request[VISIT], _path(request), request.query.get("after")
        state = {"state": request.query["state"]} if request.query.get("state") in words.DELIVERIES else {}
        cursor = {"cursor": after} if after else {}
        side, names, hook, log = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            visit.mine("notify", path, Hook),
            part(visit.mine("notify", f"{path}/deliveries", Log, limit=_ROWS, **state, **cursor)),
        )
        address = words.address_of(hook.hook_id)
        values: dict[str, Any] = {
            "queue": HOOKS,
            "hook": hook,
            "chip": words.chip_of(hook),
            "standing": words.standing(hook),
            "facts": [(name, value, None) for name, value in words.facts_of(hook, names)],
            "log": None
            if log is None
            else [(one, words.delivery_chip(one), words.answer_of(one)) for one in log.items],
            "states": [("", say("All")), *((name, say(chip.word)) for name, chip in words.DELIVERIES.items())],
            "state": state.get("state", ""),
            "older": log.next if log else None,
            "first": after is None,
            "address": address,
            "base": with_query(address, state),
            "faults": faults or {},
        }
        return on_desk(visit, "staff/hooks/hook.html", hook.description, side, problem=bool(faults), **values)

    async def _form(self, request: web.Request, given: Typed, faults: Faults | None = None) -> web.Response:
        visit = request[VISIT]
        side, events = await asyncio.gather(side_of(visit), visit.mine("notify", "/hook-events", Events))
        chosen = given.get("events", [])
        values: dict[str, Any] = {
            "queue": HOOKS,
            "events": [(one.event, one.event, one.summary) for one in events.items],
            "given": {**given, "events": [chosen] if isinstance(chosen, str) else chosen},
            "faults": faults or {},
        }
        return on_desk(visit, "staff/hooks/form.html", say("Add a hook"), side, problem=bool(faults), **values)

    async def _secret(self, request: web.Request, hook: NewSecret) -> web.Response:
        """The page with the secret. No redirect: it stands in no address, no cookie and no store."""
        visit = request[VISIT]
        values: dict[str, Any] = {
            "secret": hook.secret,
            "of": [],
            "about": say("Every message to {address} is signed with it.", address=hook.url),
            "back": words.address_of(hook.hook_id),
        }
        answer = on_desk(visit, "staff/secret.html", say("The secret, this once"), await side_of(visit), **values)
        answer[LEADS_TO] = values["back"]
        return answer

    def _told(self, request: web.Request, sentence: str) -> web.Response:
        answer = redirect(words.address_of(request.match_info["hook_id"]))
        self._cookies.tell(answer, say("Done: {sentence}", sentence=sentence))
        return answer


def _path(request: web.Request) -> str:
    return f"/hooks{path_of(request.match_info['hook_id'])}"
