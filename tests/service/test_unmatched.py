"""Unmatched results: kept, matched by themselves, worked on by staff with suggestions, and never lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.common.bus import topology
from libs.common.events import exams, identity
from libs.common.ids import new_id
from libs.common.mongo.links import own_link
from libs.common.programs import Program
from services.exams.reports import Report, Source
from services.exams.results import ResultIntake
from services.exams.store import ExamsStore
from services.exams.unmatched.assigning import Assigning
from tests.service.conftest import OpenBase
from tests.service.exams_station import ExamsStation, exams_station
from tests.service.samples import linked, received, registration, reported, result

OUTCOMES = (exams.ExamPassed, exams.ExamFailed, exams.ExamResultRevised, exams.ExamResultInvalidated)
OWN = "CSCO00000013"
SAT = datetime(2027, 3, 2, 18, tzinfo=UTC)
WHY = "the score report shows it"


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program], tmp_path: Path) -> AsyncIterator[ExamsStation]:
    async with base_of("exams") as base, exams_station(base, programs, tmp_path) as found:
        base.clock.advance(datetime(2027, 3, 1, 18, tzinfo=UTC) - base.clock.now())
        await found.events(received(linked("PEARL77", "C1")), received(linked("P2", "C2")), account(OWN))
        yield found


def account(candidate_id: str) -> Any:
    return received(
        identity.CandidateRegistered(
            candidate_id=candidate_id,
            given_name="Ada",
            family_name="King",
            email="ada@example.com",
            country="GB",
            registered_at=SAT,
        )
    )


async def lost(station: ExamsStation, person: str = "NOBODY", result_id: str = "R1", **changes: Any) -> str:
    """A result that matches nobody; returns the id of its item."""
    vendor = changes.pop("vendor", "vue")
    await station.vendors(reported(result(person, result_id, **({"taken_at": SAT} | changes)), vendor=vendor))
    (item,) = [each for each in (await listed(station, limit="200"))["items"] if each["result_id"] == result_id]
    return str(item["item_id"])


async def listed(station: ExamsStation, **query: str) -> dict[str, Any]:
    status, page = await station.staff("GET", "unmatched", params=query)
    assert status == 200, page
    assert isinstance(page, dict)
    return page


async def shown(station: ExamsStation, item: str) -> dict[str, Any]:
    status, found = await station.staff("GET", f"unmatched/{item}")
    assert status == 200, found
    assert isinstance(found, dict)
    return found


async def do(station: ExamsStation, item: str, what: str, **body: Any) -> tuple[int, Any]:
    answer: tuple[int, Any] = await station.staff("POST", f"unmatched/{item}/{what}", json={"reason": WHY} | body)
    return answer


async def assign(station: ExamsStation, item: str, to: str) -> dict[str, Any]:
    status, found = await do(station, item, "assignment", candidate_id=to)
    assert status == 200, found
    assert isinstance(found, dict)
    return found


def told(station: ExamsStation, candidate_id: str) -> list[str]:
    about = [event for event in station.said(*OUTCOMES) if event["subject"] == candidate_id]
    return [event["type"].split(".")[-2] for event in sorted(about, key=lambda event: int(event["subjectversion"]))]


async def test_list_is_by_age_with_a_count_and_what_is_known(station: ExamsStation) -> None:
    for number in range(4):
        await lost(station, result_id=f"R{number}", vendor="psi" if number == 3 else "vue")
        station.base.clock.advance(timedelta(days=1))
    await station.vendors(reported(registration("PEARL77", "G1", scheduled_at=SAT)))
    await station.vendors(reported(result("P2", "R9", taken_at=SAT)))
    found, cursor = [], {}
    while True:
        page = await listed(station, limit="3", **cursor)
        assert page["count"] == 4
        found += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert [(each["result_id"], each["age_days"]) for each in found] == [("R0", 4), ("R1", 3), ("R2", 2), ("R3", 1)]
    assert found[0]["registration"] == {
        "registration_id": "G1",
        "candidate_id": "C1",
        "exam_code": "200-301",
        "scheduled_at": "2027-03-02T18:00:00Z",
        "state": "scheduled",
    }
    assert not {"grade", "score", "sections"} & found[0].keys()
    newest = (await listed(station, sort="newest", limit="2"))["items"]
    assert [each["result_id"] for each in newest] == ["R3", "R2"]
    assert (await listed(station, vendor="psi"))["count"] == 1
    assert (await listed(station, older_than_days="2"))["count"] == 2
    assert (await listed(station, exam_code="350-401"))["count"] == 0
    assert (await station.staff("GET", "unmatched", program="juniper"))[1]["count"] == 0
    status, numbers = await station.staff("GET", "results-watch")
    assert (status, numbers["unmatched"], numbers["oldest_unmatched_days"]) == (200, 4, 4)


async def test_assigned_result_is_told_like_one_that_matches(station: ExamsStation) -> None:
    item = await lost(station)
    found = await assign(station, item, "C1")
    assert told(station, "C1") == ["ExamPassed"]
    assert found["assignment"] == {
        "candidate_id": "C1",
        "by": "staff:ada",
        "at": found["assignment"]["at"],
        "reason": WHY,
    }
    assert found["same_id_from_now_on"]["href"] == "/api/identity/v1/programs/cisco/external-ids/changes"
    assert (found["same_id_from_now_on"]["external_id"], found["same_id_from_now_on"]["to"]) == ("NOBODY", "C1")
    assert (await listed(station))["count"] == 0
    _, history = await station.candidate("C1", "results")
    assert [each["result_id"] for each in history["items"]] == ["R1"]
    assert await assign(station, item, "C1") == found, "said again it is what it is"
    assert (await do(station, item, "assignment", candidate_id="C2"))[0] == 409
    assert told(station, "C2") == []
    await station.vendors(reported(result("NOBODY", revision=2, grade="fail", score=1.0, taken_at=SAT)))
    assert told(station, "C1") == ["ExamPassed", "ExamResultRevised"]


async def test_assigned_result_follows_its_id_no_more_until_it_is_taken_back(station: ExamsStation) -> None:
    item = await lost(station)
    await assign(station, item, "C1")
    await station.events(received(linked("NOBODY", "C2")))
    assert (told(station, "C1"), told(station, "C2")) == (["ExamPassed"], [])
    status, found = await do(station, item, "unassignment")
    assert (status, found["assignment"]) == (200, None)
    assert told(station, "C1") == ["ExamPassed", "ExamResultInvalidated"]
    assert told(station, "C2") == ["ExamPassed"]
    moved = linked("NOBODY", "C1").model_copy(update={"linked_at": SAT})
    await station.events(received(moved))
    assert told(station, "C2") == ["ExamPassed", "ExamResultInvalidated"]
    assert told(station, "C1")[-1] == "ExamPassed"


async def test_what_is_taken_back_waits_again_and_is_matched_when_the_mapping_comes(station: ExamsStation) -> None:
    item = await lost(station)
    await assign(station, item, "C1")
    await do(station, item, "unassignment")
    assert (await listed(station))["count"] == 1
    assert (await do(station, item, "unassignment"))[0] == 409
    await station.events(received(linked("NOBODY", "C2")))
    assert (await listed(station))["count"] == 0
    assert told(station, "C2") == ["ExamPassed"]
    assert (await do(station, item, "assignment", candidate_id="C1"))[0] == 404, "it is nobody's affair any more"


async def test_assigned_result_stays_through_merges_and_their_undoing(station: ExamsStation) -> None:
    item = await lost(station)
    merge = {"merge_id": "M1", "candidate_id": "C2", "merged_id": "C1"}
    await assign(station, item, "C1")
    await station.events(received(identity.CandidatesMerged(**merge, merged_at=SAT)))
    moved = linked("NOBODY", "C2").model_copy(update={"linked_at": SAT, "merge_id": "M1"})
    await station.events(received(moved))
    assert len((await station.candidate("C2", "results"))[1]["items"]) == 1
    other = await lost(station, "STRANGER", "R2", registration_id="G2")
    assert (await assign(station, other, "C1"))["assignment"]["candidate_id"] == "C2", "who goes on for both"
    await station.events(received(identity.CandidatesSeparated(**merge, separated_at=SAT + timedelta(hours=1))))
    assert [each["result_id"] for each in (await station.candidate("C1", "results"))[1]["items"]] == ["R1"]
    assert [each["result_id"] for each in (await station.candidate("C2", "results"))[1]["items"]] == ["R2"]
    assert (told(station, "C1"), told(station, "C2")) == (["ExamPassed"], ["ExamPassed"])


async def test_result_on_hold_can_be_assigned_and_tells_nothing(station: ExamsStation) -> None:
    item = await lost(station, status="on_hold")
    assert "on_hold" not in str(await shown(station, item))
    await assign(station, item, "C1")
    assert told(station, "C1") == []


async def test_nobody_and_strangers_of_another_program_are_given_nothing(station: ExamsStation) -> None:
    item = await lost(station)
    juniper = linked("J1", "JPR00000013")
    await station.events(received(juniper, program="juniper"))
    for who in ("C99", "JPR00000013", "nobody"):
        status, problem = await do(station, item, "assignment", candidate_id=who)
        assert (status, problem["errors"][0]["path"]) == (422, "body.candidate_id")
    for path in (f"unmatched/{item}", f"unmatched/{item}x", "unmatched/AAAA"):
        wanted = 200 if path == f"unmatched/{item}" else 404
        assert (await station.staff("GET", path))[0] == wanted
        assert (await station.staff("GET", path, program="juniper"))[0] == 404
    assert (await listed(station))["count"] == 1


async def test_notes_say_what_the_vendor_was_asked_and_nothing_is_dismissed(station: ExamsStation) -> None:
    item = await lost(station)
    await lost(station, "OTHER", "R2")
    body = {"text": "Whose is P9?", "asked_vendor": True}
    status, found = await station.staff("POST", f"unmatched/{item}/notes", json=body)
    assert (status, found["handling"][0]["what"]) == (200, "asked_vendor")
    assert found["asked_vendor_at"] is not None
    assert [each["item_id"] for each in (await listed(station, asked_vendor="true"))["items"]] == [item]
    assert (await listed(station))["count"] == 2


async def test_whoever_takes_a_result_is_seen_by_others_until_it_is_left_or_assigned(station: ExamsStation) -> None:
    item = await lost(station)
    other = await lost(station, "OTHER", "R2")

    async def take(who: str | None, by: str) -> tuple[int, Any]:
        answer: tuple[int, Any] = await station.staff(
            "PUT", f"unmatched/{item}/assignee", by=by, json={"assignee": who}
        )
        return answer

    began = station.base.clock.now()
    assert (await take("staff:ada", "staff:ada"))[0] == 200
    seen = await shown(station, item)
    assert seen["assignee"] == "staff:ada"
    assert datetime.fromisoformat(seen["assignee_since"]) == began
    station.base.clock.advance(timedelta(minutes=5))
    assert (await take("staff:ada", "staff:ada"))[1]["assignee_since"] == seen["assignee_since"], "still the same"
    assert (await take("staff:ben", "staff:ben"))[1]["assignee"] == "staff:ben", "taken over"
    assert (await shown(station, item))["assignee_since"] > seen["assignee_since"]
    for query, found in (
        ({"assignee": "staff:ben"}, [item]),
        ({"assignee": "staff:ada"}, []),
        ({"unassigned": "true"}, [other]),
    ):
        page = await listed(station, **query)
        assert ([each["item_id"] for each in page["items"]], page["count"]) == (found, len(found))
    left = (await take(None, "staff:ben"))[1]
    assert (left["assignee"], left["assignee_since"]) == (None, None)
    assert [(step["what"], step["by"], step["text"]) for step in left["handling"]] == [
        ("taken", "staff:ada", "staff:ada"),
        ("taken", "staff:ben", "staff:ben"),
        ("left", "staff:ben", ""),
    ]
    await assign(station, item, "C1")
    assert (await take("staff:ada", "staff:ada"))[0] == 409, "nothing is left to do about it"


async def test_two_who_assign_at_once_give_it_to_one(station: ExamsStation) -> None:
    item = await lost(station)
    answers = await asyncio.gather(*(do(station, item, "assignment", candidate_id=f"C{n % 2 + 1}") for n in range(6)))
    assert {status for status, _ in answers} <= {200, 409}
    assert sorted(told(station, "C1") + told(station, "C2")) == ["ExamPassed"]


async def test_link_and_assignment_at_once_tell_it_to_one(station: ExamsStation) -> None:
    for number in range(12):
        person, result_id = f"N{number}", f"T{number}"
        item = await lost(station, person, result_id, registration_id=f"T{number}")
        await asyncio.gather(
            do(station, item, "assignment", candidate_id="C1"), station.events(received(linked(person, "C2")))
        )
        about = [e for e in station.said(*OUTCOMES) if e["data"]["result_id"] == f"cisco:vue:{result_id}"]
        assert len(about) == 1
        (row,) = await station.base.rows("results", result_id=result_id)
        assert row["candidate_id"] == about[0]["subject"]


class Together:
    """A unit of work whose first two attempts have both read what there was before either goes on."""

    def __init__(self, station: ExamsStation) -> None:
        self._run = station.base.unit_of_work.run
        self._store = ExamsStore(station.base.database)
        self._both_have_read = asyncio.Barrier(2)
        self._attempts = 0
        self.assigning = Assigning(self._store, self)  # type: ignore[arg-type]

    async def run(self, work: Any) -> Any:
        async def slowed(transaction: Any) -> Any:
            self._attempts += 1
            if self._attempts <= 2:
                await self._store.results(transaction.session, ["none"])
                await self._both_have_read.wait()
            return await work(transaction)

        return await self._run(slowed)

    async def events(self, station: ExamsStation, *items: Any) -> None:
        subscriptions = station.surface.parts.subscriptions
        handle = next(each.work for each in subscriptions if each.queue == topology.events_queue("exams"))
        await self.run(lambda transaction: handle(transaction, items))


async def test_link_that_comes_while_an_assignment_is_taken_back_is_not_missed(station: ExamsStation) -> None:
    """The one reads no owner of the id, the other no result that follows it."""
    item = await lost(station)
    await assign(station, item, "C1")
    both = Together(station)
    await asyncio.gather(
        both.assigning.unassign("cisco", "cisco:vue:R1", by="ada", reason=WHY),
        both.events(station, received(linked("NOBODY", "C2"))),
    )
    assert told(station, "C2") == ["ExamPassed"]
    assert (await station.base.rows("results"))[0]["candidate_id"] == "C2"


async def test_nobody_is_given_what_is_assigned_while_they_are_erased(station: ExamsStation) -> None:
    await lost(station)
    account_of = {"candidate_id": OWN, "pseudonym": f"erased-{new_id()}"}
    erased = identity.CandidateErased(candidate_id=OWN, accounts=[account_of], erased_at=SAT)
    both = Together(station)
    await asyncio.gather(
        both.assigning.assign("cisco", "cisco:vue:R1", to=OWN, by="ada", reason=WHY),
        both.events(station, received(erased)),
        return_exceptions=True,
    )
    assert f"'{OWN}'" not in str(await station.base.rows("results"))


async def test_suggestions_name_who_may_be_meant_and_why(station: ExamsStation) -> None:
    await station.vendors(reported(registration("PEARL77", "G1", scheduled_at=SAT)))
    await station.vendors(reported(registration("P2", "G2", scheduled_at=SAT)))
    await station.wait(days=1, hours=2)
    item = await lost(station, "PEARL7")
    found = await shown(station, item)
    first, second = found["suggestions"]
    assert first["candidate_id"] == "C1"
    assert [reason["code"] for reason in first["reasons"]] == ["registration", "similar_id", "same_sitting"]
    assert first["reasons"][1]["text"] == (
        "PEARL7 is one typing error away from PEARL77, an id of this candidate's at the vendor."
    )
    assert (second["candidate_id"], [each["code"] for each in second["reasons"]]) == ("C2", ["same_sitting"])
    assert first["score"] > second["score"]
    assert told(station, "C1") == [], "nothing is decided by itself"


@pytest.mark.parametrize(
    ("wrote", "code"),
    [
        ("CSCO00000014", "similar_id"),  # a wrong check digit
        ("csco00000013", "same_id_otherwise_written"),
        ("JPR00000013", "other_prefix"),
        ("00000013", "other_prefix"),
    ],
)
async def test_our_own_id_is_known_with_a_slip_in_it(station: ExamsStation, wrote: str, code: str) -> None:
    item = await lost(station, wrote)
    (suggestion,) = (await shown(station, item))["suggestions"]
    assert (suggestion["candidate_id"], suggestion["reasons"][0]["code"]) == (OWN, code)


async def test_our_own_id_in_a_file_is_known_with_a_slip_in_it(station: ExamsStation) -> None:
    """What a file names by our own IDs is looked for among them, and no id of the vendor's is changed for it."""
    said = Report(
        program="cisco",
        vendor="vue",
        data=result("CSCO00000014", "R1", taken_at=SAT),
        link=own_link("cisco", "CSCO00000014"),
        said_at=SAT,
        source=Source("file", "f1:1"),
        raw=b"",
        numbered=False,
        names_result=False,
    )
    store = ExamsStore(station.base.database)
    await station.base.unit_of_work.run(lambda transaction: ResultIntake(store, transaction).record([said]))
    (item,) = (await listed(station))["items"]
    found = await shown(station, item["item_id"])
    assert [(each["candidate_id"], each["reasons"][0]["code"]) for each in found["suggestions"]] == [
        (OWN, "similar_id")
    ]
    found = await assign(station, item["item_id"], OWN)
    assert (found["assignment"]["candidate_id"], found["same_id_from_now_on"]) == (OWN, None)
    assert (await station.staff("GET", "unmatched"))[1]["items"] == []


