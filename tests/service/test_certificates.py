"""Certificates and logos: only while it is true, kept as they were given out, with the name that their bearer has."""

import asyncio
import io
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pikepdf
import pytest
from PIL import Image

from libs.common.clock import FixedClock
from libs.common.errors import Unavailable
from libs.common.programs import Program, load_definition
from services.certs.certificates import editions
from services.certs.certificates.pool import DrawingPool, drawing_pool
from services.certs.certificates.rendering import lacking
from services.certs.certificates.store import CertificateStore
from services.certs.public.codes import Codes, read_code
from tests.service.certs_station import Callers, CertsStation
from tests.service.conftest import OpenBase
from tests.service.dying import die, wait_for_death
from tests.service.outgoing_station import person, profile
from tests.service.rig import Base, eventually
from tests.service.samples import passed, received

pytestmark = pytest.mark.skipif(lacking() is not None, reason=str(lacking()))

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ME = "/cisco/candidates/C1"
CCNA = f"{ME}/certifications/CCNA"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def base(base_of: OpenBase) -> AsyncIterator[Base]:
    async with base_of("certs") as opened:
        yield opened


@pytest.fixture
async def station(base: Base, programs: dict[str, Program]) -> CertsStation:
    """Somebody who holds a certification and its credential."""
    await drawing_pool(1).run(os.getpid)  # no request waits for the first process on a busy machine
    station = CertsStation(base, programs)
    await station.take(received(person("C1")), received(passed()))
    await station.settle()
    return station


async def decide(api: Callers, kind: str) -> None:
    decision = {"kind": kind, "certification": "CCNA", "reason": "A reason of some length."}
    status, _ = await api.staff("POST", f"{ME}/decisions", **decision)
    assert status in (200, 201, 202)


def opened(content: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(content))


def title(content: bytes) -> str:
    with opened(content) as pdf:
        return str(pdf.docinfo.Title)


async def test_certificate_bears_the_name_the_code_and_the_very_credential(station: CertsStation) -> None:
    async with station.api() as api:
        status, before = await api.candidate("GET", f"{CCNA}/certificate")
        assert (status, before["available"], before["issued"], before["reissue"]) == (200, True, None, None)
        status, content = await api.candidate("GET", f"{CCNA}/certificate.pdf")
        assert status == 200
        _, after = await api.candidate("GET", f"{CCNA}/certificate")
        assert after["issued"]["name"] == "Zoë Ångström"
        assert (after["issued"]["edition"], after["issued"]["issued_on"]) == (1, "2026-11-22")
        (credential,) = await station.base.rows("credentials")
        public = await api.fetch(f"/credentials/{credential['_id']}", Accept="application/vc")
        pdf = opened(content)
        attached = pdf.attachments["credential.json"].get_file().read_bytes()
        assert attached == await public.read() == credential["document"]
        assert json.loads(attached)["id"].endswith(credential["_id"])
    code = read_code(after["issued"]["code"])
    assert code is not None
    known = await Codes(station.base.database).find(code)
    assert known is not None
    assert (known["kind"], known["program"]) == ("certificate", "cisco")
    found = await CertificateStore(station.base.database).get(known["subject"])
    assert found is not None
    assert (found.credential_id, found.candidate_id, found.code) == (credential["_id"], "C1", code)
    links = {str(each.A.URI) for each in pdf.pages[0].Annots}
    assert links == {f"https://certrail.example/check/{code}"}


async def test_code_on_it_tells_how_it_stands_now(station: CertsStation) -> None:
    async with station.api() as api:
        await api.candidate("GET", f"{CCNA}/certificate.pdf")
        _, state = await api.candidate("GET", f"{CCNA}/certificate")
        path = f"/check/{state['issued']['code']}"
        seen = json.loads(await (await api.fetch(path, Accept="application/json")).read())
        assert seen["kind"] == "certificate"
        assert "Zoë Ångström" in json.dumps(seen, ensure_ascii=False)
        await station.take(profile("C1", version=5, family_name="King"))
        await api.candidate("POST", f"{CCNA}/certificate")
        again = await (await api.fetch(path, Accept="application/json")).read()
        assert "Zoë Ångström" in json.dumps(json.loads(again), ensure_ascii=False)
        await decide(api, "revoke")
        await station.settle()
        page = (await (await api.fetch(path, Accept="text/html")).read()).decode()
        assert "Not valid" in page


async def test_once_given_out_it_is_the_same_file_for_ever(station: CertsStation, programs: dict[str, Program]) -> None:
    async with station.api() as api:
        _, first = await api.candidate("GET", f"{CCNA}/certificate.pdf")
        _, again = await api.candidate("GET", f"{CCNA}/certificate.pdf")
    changed = programs["cisco"].definition.replace("  colour: ", "  colour: '#123456' # ", 1)
    later = CertsStation(station.base, {**programs, "cisco": _next(changed)})
    station.base.clock.advance(timedelta(days=30))
    async with later.api() as api:
        _, kept = await api.candidate("GET", f"{CCNA}/certificate.pdf")
    assert first == again == kept
    assert len(await station.base.rows("certificates")) == 1


