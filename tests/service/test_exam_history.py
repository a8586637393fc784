"""The history of a person's exams over its API: every attempt in any order and part, and nothing of what is on hold."""

import csv
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from libs.common.clock import FixedClock
from libs.common.events import identity, vendors
from libs.common.programs import Program
from libs.common.service import Platform
from services.exams.app import SERVICE as EXAMS
from services.exams.history.store import HistoryStore
from tests.service.conftest import OpenBase
from tests.service.rig import ERASURE_KEY, said
from tests.service.samples import EXAM, PROGRAM, TAKEN, achievement, linked, received, registration, reported, result
from tests.service.surfaces.surface import Surface, candidate, staff

DAY = timedelta(days=1)
VENDORS = Path(__file__).parents[2] / "deploy" / "vendors"
MERGED = identity.CandidatesMerged(merge_id="M1", candidate_id="C1", merged_id="C2", merged_at=TAKEN)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(TAKEN + 30 * DAY)


@pytest.fixture
async def exams(
    base_of: OpenBase, programs: dict[str, Program], clock: FixedClock, tmp_path: Path
) -> AsyncIterator[Surface]:
    async with base_of("exams") as base:
        settings = EXAMS.settings(
            mongo_url=SecretStr(""),
            amqp_url=SecretStr(""),
            programs_dir=tmp_path,
            erasure_key=ERASURE_KEY,
            vendors_dir=VENDORS,
        )
        parts = EXAMS.build(Platform(base.database, base.unit_of_work, programs, clock, base.owner), settings)
        async with Surface(parts, base).serving() as surface:
            await surface.events(received(linked()))
            yield surface


async def ask(surface: Surface, path: str, *, who: Any = None, status: int = 200, **params: Any) -> Any:
    place = path if path.startswith("/api") else f"/api/exams/v1/programs/{PROGRAM}/{path}"
    answer, body = await surface.send("GET", place, who or candidate("C1", surface.base), params=params)
    assert answer == status, body
    return orjson.loads(body) if body.startswith("{") else body


async def items(surface: Surface, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await ask(surface, "candidates/C1/history", **params))["items"]
    return found


def at(days: int, hour: int = 10) -> datetime:
    return TAKEN.replace(hour=hour) + days * DAY


def attempt(number: int, days: int, grade: str = "fail", **changes: Any) -> vendors.ExamResultReported:
    fields = {"registration_id": f"G{number}", "taken_at": at(days), "grade": grade} | changes
    return result("P1", f"R{number}", **fields)


async def test_every_attempt_with_its_sections_site_links_and_number(
    exams: Surface, programs: dict[str, Program]
) -> None:
    module = {"name": "Deploy", "percent": 81.5, "passed": True}
    lab = next(each.code for each in programs[PROGRAM].exams.values() if each.kind == "practical" and not each.last_day)
    await exams.vendors(
        reported(registration("P1", "G1", site="Malmö")),
        reported(attempt(1, 0, score=700.0, attempt=4, site="Malmö", language="sv", passing_score=820.0)),
        reported(
            attempt(
                2,
                6,
                "pass",
                exam_code=lab,
                sections=[vendors.Section(**module)],
                score_report_url="https://vue.example/report/2",
                receipt_url="https://vue.example/receipt/2",
                taken_at=datetime.fromisoformat("2025-03-17T00:30:00+02:00"),
            )
        ),
        reported(registration("P1", "G3", scheduled_at=at(8))),
        reported(vendors.ExamAppointmentChanged(registration_id="G3", change="no_show", reason="nda_refused")),
        reported(registration("P1", "G4", scheduled_at=at(9))),
    )
    found = await items(exams)
    assert [(item["kind"], item["state"], item["exam_code"], item["attempt"]) for item in found] == [
        ("written", "waiting", EXAM, 3),
        ("written", "nda_refused", EXAM, 2),
        ("practical", "final", lab, 1),
        ("written", "final", EXAM, 1),
    ]
    waiting, refused, practical, failed = found
    assert (practical["taken_on"], practical["taken_at"]) == ("2025-03-17", "2025-03-16T22:30:00Z")
    assert practical["local_time"] == "2025-03-17T00:30:00+02:00"
    assert waiting["text"] == "Taken; its result is still to come"
    assert refused["grade"] is None
    assert practical["sections"] == [module]
    assert (practical["score_report_url"], practical["receipt_url"]) == (
        "https://vue.example/report/2",
        "https://vue.example/receipt/2",
    )
    assert (failed["site"], failed["language"], failed["vendor_attempt"], failed["score"]) == ("Malmö", "sv", 4, 700.0)
    (revision,) = failed["revisions"]
    assert revision["text"] == "Not passed, with effect from 10 March 2025; known since 9 April 2025"