async def test_another_result_of_the_same_id_that_was_assigned_is_a_clue(station: ExamsStation) -> None:
    await assign(station, await lost(station), "C2")
    item = await lost(station, result_id="R2", registration_id="G2")
    (suggestion,) = (await shown(station, item))["suggestions"]
    assert (suggestion["candidate_id"], [each["code"] for each in suggestion["reasons"]]) == ("C2", ["assigned_before"])


async def test_appointment_whose_result_has_come_is_no_clue(station: ExamsStation) -> None:
    await station.vendors(reported(registration("P2", "G2", scheduled_at=SAT)))
    await station.wait(days=1, minutes=1)
    await station.vendors(reported(result("P2", "R2", registration_id="G2", taken_at=SAT)))
    assert (await shown(station, await lost(station)))["suggestions"] == []


async def test_assignment_ends_the_wait_for_a_late_result_and_its_undoing_begins_it_again(
    station: ExamsStation,
) -> None:
    await station.vendors(reported(registration("PEARL77", "G1", scheduled_at=SAT)))
    item = await lost(station)
    await station.wait(days=12)
    assert len(station.said(exams.ExamResultLate)) == 1
    await assign(station, item, "C1")
    await station.run("results-watch")
    assert len(station.said(exams.ExamResultArrived)) == 1
    await do(station, item, "unassignment")
    await station.run("results-watch")
    assert [event["data"]["times"] for event in station.said(exams.ExamResultLate)] == [1, 2]


