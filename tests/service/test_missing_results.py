"""Cases that open by themselves when a result is late, and end by themselves when it comes; in any order."""

import asyncio
import itertools
from datetime import UTC, date, datetime
from typing import Any

import pytest

from libs.common.bus import topology
from libs.common.bus.messages import Received
from libs.common.events import exams, identity
from tests.service.case_desk import PDF, Desk
from tests.service.identity_station import IdentityStation
from tests.service.samples import received

SAT = datetime(2026, 11, 10, 17, tzinfo=UTC)
OWN = {"kind": "missing_result", "exam_code": "200-301", "taken_on": "2026-11-10"}


@pytest.fixture
def desk(station: IdentityStation) -> Desk:
    return Desk(station)


def about(candidate_id: str, **changes: Any) -> dict[str, Any]:
    known = {"vendor": "vue", "registration_id": "G1", "exam_code": "200-301", "scheduled_at": SAT, "times": 1}
    return {"candidate_id": candidate_id, **known, **changes}


def late(candidate_id: str, **changes: Any) -> Received[Any]:
    days = {"taken_on": date(2026, 11, 10), "due_on": date(2026, 11, 18)}
    return received(exams.ExamResultLate(**days, **about(candidate_id, **changes)))


def arrived(candidate_id: str, **changes: Any) -> Received[Any]:
    return received(exams.ExamResultArrived(**about(candidate_id, **changes)))


def not_awaited(candidate_id: str, reason: Any = "cancelled", **changes: Any) -> Received[Any]:
    return received(exams.ExamResultNotAwaited(**about(candidate_id, **changes), reason=reason))


async def take(desk: Desk, *items: Received[Any]) -> None:
    parts = desk.station.parts
    work = next(each.work for each in parts.subscriptions if each.queue == topology.events_queue("identity"))
    await desk.base.handle(work, *items)


async def cases(desk: Desk, who: str) -> list[dict[str, Any]]:
    status, page = await desk.candidate(who, "GET", "cases")
    assert status == 200
    items: list[dict[str, Any]] = page["items"]
    return items


async def test_late_result_opens_a_case_with_what_is_known_and_one_mail_tells_of_it(desk: Desk) -> None:
    me = await desk.station.register("P1")
    for _ in range(3):
        await take(desk, late(me), late(me))
    (listed,) = await cases(desk, me)
    assert (listed["kind"], listed["state"], listed["by_itself"]) == ("missing_result", "open", True)
    case = await desk.seen(listed)
    assert case["details"] == {
        "kind": "missing_result",
        "exam_code": "200-301",
        "taken_on": "2026-11-10",
        "registration_id": "G1",
        "vendor": "vue",
        "promised_on": "2026-11-18",
    }
    assert [(step["what"], step["by"]) for step in case["history"]] == [("opened", "system")]
    (told,) = desk.station.said(identity.CaseOpened)
    assert (told["data"]["by_itself"], told["data"]["promised_on"]) == (True, "2026-11-18")


async def test_arrival_ends_the_case_and_deletes_its_documents(desk: Desk) -> None:
    me = await desk.station.register("P1")
    await take(desk, late(me))
    (case,) = await cases(desk, me)
    assert (await desk.upload(me, case, PDF))[0] == 201
    for _ in range(2):
        await take(desk, arrived(me))
    seen = await desk.seen(case)
    assert (seen["state"], seen["evidence"], seen["history"][-1]["what"]) == ("arrived", [], "arrived")
    (told,) = desk.station.said(identity.CaseSettled)
    assert (told["data"]["outcome"], told["data"]["reason"]) == ("arrived", seen["reason"])
    assert await desk.base.rows("case_evidence") == []


@pytest.mark.parametrize("reason", ["cancelled", "no_show", "rescheduled", "reassigned"])
async def test_case_lapses_where_there_is_nothing_to_wait_for(desk: Desk, reason: str) -> None:
    me = await desk.station.register("P1")
    await take(desk, late(me), not_awaited(me, reason))
    (case,) = await cases(desk, me)
    assert case["state"] == "lapsed"
    assert desk.station.said(identity.CaseSettled)[0]["data"]["outcome"] == "lapsed"


@pytest.mark.parametrize("end", [arrived, not_awaited])
async def test_what_ended_before_it_was_heard_of_opens_no_case(desk: Desk, end: Any) -> None:
    me = await desk.station.register("P1")
    await take(desk, end(me))
    await take(desk, late(me))
    assert await cases(desk, me) == []
    await take(desk, late(me, times=2))
    assert len(await cases(desk, me)) == 1, "another time is a matter of its own"


