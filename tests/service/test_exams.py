"""Exams through its handlers on a real database: matched whenever both halves are there, told once, in any order."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from libs.common.bus.messages import Received
from libs.common.events import exams, identity, vendors
from libs.common.mongo.unit_of_work import Transaction
from services.exams.consumers import ServiceEvents, VendorMessages
from services.exams.store import ExamsStore
from services.exams.unmatched.long import UnmatchedWatch
from tests.service.conftest import OpenBase
from tests.service.rig import Base, said
from tests.service.samples import TAKEN, linked, received, registration, reported, result

LATER = TAKEN + timedelta(hours=1)
ROUNDS = 30


class Exams:
    """The service's handlers, and what they have said."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.store = ExamsStore(base.database)
        self._vendors = VendorMessages(self.store)
        self._services = ServiceEvents(self.store)

    async def take(self, *items: Received[Any]) -> None:
        """Handle vendors' messages as one batch."""
        await self.base.handle(self._vendors.handle, *items)

    async def link(self, *items: Received[Any]) -> None:
        """Handle identity's events as one batch."""
        await self.base.handle(self._services.handle, *items)

    def said(self) -> list[dict[str, Any]]:
        return said(self.base)

    def told(self, candidate_id: str = "C1") -> list[tuple[str, Any]]:
        """Type and grade or change of each event about a candidate, in order of their versions."""
        about = [event for event in self.said() if event.get("subject") == candidate_id]
        versions: dict[str, int] = {}
        for event in about:
            data, version = event["data"], event["subjectversion"]
            thing = data.get("result_id") or data["registration_id"]
            assert version > versions.get(thing, 0), "what is said later of the same thing has a higher version"
            versions[thing] = version
        about.sort(key=lambda event: int(event["subjectversion"]))
        return [(_name(event), event["data"].get("grade") or event["data"].get("change")) for event in about]

    async def result(self, result_id: str = "R1") -> dict[str, Any]:
        (row,) = await self.base.rows("results", result_id=result_id)
        return row


def _name(event: dict[str, Any]) -> str:
    return str(event.get("type", "certrail.MessageRejected.v1")).split(".")[-2]


@pytest.fixture
async def service(base_of: OpenBase) -> AsyncIterator[Exams]:
    async with base_of("exams") as base:
        yield Exams(base)


async def test_result_before_its_registration_waits_and_is_told_when_the_link_comes(service: Exams) -> None:
    await service.take(reported(result()))
    assert service.said() == []
    assert (await service.result())["candidate_id"] is None
    link = received(linked())
    await service.link(link)
    assert service.told() == [("ExamPassed", None)]
    row = await service.result()
    assert row["candidate_id"] == "C1"
    (event,) = service.said()
    assert (event["correlationid"], event["causationid"]) == (row["revisions"][0]["source"]["ref"], link.event.id)


async def test_result_after_the_link_is_told_at_once(service: Exams) -> None:
    await service.link(received(linked()))
    await service.take(reported(result()))
    assert service.told() == [("ExamPassed", None)]


async def test_results_are_matched_by_program_vendor_and_number_together(service: Exams) -> None:
    await service.take(
        reported(result("P1", "R1")),
        reported(result("P1", "R2"), vendor="psi"),
        reported(result("P1", "R3", exam_code="JN0-105"), program="juniper"),
        reported(result("P2", "R4")),
    )
    await service.link(received(linked("P1", "C1", "vue")))
    assert [event["data"]["result_id"] for event in service.said()] == ["cisco:vue:R1"]


async def test_link_that_comes_again_tells_nothing_again(service: Exams) -> None:
    link = received(linked())
    await service.take(reported(result()))
    for _ in range(3):
        await service.link(link, link)
    assert service.told() == [("ExamPassed", None)]


waiting_before = pytest.mark.parametrize("earlier", [0, 1], ids=["first result", "another waits already"])
"""A second one that waits for the same link must be noticed as much as the first."""


@waiting_before
async def test_link_and_result_at_the_same_moment_never_miss_each_other(service: Exams, earlier: int) -> None:
    """Each in a transaction of its own, neither seeing the other: one of the two must look again."""
    dice = random.Random(7)

    async def after(delay: float, work: Any) -> None:
        await asyncio.sleep(delay)
        await work

    for n in range(ROUNDS * earlier):
        await service.take(reported(result(f"P{n}", f"R{n}-earlier")))
    for n in range(ROUNDS):
        first, second = dice.uniform(0, 0.004), dice.uniform(0, 0.004)
        await asyncio.gather(
            after(first, service.take(reported(result(f"P{n}", f"R{n}")))),
            after(second, service.link(received(linked(f"P{n}", f"C{n}")))),
        )
    unmatched = await service.base.rows("results", candidate_id=None)
    assert unmatched == []
    for n in range(ROUNDS):
        assert service.told(f"C{n}") == [("ExamPassed", None)] * (1 + earlier)