async def test_history_is_of_all_accounts_of_the_person(exams: Surface) -> None:
    await exams.events(received(linked("P2", "C2")))
    await exams.vendors(reported(attempt(1, 0)), reported(result("P2", "R2", taken_at=at(9), registration_id="G2")))
    await exams.events(received(MERGED))
    assert [(item["result_id"], item["attempt"]) for item in await items(exams)] == [("R2", 2), ("R1", 1)]
    assert [item["attempt"] for item in (await ask(exams, "candidates/C2/history", who=staff()))["items"]] == [2, 1]


async def test_pages_hold_together_while_new_results_come(exams: Surface) -> None:
    await exams.vendors(*(reported(attempt(n, 2 * n, score=float(700 + n))) for n in range(7)))
    first = await ask(exams, "candidates/C1/history", sort="score", order="asc", limit=3)
    await exams.vendors(reported(attempt(20, 1, score=1.0)), reported(attempt(21, 1, score=999.0)))
    rest = await ask(exams, "candidates/C1/history", sort="score", order="asc", limit=50, cursor=first["next"])
    assert [item["score"] for item in (*first["items"], *rest["items"])] == [*range(700, 707), 999.0]
    await ask(exams, "candidates/C1/history", sort="date", cursor=first["next"], status=422)


async def test_link_header_leads_to_the_next_page(exams: Surface) -> None:
    await exams.vendors(*(reported(attempt(n, n)) for n in range(3)))
    path = f"/api/exams/v1/programs/{PROGRAM}/candidates/C1/history?limit=2&grade=fail&grade=pass"
    token = exams.token(candidate("C1", exams.base))
    first = await exams.client.get(path, headers={"Authorization": f"Bearer {token}"})
    link = first.links["next"]["url"]
    assert link.query.getall("grade") == ["fail", "pass"]
    second = await exams.client.get(link, headers={"Authorization": f"Bearer {token}"})
    assert [item["result_id"] for item in (await second.json())["items"]] == ["R0"]


async def test_filters_and_totals(exams: Surface) -> None:
    await exams.vendors(
        reported(attempt(1, 0)), reported(attempt(2, 9, "pass")), reported(attempt(3, 10, "pass", exam_code="350-401"))
    )
    whole = await ask(exams, "candidates/C1/history", totals="true", **{"from": "2025-03-19", "to": "2025-03-20"})
    assert [item["result_id"] for item in whole["items"]] == ["R3", "R2"]
    assert [(one["exam_code"], one["attempts"], one["passed"], one["failed"]) for one in whole["totals"]] == [
        (EXAM, 1, 1, 0),
        ("350-401", 1, 1, 0),
    ]
    assert [item["result_id"] for item in await items(exams, grade="fail")] == ["R1"]
    await ask(exams, "candidates/C1/history", status=422, **{"from": "2025-03-20", "to": "2025-03-19"})


