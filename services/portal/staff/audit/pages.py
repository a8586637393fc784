"""The audit page: one service's log, its latest records or those of a candidate or an actor, and the check of them."""

import asyncio
from typing import Any, Final

from aiohttp import web

from services.portal.languages import say
from services.portal.staff.audit import words
from services.portal.staff.audit.shapes import Record, Records, Seals
from services.portal.staff.kit import Column, with_query
from services.portal.staff.people import names_at
from services.portal.staff.queues import AUDIT
from services.portal.staff.shell import on_desk, side_of
from services.portal.web.visit import VISIT, Visit, part

_ROWS: Final = 100
_FIRST: Final = "identity"


class AuditPage:
    """The handler of `/staff/audit`."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get(AUDIT.address, self.show)]

    async def show(self, request: web.Request) -> web.Response:
        visit = request[VISIT]
        service = request.query.get("service", _FIRST)
        if service not in words.SERVICES:
            raise web.HTTPNotFound
        filters = {name: request.query[name].strip() for name in ("candidate", "actor") if request.query.get(name)}
        latest = await _seals(visit, service, limit="1")
        after = _number(request.query.get("after"))
        if after is None:
            after = 0 if filters else max(_head(latest) - _ROWS // 2, 0)
        side, names, page, seals = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            _records(visit, service, after, filters),
            _seals(visit, service, limit=str(_ROWS), up_to=str(after + _ROWS)),
        )
        check = words.checked(page.items, seals.items if seals else (), whole=not filters)
        rows = [words.row_of(Record.model_validate(item), names) for item in reversed(page.items)]
        titles = (say("No."), say("Time"), say("Who"), say("Did"), say("Candidates"), say("Outcome"))
        query = {"service": service, **filters}
        values: dict[str, Any] = {
            "queue": AUDIT,
            "services": [(name, say(title)) for name, title in words.SERVICES.items()],
            "query": query,
            "rows": rows,
            "columns": [Column(title) for title in titles],
            "check": check,
            "earlier": with_query(AUDIT.address, query, after=str(max(after - _ROWS, 0))) if after else None,
            "later": with_query(AUDIT.address, query, after=str(page.next)) if page.next else None,
            "latest": latest.items[0] if latest and latest.items else None,
        }
        return on_desk(visit, "staff/audit/audit.html", say(AUDIT.title), side, **values)


async def _records(visit: Visit, service: str, after: int, filters: dict[str, str]) -> Records:
    return await visit.mine(service, "/audit", Records, after=str(after), limit=str(_ROWS), **filters)


async def _seals(visit: Visit, service: str, **query: str) -> Seals | None:
    """The latest seals of a service's log; None where identity, which keeps them all, does not answer."""
    return await part(visit.mine("identity", "/audit/seals", Seals, of=service, latest_first="true", **query))


def _head(seals: Seals | None) -> int:
    return seals.items[0].n if seals and seals.items else 0


def _number(text: str | None) -> int | None:
    """A number of a record; anything else is none."""
    return int(text) if text and text.isdecimal() and len(text) < 16 else None  # noqa: PLR2004 below 2**53
