"""Vendors as a whole, and their files one by one."""

import asyncio
from typing import Any, Final

from aiohttp import web

from services.portal.backend.client import Nothing, Refused
from services.portal.languages import say
from services.portal.staff.listing import path_of
from services.portal.staff.shell import on_desk, side_of
from services.portal.staff.vendors import overview
from services.portal.staff.vendors.queues import OVERVIEW
from services.portal.staff.vendors.shapes import (
    Authorizations,
    BadRows,
    Exchanges,
    FeedFile,
    FeedFiles,
    Sources,
    VerdictsPage,
)
from services.portal.web.answers import passed_on, redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import change_key
from services.portal.web.visit import VISIT, Visit, part

_DAYS: Final = "30"
_ROWS: Final = "50"


class VendorPages:
    """Handlers of `/staff/vendors`."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def routes(self) -> list[web.RouteDef]:
        one = OVERVIEW.address + "/files/{file_id}"
        return [
            web.get(OVERVIEW.address, self.show),
            web.get(one, self.file),
            web.get(f"{one}/bad-rows.csv", self.bad_rows),
            web.post(f"{one}/retry", self.retry),
        ]

    async def show(self, request: web.Request) -> web.Response:
        visit, after = request[VISIT], request.query.get("after")
        manages = visit.at_desk.may("exams:manage")
        files = {"limit": _ROWS, **({"cursor": after} if after else {})}
        side, heard, sources, found, exchanges, refused = await asyncio.gather(
            side_of(visit),
            part(visit.mine("exams", "/vendors", VerdictsPage, days=_DAYS)),
            part(visit.backend.read(visit.browser, "exams", "/feeds/sources", Sources)),
            part(visit.backend.read(visit.browser, "exams", "/feeds/files", FeedFiles, files)),
            part(_exchanges(visit, manages=manages)),
            part(_refused(visit, manages=manages)),
        )
        values: dict[str, Any] = {
            "queue": OVERVIEW,
            "days": _DAYS,
            "lines": overview.vendor_lines(heard.items) if heard else None,
            "sources": [(one, overview.source_said(one)) for one in sources.items] if sources else None,
            "files": [(one, overview.file_chip(one), overview.file_said(one)) for one in found.items]
            if found
            else None,
            "older": found.next if found else None,
            "first": after is None,
            "manages": manages,
            "exchanges": [(one, overview.exchange_said(one)) for one in exchanges.items] if exchanges else None,
            "refused": refused.items if refused else None,
        }
        return on_desk(visit, "staff/vendors/vendors.html", say(OVERVIEW.title), side, **values)

    async def file(self, request: web.Request) -> web.Response:
        """One file, with the rows of it that were not taken."""
        visit, after = request[VISIT], request.query.get("after")
        path = _path(request)
        rows = {"limit": _ROWS, **({"cursor": after} if after else {})}
        side, one, bad = await asyncio.gather(
            side_of(visit),
            visit.backend.read(visit.browser, "exams", path, FeedFile),
            part(visit.backend.read(visit.browser, "exams", f"{path}/bad-rows", BadRows, rows)),
        )
        values: dict[str, Any] = {
            "one": one,
            "chip_of_file": overview.file_chip(one),
            "said": overview.file_said(one),
            "bad": bad,
            "first": after is None,
            "here": OVERVIEW.address + f"/files{path_of(one.file_id)}",
            "may_retry": one.state == "refused" and visit.at_desk.may("feeds:write"),
        }
        return on_desk(visit, "staff/vendors/file.html", one.name, side, **values)

    async def bad_rows(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        return passed_on(await visit.backend.fetch(visit.browser, "exams", f"{_path(request)}/bad-rows.csv"))

    async def retry(self, request: web.Request) -> web.Response:
        """Try a refused file once more; what keeps us from it is told on its page."""
        visit = request[VISIT]
        answer = redirect(OVERVIEW.address + f"/files{path_of(request.match_info['file_id'])}")
        try:
            key = await change_key(request)
            await visit.backend.send(visit.browser, "POST", "exams", f"{_path(request)}/retry", Nothing, key=key)
        except Refused as refusal:
            if refusal.code == "not-found":
                raise
            self._cookies.tell(answer, refusal.problem.detail or refusal.problem.title)
            return answer
        self._cookies.tell(answer, say("Done: the file is tried again from its beginning. Takes a few minutes."))
        return answer


async def _exchanges(visit: Visit, *, manages: bool) -> Exchanges:
    """None for who may not see them."""
    return await visit.mine("exams", "/vendor-exchanges", Exchanges) if manages else Exchanges(items=[])


async def _refused(visit: Visit, *, manages: bool) -> Authorizations:
    """What vendors have refused to let candidates sit; none for who may not see it."""
    if not manages:
        return Authorizations(items=[])
    return await visit.mine("exams", "/authorizations", Authorizations, state="refused", limit=_ROWS)


def _path(request: web.Request) -> str:
    return f"/feeds/files{path_of(request.match_info['file_id'])}"
