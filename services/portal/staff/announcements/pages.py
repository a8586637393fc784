"""Announcements: written, seen before they are published, published and withdrawn."""

import asyncio
from datetime import date
from typing import Any, Final, Literal
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from services.portal.backend.client import Nothing, Refused
from services.portal.languages import mark, say
from services.portal.staff.acts import Asked, Reason, confirm
from services.portal.staff.announcements import words
from services.portal.staff.announcements.shapes import Announcement, AnnouncementPage
from services.portal.staff.kit import Column, with_query
from services.portal.staff.people import names_at
from services.portal.staff.queues import ANNOUNCEMENTS
from services.portal.staff.shell import on_desk, side_of
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Answers, Faults, Several, Typed, Unfit, change_key, in_words, read, typed, unfit
from services.portal.web.visit import VISIT, Visit

_ROWS: Final = "50"
_SENTENCES: Final = {
    "severity": mark("Choose how important it is"),
    "first_day": mark("Enter the first day on which it is shown"),
    "last_day": mark("Enter the last day on which it is shown; it can't be before the first"),
    "reason": mark("Write the reason: it stands in the history"),
    "reason.string_too_long": mark("Write at most 1000 characters"),
    "title_en": mark("Write the title and the text in one language at least"),
}


class Written(Answers):
    severity: Literal["info", "important", "urgent"]
    first_day: date
    last_day: date
    certifications: Several = Field(default=[])
    levels: Several = Field(default=[])


class Withdrawal(Answers):
    reason: Reason