async def test_result_on_hold_is_nowhere(exams: Surface) -> None:
    """Not in the list, in any order or filter, in the totals, in the file, nor in the day of the next attempt."""
    await exams.vendors(
        reported(registration("P1", "G1")),
        reported(registration("P1", "G2", exam_code="350-401", scheduled_at=at(1))),
        reported(registration("P1", "G3", exam_code="350-701", scheduled_at=at(2))),
        reported(attempt(3, 2, exam_code="350-701")),
    )
    paths = [
        "candidates/C1/history?totals=true",
        "candidates/C1/history?sort=score",
        "candidates/C1/history?sort=grade&order=asc",
        "candidates/C1/history?grade=pass",
        "candidates/C1/history?grade=fail",
        "candidates/C1/history?state=waiting",
        "candidates/C1/history.csv",
        "candidates/C1/appointments",
        "candidates/C1/appointments.ics",
        f"candidates/C1/exams/{EXAM}/retake",
        "candidates/C1/exams/350-401/retake",
    ]
    before = [await plain(exams, path) for path in paths]
    held: dict[str, Any] = {
        "status": "on_hold",
        "sections": [vendors.Section(name="sections-secret", percent=3.0)],
        "score": 711.0,
        "score_report_url": "https://vue.example/SECRET",
        "receipt_url": "https://vue.example/SECRET",
        "site": "SECRET",
    }
    await exams.vendors(
        reported(attempt(1, 0, "fail", **held)), reported(attempt(2, 1, "pass", exam_code="350-401", **held))
    )
    await exams.run("retakes")
    for caller in (candidate("C1", exams.base), staff()):
        assert [await plain(exams, path, caller) for path in paths] == before
    await exams.vendors(reported(attempt(1, 0, "fail", revision=2, score=711.0)))
    (released,) = await items(exams, exam=EXAM)
    assert (released["state"], released["grade"]) == ("released", "fail")
    assert [(one["state"], one["grade"], one["score"]) for one in released["revisions"]] == [
        ("waiting", None, None),
        ("released", "fail", 711.0),
    ]


async def plain(exams: Surface, path: str, who: Any = None) -> str:
    status, body = await exams.send(
        "GET", f"/api/exams/v1/programs/{PROGRAM}/{path}", who or candidate("C1", exams.base)
    )
    assert status == 200, body
    return body


async def test_provisional_result_is_marked_and_counts_for_nothing(exams: Surface) -> None:
    await exams.vendors(reported(attempt(1, 25, "fail", status="provisional")))
    (item,) = await items(exams)
    assert (item["state"], item["grade"]) == ("provisional", "fail")
    assert item["text"] == "Provisional: not passed; the vendor has yet to confirm it"
    retake = await ask(exams, f"candidates/C1/exams/{EXAM}/retake")
    assert (retake["allowed"], retake["awaited"]) == (True, ["cisco:vue:R1"])


async def test_file_has_the_same_entries_and_runs_no_formula(exams: Surface) -> None:
    evil = "=HYPERLINK(1)"
    await exams.vendors(
        *(reported(attempt(n, n, score=-2.5, site=evil)) for n in range(3)),
        reported(achievement(title='+cmd, "x"')),
    )
    text = await ask(exams, "candidates/C1/history.csv", order="asc", kind="written")
    rows = list(csv.DictReader(StringIO(text, newline="")))
    assert [row["result_id"] for row in rows] == ["R0", "R1", "R2"]
    assert {(row["site"], row["score"]) for row in rows} == {(f"'{evil}", "-2.5")}
    assert text.count("\r\n") == 4
    (other,) = csv.DictReader(StringIO(await ask(exams, "candidates/C1/history.csv", kind="achievement"), newline=""))
    assert (other["title"], other["issuer"], other["state"]) == ('\'+cmd, "x"', "Lab house", "achieved")


# --- Achievements ----------------------------------------------------------------------------------------------------


async def test_achievement_waits_for_its_candidate_like_a_result(exams: Surface) -> None:
    await exams.vendors(reported(achievement(candidate_ref={"kind": "vendor_candidate_id", "value": "P7"})))
    assert await items(exams, kind="achievement") == []
    await exams.events(received(linked("P7", "C1")))
    (item,) = await items(exams)
    assert (item["kind"], item["title"], item["achievement_kind"], item["issuer"], item["url"]) == (
        "achievement",
        "Segment routing, hands-on",
        "hands-on",
        "Lab house",
        "https://lab.example/a1",
    )
    assert (item["taken_on"], item["exam_code"], item["attempt"]) == ("2025-03-20", None, None)
    own = await ask(exams, "candidates/C1/achievements")
    assert [one["title"] for one in own["items"]] == ["Segment routing, hands-on"]