@waiting_before
async def test_link_and_result_that_cannot_see_each_other_still_meet(service: Exams, earlier: int) -> None:
    """The same race with the moment chosen: both have read before either writes."""
    if earlier:
        await service.take(reported(result(result_id="R1-earlier")))
    both_have_read = asyncio.Barrier(2)
    first_look = {"result": True, "link": True}

    def slowed(name: str, handle: Any) -> Any:
        async def work(transaction: Transaction, items: Any) -> None:
            if first_look.pop(name, False):
                await service.store.links.candidates_of(transaction.session, ["cisco:vue:P1"])
                await both_have_read.wait()
            await handle(transaction, items)

        return work

    vendors_, services_ = VendorMessages(service.store).handle, ServiceEvents(service.store).handle
    await asyncio.gather(
        service.base.handle(slowed("result", vendors_), reported(result())),
        service.base.handle(slowed("link", services_), received(linked())),
    )
    assert service.told() == [("ExamPassed", None)] * (1 + earlier)
    assert (await service.result())["candidate_id"] == "C1"


async def test_higher_revision_replaces_and_is_told(service: Exams) -> None:
    await service.link(received(linked()))
    await service.take(reported(result(grade="fail", score=700.0)))
    await service.take(reported(result(revision=2)))
    assert service.told() == [("ExamFailed", None), ("ExamResultRevised", "pass")]
    row = await service.result()
    assert (row["state"], row["grade"], len(row["revisions"])) == ("revised", "pass", 2)


async def test_lower_revision_that_comes_late_is_kept_and_changes_nothing(service: Exams) -> None:
    await service.link(received(linked()))
    await service.take(reported(result(revision=3)))
    late = reported(result(revision=1, grade="fail", score=100.0))
    await service.take(late)
    await service.take(late)
    assert service.told() == [("ExamPassed", None)]
    row = await service.result()
    assert (row["state"], row["grade"], row["score"]) == ("revised", "pass", 900.0)
    assert sorted(kept["revision"] for kept in row["revisions"]) == [1, 3]


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
async def test_repeated_report_has_one_effect(service: Exams, together: bool) -> None:
    await service.link(received(linked()))
    report, resent = reported(result()), reported(result())
    if together:
        await service.take(report, report, resent)
    else:
        for one in (report, report, resent):
            await service.take(one)
    assert service.told() == [("ExamPassed", None)]
    assert len((await service.result())["revisions"]) == 1


async def test_same_revision_with_another_grade_is_refused_and_changes_nothing(service: Exams) -> None:
    await service.link(received(linked()))
    await service.take(reported(result()))
    await service.take(reported(result(grade="fail"), event_id="contradiction"))
    assert service.told() == [("ExamPassed", None)]
    assert (await service.result())["grade"] == "pass"
    (rejection,) = await service.base.rows("rejections")
    assert [reason["code"] for reason in rejection["reasons"]] == ["revision_conflict"]
    assert [_name(event) for event in service.said()] == ["ExamPassed", "MessageRejected"]


async def test_pending_result_is_told_when_it_is_final(service: Exams) -> None:
    await service.link(received(linked()))
    await service.take(reported(result(grade="pending", score=None)))
    assert service.said() == []
    await service.take(reported(result(revision=2)))
    assert service.told() == [("ExamPassed", None)]


async def test_void_result_is_told_only_to_whom_it_was_told_before(service: Exams) -> None:
    await service.link(received(linked("P1", "C1")), received(linked("P2", "C2")))
    await service.take(reported(result("P1", "R1")))
    await service.take(reported(result("P1", "R1", 2, grade="invalidated", score=None)))
    await service.take(reported(result("P2", "R2", grade="invalidated", score=None)))
    assert service.told("C1") == [("ExamPassed", None), ("ExamResultInvalidated", None)]
    assert service.told("C2") == []


async def test_appointment_is_told_whatever_came_first(service: Exams) -> None:
    cancelled = vendors.ExamAppointmentChanged(registration_id="G1", change="cancelled")
    await service.take(reported(cancelled, time=LATER))
    await service.take(reported(registration()))
    await service.link(received(linked()))
    assert service.told() == [("ExamScheduled", None), ("ExamAppointmentChanged", "cancelled")]
    (row,) = await service.base.rows("registrations")
    assert (row["state"], row["exam_code"]) == ("cancelled", "200-301")


