"""The results watch on a real database, with a clock moved by hand: each thing is told once, whatever came when."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.common.events import exams, identity, vendors
from libs.common.programs import Program
from services.exams.consumers import ServiceEvents, VendorMessages
from services.exams.store import ExamsStore
from services.exams.watch.looking import ResultsWatch
from tests.service.conftest import OpenBase
from tests.service.rig import Base, said
from tests.service.samples import linked, received, registration, reported, result

WATCHED = (
    exams.ExamResultLate,
    exams.ExamResultOverdue,
    exams.ExamResultArrived,
    exams.ExamResultNotAwaited,
)
LATE, OVERDUE, ARRIVED, NOT_AWAITED = (model.event_type.split(".")[-2] for model in WATCHED)


class Watching:
    """The service's handlers and the watch, and what was told of results that are late."""

    def __init__(self, base: Base, programs: Mapping[str, Program]) -> None:
        self.base = base
        self.store = ExamsStore(base.database)
        self.vendors = VendorMessages(self.store)
        self.services = ServiceEvents(self.store)
        self.watch = ResultsWatch(self.store, programs, base.unit_of_work)
        self.booked = base.clock.now() + timedelta(days=1)
        self.result = result(taken_at=self.booked)

    async def take(self, *items: Any) -> None:
        await self.base.handle(self.vendors.handle, *items)

    async def hear(self, *items: Any) -> None:
        await self.base.handle(self.services.handle, *items)

    async def book(self, person: str = "P1", registration_id: str = "G1", **changes: Any) -> None:
        await self.take(reported(registration(person, registration_id, scheduled_at=self.booked, **changes)))

    async def wait(self, **time: float) -> None:
        """Let time pass, with the job running every six hours of it, and at its end."""
        end = self.base.clock.now() + timedelta(**time)
        while self.base.clock.now() + timedelta(hours=6) < end:
            self.base.clock.advance(timedelta(hours=6))
            await self.watch.run()
        self.base.clock.advance(end - self.base.clock.now())
        await self.watch.run()

    def told(self, candidate_id: str | None = None) -> list[str]:
        """What was told of late results, in order of versions, to a candidate or to all."""
        types = {model.event_type for model in WATCHED}
        found = [each for each in said(self.base) if each["type"] in types]
        mine = [each for each in found if candidate_id in {None, each["subject"]}]
        versions = [int(each["subjectversion"]) for each in mine]
        assert len(set(versions)) == len(versions) or candidate_id is None
        return [each["type"].split(".")[-2] for each in sorted(mine, key=lambda each: int(each["subjectversion"]))]

    def events(self, model: Any) -> list[dict[str, Any]]:
        return [each["data"] for each in said(self.base) if each["type"] == model.event_type]

    async def row(self, registration_id: str = "G1") -> dict[str, Any]:
        (row,) = await self.base.rows("registrations", registration_id=registration_id)
        return row