async def test_achievement_by_our_own_id(exams: Surface) -> None:
    await exams.vendors(reported(achievement(candidate_ref={"kind": "candidate_id", "value": "C9"})))
    account = identity.CandidateRegistered(
        candidate_id="C9",
        given_name="Ada",
        family_name="Lovelace",
        email="ada@example.com",
        country="GB",
        registered_at=TAKEN,
    )
    await exams.events(received(account))
    found = await ask(exams, "candidates/C9/achievements", who=staff())
    assert len(found["items"]) == 1


async def test_highest_revision_of_an_achievement_counts_and_contradictions_are_refused(exams: Surface) -> None:
    await exams.vendors(reported(achievement(revision=2, withdrawn=True)))
    await exams.vendors(reported(achievement()), reported(achievement()))
    (item,) = await items(exams)
    assert (item["state"], item["text"]) == ("withdrawn", "Withdrawn")
    assert await exams.base.rows("rejections") == []
    await exams.vendors(reported(achievement(title="Another")))
    (rejection,) = await exams.base.rows("rejections")
    assert [reason["code"] for reason in rejection["reasons"]] == ["revision_conflict"]


async def test_achievement_follows_its_link_to_another_candidate(exams: Surface) -> None:
    await exams.vendors(reported(achievement()))
    later = linked("P1", "C2").model_copy(update={"linked_at": TAKEN + DAY})
    await exams.events(received(later))
    assert await items(exams) == []
    assert len((await ask(exams, "candidates/C2/achievements", who=staff()))["items"]) == 1


# --- Appointments ----------------------------------------------------------------------------------------------------


async def test_appointment_tells_its_changes_place_and_local_time(exams: Surface) -> None:
    there = datetime.fromisoformat("2025-05-05T09:00:00+02:00")
    moved = datetime.fromisoformat("2025-11-05T09:00:00+01:00")
    await exams.vendors(reported(registration("P1", "G/1", scheduled_at=there, site="Köln")))
    await exams.vendors(
        reported(
            vendors.ExamAppointmentChanged(registration_id="G/1", change="rescheduled", scheduled_at=moved),
            time=TAKEN + DAY,
        )
    )
    (found,) = (await ask(exams, "candidates/C1/appointments"))["items"]
    assert (found["state"], found["site"], found["delivery"]) == ("rescheduled", "Köln", "test_center")
    assert (found["scheduled_at"], found["local_time"]) == ("2025-11-05T08:00:00Z", "2025-11-05T09:00:00+01:00")
    assert [(step["state"], step["scheduled_at"]) for step in found["history"]] == [
        ("scheduled", "2025-05-05T07:00:00Z"),
        ("rescheduled", "2025-11-05T08:00:00Z"),
    ]
    assert [one["registration_id"] for one in (await ask(exams, "candidates/C1/appointments", coming="true"))["items"]]
    calendar = await ask(exams, f"candidates/C1/appointments/{found['appointment_id']}/calendar.ics")
    assert "SEQUENCE:1\r\n" in calendar
    assert "DTSTART:20251105T080000Z\r\n" in calendar
    assert calendar == await ask(exams, "candidates/C1/appointments.ics")
    await ask(exams, f"candidates/C2/appointments/{found['appointment_id']}/calendar.ics", who=staff(), status=404)


async def test_cancelled_appointment_is_withdrawn_from_calendars(exams: Surface) -> None:
    await exams.vendors(reported(registration("P1", "G1", scheduled_at=at(60))))
    await exams.vendors(
        reported(vendors.ExamAppointmentChanged(registration_id="G1", change="cancelled"), time=TAKEN + DAY)
    )
    calendar = await ask(exams, "candidates/C1/appointments.ics")
    assert "STATUS:CANCELLED\r\n" in calendar
    assert (await ask(exams, "candidates/C1/appointments", coming="true"))["items"] == []