async def test_many_at_once_for_one_candidate_are_each_told_once(service: Exams) -> None:
    await service.link(received(linked()))
    reports = [reported(result("P1", f"R{n}")) for n in range(12)]
    await asyncio.gather(*(service.take(report) for report in reports), *(service.take(report) for report in reports))
    assert service.told() == [("ExamPassed", None)] * 12


async def test_correction_is_the_later_one_though_the_clock_went_back(service: Exams) -> None:
    clock = service.base.clock
    await service.link(received(linked()))
    await service.take(reported(result()))
    clock.advance(-timedelta(hours=1))
    await service.take(reported(result(revision=2, grade="fail", score=100.0)))
    assert service.told() == [("ExamPassed", None), ("ExamResultRevised", "fail")]


async def test_unclaimed_result_is_told_once_after_a_while(service: Exams) -> None:
    clock = service.base.clock
    watch = UnmatchedWatch(service.store, service.base.unit_of_work, clock)
    await service.take(reported(result()))
    await watch.run()
    assert service.said() == []
    clock.advance(UnmatchedWatch.AFTER + timedelta(seconds=1))
    await watch.run()
    await watch.run()
    assert [event["type"] for event in service.said()] == [exams.ExamResultUnmatched.event_type]
    await service.link(received(linked()))
    assert service.told() == [("ExamPassed", None)]


def moved(candidate_id: str, hours: int, **more: Any) -> Received[Any]:
    at = TAKEN + timedelta(hours=hours)
    return received(linked(candidate_id=candidate_id).model_copy(update={"linked_at": at, **more}))


def unlinked(candidate_id: str, hours: int) -> Received[Any]:
    at = TAKEN + timedelta(hours=hours)
    return received(
        identity.ExternalIdUnlinked(candidate_id=candidate_id, system="vue", external_id="P1", unlinked_at=at)
    )


def revisions(service: Exams, candidate_id: str) -> list[int]:
    return [event["data"]["revision"] for event in service.said() if event.get("subject") == candidate_id]


async def test_results_follow_an_id_that_moves_and_are_void_for_whom_it_was_not(service: Exams) -> None:
    await service.take(reported(result()))
    await service.link(received(linked()))
    await service.link(moved("C2", 1))
    assert service.told("C1") == [("ExamPassed", None), ("ExamResultInvalidated", None)]
    assert service.told("C2") == [("ExamPassed", None)]
    await service.link(moved("C1", 2))
    assert service.told("C2") == [("ExamPassed", None), ("ExamResultInvalidated", None)]
    assert service.told("C1")[2:] == [("ExamPassed", None)]
    for candidate in ("C1", "C2"):
        told = revisions(service, candidate)
        assert told == sorted(set(told)), "what is told later outweighs what was told before"
    await service.take(reported(result(revision=2, grade="fail", score=1.0)))
    assert service.told("C1")[3:] == [("ExamResultRevised", "fail")]
    assert revisions(service, "C1") == sorted(set(revisions(service, "C1")))


async def test_unlinked_id_takes_its_results_back_and_they_wait(service: Exams) -> None:
    await service.take(reported(result()))
    await service.link(received(linked()))
    await service.link(unlinked("C1", 1))
    assert service.told("C1") == [("ExamPassed", None), ("ExamResultInvalidated", None)]
    assert (await service.result())["candidate_id"] is None
    await service.take(reported(result(result_id="R2")))
    await service.link(moved("C2", 2))
    assert service.told("C2") == [("ExamPassed", None)] * 2


async def test_last_word_on_an_id_counts_whatever_the_order(service: Exams) -> None:
    await service.take(reported(result()))
    words = [received(linked()), moved("C2", 1), unlinked("C2", 2), moved("C3", 3)]
    for word in reversed(words):
        await service.link(word)
    await service.link(*words)
    assert service.told("C3") == [("ExamPassed", None)]
    assert {event["subject"] for event in service.said()} == {"C3"}


async def test_id_that_a_merge_moves_leaves_what_was_told_and_gets_what_comes(service: Exams) -> None:
    await service.take(reported(result()))
    await service.link(received(linked()))
    await service.link(moved("C2", 1, merge_id="M1"))
    await service.take(reported(result(result_id="R2")))
    assert (service.told("C1"), service.told("C2")) == ([("ExamPassed", None)], [("ExamPassed", None)])
    await service.link(moved("C1", 2))
    assert service.told("C1") == [("ExamPassed", None)] * 2
    assert service.told("C2") == [("ExamPassed", None), ("ExamResultInvalidated", None)]