@pytest.fixture
async def watching(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[Watching]:
    async with base_of("exams") as base:
        found = Watching(base, programs)
        await found.hear(received(linked()))
        yield found


async def test_result_that_does_not_come_is_told_late_then_overdue_once_each(
    watching: Watching, programs: dict[str, Program]
) -> None:
    await watching.book()
    assert "stage" not in (await watching.row())["watch"], "nothing is looked at before the appointment"
    cisco = programs["cisco"]
    day = cisco.day_of(watching.booked)
    due = cisco.calendar.add(day, cisco.result_promise)
    await watching.wait(days=1, minutes=1)
    assert (await watching.row())["watch"]["stage"] == "expected"
    await watching.wait(days=(due - day).days + 2)
    assert watching.told() == [LATE]
    await watching.wait(days=20)
    assert watching.told("C1") == [LATE, OVERDUE]
    (late,) = watching.events(exams.ExamResultLate)
    assert (late["registration_id"], late["vendor"], late["due_on"], late["times"]) == ("G1", "vue", due.isoformat(), 1)
    assert "next_at" not in (await watching.row())["watch"], "nobody looks at it any more"


async def test_result_in_time_is_told_to_nobody_and_noted_within_the_hour(watching: Watching) -> None:
    await watching.book()
    await watching.wait(days=1, hours=2)
    await watching.take(reported(watching.result))
    await watching.wait(hours=2)
    assert (await watching.row())["watch"]["stage"] == "arrived"
    await watching.wait(days=30)
    assert watching.told() == []


@pytest.mark.parametrize("grade", [{}, {"grade": "pending", "score": None}, {"status": "on_hold"}])
async def test_result_that_comes_late_ends_it_whatever_it_says(watching: Watching, grade: dict[str, Any]) -> None:
    await watching.book()
    await watching.wait(days=12)
    await watching.take(reported(watching.result.model_copy(update=grade)))
    await watching.watch.run()
    assert watching.told("C1") == [LATE, ARRIVED]
    held = watching.events(exams.ExamResultArrived)
    assert held[0].keys() == {
        "candidate_id",
        "vendor",
        "registration_id",
        "exam_code",
        "scheduled_at",
        "times",
    }, "nothing of what came is told with it"
    await watching.wait(days=30)
    assert watching.told("C1") == [LATE, ARRIVED]


@pytest.mark.parametrize("change", ["cancelled", "no_show", "rescheduled"])
async def test_change_ends_what_was_told_and_a_new_day_begins_anew(watching: Watching, change: Any) -> None:
    await watching.book()
    await watching.wait(days=12)
    day = watching.base.clock.now() + timedelta(days=2) if change == "rescheduled" else None
    moved = vendors.ExamAppointmentChanged(registration_id="G1", change=change, scheduled_at=day)
    await watching.take(reported(moved, time=watching.base.clock.now()))
    await watching.watch.run()
    assert watching.told("C1") == [LATE, NOT_AWAITED]
    assert watching.events(exams.ExamResultNotAwaited)[0]["reason"] == change
    await watching.wait(days=40)
    again = [LATE, OVERDUE] if change == "rescheduled" else []
    assert watching.told("C1") == [LATE, NOT_AWAITED, *again]
    assert [each["times"] for each in watching.events(exams.ExamResultLate)] == [1, 2][: 1 + bool(again)]


async def test_appointment_heard_of_long_after_its_day_is_given_the_whole_promise(watching: Watching) -> None:
    await watching.take(reported(registration(scheduled_at=datetime(2025, 3, 10, 10, tzinfo=UTC))))
    await watching.watch.run()
    assert (await watching.row())["watch"]["stage"] == "expected"
    assert watching.told() == []
    await watching.wait(days=12)
    assert watching.told() == [LATE]


async def test_nobody_is_told_before_it_is_known_whose_it_is(watching: Watching) -> None:
    await watching.book("P2", "G2")
    await watching.wait(days=12)
    assert ((await watching.row("G2"))["watch"]["stage"], watching.told()) == ("late", [])
    await watching.hear(received(linked("P2", "C2")))
    await watching.watch.run()
    assert watching.told("C2") == [LATE]


async def test_appointment_that_was_anothers_is_taken_back_from_them(watching: Watching) -> None:
    await watching.book()
    await watching.wait(days=12)
    moved = linked(candidate_id="C2").model_copy(update={"linked_at": watching.base.clock.now()})
    await watching.hear(received(moved))
    await watching.watch.run()
    assert (watching.told("C1"), watching.told("C2")) == ([LATE, NOT_AWAITED], [LATE])


async def test_result_under_another_id_does_not_count_until_it_is_the_candidates(watching: Watching) -> None:
    await watching.book()
    await watching.take(reported(watching.result.model_copy(update={"vendor_candidate_id": "P9"})))
    await watching.wait(days=12)
    assert watching.told("C1") == [LATE]
    await watching.hear(received(linked("P9", "C1")))
    await watching.watch.run()
    assert watching.told("C1") == [LATE, ARRIVED]


async def test_result_of_a_joined_account_counts_until_the_accounts_are_parted(watching: Watching) -> None:
    await watching.hear(received(linked("P2", "C2")))
    await watching.book()
    await watching.take(reported(watching.result.model_copy(update={"vendor_candidate_id": "P2"})))
    await watching.wait(days=12)
    assert watching.told("C1") == [LATE]
    merge = {"merge_id": "M1", "candidate_id": "C2", "merged_id": "C1"}
    now = watching.base.clock.now()
    await watching.hear(received(identity.CandidatesMerged(**merge, merged_at=now)))
    await watching.watch.run()
    assert watching.told("C1") == [LATE, ARRIVED]
    await watching.hear(received(identity.CandidatesSeparated(**merge, separated_at=now + timedelta(minutes=5))))
    await watching.watch.run()
    assert watching.told("C1") == [LATE, ARRIVED, LATE]


async def test_any_order_of_the_same_words_ends_the_same(watching: Watching) -> None:
    """Registration, change, result and link in every order, with the job between them."""
    ends = set()
    start = watching.booked
    for number, order in enumerate(itertools.permutations(range(4))):
        person, registration_id, candidate_id = f"Q{number}", f"H{number}", f"D{number}"
        moved = vendors.ExamAppointmentChanged(
            registration_id=registration_id, change="rescheduled", scheduled_at=start + timedelta(days=2)
        )
        words = [
            reported(registration(person, registration_id, scheduled_at=start)),
            reported(moved, time=start - timedelta(days=3)),
            reported(result(person, f"R{number}", registration_id=registration_id, taken_at=start)),
            received(linked(person, candidate_id)),
        ]
        for index in order:
            await (watching.hear if index == 3 else watching.take)(words[index])
            await watching.watch.run()
    await watching.wait(days=40)
    for row in await watching.base.rows("registrations"):
        ends.add((row["watch"]["stage"], "next_at" in row["watch"]))
    assert ends == {("arrived", False)}
    assert watching.told() == []


async def test_two_replicas_that_look_at_once_tell_each_thing_once(
    watching: Watching, programs: dict[str, Program]
) -> None:
    other = ResultsWatch(watching.store, programs, watching.base.unit_of_work)
    people = [f"P{number}" for number in range(2, 42)]
    for person in people:
        await watching.hear(received(linked(person, f"C{person}")))
        await watching.book(person, f"G{person}")
    for _ in range(2):
        watching.base.clock.advance(timedelta(days=30))
        await asyncio.gather(watching.watch.run(), other.run(), watching.watch.run())
    for person in people:
        assert watching.told(f"C{person}") == [LATE, OVERDUE]


async def test_result_recorded_in_the_moment_that_finds_it_late_is_found_a_minute_later(watching: Watching) -> None:
    """Neither transaction sees the other: the one that marks reads no result, the one that records reads no mark."""
    await watching.book()
    await watching.wait(days=1, minutes=1)
    watching.base.clock.advance(timedelta(days=11))
    both_have_read = asyncio.Barrier(2)
    first = {"watch": True, "result": True}

    async def look(transaction: Any) -> int:
        if first.pop("watch", False):
            await watching.store.watches.due(transaction.session, transaction.now, 1)
            await both_have_read.wait()
        return await watching.watch._slice(transaction)

    async def record(transaction: Any, items: Any) -> None:
        if first.pop("result", False):
            await watching.store.results(transaction.session, ["none"])
            await both_have_read.wait()
        await watching.vendors.handle(transaction, items)

    await asyncio.gather(watching.base.unit_of_work.run(look), watching.base.handle(record, reported(watching.result)))
    await watching.wait(minutes=2)
    assert (await watching.row())["watch"]["stage"] == "arrived"
    assert watching.told("C1") in ([LATE, ARRIVED], [])


async def test_minute_costs_what_is_due_in_it(watching: Watching) -> None:
    """What lies ahead, and what is over, is not read."""
    for number in range(50):
        await watching.book(f"A{number}", f"A{number}")
    plan = await watching.base.database.command(
        {
            "explain": {
                "find": "registrations",
                "filter": {"watch.next_at": {"$lte": watching.base.clock.now()}},
                "sort": {"watch.next_at": 1},
                "limit": 200,
            },
            "verbosity": "executionStats",
        }
    )
    assert plan["executionStats"]["totalDocsExamined"] == 0
    assert plan["executionStats"]["totalKeysExamined"] <= 1
    await watching.wait(days=1, minutes=1)
    assert len(await watching.base.rows("registrations", **{"watch.stage": "expected"})) == 50


async def test_promise_stands_as_it_was_made(watching: Watching, programs: dict[str, Program]) -> None:
    """A program that promises more, or less, from now on moves no day that a candidate was told."""
    await watching.book()
    await watching.wait(days=1, minutes=1)
    due_on = (await watching.row())["watch"]["due_on"]
    for days in (40, 1):
        changed = {**programs, "cisco": replace(programs["cisco"], result_promise=days, result_overdue=2 * days)}
        watching.watch = ResultsWatch(watching.store, changed, watching.base.unit_of_work)
        await watching.wait(days=1)
        assert (await watching.row())["watch"]["due_on"] == due_on
    await watching.wait(days=10)
    assert watching.events(exams.ExamResultLate)[0]["due_on"] == due_on


async def test_what_nobody_watches_any_more_is_left_alone(watching: Watching) -> None:
    """Of a program that is gone nothing can be promised; its rows must not be found due for ever."""
    watching.watch = ResultsWatch(watching.store, {}, watching.base.unit_of_work)
    await watching.book()
    await watching.wait(days=2)
    assert "next_at" not in (await watching.row())["watch"]
