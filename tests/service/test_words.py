"""Words on results that come by several ways: numbered or not, about a result known or not, in any order."""

import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from libs.common.events import identity, vendors
from libs.common.mongo.links import link_id, own_link
from libs.common.mongo.unit_of_work import Transaction
from services.exams.domain.results import Act, Grade, Verdict
from services.exams.embargo import shown
from services.exams.reports import Measure, Report, Source
from services.exams.results import ResultIntake
from tests.service.conftest import OpenBase
from tests.service.samples import PROGRAM, TAKEN, linked, received, reported, result
from tests.service.test_exams import Exams

HOUR = timedelta(hours=1)
KNOWN_BY_NOTHING_BUT_ITS_REGISTRATION = "cisco:vue/G1"


@pytest.fixture
async def service(base_of: OpenBase) -> AsyncIterator[Exams]:
    async with base_of("exams") as base:
        yield Exams(base)


def word(
    data: vendors.ExamResultReported | Measure, ref: str, hours: int, *, link: str | None = None, **more: Any
) -> Report:
    source = Source(more.pop("kind", "notification"), ref)
    person = link_id(PROGRAM, "vue", "P1") if isinstance(data, vendors.ExamResultReported) else None
    moment = TAKEN + hours * HOUR
    return Report(PROGRAM, "vue", data, link or person, moment, source, ref.encode(), **{"numbered": False, **more})


def measure(act: Act, hours: int, **more: Any) -> Report:
    named: dict[str, Any] = {"result_id": "R1"}
    return word(Measure(act, **(named | more)), f"{act}-{hours}", hours)


async def say(service: Exams, *reports: Report) -> list[Verdict]:
    async def work(transaction: Transaction) -> list[Verdict]:
        return await ResultIntake(service.store, transaction).record(reports)

    return await service.base.unit_of_work.run(work)


async def test_held_result_is_taken_back_and_told_again_when_released(service: Exams) -> None:
    await service.link(received(linked()))
    await service.take(reported(result()))
    await say(service, measure(Act.HOLD, 1))
    held = shown(await service.result())
    assert (held["state"], held["grade"], held["score"], held["sections"]) == ("provisional", "pending", None, [])
    assert [(each["grade"], each["score"]) for each in held["revisions"]] == [("pending", None)] * 2
    await say(service, measure(Act.RELEASE, 2))
    assert service.told() == [("ExamPassed", None), ("ExamResultRevised", "pending"), ("ExamResultRevised", "pass")]
    revised = [event["data"] for event in service.said()][1]
    assert "score" not in revised, "nothing of what is held"
    assert "passing_score" not in revised
    released = shown(await service.result())
    assert (released["state"], released["grade"], released["score"]) == ("released", "pass", 900.0)
    assert [each["state"] for each in released["revisions"]] == ["final", "provisional", "released"]


async def test_result_that_arrives_held_or_provisional_is_told_to_nobody(service: Exams) -> None:
    await service.link(received(linked()))
    await service.take(reported(result(result_id="R1", status="on_hold")))
    await service.take(reported(result(result_id="R2", status="provisional")))
    assert service.said() == []
    assert shown(await service.result("R1"))["grade"] == "pending"
    provisional = shown(await service.result("R2"))
    assert (provisional["state"], provisional["grade"]) == ("provisional", "pass")
    await service.take(reported(result(result_id="R2", revision=2)))
    assert service.told() == [("ExamPassed", None)]


async def test_revoked_result_is_restored_with_all_that_it_was(service: Exams) -> None:
    await service.link(received(linked()))
    await service.take(reported(result()))
    await say(service, measure(Act.REVOKE, 1))
    await say(service, measure(Act.RESTORE, 2))
    assert [name for name, _ in service.told()] == ["ExamPassed", "ExamResultInvalidated", "ExamResultRevised"]
    row = await service.result()
    assert (row["state"], row["grade"], row["score"]) == ("restored", "pass", 900.0)


HISTORY: tuple[Any, ...] = (
    reported(result(grade="fail", score=500.0, score_report_url="https://v.example/1"), time=TAKEN),
    measure(Act.HOLD, 1),
    reported(result(revision=2, score=880.0, score_report_url="https://v.example/2"), time=TAKEN + 2 * HOUR),
    measure(Act.REVOKE, 3, result_id=None, registration_id="G1"),
    word(result(score=870.0), "modified", 4),
    measure(Act.REGRADE, 5, grade=Grade.PASS, score=890.0),
)


async def live(service: Exams, history: Sequence[Any]) -> dict[str, Any]:
    for said in history:
        await (say(service, said) if isinstance(said, Report) else service.take(said))
    (row,) = await service.base.rows("results")
    kept = ("state", "status", "grade", "score", "score_report_url", "exam_code", "taken_at", "registration_id")
    return {name: row[name] for name in kept} | {"words": len(row["revisions"])}


