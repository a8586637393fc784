"""The HTTP side of vendors' files: given in while they arrive, followed, their bad rows read, tried again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from libs.common.http.principal import Principal
from libs.common.programs import Program
from libs.common.service import Platform
from services.exams.app import SERVICE as EXAMS
from services.exams.settings import ExamsSettings
from tests.service.conftest import OpenBase
from tests.service.feeds_station import VENDORS
from tests.service.rig import ERASURE_KEY
from tests.service.surfaces.surface import Surface, operator, staff
from tests.unit.exams.vendor_files import cells, result_file

FILES = "/api/exams/v1/feeds/files"
MOST = 5_000_000


@pytest.fixture
async def surface(base_of: OpenBase, programs: dict[str, Program], tmp_path: Path) -> AsyncIterator[Surface]:
    settings = ExamsSettings(
        mongo_url=SecretStr("-"),
        amqp_url=SecretStr("-"),
        programs_dir=tmp_path,
        erasure_key=ERASURE_KEY,
        vendors_dir=VENDORS,
        exams_feeds_dir=tmp_path,
        exams_feeds_max_bytes=MOST,
    )
    async with base_of("exams") as base:
        parts = EXAMS.build(Platform(base.database, base.unit_of_work, programs, base.clock, base.owner), settings)
        async with Surface(parts, base).serving() as surface:
            yield surface


async def ask(surface: Surface, method: str, path: str, caller: Principal | None = None, **content: Any) -> Any:
    status, body = await surface.send(method, path, caller or operator(), **content)
    assert status < 300, (path, status, body)
    return body


async def upload(surface: Surface, content: Any, **query: str) -> dict[str, Any]:
    params = {"vendor": "vue", "name": "results.zip", **query}
    body = await ask(surface, "POST", FILES, media_type="application/zip", params=params, data=content)
    found: dict[str, Any] = orjson.loads(body)
    return found


async def show(surface: Surface, file_id: str, more: str = "") -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(await ask(surface, "GET", f"{FILES}/{file_id}{more}"))
    return found


async def imported(surface: Surface, content: bytes) -> dict[str, Any]:
    file = await upload(surface, content)
    finished = {"_id": file["file_id"], "state": {"$in": ["done", "refused"]}}
    await surface.in_background(lambda: surface.base.rows("feed_files", **finished))
    return await show(surface, file["file_id"])


async def test_file_is_given_in_imported_and_shown(surface: Surface) -> None:
    content = result_file(cells(), cells(RegistrationID="G2", Grade="great"), b"=cmd\tx")
    given = await upload(surface, content)
    assert (given["state"], given["progress"]["share"], given["times_seen"]) == ("waiting", 0, 1)
    file = await imported(surface, content)
    assert (file["file_id"], file["state"], file["times_seen"]) == (given["file_id"], "done", 2)
    assert file["counts"] == {"rows": 3, "results": 1, "absences": 0, "unchanged": 0, "bad": 2}
    assert (file["progress"]["lines"], file["progress"]["lines_done"], file["progress"]["share"]) == (4, 4, 1)
    assert [member["name"] for member in file["members"]] == ["results.txt"]
    bad = await show(surface, file["file_id"], "/bad-rows")
    assert [(row["line"], row["registration_id"], row["faults"][0]["code"]) for row in bad["items"]] == [
        (3, "G2", "grade"),
        (4, None, "cells"),
    ]
    listed = orjson.loads(await ask(surface, "GET", FILES, params={"vendor": "vue", "state": "done"}))
    assert [each["file_id"] for each in listed["items"]] == [file["file_id"]]
    others = orjson.loads(await ask(surface, "GET", FILES, params={"vendor": "psi"}))
    assert others["items"] == []


async def test_bad_rows_come_as_a_table_that_no_spreadsheet_runs(surface: Surface) -> None:
    file = await imported(surface, result_file(cells(RegistrationID="=1+1", Grade="great", Score="x")))
    table = await ask(surface, "GET", f"{FILES}/{file['file_id']}/bad-rows.csv")
    lines = table.splitlines()
    assert lines[0] == "member,line,registration_id,program,column,code,message"
    assert [line.split(",")[:6] for line in lines[1:]] == [
        ["results.txt", "2", "'=1+1", "cisco", "Score", "number"],
        ["results.txt", "2", "'=1+1", "cisco", "Grade", "grade"],
    ]


async def test_pages_of_bad_rows_follow_each_other(surface: Surface) -> None:
    file = await imported(surface, result_file(*(cells(RegistrationID=f"G{n}", Grade="x") for n in range(5))))
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        path = f"{FILES}/{file['file_id']}/bad-rows"
        page = orjson.loads(await ask(surface, "GET", path, params={"limit": "2", **cursor}))
        seen += [row["line"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == [2, 3, 4, 5, 6]


async def test_refused_file_can_be_tried_again_and_no_other(surface: Surface) -> None:
    file = await imported(surface, b"no zip")
    assert (file["state"], file["refusal"]["code"]) == ("refused", "not_a_zip")
    again = orjson.loads(await ask(surface, "POST", f"{FILES}/{file['file_id']}/retry"))
    assert (again["state"], again["refusal"]) == ("waiting", None)
    status, _ = await surface.send("POST", f"{FILES}/{file['file_id']}/retry", operator())
    assert status == 409
    refused = {"_id": file["file_id"], "state": "refused"}
    await surface.in_background(lambda: surface.base.rows("feed_files", **refused))
    await surface.base.database["feed_chunks"].delete_many({})
    status, body = await surface.send("POST", f"{FILES}/{file['file_id']}/retry", operator())
    assert (status, "send it again" in body) == (409, True)
    assert (await upload(surface, b"no zip"))["state"] == "refused"
    assert len(await surface.base.rows("feed_chunks")) == 1


async def test_file_above_the_usual_limit_is_taken_and_one_above_its_own_is_not(surface: Surface) -> None:
    async def content(size: int) -> AsyncIterator[bytes]:
        for _ in range(size // 100_000):
            await asyncio.sleep(0)
            yield bytes(100_000)

    assert (await upload(surface, content(3_000_000)))["size"] == 3_000_000
    params = {"vendor": "vue", "name": "x.zip"}
    status, body = await surface.send(
        "POST", FILES, operator(), media_type="application/zip", params=params, data=content(MOST + 100_000)
    )
    assert (status, "5000000" in body) == (413, True)
    assert len(await surface.base.rows("feed_chunks")) == 3


async def test_vendors_of_other_programs_are_not_there(surface: Surface) -> None:
    file = await imported(surface, result_file(cells()))
    for caller in (staff("cisco"), staff("juniper")):  # the sample vendors deliver for both
        status, _ = await surface.send("GET", f"{FILES}/{file['file_id']}", caller)
        assert status == 404
        params = {"vendor": "vue", "name": "x.zip"}
        status, _ = await surface.send("POST", FILES, caller, media_type="application/zip", params=params, data=b"x")
        assert status == 404
        assert orjson.loads(await ask(surface, "GET", FILES, caller))["items"] == []
        assert orjson.loads(await ask(surface, "GET", "/api/exams/v1/feeds/sources", caller))["items"] == []


async def test_sources_show_what_keeps_us_from_them(surface: Surface) -> None:
    await surface.in_background(lambda: surface.base.rows("feed_sources", fault={"$ne": None}))
    items = orjson.loads(await ask(surface, "GET", "/api/exams/v1/feeds/sources"))["items"]
    assert {(each["source"], each["fault"]["code"]) for each in items if each["fault"]} >= {("folder:vue", "missing")}