def _next(definition: str) -> Program:
    """The same under the number that follows."""
    following = re.sub(
        r"^version: (\d+)$", lambda found: f"version: {int(found[1]) + 1}", definition, flags=re.MULTILINE
    )
    return load_definition(following, name="cisco.yaml")


async def test_asked_for_by_many_at_once_it_is_made_once(station: CertsStation) -> None:
    async with station.api() as api:
        answers = await asyncio.gather(*(api.candidate("GET", f"{CCNA}/certificate.pdf") for _ in range(8)))
    assert {status for status, _ in answers} == {200}
    assert len({content for _, content in answers}) == 1
    (row,) = await station.base.rows("certificates")
    codes = await station.base.rows("verification_codes", kind="certificate")
    assert [each["subject"] for each in codes] == [row["_id"]]


async def test_new_name_is_offered_and_made_when_asked_for(station: CertsStation) -> None:
    async with station.api() as api:
        _, first = await api.candidate("GET", f"{CCNA}/certificate.pdf")
        assert (await api.candidate("POST", f"{CCNA}/certificate"))[0] == 409
        await station.take(profile("C1", version=5, given_name="Zoë", family_name="King"))
        await station.settle()
        _, state = await api.candidate("GET", f"{CCNA}/certificate")
        assert (state["issued"]["name"], state["reissue"]["name"]) == ("Zoë Ångström", "Zoë King")
        assert (await api.candidate("GET", f"{CCNA}/certificate.pdf"))[1] == first
        status, state = await api.candidate("POST", f"{CCNA}/certificate", key="again")
        assert (status, state["issued"]["name"], state["issued"]["edition"]) == (200, "Zoë King", 2)
        assert state["reissue"] is None
        assert (await api.candidate("POST", f"{CCNA}/certificate", key="again"))[1] == state
        _, second = await api.candidate("GET", f"{CCNA}/certificate.pdf")
    assert (title(first)[-12:], title(second)[-8:]) == ("Zoë Ångström", "Zoë King")
    rows = await station.base.rows("certificates")
    assert [(row["edition"], bytes(row["content"])) for row in rows] == [(1, first), (2, second)]
    assert len({row["code"] for row in rows}) == 2


async def test_name_in_its_own_script_stands_on_it_where_that_is_chosen(station: CertsStation) -> None:
    native = {"native_given_name": "さくら", "native_family_name": "田中"}
    await station.take(profile("C1", version=5, country="JP", **native))
    async with station.api() as api:
        await api.candidate("GET", f"{CCNA}/certificate.pdf")
        _, state = await api.candidate("GET", f"{CCNA}/certificate")
        assert (state["issued"]["native_name"], state["reissue"]) == (None, None)
        choice = {"directory": False, "name_in_badges": False, "native_name": True}
        assert (await api.candidate("PUT", f"{ME}/sharing", **choice))[0] == 200
        _, state = await api.candidate("GET", f"{CCNA}/certificate")
        assert state["reissue"]["native_name"] == "田中 さくら"
        _, state = await api.candidate("POST", f"{CCNA}/certificate")
        assert state["issued"]["native_name"] == "田中 さくら"


async def test_renewal_gives_a_certificate_of_its_own(station: CertsStation) -> None:
    async with station.api() as api:
        _, first = await api.candidate("GET", f"{CCNA}/certificate.pdf")
        renewed = {"result_id": "R2", "taken_at": NOW - timedelta(days=10), "taken_on": date(2026, 11, 12)}
        await station.take(received(passed(**renewed)))
        status, second = await api.candidate("GET", f"{CCNA}/certificate.pdf")
    assert status == 200
    assert first != second
    assert len({row["expires_on"] for row in await station.base.rows("certificates")}) == 2


async def test_key_that_is_lost_takes_the_certificate_with_it(station: CertsStation) -> None:
    async with station.api() as api:
        _, first = await api.candidate("GET", f"{CCNA}/certificate.pdf")
        await station.base.database["credentials"].update_many({}, {"$set": {"kid": "another"}})
        _, second = await api.candidate("GET", f"{CCNA}/certificate.pdf")
    assert first != second
    assert [row["edition"] for row in await station.base.rows("certificates")] == [1, 2]


@pytest.mark.parametrize(
    ("kind", "why"), [("suspend", "Not available: it is suspended."), ("revoke", "Not available: it was revoked.")]
)
async def test_what_staff_have_taken_away_has_no_certificate(station: CertsStation, kind: str, why: str) -> None:
    async with station.api() as api:
        await api.candidate("GET", f"{CCNA}/certificate.pdf")
        await decide(api, kind)
        await _refused(api, "certification-not-active", why)


async def test_expired_one_is_refused_from_midnight_on(station: CertsStation) -> None:
    async with station.api() as api:
        await api.candidate("GET", f"{CCNA}/certificate.pdf")
        station.base.clock.advance(datetime(2028, 3, 12, tzinfo=UTC) - NOW)
        await _refused(api, "certification-not-active", "Not available: expired on 10 March 2028.")