async def test_appointment_is_delivered_once_its_result_may_be_shown(exams: Surface) -> None:
    async def state() -> str:
        (found,) = (await ask(exams, "candidates/C1/appointments"))["items"]
        return str(found["state"])

    await exams.vendors(reported(registration("P1", "G1")))
    assert await state() == "scheduled"
    await exams.vendors(reported(attempt(1, 0, status="on_hold")))
    assert await state() == "scheduled"
    await exams.vendors(reported(attempt(1, 0, revision=2)))
    assert await state() == "delivered"


# --- Retakes ---------------------------------------------------------------------------------------------------------


async def test_next_allowed_day_with_its_clause(exams: Surface) -> None:
    await exams.vendors(reported(attempt(1, 27)))
    found = await ask(exams, f"candidates/C1/exams/{EXAM}/retake")
    assert (found["as_of"], found["allowed"], found["allowed_from"]) == ("2025-04-09", False, "2025-04-11")
    (wait,) = found["waits"]
    assert (wait["rule"], wait["because"]) == ("after_fail", ["cisco:vue:R1"])
    assert wait["clause"] == {"path": "retake.after_fail", "wording": "{wait: 5 days}"}
    assert wait["text"] == "After a fail it may be taken again from 11 April 2025"
    exams.base.clock.advance(2 * DAY)
    assert (await ask(exams, f"candidates/C1/exams/{EXAM}/retake"))["allowed"] is True
    await ask(exams, "candidates/C1/exams/no-such/retake", status=404)


async def test_appointment_that_is_booked_too_early_says_so(exams: Surface) -> None:
    await exams.vendors(
        reported(attempt(1, 29)),
        reported(registration("P1", "G2", scheduled_at=at(33))),
        reported(registration("P1", "G3", scheduled_at=at(34))),
    )
    found = (await ask(exams, "candidates/C1/appointments"))["items"]
    assert [(one["registration_id"], [wait["allowed_from"] for wait in one["retake"]]) for one in found] == [
        ("G2", ["2025-04-13"]),
        ("G3", []),
    ]


async def flags(exams: Surface, **params: Any) -> list[dict[str, Any]]:
    await exams.run("retakes")
    found: list[dict[str, Any]] = (await ask(exams, "retake-flags", who=staff(), **params))["items"]
    return found


def told(exams: Surface) -> list[dict[str, Any]]:
    return [event["data"] for event in said(exams.base) if event.get("type", "").endswith("ExamRetakeFlagged.v1")]


async def test_breach_is_flagged_told_once_and_reviewed(exams: Surface) -> None:
    await exams.vendors(reported(attempt(1, 0)), reported(attempt(2, 3, "pass")))
    (flag,) = await flags(exams)
    (attempt_,) = await items(exams, grade="pass")
    assert flag["attempt"] == attempt_["id"] == "cisco:vue:R2"
    assert [wait["allowed_from"] for wait in attempt_["retake"]] == ["2025-03-15"]
    assert [(one["rule"], one["clause"]["path"], one["because"]) for one in flag["breaches"]] == [
        ("after_fail", "retake.after_fail", ["cisco:vue:R1"])
    ]
    await exams.vendors(reported(attempt(3, 29, "pass", exam_code="350-401")))
    await flags(exams)
    (event,) = told(exams)
    assert (event["result_id"], event["candidate_id"], event["taken_on"]) == ("cisco:vue:R2", "C1", "2025-03-13")
    assert event["breaches"] == [{"rule": "after_fail", "clause": "retake.after_fail", "allowed_from": "2025-03-15"}]
    path = f"/api/exams/v1/programs/{PROGRAM}/retake-flags/{flag['flag_id']}"
    review = {"state": "accepted", "reason": "the vendor moved the exam"}
    status, body = await exams.send("PUT", f"{path}/review", staff(), media_type="application/json", json=review)
    assert status == 200, body
    assert (orjson.loads(body)["state"], orjson.loads(body)["reviews"][0]["by"]) == ("accepted", "staff:ada")
    assert await flags(exams, state="open") == []
    assert [one["flag_id"] for one in await flags(exams, state="accepted", exam=EXAM, candidate_id="C1")] == [
        flag["flag_id"]
    ]
    status, _ = await exams.send("GET", path, candidate("C1", exams.base))
    assert status == 403


