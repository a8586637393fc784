"""Evidence of cases on a real database: what is taken, who reads it, and that it is gone when it has served."""

import asyncio
import re
import struct
import zlib
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from libs.common.casework.evidence import LASTS, MOST_FILES
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import CANDIDATE
from tests.service.case_desk import BEN, PDF, Desk, picture
from tests.service.identity_station import IdentityStation


@pytest.fixture
def desk(station: IdentityStation) -> Desk:
    return Desk(station)


def _bomb() -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 4_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


REFUSED: dict[str, tuple[tuple[str, bytes], int]] = {
    "page that says it is a PDF": (("application/pdf", b"<html><script>alert(1)</script>"), 422),
    "program that says it is an image": (("image/png", b"MZ\x90\0" + b"\0" * 200), 422),
    "PDF that says it is an image": (("image/jpeg", PDF[1]), 422),
    "PNG that says it is a JPEG": (("image/jpeg", picture("PNG")[1]), 422),
    "beginning of an image and nothing more": (("image/png", b"\x89PNG\r\n\x1a\n" + b"<script>" * 9), 422),
    "bomb": (("image/png", _bomb()), 422),
    "image cut off": (("image/jpeg", picture("JPEG")[1][:300]), 422),
    "PDF with a script": (("application/pdf", PDF[1].replace(b"/Catalog", b"/Catalog /S /JavaScript /JS (x)")), 422),
    "PDF that is cut off": (("application/pdf", PDF[1][:20]), 422),
    "drawing that may hold a script": (("image/svg+xml", b"<svg onload='alert(1)'/>"), 415),
    "page": (("text/html", b"<script>alert(1)</script>"), 415),
    "nothing": (("application/pdf", b""), 422),
    "too much": (("application/pdf", PDF[1] + b"\0" * 5 * 1024 * 1024), 413),
}


@pytest.mark.parametrize("what", list(REFUSED))
async def test_file_that_lies_or_harms_is_refused_and_not_kept(desk: Desk, what: str) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me)
    file, expected = REFUSED[what]
    assert (await desk.upload(me, case, file))[0] == expected
    assert await desk.base.rows("case_evidence") == []
    assert (await desk.seen(case))["evidence"] == []


async def test_image_is_kept_as_its_pixels_and_only_ever_given_as_a_file_to_save(desk: Desk) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me)
    kind, content = picture()
    status, file = await desk.upload(me, case, (kind, content + b"<script>alert(1)</script>"))
    assert (status, file["media_type"]) == (201, "image/jpeg")
    own = Principal(f"candidate:{me}", Kind.CANDIDATE, frozenset({"cisco"}), CANDIDATE, me)
    place = f"cases/{case['case_id']}/evidence/{file['evidence_id']}"
    for who, path in ((desk.member(), place), (own, f"candidates/{me}/{place}")):
        response = await desk.request(who, "GET", path)
        kept = await response.read()
        assert response.headers["Content-Type"] == "image/jpeg"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Disposition"].startswith("attachment; filename=")
        assert response.headers["Cache-Control"] == "no-store"
        assert b"<script>" not in kept
        assert Image.open(BytesIO(kept)).size == (32, 24)


@pytest.mark.parametrize("name", ["../../etc/passwd", "<img src=x>.png", "=SUM(A1).pdf", "a.exe", "a\\b"])
async def test_name_of_a_file_is_ours_whatever_its_uploader_calls_it(desk: Desk, name: str) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me)
    status, file = await desk.upload(me, case, disposition=f'attachment; filename="{name}"')
    assert status == 201
    response = await desk.request(desk.member(), "GET", f"cases/{case['case_id']}/evidence/{file['evidence_id']}")
    assert re.fullmatch(r'attachment; filename="evidence-[0-9a-f]{8}\.pdf"', response.headers["Content-Disposition"])
    (row,) = await desk.base.rows("case_evidence")
    assert name not in str(row | {"content": b""})


async def test_same_file_is_kept_once_and_so_many_at_most(desk: Desk) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me)
    answers = await asyncio.gather(*(desk.upload(me, case) for _ in range(4)))
    assert {status for status, _ in answers} == {201}
    assert len({file["evidence_id"] for _, file in answers}) == 1
    for n in range(1, MOST_FILES):
        assert (await desk.upload(me, case, (PDF[0], PDF[1] + b"%" + b"x" * n)))[0] == 201
    status, problem = await desk.upload(me, case, (PDF[0], PDF[1] + b"% one more"))
    assert (status, problem["errors"][0]["code"]) == (422, "too_many")
    assert (await desk.upload(me, case))[0] == 201, "the first one is there still"
    assert len(await desk.base.rows("case_evidence")) == MOST_FILES


@pytest.mark.parametrize("end", ["accept", "refuse", "withdrawal"])
async def test_files_are_gone_the_moment_a_case_ends(desk: Desk, end: str) -> None:
    me = await desk.station.register("P1")
    case, other = await desk.open(me), await desk.open(me, kind="other", text="Something else")
    for each in (case, other):
        for file in (PDF, picture()):
            await desk.upload(me, each, file)
    evidence = (await desk.seen(case))["evidence"]
    if end == "withdrawal":
        await desk.candidate(me, "POST", f"cases/{case['case_id']}/withdrawal")
    else:
        await desk.decide(case, end)
        assert len(await desk.base.rows("case_evidence")) == 4, "the second pair of eyes looks at them too"
        await desk.decide(case, end, by=BEN)
    assert {row["case_id"] for row in await desk.base.rows("case_evidence")} == {other["case_id"]}
    assert (await desk.seen(case))["evidence"] == []
    for file in evidence:
        path = f"cases/{case['case_id']}/evidence/{file['evidence_id']}"
        assert (await desk.staff("GET", path))[0] == 404
        assert (await desk.candidate(me, "GET", path))[0] == 404


async def test_file_that_arrives_while_a_case_is_decided_is_not_left_behind(desk: Desk) -> None:
    me = await desk.station.register("P1")
    for n in range(10):
        case = await desk.open(me, kind="other", text=f"Question {n}")
        (uploaded, _), (decided, _) = await asyncio.gather(desk.upload(me, case, picture()), desk.decide(case))
        assert (uploaded in {201, 409}, decided) == (True, 200)
        assert await desk.base.rows("case_evidence") == []


async def test_file_has_an_end_also_where_nobody_decides(desk: Desk) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me)
    await desk.upload(me, case)
    (row,) = await desk.base.rows("case_evidence")
    assert row["expires_at"] == desk.base.clock.now() + LASTS
    indexes: dict[str, Any] = await desk.base.database["case_evidence"].index_information()
    assert (indexes["kept"]["key"], indexes["kept"]["expireAfterSeconds"]) == ([("expires_at", 1)], 0)
    assert timedelta(days=30) < LASTS < timedelta(days=180)


async def test_file_whose_time_has_ended_can_be_added_again(desk: Desk) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me)
    await desk.upload(me, case, PDF)
    desk.base.clock.advance(LASTS + timedelta(seconds=1))
    await desk.base.database["case_evidence"].delete_many({})  # as the database does in time
    status, _ = await desk.upload(me, case, PDF)
    assert status == 201
    assert len(await desk.base.rows("case_evidence")) == 1
    assert len((await desk.seen(case))["evidence"]) == 1
