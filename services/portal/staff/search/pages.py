"""The search of staff: any ID, address or name."""

import asyncio
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel

from services.portal.languages import mark, say, say_many
from services.portal.staff.kit import NONE, Cell, Column, Row
from services.portal.staff.shell import on_desk, side_of
from services.portal.web.chips import Chip
from services.portal.web.visit import VISIT

_LONGEST: Final = 200
_REASONS: Final = {
    "id": mark("the candidate ID"),
    "similar_id": mark("an ID like this one"),
    "external_id": mark("a partner's ID"),
    "registration": mark("a registration"),
    "case": mark("a case"),
    "email": mark("the e-mail address"),
    "name": mark("the name"),
    "similar_name": mark("a name like this one"),
}


class Found(BaseModel):
    """An account that may be meant."""

    candidate_id: str
    given_name: str
    family_name: str
    native_name: str | None
    email: str
    activated_at: datetime | None
    merged_into: str | None
    reasons: list[str]


class Founds(BaseModel):
    """The best fit first."""

    items: list[Found]
    more: bool


class StaffSearch:
    """The handler of `/staff/search`."""

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/staff/search", self.search)]

    async def search(self, request: web.Request) -> web.Response:
        visit, typed = request[VISIT], request.query.get("q", "").strip()[:_LONGEST]
        if not typed:
            side, found = await side_of(visit), Founds(items=[], more=False)
        else:
            side, found = await asyncio.gather(side_of(visit), visit.mine("identity", "/search", Founds, q=typed))
        rows = [row_of(one) for one in found.items]
        heading = answer_of(typed, found)
        values: dict[str, Any] = {
            "searched": typed,
            "rows": rows,
            "columns": columns(),
            "more": found.more,
            "answer": heading,
        }
        return on_desk(visit, "staff/search/results.html", heading, side, **values)


def answer_of(typed: str, found: Founds) -> str:
    """The heading."""
    if not typed:
        return say("Find a candidate")
    if not found.items:
        return say("Nobody fits “{typed}”", typed=typed)
    if found.more:
        return say("More than {count} candidates fit “{typed}”", count=len(found.items), typed=typed)
    return say_many(
        "{count} candidate fits “{typed}”", "{count} candidates fit “{typed}”", len(found.items), typed=typed
    )


def columns() -> list[Column]:
    return [
        Column(title) for title in (say("Name"), say("Candidate ID"), say("E-mail"), say("Account"), say("Found by"))
    ]


def row_of(found: Found) -> Row:
    name = f"{found.given_name} {found.family_name}".strip()
    view = f"/staff/candidates/{quote(found.candidate_id, safe='')}"
    return Row(
        found.candidate_id,
        (
            Cell(
                name,
                second=found.native_name or "",
                href=view,
                own=True,
            ),
            Cell(found.candidate_id, own=True),
            Cell(found.email, own=True),
            Cell(chip=state_of(found)),
            Cell(say(", ").join(say(_REASONS[reason]) for reason in found.reasons if reason in _REASONS) or NONE),
        ),
    )


def state_of(found: Found) -> Chip:
    """Whether the account is used, waits for its first login, or has ended."""
    if found.merged_into is not None:
        return Chip("off", mark("Merged"))
    return Chip("ok", mark("Active")) if found.activated_at else Chip("wait", mark("Not activated"))
