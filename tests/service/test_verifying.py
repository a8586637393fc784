"""Files are checked against what is published and stored: over HTTP, in processes with limits, for anybody."""

import json
import zlib
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.common.clock import FixedClock
from libs.common.http.problems import Problem
from libs.common.programs import Program
from services.certs.verifying import limited, limits
from services.certs.verifying.found import MOST_BYTES, UnreadableError
from services.certs.verifying.limited import Limited
from services.certs.verifying.png import KEYWORD
from tests.service.certs_station import Callers, CertsStation
from tests.service.conftest import OpenBase
from tests.service.rig import Base
from tests.service.samples import passed, received
from tests.unit.certs.test_verifying_files import NAME, form_of, paper, picture, text_chunk

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ME = "/cisco/candidates/C1"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def base(base_of: OpenBase) -> AsyncIterator[Base]:
    async with base_of("certs") as opened:
        yield opened


@dataclass
class Desk:
    """A certification that was awarded, as files, and who takes files."""

    station: CertsStation
    api: Callers
    row: dict[str, Any]

    @property
    def document(self) -> dict[str, Any]:
        signed: dict[str, Any] = json.loads(self.row["document"])
        return signed

    async def check(self, content: bytes | dict[str, Any], media_type: str = "application/octet-stream") -> Any:
        file = content if isinstance(content, bytes) else json.dumps(content).encode()
        response = await self.api.send("/verify", file, media_type)
        assert (response.status, response.headers["Cache-Control"]) == (200, "no-store")
        return await response.json()

    async def verdict(self, content: bytes | dict[str, Any]) -> str:
        found: str = (await self.check(content))["verdict"]
        return found

    async def decide(self, kind: str) -> None:
        body = {"kind": kind, "certification": "CCNA", "reason": "as it was asked"}
        assert (await self.api.staff("POST", f"{ME}/decisions", key=kind, **body))[0] == 201
        await self.station.settle()


@pytest.fixture
async def desk(base: Base, programs: dict[str, Program]) -> AsyncIterator[Desk]:
    station = CertsStation(base, programs)
    await station.take(received(passed()))
    await station.settle()
    (row,) = await base.rows("credentials")
    async with station.api() as api:
        yield Desk(station, api, row)


async def test_every_form_of_a_badge_is_genuine(desk: Desk) -> None:
    address = f"/credentials/{desk.row['_id']}"
    for suffix, form in (("", "json"), (".jwt", "jwt"), (".png", "png"), (".svg", "svg")):
        file = await (await desk.api.fetch(address + suffix)).read()
        found = await desk.check(file)
        assert (found["verdict"], found["form"], found["kind"], found["program"]) == ("genuine", form, "badge", "cisco")
        assert found["credential"]["title"] == desk.row["title"]
    attached = await desk.check(paper((NAME, bytes(desk.row["document"]))))
    assert (attached["verdict"], attached["form"]) == ("genuine", "pdf")


async def test_what_staff_decide_is_seen_at_once(desk: Desk) -> None:
    await desk.decide("suspend")
    assert await desk.verdict(desk.document) == "suspended"
    await desk.decide("reinstate")
    assert await desk.verdict(desk.document) == "genuine"
    await desk.decide("revoke")
    found = await desk.check(desk.document)
    assert (found["verdict"], found["heading"]) == ("revoked", "Not valid: revoked on 22 November 2026.")


async def test_expired_altered_and_unknown_are_told_apart(desk: Desk) -> None:
    assert await desk.verdict({**desk.document, "validUntil": "2040-01-01T00:00:00Z"}) == "altered"
    assert await desk.verdict({**desk.document, "issuer": "did:web:attacker.example"}) == "not_ours"
    await desk.station.base.database["credentials"].delete_one({"_id": desk.row["_id"]})
    assert await desk.verdict(desk.document) == "altered"  # signed by us, and in no list of ours
    desk.station.base.clock.advance(timedelta(days=2_000))
    assert await desk.verdict({**desk.document, "name": "CCIE"}) == "altered"


async def test_expired_is_told_with_its_day(desk: Desk) -> None:
    desk.station.base.clock.advance(timedelta(days=2_000))
    found = await desk.check(desk.document)
    assert (found["verdict"], found["text"].endswith("It expired on 10 March 2028.")) == ("expired", True)


async def test_place_in_the_list_must_be_the_credentials_own(desk: Desk) -> None:
    """Even where our key has signed it: otherwise one list could answer for another."""
    other = (int(desk.row["status_index"]) + 1) % 131_072
    await desk.station.base.database["credentials"].update_one(
        {"_id": desk.row["_id"]}, {"$set": {"status_index": other}}
    )
    found = await desk.check(desk.document)
    assert [each["code"] for each in found["findings"] if not each["holds"]] == ["status_unknown"]


async def test_corrected_credential_sends_to_the_newer_one(desk: Desk) -> None:
    later = NOW + timedelta(seconds=5)
    await desk.station.base.database["credentials"].update_one(
        {"_id": desk.row["_id"]}, {"$set": {"valid_from": later}}
    )
    assert await desk.verdict(desk.document) == "replaced"