async def test_any_order_of_the_same_events_ends_with_the_same_cases(desk: Desk) -> None:
    def events(who: str) -> list[Received[Any]]:
        return [late(who), not_awaited(who, "rescheduled"), late(who, times=2), arrived(who, times=2)]

    for number, order in enumerate(itertools.permutations(range(4))):
        me = await desk.station.register(f"P{number}")
        told = events(me)
        for index in order:
            await take(desk, told[index], told[index])
        found = await cases(desk, me)
        assert all(case["state"] in {"lapsed", "arrived"} for case in found), order
        opened = [order.index(first) < order.index(first + 1) for first in (0, 2)]
        assert bool(found) == any(opened), order
        assert len(found) <= sum(opened), order


async def test_case_of_a_result_that_is_late_again_stays_open_until_that_ends_too(desk: Desk) -> None:
    """The second time is heard of before the end of the first."""
    me = await desk.station.register("P1")
    await take(desk, late(me), late(me, times=2))
    await take(desk, not_awaited(me, "rescheduled"))
    assert [case["state"] for case in await cases(desk, me)] == ["open"]
    await take(desk, arrived(me, times=2))
    assert [case["state"] for case in await cases(desk, me)] == ["arrived"]


@pytest.mark.parametrize("named", [{"registration_id": "g1"}, {}], ids=["by its registration", "by exam and day"])
async def test_case_that_the_candidate_has_opened_is_joined(desk: Desk, named: dict[str, str]) -> None:
    me = await desk.station.register("P1")
    own = await desk.open(me, **OWN, **named, text="Where is it?")
    await take(desk, late(me))
    assert [case["case_id"] for case in await cases(desk, me)] == [own["case_id"]]
    seen = await desk.seen(own)
    assert [step["what"] for step in seen["history"]] == ["opened", "late"]
    assert len(desk.station.said(identity.CaseOpened)) == 1
    await take(desk, arrived(me))
    assert (await desk.seen(own))["state"] == "arrived"


async def test_candidate_who_asks_later_writes_into_the_case_there_is(desk: Desk) -> None:
    me = await desk.station.register("P1")
    await take(desk, late(me))
    (case,) = await cases(desk, me)
    for _ in range(2):
        asked = await desk.open(me, **OWN, text="Where is it?")
        assert asked["case_id"] == case["case_id"]
    assert {message["text"] for message in asked["messages"]} == {"Where is it?"}
    other = await desk.open(me, **(OWN | {"taken_on": "2026-11-11"}), text="And this?")
    assert other["case_id"] != case["case_id"]
    third = await desk.open(me, **OWN, registration_id="G2", text="Another of that day")
    assert third["case_id"] not in {case["case_id"], other["case_id"]}


async def test_case_that_is_closed_stays_as_it_was_decided(desk: Desk) -> None:
    me = await desk.station.register("P1")
    await take(desk, late(me))
    (case,) = await cases(desk, me)
    assert (await desk.candidate(me, "POST", f"cases/{case['case_id']}/withdrawal"))[0] == 200
    await take(desk, late(me), arrived(me))
    assert [(each["case_id"], each["state"]) for each in await cases(desk, me)] == [(case["case_id"], "withdrawn")]
    assert desk.station.said(identity.CaseSettled) == []


async def test_late_result_of_a_merged_account_is_the_persons(desk: Desk) -> None:
    into, merged = await desk.station.register("P1"), await desk.station.register("P2")
    status, done = await desk.staff("POST", "merges", **{"from": merged, "into": into, "reason": "the same person"})
    assert status in {200, 201, 202}, done
    await take(desk, late(merged))
    (case,) = await cases(desk, into)
    assert case["candidate_id"] == into
    await take(desk, arrived(merged))
    assert [each["state"] for each in await cases(desk, into)] == ["arrived"]


async def test_nobody_is_left_of_whom_something_could_be_kept(desk: Desk) -> None:
    await take(desk, late("CSCO99999997"), arrived("CSCO99999998"))
    assert await desk.base.rows("late_results") == []
    assert await desk.base.rows("cases") == []


async def test_two_who_take_the_same_event_open_one_case(desk: Desk) -> None:
    me = await desk.station.register("P1")
    await asyncio.gather(*(take(desk, late(me)) for _ in range(4)), take(desk, arrived(me)))
    found = await cases(desk, me)
    assert len(found) <= 1
    assert all(case["state"] == "arrived" for case in found)