class AnnouncementQueue:
    """Handlers of `/staff/announcements`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = f"{ANNOUNCEMENTS.address}/{{announcement_id}}"
        return [
            web.get(ANNOUNCEMENTS.address, self.listing),
            web.get(f"{ANNOUNCEMENTS.address}/new", self.new),
            web.post(f"{ANNOUNCEMENTS.address}/new", self.write),
            web.get(f"{one}/change", self.edit),
            web.post(f"{one}/change", self.change),
            web.post(f"{one}/publication", self.publish),
            web.post(f"{one}/withdrawal", self.withdraw),
        ]

    async def listing(self, request: web.Request) -> web.Response:
        visit, item = request[VISIT], request.query.get("item")
        query = {name: value for name, value in request.query.items() if name == "state" and value}
        after = request.query.get("after")
        cursor = {"cursor": after} if after else {}
        side, names, page, opened = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            visit.mine("notify", "/announcements", AnnouncementPage, limit=_ROWS, **query, **cursor),
            _opened(visit, item),
        )
        values: dict[str, Any] = {
            "queue": ANNOUNCEMENTS,
            "columns": [
                Column(say("Title")),
                Column(say("From")),
                Column(say("Until")),
                Column(say("State")),
            ],
            "rows": [words.row_of(one) for one in page.items],
            "states": [("", say("All")), *((name, say(chip.word)) for name, chip in words.STATES.items())],
            "older": page.next,
            "first": after is None,
            "query": query,
            "base": with_query(ANNOUNCEMENTS.address, query),
            "open": opened.announcement_id if opened else None,
            "item": opened,
            "chip": words.chip_of(opened) if opened else None,
            "severity": words.severity_of(opened) if opened else "",
            "audience": words.audience_of(opened) if opened else "",
            "steps": words.steps_of(opened, names) if opened else (),
        }
        return on_desk(visit, "staff/announcements/list.html", say(ANNOUNCEMENTS.title), side, **values)

    async def new(self, request: web.Request) -> web.Response:
        return await self._form(request, None, {"severity": "info"})

    async def write(self, request: web.Request) -> web.Response:
        return await self._keep(request, None)

    async def edit(self, request: web.Request) -> web.Response:
        one = await request[VISIT].mine("notify", _path(request), Announcement)
        return await self._form(request, one.announcement_id, words.filled(one))

    async def change(self, request: web.Request) -> web.Response:
        return await self._keep(request, request.match_info["announcement_id"])

    async def publish(self, request: web.Request) -> web.Response:
        """Show who will see it, then publish."""
        visit, form = request[VISIT], await request.post()
        mail = form.get("mail") == "yes"
        if form.get("sure"):
            body, key = {"mail": mail}, await change_key(request)
            await visit.change("POST", "notify", f"{_path(request)}/publication", Nothing, key=key, body=body)
            return self._told(request, say("the announcement is published"))
        side, one = await asyncio.gather(side_of(visit), visit.mine("notify", _path(request), Announcement))
        asked = Asked(
            action=f"{_address(one.announcement_id)}/publication",
            button=say("Publish the announcement"),
            follows=words.follows(one, mail=mail),
            back=_item(one.announcement_id),
            hidden={"mail": "yes"} if mail else {},
        )
        return confirm(visit, say("Publish “{title}”?", title=one.title), side, asked)

    async def withdraw(self, request: web.Request) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        faults: Faults = {}
        if "sure" in given:
            try:
                body = read(Withdrawal, given, in_words(_SENTENCES)).model_dump()
                key = await change_key(request)
                path = f"{_path(request)}/withdrawal"
                await visit.change("POST", "notify", path, Nothing, key=key, body=body)
                return self._told(request, say("nobody sees the announcement any more"))
            except Unfit as wrong:
                faults = wrong.faults
        side, one = await asyncio.gather(side_of(visit), visit.mine("notify", _path(request), Announcement))
        asked = Asked(
            action=f"{_address(one.announcement_id)}/withdrawal",
            button=say("Withdraw the announcement"),
            follows=[say("Nobody sees it any more. Mails that were sent stay where they are.")],
            back=_item(one.announcement_id),
            for_good=[say("A withdrawn announcement can't be published again. Write a new one instead.")],
            reason=say("Reason"),
            reason_hint=say("Colleagues read it in the history."),
            danger=True,
        )
        heading = say("Withdraw “{title}”?", title=one.title)
        return confirm(visit, heading, side, asked, faults=faults, reason=given.get("reason", ""))

    async def _keep(self, request: web.Request, announcement_id: str | None) -> web.Response:
        visit, given = request[VISIT], await typed(request)
        texts = words.texts_of(given)
        try:
            faults = words.half_written(texts) if texts else {"title_en": say(_SENTENCES["title_en"])}
            written = _read(given, faults)
            body = {
                "severity": written.severity,
                "audience": {"certifications": written.certifications, "levels": written.levels},
                "texts": texts,
                "first_day": written.first_day.isoformat(),
                "last_day": written.last_day.isoformat(),
            }
            method, below = ("PUT", _path(request)) if announcement_id else ("POST", "/announcements")
            key = await change_key(request)
            one = await visit.change(method, "notify", below, Announcement, key=key, body=body)
        except Unfit as wrong:
            return await self._form(request, announcement_id, given, wrong.faults)
        except Refused as refusal:
            fields = {f"body.texts.{number}.title": f"title_{text['language']}" for number, text in enumerate(texts)}
            fields |= {f"body.texts.{number}": f"text_{text['language']}" for number, text in enumerate(texts)}
            fields |= {f"body.{name}": name for name in ("severity", "first_day", "last_day")}
            fields |= {"body.audience.certifications": "certifications", "body.audience.levels": "levels"}
            fields |= {"body.texts": "title_en", "body": "last_day"}
            wrong_at = unfit(refusal.problem, fields, {})
            if wrong_at is None:
                raise
            return await self._form(request, announcement_id, given, wrong_at.faults)
        answer = redirect(_item(one.announcement_id))
        self._cookies.tell(answer, say("Done: {sentence}", sentence=say("the announcement is kept")))
        return answer

    async def _form(
        self, request: web.Request, announcement_id: str | None, given: Typed, faults: Faults | None = None
    ) -> web.Response:
        visit = request[VISIT]
        program = visit.program
        values: dict[str, Any] = {
            "queue": ANNOUNCEMENTS,
            "action": f"{_address(announcement_id)}/change" if announcement_id else f"{ANNOUNCEMENTS.address}/new",
            "back": _item(announcement_id) if announcement_id else ANNOUNCEMENTS.address,
            "severities": [(name, say(title), say(about)) for name, (title, about) in words.SEVERITIES.items()],
            "written_in": words.LANGUAGES,
            "certifications": [(one.id, one.title, None) for one in program.certifications.values()] if program else [],
            "given": {
                **given,
                "certifications": _listed(given.get("certifications")),
                "levels": _listed(given.get("levels")),
            },
            "faults": faults or {},
        }
        heading = say("Change the announcement") if announcement_id else say("Write an announcement")
        side = await side_of(visit)
        return on_desk(visit, "staff/announcements/form.html", heading, side, problem=bool(faults), **values)

    def _told(self, request: web.Request, sentence: str) -> web.Response:
        answer = redirect(_item(request.match_info["announcement_id"]))
        self._cookies.tell(answer, say("Done: {sentence}", sentence=sentence))
        return answer


def _read(given: Typed, faults: Faults) -> Written:
    """All faults at once: those of texts, then those of the rest. Raises `Unfit`."""
    try:
        written = read(Written, given, in_words(_SENTENCES))
    except Unfit as wrong:
        raise Unfit({**wrong.faults, **faults}) from wrong
    if written.last_day < written.first_day:
        faults = {"last_day": say(_SENTENCES["last_day"]), **faults}
    if faults:
        raise Unfit(faults)
    return written


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


async def _opened(visit: Visit, item: str | None) -> Announcement | None:
    if not item:
        return None
    return await visit.mine("notify", f"/announcements/{quote(item, safe='')}", Announcement)


def _path(request: web.Request) -> str:
    return f"/announcements/{quote(request.match_info['announcement_id'], safe='')}"


def _address(announcement_id: str) -> str:
    return f"{ANNOUNCEMENTS.address}/{quote(announcement_id, safe='')}"


def _item(announcement_id: str) -> str:
    return with_query(ANNOUNCEMENTS.address, {}, item=announcement_id)