async def test_erasure_of_whom_a_result_was_assigned_to_leaves_no_name(station: ExamsStation) -> None:
    await station.vendors(*(reported(registration("PEARL77", each, scheduled_at=SAT)) for each in ("G1", "G3")))
    item = await lost(station, "SECRET-ID")
    await assign(station, item, "C1")
    await station.wait(days=9)
    assert len(station.said(exams.ExamResultLate)) == 1
    account_of = {"candidate_id": "C1", "pseudonym": f"erased-{new_id()}"}
    erased = identity.CandidateErased(candidate_id="C1", accounts=[account_of], erased_at=SAT + timedelta(days=1))
    await station.events(received(erased))
    rows = await station.base.rows("results") + await station.base.rows("registrations")
    assert not [word for word in ("'C1'", "SECRET-ID", WHY, "staff:ada") if word in str(rows)]
    await station.wait(days=40)
    assert station.said(exams.ExamResultOverdue) == [], "nobody is told of what somebody erased waits for"
    assert (await station.staff("GET", f"unmatched/{item}"))[0] == 404


async def test_erasure_of_whose_the_id_was_leaves_the_result_where_it_was_assigned(station: ExamsStation) -> None:
    item = await lost(station, "P2-OLD")
    await assign(station, item, "C1")
    await station.events(received(linked("P2-OLD", "C2")))
    account_of = {"candidate_id": "C2", "pseudonym": f"erased-{new_id()}"}
    erased = identity.CandidateErased(candidate_id="C2", accounts=[account_of], erased_at=SAT + timedelta(days=1))
    await station.events(received(erased))
    (row,) = await station.base.rows("results")
    assert (row["candidate_id"], "P2-OLD" in str(row)) == ("C1", False)
    status, _ = await do(station, item, "unassignment")
    assert status == 200
    assert (await station.base.rows("results"))[0]["candidate_id"] in {"C1", None}
