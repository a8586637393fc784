"""HTTP reference of the history: a bare aiohttp handler on uvloop that reads one page along an index."""

import asyncio
from datetime import datetime
from typing import Any

import uvloop
from aiohttp import web
from pydantic import BaseModel
from pymongo import DESCENDING

from tests.bench.http_case import HttpReferenceSettings, RefusedError, TokenCheck, open_database

PAGE = 50


class Section(BaseModel):
    name: str
    percent: float


class Revision(BaseModel):
    revision: int
    grade: str
    score: float | None
    known_at: datetime


class Attempt(BaseModel):
    vendor: str
    result_id: str
    registration_id: str
    exam_code: str
    taken_at: datetime
    taken_on: str
    state: str
    grade: str
    score: float | None
    passing_score: float | None
    scale_min: float | None
    scale_max: float | None
    sections: list[Section]
    score_report_url: str | None
    receipt_url: str | None
    site: str | None
    revisions: list[Revision]


class History(BaseModel):
    items: list[Attempt]


def build_app(settings: HttpReferenceSettings) -> web.Application:
    check = TokenCheck(settings.jwk)
    attempts: Any = open_database(settings)["attempts"]

    async def history(request: web.Request) -> web.Response:
        try:
            candidate = check.subject(request.headers.get("Authorization"))
        except RefusedError:
            return web.Response(status=401)
        rows = await attempts.find({"candidate_id": candidate}).sort("taken_at", DESCENDING).to_list(PAGE)
        found = History(items=[Attempt.model_validate(row) for row in rows])
        return web.Response(body=found.model_dump_json().encode(), content_type="application/json")

    app = web.Application()
    app.router.add_get("/history", history)
    return app


async def serve(settings: HttpReferenceSettings) -> None:
    runner = web.AppRunner(build_app(settings), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", settings.api_port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(HttpReferenceSettings()))
