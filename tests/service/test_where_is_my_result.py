"""Where is my result: answered from data, and only from the candidate's own."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from libs.common.events import identity, vendors
from libs.common.programs import Program
from services.exams.store import ExamsStore
from services.exams.watch.figures import AWAITED_NOW, OLDEST_UNMATCHED, UNMATCHED_NOW, Figures
from services.exams.watch.questions import Question, Questions
from tests.service.conftest import OpenBase
from tests.service.exams_station import ExamsStation, exams_station
from tests.service.samples import linked, received, registration, reported, result

INDIA = timezone(timedelta(hours=5, minutes=30))


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program], tmp_path: Path) -> AsyncIterator[ExamsStation]:
    async with base_of("exams") as base, exams_station(base, programs, tmp_path) as found:
        # A Monday without a holiday for weeks, so that days can be counted in the head.
        base.clock.advance(datetime(2027, 3, 1, 18, tzinfo=UTC) - base.clock.now())
        await found.events(received(linked()))
        yield found


SAT = datetime(2027, 3, 2, 18, tzinfo=UTC)


async def book(station: ExamsStation, **changes: Any) -> None:
    await station.vendors(reported(registration(**({"scheduled_at": SAT} | changes))))


async def where(station: ExamsStation, who: str = "C1", **query: str) -> dict[str, Any]:
    status, found = await station.candidate(who, "results/where", **(query or {"registration_id": "G1"}))
    assert status == 200, found
    (answer,) = found["answers"]
    assert isinstance(answer, dict)
    return answer


async def expected(station: ExamsStation, who: str = "C1") -> list[dict[str, Any]]:
    status, found = await station.candidate(who, "expected-results")
    assert status == 200, found
    items: list[dict[str, Any]] = found["items"]
    return items


async def test_answer_follows_the_result_from_the_booking_to_the_history(station: ExamsStation) -> None:
    assert (await where(station))["code"] == "not_booked"
    await book(station)
    ahead = await where(station)
    assert (ahead["code"], ahead["due_on"]) == ("ahead", "2027-03-09")
    assert await expected(station) == []

    await station.wait(days=1, minutes=1)
    awaited = await where(station)
    assert (awaited["code"], awaited["due_on"], awaited["case_opened"]) == ("expected", "2027-03-09", False)
    (item,) = await expected(station)
    assert (item["state"], item["promise_business_days"], item["business_days_left"]) == ("expected", 5, 5)
    assert (item["since"], item["text"]) == ("2027-03-02T18:00:00Z", awaited["text"])
    assert "Results come by 9 March 2027" in awaited["text"]

    await station.wait(days=8)
    late = await where(station)
    assert (late["code"], late["case_opened"]) == ("late", True)
    assert late["href"] == "/api/identity/v1/programs/cisco/candidates/C1/cases"
    (item,) = await expected(station)
    assert (item["state"], item["business_days_late"], item["case_opened"]) == ("late", 1, True)
    assert item["since"] == "2027-03-10T00:00:00-08:00", "midnight in California"

    await station.wait(days=7)
    assert (await where(station))["code"] == "overdue"

    await station.vendors(reported(result(taken_at=SAT)))
    come = await where(station)
    assert (come["code"], come["result_id"], come["case_opened"]) == ("arrived", "R1", False)
    assert come["href"] == "/api/exams/v1/programs/cisco/candidates/C1/results"
    assert await expected(station) == []


@pytest.mark.parametrize("change", ["cancelled", "no_show"])
async def test_appointment_that_did_not_take_place_has_no_result(station: ExamsStation, change: Any) -> None:
    await book(station)
    await station.vendors(reported(vendors.ExamAppointmentChanged(registration_id="G1", change=change), time=SAT))
    await station.wait(days=30)
    assert (await where(station))["code"] == change
    assert await expected(station) == []


async def test_what_is_held_back_is_told_as_what_is_pending(station: ExamsStation) -> None:
    """Byte for byte, in every answer, before and after the promise."""
    said: dict[str, list[Any]] = {}
    for number, (kind, how) in enumerate(
        {"pending": {"grade": "pending", "score": None}, "held": {"status": "on_hold"}}.items()
    ):
        who, person = f"D{number}", f"Q{number}"
        await station.events(received(linked(person, who)))
        await book(station, vendor_candidate_id=person, registration_id=f"H{number}")
        await station.vendors(reported(result(person, f"X{number}", registration_id=f"H{number}", taken_at=SAT, **how)))
        said[kind] = []
    for _ in range(3):
        await station.wait(days=8)
        for number, kind in enumerate(said):
            answer = await where(station, f"D{number}", registration_id=f"H{number}")
            said[kind].append(answer | {"registration_id": "", "href": ""})
            (item,) = await expected(station, f"D{number}")
            said[kind].append(item | {"registration_id": ""})
    assert said["held"] == said["pending"]
    assert {each.get("code", each.get("state")) for each in said["held"]} == {"being_checked"}
    assert "hold" not in str(said)
    assert [each["result_id"] for each in said["held"] if "code" in each] == [None] * 3
    assert len({event["type"] for event in station.said()}) == 0


async def test_result_under_another_id_is_told_without_what_it_is(station: ExamsStation) -> None:
    await book(station)
    await station.wait(days=1, minutes=1)
    await station.vendors(reported(result("SOMEBODY", taken_at=SAT)))
    answer = await where(station)
    assert answer["code"] == "waiting_for_mapping"
    assert answer["href"] == "/api/identity/v1/programs/cisco/candidates/C1/external-ids"
    assert "SOMEBODY" not in str(answer)
    assert (await expected(station))[0]["state"] == "expected", "and it is as late as it is"
    await station.events(received(linked("SOMEBODY", "C1")))
    assert (await where(station))["code"] == "arrived"


async def test_nothing_is_told_of_what_is_anothers(station: ExamsStation) -> None:
    await station.events(received(linked("P2", "C2")))
    await book(station, vendor_candidate_id="P2", registration_id="G2")
    await station.vendors(
        reported(result("P2", "R2", registration_id="G2", taken_at=SAT)),
        reported(result("NOBODY", "R3", registration_id="G3", taken_at=SAT)),
    )
    for number in ("G2", "G3", "G4"):
        assert (await where(station, registration_id=number))["code"] == "not_booked"
    await book(station)
    await station.vendors(reported(result("P2", "R4", taken_at=SAT)))
    await station.wait(days=1, minutes=1)
    assert (await where(station))["code"] == "expected", "another's result of one's registration is not one's own"


async def test_exam_and_day_find_it_at_its_place_and_by_its_other_codes(station: ExamsStation) -> None:
    early = datetime(2027, 3, 4, 2, tzinfo=INDIA)  # still 3 March at Greenwich
    await book(station, scheduled_at=early)
    answer = await where(station, exam_code="200-301", taken_on="2027-03-04")
    assert (answer["code"], answer["scheduled_at"]) == ("ahead", "2027-03-04T02:00:00+05:30")
    assert (await where(station, exam_code="200-301", taken_on="2027-03-03"))["code"] == "not_booked"
    assert (await where(station, exam_code="350-401", taken_on="2027-03-04"))["code"] == "not_booked"
    await station.vendors(reported(result("P1", "R8", registration_id="G8", taken_at=SAT)))
    answer = await where(station, exam_code="200-301", taken_on=SAT.date().isoformat())
    assert (answer["code"], answer["result_id"]) == ("arrived", "R8"), "its appointment is not known here"


async def test_joined_accounts_are_one_person(station: ExamsStation) -> None:
    await book(station)
    await station.wait(days=1, minutes=1)
    merge = {"merge_id": "M1", "candidate_id": "C2", "merged_id": "C1"}
    await station.events(received(identity.CandidatesMerged(**merge, merged_at=SAT)))
    assert (await where(station, "C2"))["code"] == "expected"
    assert len(await expected(station, "C2")) == 1
    await station.events(received(linked("P2", "C2")))
    await station.vendors(reported(result("P2", taken_at=SAT)))
    assert (await where(station, "C1"))["code"] == "arrived"
    await station.events(received(identity.CandidatesSeparated(**merge, separated_at=SAT + timedelta(days=1))))
    assert (await where(station, "C2"))["code"] == "arrived"
    assert (await where(station, "C1"))["code"] == "expected"


@pytest.mark.parametrize("query", [{}, {"exam_code": "200-301"}, {"taken_on": "2027-03-02"}, {"taken_on": "soon"}])
async def test_question_without_something_to_go_by_is_refused(station: ExamsStation, query: dict[str, str]) -> None:
    assert (await station.candidate("C1", "results/where", **query))[0] == 422


async def test_staff_see_what_is_late_the_longest_due_first(station: ExamsStation) -> None:
    for number in range(5):
        person = f"S{number}"
        await station.events(received(linked(person, f"CS{number}")))
        vendor = "psi" if number == 4 else "vue"
        await station.events(received(linked(person, f"CS{number}", vendor)))
        await station.vendors(
            reported(registration(person, f"S{number}", scheduled_at=SAT + timedelta(days=number)), vendor=vendor)
        )
    await station.vendors(reported(result("WRONG", "R1", registration_id="S1", taken_at=SAT)))
    await station.wait(days=9, hours=14)  # early on 11 March in California
    found, cursor = [], {}
    while True:
        status, page = await station.staff("GET", "late-results", params={"limit": "1", **cursor})
        assert (status, page["count"]) == (200, 2)
        found += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert [(each["registration_id"], each["due_on"], each["business_days_late"]) for each in found] == [
        ("S0", "2027-03-09", 2),
        ("S1", "2027-03-10", 1),
    ]
    assert [len(each["unmatched_items"]) for each in found] == [0, 1]
    assert all(each["told"] for each in found)
    status, numbers = await station.staff("GET", "results-watch")
    assert (numbers["expected"], numbers["late"], numbers["overdue"], numbers["unmatched"]) == (3, 2, 0, 1)
    (psi, vue) = numbers["vendors"]
    assert (psi["vendor"], psi["expected"], psi["late"]) == ("psi", 1, 0)
    assert (vue["oldest_due_on"], vue["late_by_business_days"]) == (
        "2027-03-09",
        {"1-2": 2, "3-5": 0, "6-10": 0, "more": 0},
    )
    for query in ({"vendor": "psi"}, {"stage": "overdue"}, {"due_before": "2027-03-09"}, {"exam_code": "350-401"}):
        assert (await station.staff("GET", "late-results", params=query))[1]["count"] == 0
    assert (await station.staff("GET", "late-results", program="juniper"))[1]["items"] == []


async def test_gauges_say_what_the_dashboard_says_and_forget_what_is_over(
    station: ExamsStation, programs: dict[str, Program]
) -> None:
    await book(station)
    await station.vendors(reported(result("NOBODY", "R9", registration_id="G9", taken_at=SAT)))
    await station.wait(days=8, hours=14)
    figures = Figures(ExamsStore(station.base.database), programs, station.base.clock)
    await figures.count()
    assert AWAITED_NOW.labels("cisco", "vue", "late")._value.get() == 1
    assert AWAITED_NOW.labels("cisco", "vue", "expected")._value.get() == 0
    assert UNMATCHED_NOW.labels("cisco", "vue")._value.get() == 1
    assert OLDEST_UNMATCHED.labels("cisco", "vue")._value.get() == timedelta(days=8, hours=14).total_seconds()
    await station.vendors(reported(result(taken_at=SAT)))
    await station.events(received(linked("NOBODY", "C1")))
    await station.run("results-watch")
    await figures.count()
    for gauge in (AWAITED_NOW, UNMATCHED_NOW, OLDEST_UNMATCHED):
        assert [each for metric in gauge.collect() for each in metric.samples if each.value] == []


def test_day_of_the_tests_is_plain(programs: dict[str, Program]) -> None:
    assert programs["cisco"].calendar.add(date(2027, 3, 2), 5) == date(2027, 3, 9)


async def test_question_to_the_vendor_is_told_to_the_candidate_and_comes_due_again(station: ExamsStation) -> None:
    await book(station)
    await book(station, registration_id="G2", scheduled_at=SAT + timedelta(days=1))
    await station.wait(days=10)
    _, page = await station.staff("GET", "late-results")
    assert (page["count"], page["to_ask"], page["items"][0]["questions"]) == (2, 2, [])
    one, other = (each["late_id"] for each in page["items"])
    asked = {"late_ids": [one, "none", page["items"][0]["registration_id"]], "how": "phone", "note": "They look."}
    status, noted = await station.staff("POST", "late-results/questions", json=asked)
    assert (status, noted) == (200, {"noted": 1, "left_out": 2})

    _, page = await station.staff("GET", "late-results")
    assert (page["count"], page["to_ask"]) == (2, 1)
    (question,) = page["items"][0]["questions"]
    assert (question["how"], question["asked_on"], question["note"]) == ("phone", "2027-03-11", "They look.")
    assert page["items"][0]["ask_again_on"] == "2027-03-17", "three business days, and then it is due"
    _, page = await station.staff("GET", "late-results", params={"to_ask": "true"})
    assert [each["late_id"] for each in page["items"]] == [other]
    late = await where(station)
    assert "asked vue about it on 11 March 2027" in late["text"]
    assert [each["asked_on"] for each in await expected(station)] == ["2027-03-11", None]

    await station.wait(days=5)
    _, page = await station.staff("GET", "late-results", params={"to_ask": "true"})
    assert page["to_ask"] == 1, "the vendor still has time"
    await station.wait(days=1)
    _, page = await station.staff("GET", "late-results", params={"to_ask": "true"})
    assert page["to_ask"] == 2

    moved = vendors.ExamAppointmentChanged(
        registration_id="G1", change="rescheduled", scheduled_at=SAT + timedelta(days=17)
    )
    await station.vendors(reported(moved, time=station.base.clock.now()))
    await station.wait(days=20)
    _, page = await station.staff("GET", "late-results")
    (again,) = (each for each in page["items"] if each["late_id"] == one)
    assert (again["questions"], again["ask_again_on"]) == ([], None), "it was another appointment that they asked about"


async def test_questions_are_noted_once_of_what_is_late_in_the_program_and_of_no_day_ahead(
    station: ExamsStation, programs: dict[str, Program]
) -> None:
    await book(station)
    await station.wait(days=10)
    _, page = await station.staff("GET", "late-results")
    body = {"late_ids": [page["items"][0]["late_id"]], "how": "mail"}
    status, problem = await station.staff("POST", "late-results/questions", json=body | {"asked_on": "2027-03-12"})
    assert (status, problem["errors"][0]["path"]) == (422, "body.asked_on")
    now = station.base.clock.now()
    asked = Question("the same", now.date(), "mail", "", "staff:ada", now)
    for _ in range(2):
        await Questions(station.base.database, station.base.unit_of_work).note(
            programs["cisco"], ["cisco:vue:G1"], asked
        )
    _, page = await station.staff("GET", "late-results")
    assert len(page["items"][0]["questions"]) == 1
    status, noted = await station.staff("POST", "late-results/questions", json=body, program="juniper")
    assert (status, noted) == (200, {"noted": 0, "left_out": 1})
    before = body | {"asked_on": "2027-03-01"}
    _, noted = await station.staff("POST", "late-results/questions", json=before)
    assert noted == {"noted": 0, "left_out": 1}, "nobody asks before the exam"