async def test_any_order_of_arrival_ends_in_the_same_result(service: Exams) -> None:
    """A word may come before the result that it is about."""
    await service.link(received(linked()))
    expected = await live(service, HISTORY)
    assert (expected["state"], expected["score"], expected["words"]) == ("revised", 890.0, len(HISTORY))
    dice = random.Random(4)
    for _ in range(25):
        await service.base.database["results"].delete_many({})
        shuffled = list(HISTORY)
        dice.shuffle(shuffled)
        names = [said.source.ref if isinstance(said, Report) else said.data.revision for said in shuffled]
        assert await live(service, [*shuffled, shuffled[2], shuffled[4]]) == expected, names


async def test_what_is_told_of_one_result_has_ever_higher_revisions(service: Exams) -> None:
    await service.link(received(linked()))
    await live(service, HISTORY)
    told = [event["data"]["revision"] for event in service.said()]
    assert told == sorted(set(told))
    assert len(told) > 3


async def test_row_of_a_file_and_the_vendors_message_are_one_result_whichever_comes_first(service: Exams) -> None:
    row = result(result_id="G1")
    for first in ("file", "bus"):
        await service.base.database["results"].delete_many({})
        from_file = word(row, f"f-{first}:1", 1, kind="file", names_result=False)
        from_bus = reported(result())
        for step in (first, "bus" if first == "file" else "file"):
            await (say(service, from_file) if step == "file" else service.take(from_bus))
        (kept,) = await service.base.rows("results")
        assert (kept["result_id"], kept["grade"]) == ("R1", "pass")
        assert kept["_id"] == (KNOWN_BY_NOTHING_BUT_ITS_REGISTRATION if first == "file" else "cisco:vue:R1")


async def test_file_that_says_again_what_holds_changes_nothing(service: Exams) -> None:
    row = result(result_id="G1")
    first = await say(service, word(row, "f1:1", 1, kind="file", names_result=False))
    again = await say(service, word(row, "f2:9", 9, kind="file", names_result=False))
    changed = await say(
        service, word(result(result_id="G1", grade="fail"), "f3:9", 10, kind="file", names_result=False)
    )
    assert (*first, *again, *changed) == (Verdict.NEW, Verdict.DUPLICATE, Verdict.REVISED)


async def test_report_by_our_own_id_waits_for_the_account_like_any_other(service: Exams) -> None:
    own = own_link(PROGRAM, "CSCO00000013")
    await say(service, word(result(result_id="G1"), "f1:1", 1, link=own, kind="file", names_result=False))
    assert (await service.base.rows("results"))[0]["candidate_id"] is None
    account = identity.CandidateRegistered(
        candidate_id="CSCO00000013",
        given_name="Ada",
        family_name="Example",
        email="ada@example.com",
        country="GB",
        registered_at=TAKEN,
    )
    await service.link(received(account), received(account))
    assert service.told("CSCO00000013") == [("ExamPassed", None)]


async def test_word_about_a_result_that_never_came_is_no_result(service: Exams) -> None:
    await say(service, measure(Act.HOLD, 1))
    totals = await service.store.totals(None)
    assert (totals["results"], totals["unmatched"]) == (0, 0)
    assert await service.store.unmatched(None, after=None, limit=10) == []
    await service.take(reported(result(), time=TAKEN))
    assert (await service.store.totals(None))["unmatched"] == 1
    assert (await service.result())["state"] == "on_hold"


async def test_revisions_of_one_batch_are_one_result_also_where_a_hold_came_first(service: Exams) -> None:
    await service.link(received(linked()))
    await say(service, measure(Act.HOLD, 0, result_id=None, registration_id="G1"))
    late, later = TAKEN + HOUR, TAKEN + 2 * HOUR
    await service.take(reported(result(), time=late), reported(result(revision=2, score=910.0), time=later))
    await service.take(reported(result(revision=3, score=920.0, registration_id="G2"), time=later + HOUR))
    (row,) = await service.base.rows("results")
    assert (row["score"], row["registration_id"], len(row["revisions"])) == (920.0, "G2", 4)


@pytest.mark.parametrize(("hours", "grade"), [(1, "fail"), (9, "pass")], ids=["file said first", "file said last"])
async def test_two_halves_that_never_saw_each_other_become_one(service: Exams, hours: int, grade: str) -> None:
    """A row of a file and the message, each in a transaction of its own at the same moment."""
    await service.link(received(linked()))
    await say(service, word(result(result_id="G1"), "f1:1", hours, kind="file", names_result=False))
    (of_file,) = await service.base.rows("results")
    await service.base.database["results"].delete_one({"_id": of_file["_id"]})
    await service.take(reported(result(), time=TAKEN + 2 * HOUR))
    await service.base.database["results"].insert_one(of_file)
    await service.take(reported(result(revision=2, grade="fail", score=500.0), time=TAKEN + 3 * HOUR))
    (row,) = await service.base.rows("results")
    assert (row["_id"], row["grade"], len(row["revisions"])) == ("cisco:vue:R1", grade, 3)
    await say(service, measure(Act.HOLD, 14), measure(Act.RELEASE, 15))
    told: dict[str, list[str]] = {}
    for event in service.said():
        told.setdefault(event["data"]["result_id"], []).append(event["type"].split(".")[-2])
    assert told[of_file["_id"]] == ["ExamPassed", "ExamResultInvalidated"], "what was told of the half is taken back"
    assert told["cisco:vue:R1"][:2] == ["ExamPassed", "ExamResultRevised"]