async def test_key_that_was_compromised_proves_nothing_any_more(desk: Desk) -> None:
    kid = desk.document["proof"][0]["verificationMethod"].partition("#")[2]
    token = desk.row["jwt"].encode()
    keys = desk.station.base.database["issuer_keys"]
    assert await keys.count_documents({"_id": kid}) == 1
    await keys.update_one({"_id": kid}, {"$set": {"compromised_at": NOW}})
    desk.station.base.clock.advance(timedelta(minutes=1))
    for file in (desk.document, token):
        found = await desk.check(file)
        assert (found["verdict"], "key_unknown" in str(found["findings"])) == ("not_ours", True)


async def test_file_from_the_page_is_answered_by_a_page(desk: Desk) -> None:
    page = await (await desk.api.fetch("/verify")).text()
    assert 'enctype="multipart/form-data"' in page
    boundary = "----boundary"
    form = form_of(bytes(desk.row["document"]), boundary)
    response = await desk.api.send("/verify/page", form, f"multipart/form-data; boundary={boundary}")
    text = await response.text()
    assert (response.status, response.content_type) == (200, "text/html")
    assert (response.headers["Cache-Control"], "Genuine and unchanged." in text) == ("no-store", True)
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_words_of_a_strangers_file_are_not_on_the_page(desk: Desk) -> None:
    mark = "<script>alert(1)</script>"
    forged = {**desk.document, "name": mark, "issuer": mark, "type": ["VerifiableCredential", mark]}
    form = form_of(json.dumps(forged).encode(), "b")
    response = await desk.api.send("/verify/page", form, "multipart/form-data; boundary=b")
    assert (response.status, "alert" in await response.text()) == (200, False)


async def test_other_bodies_are_refused(desk: Desk) -> None:
    assert (await desk.api.send("/verify", b"{}", "application/zip")).status == 415
    assert (await desk.api.send("/verify", bytes(MOST_BYTES + 1), "application/pdf")).status == 413
    assert (await desk.api.send("/verify/page", b"x", "multipart/form-data")).status == 400
    people = {"Accept": "text/html", "Accept-Language": "es"}
    page = await desk.api.send("/verify/page", b"x", "multipart/form-data", **people)
    assert (page.status, page.content_type) == (400, "text/html")
    assert "No nos ha llegado ningún archivo." in await page.text()


async def test_who_checks_too_often_is_told_to_wait(desk: Desk) -> None:
    answers = [await desk.api.send("/verify", b"x", "text/plain") for _ in range(21)]
    assert [each.status for each in answers[:20]] == [200] * 20
    assert (answers[20].status, int(answers[20].headers["Retry-After"]) > 0) == (429, True)


# --- Limits ----------------------------------------------------------------------------------------------------------


async def fault(file: bytes) -> str:
    with pytest.raises(UnreadableError) as refused:
        await Limited().extract(file)
    return refused.value.fault


async def test_process_that_works_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "_TASKS", {"extract": "tests.service.hostile_work"})
    monkeypatch.setattr(limited, "WALL_SECONDS", 300.0)
    assert await fault(b"forever") == "too_much_work"


async def test_process_that_takes_too_much_memory_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "_TASKS", {"extract": "tests.service.hostile_work"})
    assert await fault(b"memory") == "too_much_work"


async def test_process_writes_and_opens_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "_TASKS", {"extract": "tests.service.hostile_work"})
    assert await fault(b"write") == "damaged"
    assert await fault(b"open") == "damaged"


async def test_process_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "_TASKS", {"extract": "tests.service.hostile_work"})
    monkeypatch.setenv("CERTRAIL_CERTS_KEYS_SECRET", "k" * 32)
    found = await Limited().extract(b"environment")
    assert "PYTHONPATH" in found.document
    assert "CERTRAIL" not in found.document


async def test_graph_that_takes_for_ever_to_sort_is_given_up(desk: Desk) -> None:
    """Blank nodes that all look alike: their order must be tried out (RDF Dataset Canonicalization, 7.1)."""
    document = desk.document
    ring = [{"type": ["Alignment"], "targetName": "a", "targetUrl": "https://a.example"} for _ in range(12_000)]
    document["credentialSubject"]["achievement"]["alignment"] = ring
    assert (await desk.check(document))["findings"][0]["code"] == "too_much_work"


async def test_hostile_files_are_read_by_the_process_as_well(desk: Desk) -> None:
    bomb = picture(text_chunk(zlib.compress(bytes(50_000_000)), deflated=True))
    header = urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=")
    files = {
        bomb: "too_large",
        b'<!DOCTYPE a [<!ENTITY b "c">]><svg>&b;</svg>': "damaged",
        bytes(desk.row["document"])[:-9]: "damaged",
        b"%PDF-1.7 nothing": "damaged",
        picture(text_chunk(b"{}"), text_chunk(b"{}")): "several_credentials",
        header + b".e30.": "format_unknown",
    }
    for file, code in files.items():
        assert (await desk.check(file))["findings"][0]["code"] == code
    assert KEYWORD in bomb


async def test_those_who_find_many_waiting_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "MOST_WAITING", 0)
    with pytest.raises(Problem) as refused:
        await Limited().extract(b"x")
    assert refused.value.kind.status == 429


def test_limits_are_ones_that_a_transcript_fits_in() -> None:
    assert limits.SECONDS < limited.WALL_SECONDS < 10