async def test_breach_lapses_with_what_it_rests_on_and_comes_back_with_it(exams: Surface) -> None:
    await exams.vendors(reported(attempt(1, 0)), reported(attempt(2, 3, "pass")))
    (flag,) = await flags(exams)
    await exams.vendors(reported(attempt(1, 0, "invalidated", revision=2, score=None)))
    assert await flags(exams) == []
    shown = await ask(exams, f"retake-flags/{flag['flag_id']}", who=staff())
    assert shown["lapsed_at"] is not None
    await exams.vendors(reported(attempt(1, 0, "fail", revision=3)))
    assert len(await flags(exams)) == 1
    assert len(told(exams)) == 2


async def test_merge_brings_breaches_of_two_accounts_to_light(exams: Surface) -> None:
    await exams.events(received(linked("P2", "C2")))
    await exams.vendors(
        reported(attempt(1, 0)), reported(result("P2", "R2", taken_at=at(3), registration_id="G2", grade="pass"))
    )
    assert await flags(exams) == []
    await exams.events(received(MERGED))
    assert [flag["attempt"] for flag in await flags(exams)] == ["cisco:vue:R2"]


async def test_result_that_turns_out_anothers_takes_its_breach_along(exams: Surface) -> None:
    await exams.events(received(linked("P2", "C1")))
    await exams.vendors(
        reported(result("P2", "R0", grade="fail", registration_id="G0")), reported(attempt(2, 3, "pass"))
    )
    assert len(await flags(exams)) == 1
    later = linked("P2", "C2").model_copy(update={"linked_at": TAKEN + DAY})
    await exams.events(received(later))
    assert await flags(exams) == []


async def test_breach_of_a_result_that_turns_out_anothers_is_theirs_where_it_is_one(exams: Surface) -> None:
    await exams.events(
        *(received(linked(number, owner)) for number, owner in (("P2", "C1"), ("P3", "C2"), ("P4", "C1")))
    )
    await exams.vendors(
        reported(result("P2", "R0", grade="fail", registration_id="G0")),
        reported(result("P3", "R9", grade="fail", registration_id="G9")),
        reported(result("P4", "R2", registration_id="G2", taken_at=TAKEN + 3 * DAY)),
    )
    assert [flag["candidate_id"] for flag in await flags(exams)] == ["C1"]
    moved = linked("P4", "C2").model_copy(update={"linked_at": TAKEN + DAY})
    await exams.events(received(moved))
    assert [(flag["candidate_id"], flag["state"]) for flag in await flags(exams)] == [("C2", "open")]
    assert [event["candidate_id"] for event in told(exams)] == ["C1", "C2"]
    nobodys = identity.ExternalIdUnlinked(
        candidate_id="C2", system="vue", external_id="P4", unlinked_at=TAKEN + 2 * DAY
    )
    await exams.events(received(nobodys))
    assert await flags(exams) == []


@pytest.mark.parametrize("booked", [True, False], ids=["with its appointment", "without"])
async def test_result_without_a_grade_looks_like_one_on_hold(exams: Surface, booked: bool) -> None:
    seen = []
    for word in ({"grade": "pending", "score": None}, {"status": "on_hold"}):
        for name in ("results", "registrations"):
            await exams.base.database[name].delete_many({})
        if booked:
            await exams.vendors(reported(registration()))
        await exams.vendors(reported(result(**word)))
        seen.append(await ask(exams, "candidates/C1/history"))
    assert seen[0] == seen[1]
    assert [item["state"] for item in seen[0]["items"]] == ["waiting"]


async def test_nothing_of_the_messages_as_they_came_is_read_for_a_page(exams: Surface) -> None:
    await exams.vendors(reported(attempt(1, 0)))
    rows = await exams.base.rows("results")
    assert rows[0]["revisions"][0]["raw"] is not None
    (row,) = (await HistoryStore(exams.base.database).result_rows(["cisco:vue:R1"])).values()
    assert "raw" not in row["revisions"][0]
