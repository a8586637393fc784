"""What certs says of a person, and the ledger that goes on under a pseudonym."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from libs.common.clock import FixedClock
from libs.common.privacy.holdings import everything
from libs.common.programs import Program
from services.certs.privacy import HOLDINGS
from tests.service.certs_station import Callers, CertsStation
from tests.service.conftest import OpenBase
from tests.service.privacy_station import PSEUDONYM, PrivacyStation
from tests.service.rig import said
from tests.service.samples import course, invalidated, linked, passed, person, received, reported
from tests.service.test_claims import ME, PDF, credit_claim
from tests.unit.certs.desk import merged, separated

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
REASON = "Ada was ill that week"
NOTE = "I, Ada, attended in person"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[PrivacyStation]:
    async with base_of("certs") as base:
        yield PrivacyStation(base, programs)


@pytest.fixture
async def api(station: PrivacyStation, programs: dict[str, Program]) -> AsyncIterator[Callers]:
    certs = CertsStation(station.base, programs)
    certs.parts = station.parts
    async with certs.api() as callers:
        yield callers


async def furnish(station: PrivacyStation, api: Callers) -> None:
    """A pass, a decision, claims accepted and pending, evidence, a reported course."""
    await station.take(received(passed()), received(linked()))
    extension = {"kind": "extend", "certification": "CCNA", "until": "2028-06-10", "reason": REASON}
    assert (await api.staff("POST", f"{ME}/decisions", key="d", **extension))[0] == 201
    _, kept = await api.candidate("POST", f"{ME}/evidence", file=PDF)
    claim = credit_claim(evidence=[kept["evidence_id"]], note=NOTE, item="OTHER", title="Ada's own talk", credits=5)
    _, accepted = await api.candidate("POST", f"{ME}/credit-claims", key="1", **claim)
    await api.staff("POST", f"/cisco/reviews/{accepted['submission_id']}/decision", key="r", decision="accepted")
    await api.candidate("POST", f"{ME}/credit-claims", key="2", **credit_claim(note=NOTE))
    await station.report(reported(course(completion_id="K7", course_code="ENCOR-ILT")))


async def certifications(station: PrivacyStation, account: str) -> list[Any]:
    (row,) = await station.base.rows("candidates", _id=account)
    return [(one["certification"], one["status"], one["earned_on"], one["expires_on"]) for one in row["certifications"]]


async def test_export_says_ledger_claims_decisions_and_files(station: PrivacyStation, api: Callers) -> None:
    await furnish(station, api)
    files = await station.exported("C1")
    assert {"certifications.json", "submissions.json", "decisions.json", "evidence.json"} <= set(files)
    (ledger,) = files["certifications.json"]
    assert {fact["kind"] for fact in ledger["facts"]} == {"exam", "decision", "credit"}
    assert files["decisions.json"][0]["reason"] == REASON
    assert NOTE in {one["note"] for one in files["submissions.json"]}
    (path,) = [path for path in files if path.startswith("files/")]
    assert files[path] == PDF[1]
    assert "content" not in files["evidence.json"][0]


async def test_same_file_of_two_accounts_is_two_files(station: PrivacyStation, api: Callers) -> None:
    for who in ("C1", "C2"):
        await api.candidate("POST", f"/cisco/candidates/{who}/evidence", who=who, file=PDF)
    files = await station.exported("C1", "C2")
    assert [content for path, content in files.items() if path.startswith("files/")] == [PDF[1], PDF[1]]


async def test_same_certifications_stand_under_the_pseudonym(station: PrivacyStation, api: Callers) -> None:
    await furnish(station, api)
    before, count = await certifications(station, "C1"), len(said(station.base))
    assert before
    await station.erase("C1")
    assert await certifications(station, PSEUDONYM) == before
    assert len(said(station.base)) == count, "nothing has changed, so nothing is told"
    left = await station.stored()
    assert not [word for word in ("'C1'", "C1:", "vue:P1", "'P1'", REASON, NOTE, "Ada", "%PDF") if word in left]
    assert {row["state"] for row in await station.base.rows("submissions")} == {"accepted", "withdrawn"}
    assert [row["kind"] for row in await station.base.rows("decisions")] == ["extend"]
    await station.erase("C1")
    assert await station.stored() == left


async def test_words_of_a_decision_leave_the_texts_that_quote_them(station: PrivacyStation, api: Callers) -> None:
    await station.take(received(passed()))
    await api.staff("POST", f"{ME}/decisions", key="d", kind="suspend", certification="CCNA", reason=REASON)
    (before,) = await station.base.rows("candidates")
    assert REASON in str(before["certifications"])
    await station.erase("C1")
    (after,) = await station.base.rows("candidates")
    assert [one["status"] for one in after["certifications"]] == ["suspended"]
    assert REASON not in str(after)


async def test_correction_after_the_erasure_still_counts(station: PrivacyStation) -> None:
    await station.take(received(passed()))
    await station.erase("C1")
    await station.take(received(invalidated(PSEUDONYM)))
    assert await certifications(station, PSEUDONYM) == []
    assert said(station.base)[-1]["data"]["candidate_id"] == PSEUDONYM


@pytest.mark.parametrize("together", [True, False])
async def test_fact_that_comes_after_its_erasure_is_the_pseudonyms(station: PrivacyStation, together: bool) -> None:
    events = [received(station.erased("C1")), received(passed()), received(linked())]
    for batch in [events] if together else [[one] for one in events]:
        await station.take(*batch)
    assert [one[0] for one in await certifications(station, PSEUDONYM)] == ["CCNA"]
    assert "C1" not in await station.stored()


async def test_what_slipped_in_under_the_old_id_goes_to_the_pseudonym(station: PrivacyStation) -> None:
    """By another process that had not heard yet, or a token that still worked."""
    await station.take(received(passed("C1", "R1")))
    await station.erase("C1")
    await station.base.database["tombstones"].delete_many({})
    await station.another().take(received(passed("C1", "R2", exam_code="200-201")))
    await station.erase("C1")
    assert len(await certifications(station, PSEUDONYM)) == 2
    assert "C1" not in await station.stored()


async def test_merged_accounts_go_under_pseudonyms_together(station: PrivacyStation) -> None:
    await station.take(received(passed("A", "R1")), received(passed("B", "R2", exam_code="200-201")))
    await station.take(received(merged("A", "B", NOW)))
    before = await certifications(station, "B")
    await station.erase("B", "A")
    assert await certifications(station, "erased-1") == before
    rows = await station.base.rows("candidates")
    assert [(row["_id"], row.get("merged_into"), row["kin"]) for row in rows] == [
        ("erased-1", None, ["erased-2"]),
        ("erased-2", "erased-1", ["erased-1"]),
    ]


async def test_other_person_keeps_their_ledger_without_the_erased(station: PrivacyStation) -> None:
    await station.take(received(passed("A", "R1")), received(passed("B", "R2", exam_code="200-201")))
    await station.take(received(merged("A", "B", NOW)), received(separated("A", "B", NOW + timedelta(minutes=1))))
    before = await certifications(station, "B")
    await station.erase("A")
    assert await certifications(station, "B") == before
    (row,) = await station.base.rows("candidates", _id="B")
    assert row["kin"] == [PSEUDONYM]
    assert "'A'" not in await station.stored()


async def test_late_course_of_before_goes_to_the_pseudonym(station: PrivacyStation) -> None:
    await station.take(received(passed()), received(linked()))
    await station.erase("C1")
    after = (NOW + timedelta(days=30)).date()
    station.base.clock.advance(timedelta(days=31))
    await station.report(
        reported(course()),
        reported(course(completion_id="K2", candidate_ref=person("C1", "candidate_id"))),
        reported(course(completion_id="K3", completed_on=after)),
    )
    await station.run("late-reports")
    await station.run("late-reports")
    rows = await station.base.rows("submissions")
    by_day = {(row["completed_on"], row["candidate_id"], row["state"]) for row in rows}
    assert by_day == {("2026-10-01", PSEUDONYM, "accepted"), (str(after), None, "unmatched")}
    assert all(row["reference"] is None for row in rows if row["candidate_id"])
    (ledger,) = await station.base.rows("candidates", _id=PSEUDONYM)
    assert [fact["completed_on"] for fact in ledger["facts"] if fact["kind"] == "credit"] == [
        str(date(2026, 10, 1))
    ] * 2


async def test_every_collection_is_accounted_for(station: PrivacyStation) -> None:
    assert set(await station.base.database.list_collection_names()) <= set(everything(HOLDINGS))