async def test_without_the_agreement_there_is_none(base: Base, programs: dict[str, Program]) -> None:
    text = programs["cisco"].definition.replace("award: where recorded", "award: required")
    station = CertsStation(base, {**programs, "cisco": load_definition(text, name="cisco.yaml")})
    await station.take(received(person("C1")), received(passed()))
    async with station.api() as api:
        await _refused(api, "agreement-missing", "Not available: the certification agreement has not been accepted.")


async def _refused(api: Callers, code: str, why: str) -> None:
    """The states say why not, and everything that shows the certification is refused."""
    for path in ("certificate", "logos"):
        status, state = await api.candidate("GET", f"{CCNA}/{path}")
        assert (status, state["available"], state["reason"]) == (200, False, why)
    for method, path in (
        ("GET", "certificate.pdf"),
        ("POST", "certificate"),
        ("GET", "logos/logo.svg"),
        ("GET", "logos/logo-256.png"),
    ):
        status, problem = await api.candidate(method, f"{CCNA}/{path}")
        assert (status, problem["type"], problem["detail"]) == (409, f"urn:certrail:problem:{code}", why), path


async def test_what_was_never_earned_is_not_there(station: CertsStation) -> None:
    async with station.api() as api:
        for path in ("certificate", "certificate.pdf", "logos", "logos/logo.svg"):
            for certification in ("DEVNET", "nothing"):
                status, _ = await api.candidate("GET", f"{ME}/certifications/{certification}/{path}")
                assert status == 404
            assert (await api.candidate("GET", f"{CCNA}/{path}", who="C2"))[0] == 404
            assert (await api.staff("GET", f"{CCNA}/{path}", program="juniper"))[0] == 404


async def test_before_the_name_is_there_one_is_asked_to_wait(base: Base, programs: dict[str, Program]) -> None:
    station = CertsStation(base, programs)
    await station.take(received(passed()))
    async with station.api() as api:
        status, problem = await api.candidate("GET", f"{CCNA}/certificate.pdf")
        assert (status, problem["type"]) == (409, "urn:certrail:problem:credential-pending")
        assert await base.rows("certificates") == []
        await station.take(received(person("C1")))
        # Nobody has compared or signed anything yet: asking for the certificate does both.
        assert (await api.candidate("GET", f"{CCNA}/certificate.pdf"))[0] == 200
    assert len(await base.rows("credentials")) == 1


async def test_name_that_cannot_be_printed_is_told(station: CertsStation) -> None:
    await station.take(profile("C1", version=5, family_name="😀"))
    async with station.api() as api:
        status, problem = await api.candidate("GET", f"{CCNA}/certificate.pdf")
    assert (status, problem["type"]) == (409, "urn:certrail:problem:name-not-printable")
    assert "U+1F600" in problem["detail"]
    assert await station.base.rows("certificates") == []


async def test_process_that_dies_while_drawing_is_replaced_and_nothing_is_left_half(
    station: CertsStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = drawing_pool(1)
    await pool.run(os.getpid)
    monkeypatch.setattr(editions, "render", die)
    async with station.api() as api:
        status, _ = await api.candidate("GET", f"{CCNA}/certificate.pdf")
        assert status in (503, 504)  # on a busy machine two processes take longer to start than a request may
        assert await station.base.rows("certificates") == []
        assert await station.base.rows("verification_codes", kind="certificate") == []
        monkeypatch.undo()
        await eventually(lambda: api.candidate("GET", f"{CCNA}/certificate.pdf"), lambda answer: answer[0] == 200)


async def test_drawing_in_hand_of_a_process_that_dies_is_done_by_another() -> None:
    pool = DrawingPool(1)
    try:
        first = await pool.run(os.getpid)
        waiting = asyncio.ensure_future(pool.run(wait_for_death, first))
        await asyncio.sleep(0.2)
        os.kill(first, signal.SIGKILL)
        assert await waiting != first
    finally:
        pool.close()


async def test_all_that_die_are_an_outage() -> None:
    pool = DrawingPool(1)
    with pytest.raises(Unavailable):
        await pool.run(die)
    pool.close()


async def test_logos_come_in_sizes_with_their_licence(station: CertsStation, programs: dict[str, Program]) -> None:
    async with station.api() as api:
        status, logos = await api.candidate("GET", f"{CCNA}/logos")
        assert (status, logos["available"]) == (200, True)
        assert logos["licence"] == programs["cisco"].certificate.logo_licence
        for file in logos["files"]:
            status, content = await api.candidate("GET", f"{CCNA}/logos/{file['file']}")
            assert status == 200
            if file["media_type"] == "image/png":
                with Image.open(io.BytesIO(content)) as image:
                    assert image.width == file["width"]
            else:
                assert content.startswith(b"<svg xmlns=")
                assert b"<script" not in content
        for wrong in ("logo-300.png", "logo-0128.png"):
            assert (await api.candidate("GET", f"{CCNA}/logos/{wrong}"))[0] == 404
        assert (await api.candidate("GET", f"{CCNA}/logos/logo.gif"))[0] == 422
