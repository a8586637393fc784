"""What exams says of a person, and what it keeps of somebody erased."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.common.bus.ingress import Reason, Refusal
from libs.common.clock import FixedClock
from libs.common.events import exams, identity
from libs.common.privacy.holdings import everything
from libs.common.privacy.retention import Retention
from libs.common.programs import Program
from services.exams.privacy import HOLDINGS, PERIODS
from tests.service.conftest import OpenBase
from tests.service.privacy_station import PSEUDONYM, PrivacyStation
from tests.service.rig import said
from tests.service.samples import TAKEN, achievement, linked, received, registration, reported, result
from tests.service.vendor_station import VendorStation, moved, notice, said_result

LATER = TAKEN + timedelta(days=1)
URL = "https://vue.example/reports/ada-lovelace"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(TAKEN + timedelta(days=30))


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[PrivacyStation]:
    async with base_of("exams") as base:
        station = PrivacyStation(base, programs)
        await station.report(reported(registration(site="Malmö")), reported(result(score_report_url=URL)))
        await station.take(received(linked()))
        yield station


def told(station: PrivacyStation, subject: str) -> list[str]:
    return [event["type"].split(".")[-2] for event in said(station.base) if event["subject"] == subject]


async def test_export_says_results_and_appointments_and_nobody_elses(station: PrivacyStation) -> None:
    await station.report(reported(registration("P2", "G2")), reported(result("P2", "R2")))
    await station.take(received(linked("P2", "C2")))
    files = await station.exported("C1")
    assert set(files) == {"appointments.json", "results.json", "partner_ids.json"}
    (found,) = files["results.json"]
    assert (found["id"], found["grade"], found["score_report_url"]) == ("cisco:vue:R1", "pass", URL)
    assert "version" not in found
    assert "P2" not in str(files)
    assert await station.exported("nobody") == {}


async def test_results_stay_under_a_pseudonym_alone(station: PrivacyStation) -> None:
    refused = reported(registration("P1", "G9"))
    body = b'{"data": {"vendor_candidate_id": "P1", "given_name": "Ada"}}'
    delivery = refused.delivery.__class__(body, *_rest(refused.delivery))
    await station.report(Refusal("vue", (Reason("data", "x", "y"),), delivery, None))
    before = await station.stored()
    assert all(word in before for word in ("C1", "P1", "Ada", URL, "Malmö"))
    await station.erase("C1")
    left = await station.stored()
    assert not [word for word in ("'C1'", "P1", "Ada", URL, "Malmö") if word in left]
    (kept,) = await station.base.rows("results")
    assert (kept["candidate_id"], kept["grade"], kept["score"]) == (PSEUDONYM, "pass", 900.0)
    await station.erase("C1")
    assert await station.stored() == left, "it is told again an hour later"


def _rest(delivery: Any) -> tuple[Any, ...]:
    return tuple(getattr(delivery, name) for name in list(delivery.__slots__)[1:])


async def test_nothing_of_a_notification_names_somebody_erased(
    station: PrivacyStation, programs: dict[str, Program]
) -> None:
    vendor = VendorStation(station.base, programs)
    async with vendor.serving():
        token = await vendor.admit()
        naming = moved("no_show") | {"who": {"vendor_candidate_id": "P1", "name": "Ada"}}
        await vendor.notify(token, [said_result("modify", 1), notice("hold", 2), naming])
        assert "Ada" in await station.stored()
        await station.erase("C1")
        await vendor.notify(token, said_result("modify", 3, score=870.0))
    left = await station.stored()
    assert not [word for word in ("'C1'", "P1", "Ada") if word in left]
    assert len(await station.base.rows("notifications")) == 4


async def test_later_correction_reaches_the_kept_result_and_brings_nothing_back(station: PrivacyStation) -> None:
    await station.erase("C1")
    again = result(revision=2, grade="invalidated", score=None, score_report_url=URL)
    await station.report(reported(again, time=LATER), reported(registration(), time=LATER))
    (kept,) = await station.base.rows("results")
    assert (kept["grade"], kept["score_report_url"], kept["vendor_candidate_id"]) == ("invalidated", None, None)
    assert told(station, PSEUDONYM) == ["ExamResultInvalidated"]
    assert "P1" not in await station.stored()


async def test_late_result_of_before_goes_to_the_pseudonym(station: PrivacyStation) -> None:
    await station.erase("C1")
    early, after = result("P1", "R2"), result("P1", "R3", taken_at=station.base.clock.now() + timedelta(days=1))
    await station.report(reported(early), reported(after), reported(registration("P1", "G5")))
    await station.run("late-reports")
    await station.run("late-reports")
    rows = {row["result_id"]: row for row in await station.base.rows("results")}
    assert (rows["R2"]["candidate_id"], rows["R2"]["vendor_candidate_id"]) == (PSEUDONYM, None)
    assert rows["R3"]["candidate_id"] is None, "it waits for the account that a new registration makes"
    (appointment,) = await station.base.rows("registrations", registration_id="G5")
    assert appointment["candidate_id"] == PSEUDONYM
    assert told(station, PSEUDONYM) == ["ExamScheduled", "ExamPassed"]
    later = identity.ExternalIdLinked(
        candidate_id="C2", system="vue", external_id="P1", verified_by="registration", linked_at=after.taken_at
    )
    await station.take(received(later))
    assert {row["result_id"]: row["candidate_id"] for row in await station.base.rows("results")} == {
        "R1": PSEUDONYM,
        "R2": PSEUDONYM,
        "R3": "C2",
    }


async def test_achievements_and_breaches_are_told_and_stay_under_a_pseudonym(station: PrivacyStation) -> None:
    again = result("P1", "R2", registration_id="G2", taken_at=TAKEN + timedelta(days=2))
    await station.report(reported(achievement(url=URL)), reported(again))
    await station.run("retakes")
    (flag,) = await station.base.rows("retake_flags")
    words = [{"state": "open", "reason": "Ada wrote", "by": "staff:ada", "at": TAKEN}]
    await station.base.database["retake_flags"].update_one({"_id": flag["_id"]}, {"$set": {"reviews": words}})
    files = await station.exported("C1")
    assert [one["title"] for one in files["achievements.json"]] == ["Segment routing, hands-on"]
    assert [one["result"] for one in files["retake_flags.json"]] == ["cisco:vue:R2"]
    await station.erase("C1")
    left = await station.stored()
    assert not [word for word in ("'C1'", "P1", URL, "Ada") if word in left]
    (kept,) = await station.base.rows("achievements")
    (flag,) = await station.base.rows("retake_flags")
    assert kept["candidate_id"] == flag["candidate_id"] == PSEUDONYM
    await station.report(reported(achievement(url=URL, revision=2), time=LATER))
    await station.run("retakes")
    left = await station.stored()
    assert not [word for word in ("P1", URL) if word in left]
    (flag,) = await station.base.rows("retake_flags")
    assert flag["lapsed_at"] is None, "nothing has undone it"


async def test_late_achievement_of_before_goes_to_the_pseudonym(station: PrivacyStation) -> None:
    account = {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@example.com", "country": "GB"}
    await station.take(received(identity.CandidateRegistered(candidate_id="C1", registered_at=TAKEN, **account)))
    await station.erase("C1")
    own = {"kind": "candidate_id", "value": "C1"}
    await station.report(
        reported(achievement()), reported(achievement(achievement_id="A2", candidate_ref=own, url=URL))
    )
    await station.run("late-reports")
    kept = {row["achievement_id"]: row["candidate_id"] for row in await station.base.rows("achievements")}
    assert kept == {"A1": PSEUDONYM, "A2": PSEUDONYM}
    left = await station.stored()
    assert not [word for word in ("C1", "P1", URL) if word in left]


@pytest.mark.parametrize("together", [True, False])
async def test_link_that_comes_after_its_erasure_names_nobody(
    base_of: OpenBase, programs: dict[str, Program], together: bool
) -> None:
    async with base_of("exams") as base:
        station = PrivacyStation(base, programs)
        events = [received(station.erased("C1")), received(linked())]
        for batch in [events] if together else [[one] for one in events]:
            await station.take(*batch)
        await station.report(reported(result()))
        await station.run("late-reports")
        assert [row["candidate_id"] for row in await base.rows("results")] == [PSEUDONYM]
        left = await station.stored()
        assert "C1" not in left
        assert "P1" not in left
        (event,) = [one for one in said(base) if one["type"] == exams.ExamPassed.event_type]
        assert event["data"]["candidate_id"] == PSEUDONYM


async def test_another_process_knows_of_an_erasure_too(station: PrivacyStation) -> None:
    await station.erase("C1")
    await station.another().take(received(linked("P7")))
    assert "P7" not in await station.stored()


async def test_refused_messages_are_kept_for_ninety_days(
    station: PrivacyStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Retention, "SLICE", 1)
    period = next(each for each in PERIODS if each.collection == "rejections")
    now = station.base.clock.now()
    rows = [{"_id": f"{n}", "rejected_at": now - period.kept + timedelta(days=n)} for n in (-3, -2, -1, 1)]
    await station.base.database["rejections"].insert_many(rows)
    await station.run("retention")
    assert [row["_id"] for row in await station.base.rows("rejections")] == ["1"]


async def test_notifications_are_kept_for_ninety_days(station: PrivacyStation) -> None:
    now = station.base.clock.now()
    rows = [{"_id": f"{n}", "received_at": now - timedelta(days=90 - n)} for n in (-1, 1)]
    await station.base.database["notifications"].insert_many(rows)
    await station.run("retention")
    assert [row["_id"] for row in await station.base.rows("notifications")] == ["1"]


async def test_every_collection_is_accounted_for(station: PrivacyStation) -> None:
    found = set(await station.base.database.list_collection_names())
    assert found | {"schema_version"} == set(everything(HOLDINGS))


async def test_archive_says_no_more_of_a_held_result_than_its_history(station: PrivacyStation) -> None:
    held = reported(result(revision=2, grade="fail", score=123.0, status="on_hold"))
    held = replace(held, delivery=replace(held.delivery, body=b'{"grade": "fail", "score": 123.0}'))
    await station.report(held)
    files = await station.exported("C1")
    (found,) = files["results.json"]
    assert (found["state"], found["grade"], found["score"]) == ("provisional", "pending", None)
    assert not [word for word in ("on_hold", "fail", "123.0", "900.0") if word in str(files)]
