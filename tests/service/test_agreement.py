"""The certification agreement: shown, accepted once, and gating awards where the program says."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from libs.common.clock import FixedClock
from libs.common.programs import Program, load_definition
from tests.service.certs_station import CertsStation
from tests.service.conftest import OpenBase
from tests.service.samples import passed, received
from tests.service.test_claims import told
from tests.service.test_exams import said

ME = "/cisco/candidates/C1"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.fixture
async def gated(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[CertsStation]:
    """A program whose awards wait for the agreement."""
    text = programs["cisco"].definition.replace("award: where recorded", "award: required")
    async with base_of("certs") as base:
        yield CertsStation(base, {**programs, "cisco": load_definition(text, name="cisco.yaml")})


async def test_award_waits_for_the_agreement_and_keeps_its_day(gated: CertsStation) -> None:
    await gated.take(received(passed()))
    assert told(gated) == []
    async with gated.api() as api:
        _, found = await api.candidate("GET", f"{ME}/certifications")
        assert found["certifications"][0]["status"] == "pending_agreement"
        _, agreement = await api.candidate("GET", f"{ME}/agreement")
        assert (agreement["accepted"], agreement["required"], agreement["acceptances"]) == (False, True, [])
        path, version = f"{ME}/agreement/acceptance", agreement["version"]
        status, after = await api.candidate("POST", path, version=version)
        assert (status, after["accepted"]) == (200, True)
        assert after["acceptances"] == [{"version": version, "accepted_on": "2026-11-20"}]
        assert await api.candidate("POST", path, version=version) == (200, after)
        _, found = await api.candidate("GET", f"{ME}/certifications")
    (entry,) = found["certifications"]
    assert (entry["status"], entry["earned_on"], entry["expires_on"]) == ("active", "2025-03-10", "2028-03-10")
    assert told(gated) == ["CertificationAwarded", "AgreementAccepted"]


async def test_later_version_is_accepted_anew_and_takes_nothing_away(gated: CertsStation) -> None:
    await gated.take(received(passed()))
    async with gated.api() as api:
        await api.candidate("POST", f"{ME}/agreement/acceptance", version="2026-11")
    later = re.sub(r'version: "2026-11"', 'version: "2027-01"', gated.programs["cisco"].definition)
    later = re.sub(r"^version: (\d+)$", lambda found: f"version: {int(found[1]) + 1}", later, flags=re.MULTILINE)
    programs = {**gated.programs, "cisco": load_definition(later, name="cisco.yaml")}
    station = CertsStation(gated.base, programs)
    await station.run("reevaluation")
    async with station.api() as api:
        _, agreement = await api.candidate("GET", f"{ME}/agreement")
        assert (agreement["version"], agreement["accepted"]) == ("2027-01", False)
        _, found = await api.candidate("GET", f"{ME}/certifications")
        assert found["certifications"][0]["status"] == "active"
        assert (await api.candidate("POST", f"{ME}/agreement/acceptance", version="2026-11"))[0] == 409
        _, after = await api.candidate("POST", f"{ME}/agreement/acceptance", version="2027-01")
        assert [each["version"] for each in after["acceptances"]] == ["2026-11", "2027-01"]


async def test_acceptance_before_any_result_is_remembered(gated: CertsStation) -> None:
    async with gated.api() as api:
        await api.candidate("POST", f"{ME}/agreement/acceptance", version="2026-11")
    await gated.take(received(passed()))
    assert told(gated) == ["AgreementAccepted", "CertificationAwarded"]


async def test_only_the_candidate_accepts(gated: CertsStation) -> None:
    async with gated.api() as api:
        path = f"{ME}/agreement/acceptance"
        assert (await api.staff("POST", path, version="2026-11"))[0] == 403
        assert (await api.candidate("POST", path, who="C2", version="2026-11"))[0] == 404
        assert (await api.candidate("POST", path, version="1"))[0] == 409
        assert (await api.candidate("GET", "/cisco/agreement"))[1]["title"] == "Certification agreement"
        assert (await api.candidate("GET", "/juniper/agreement"))[0] == 404
    assert said(gated.base) == []
