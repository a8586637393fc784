"""Rulings of staff without a challenge: by two, told as staff's, outweighed by nothing that was said before."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from libs.common.clock import FixedClock
from libs.common.programs import Program
from tests.service.challenge_desk import ADA, BEN, RESULT, WORDS, ChallengeDesk, challenge_desk
from tests.service.conftest import OpenBase
from tests.service.samples import TAKEN, reported, result

SECOND = "urn:certrail:problem:second-opinion-needed"
FRAUD = {"grade": "invalidated", "reason": "Another person sat the exam."}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(TAKEN + timedelta(days=3))


@pytest.fixture
async def desk(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[ChallengeDesk]:
    async with base_of("exams") as base, challenge_desk(base, programs) as desk:
        yield desk


async def rule(desk: ChallengeDesk, by: str = ADA, **body: Any) -> Any:
    return await desk.staff("POST", f"results/{RESULT}/rulings", by=by, **(body or FRAUD))


async def test_two_people_rule_and_it_is_told_as_theirs(desk: ChallengeDesk) -> None:
    status, once = await rule(desk)
    assert (status, once["state"], once["first_opinion"]["by"]) == (201, "decided_once", ADA)
    status, problem = await rule(desk)
    assert (status, problem["type"]) == (409, SECOND)
    assert (await desk.result())["grade"] == "fail"
    status, done = await rule(desk, by=BEN)
    assert (status, done["state"], done["by"], done["candidate_id"]) == (201, "ruled", [ADA, BEN], "C1")
    assert (done["previous"], done["grade"], done["reason"]) == (
        {"grade": "fail", "score": 700.0},
        "invalidated",
        FRAUD["reason"],
    )
    (told,) = desk.said("ExamResultInvalidated")
    assert (told["data"]["said_by"], "challenge_id" in told["data"]) == ("staff", False)
    assert "Another person" not in str(told)
    _, terms = await desk.candidate("GET", f"results/{RESULT}/challenge")
    (note,) = terms["rulings"]
    assert (note["grade"], note["challenge_id"]) == ("invalidated", None)
    assert "Another person" not in str(terms)
    assert terms["may_challenge"], "what became of it can be challenged"


async def test_ruling_is_restored_by_another_and_both_stay_in_the_history(desk: ChallengeDesk) -> None:
    for by in (ADA, BEN):
        await rule(desk, by=by)
    desk.base.clock.advance(timedelta(days=1))
    for by in (ADA, BEN):
        status, ruling = await rule(desk, by=by, grade="fail", score=700, reason="It was the right person.")
        assert status == 201
    assert ruling["state"] == "ruled"
    row = await desk.result()
    assert (row["grade"], row["score"], row["state"]) == ("fail", 700.0, "restored")
    _, rulings = await desk.staff("GET", f"results/{RESULT}/rulings")
    assert [(each["grade"], each["reason"]) for each in rulings["items"]] == [
        ("invalidated", FRAUD["reason"]),
        ("fail", "It was the right person."),
    ]


async def test_two_who_disagree_have_not_ruled_and_both_may_begin_again(desk: ChallengeDesk) -> None:
    await rule(desk)
    _, back = await rule(desk, by=BEN, grade="pass", reason="It was right.")
    assert (back["state"], back["first_opinion"]) == ("open", None)
    assert (await desk.result())["grade"] == "fail"
    await rule(desk, by=BEN)
    assert (await rule(desk))[1]["state"] == "ruled"
    assert len(await desk.base.rows("rulings")) == 1


async def test_opinion_on_a_result_that_has_moved_since_is_none(desk: ChallengeDesk) -> None:
    await rule(desk, score=720, reason="Counted anew.")
    await desk.station.report(reported(result(revision=2, grade="fail", score=650.0)))
    assert (await rule(desk, by=BEN, score=720, reason="Counted anew."))[1]["state"] == "open"


async def test_opinions_at_once_rule_once(desk: ChallengeDesk) -> None:
    await asyncio.gather(*(rule(desk, by=f"staff:{n}") for n in range(6)))
    assert len([row for row in await desk.base.rows("rulings") if row["state"] == "ruled"]) == 1
    assert len(desk.said("ExamResultInvalidated")) == 1


async def test_ruling_sent_again_after_a_crash_is_the_same_opinion(desk: ChallengeDesk) -> None:
    for _ in range(2):
        status, once = await desk.staff("POST", f"results/{RESULT}/rulings", key="mine", **FRAUD)
        assert (status, once["state"]) == (201, "decided_once")
        await desk.base.database["idempotency"].delete_many({})


async def test_ruling_and_challenge_of_a_result_follow_one_another(desk: ChallengeDesk) -> None:
    _, challenge = await desk.candidate("POST", "challenges", **WORDS)
    for by in (ADA, BEN):
        await rule(desk, by=by, score=720, reason="Counted anew.")
    await desk.both_decide(challenge, "changed", grade="pass")
    row = await desk.result()
    assert (row["grade"], row["score"]) == ("pass", 720.0)
    assert [each["source"]["kind"] for each in row["revisions"]] == ["bus", "staff", "staff"]


async def test_clock_of_a_vendor_that_is_ahead_outweighs_no_ruling(desk: ChallengeDesk) -> None:
    ahead = desk.base.clock.now() + timedelta(minutes=4)
    await desk.station.report(reported(result(revision=2, grade="fail", score=650.0), time=ahead))
    for by in (ADA, BEN):
        await rule(desk, by=by)
    assert (await desk.result())["grade"] == "invalidated"


async def test_nothing_is_ruled_on_what_is_not_final_or_not_there(desk: ChallengeDesk) -> None:
    await desk.station.report(reported(result(revision=2, grade="fail", score=650.0, status="on_hold")))
    assert (await rule(desk))[0] == 409
    assert (await desk.staff("POST", "results/cisco:vue:R404/rulings", **FRAUD))[0] == 404
    assert (await desk.staff("GET", "results/cisco:vue:R404/rulings"))[0] == 404
    assert (await desk.callers.staff("POST", f"/juniper/results/{RESULT}/rulings", program="juniper", **FRAUD))[
        0
    ] == 404
    for body in ({"reason": "x"}, {"grade": "invalidated", "score": 4, "reason": "x"}):
        await desk.station.report(reported(result(result_id="R2")))
        assert (await desk.staff("POST", "results/cisco:vue:R2/rulings", **body))[0] == 422
