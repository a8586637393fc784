"""What challenges hold about people: exported whole, erased but for their outcome; and who looked at them."""

from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from libs.common.clock import FixedClock
from libs.common.http.audit import Access
from libs.common.http.auth import TokenVerifier
from libs.common.http.jwks import StaticKeys
from libs.common.http.server import build_app
from libs.common.programs import Program
from services.exams.challenges.store import MIGRATION
from tests.service.certs_station import KEY, Callers
from tests.service.challenge_desk import ADA, BEN, PDF, RESULT, ChallengeDesk, challenge_desk
from tests.service.conftest import OpenBase
from tests.service.privacy_station import PSEUDONYM
from tests.service.rig import kept_answers
from tests.service.samples import TAKEN, reported, result


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(TAKEN + timedelta(days=3))


@pytest.fixture
async def desk(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[ChallengeDesk]:
    async with base_of("exams") as base, challenge_desk(base, programs) as desk:
        yield desk


async def with_a_past(desk: ChallengeDesk) -> None:
    """One challenge decided, one open with a first opinion and a file, one opinion on a result nobody challenges."""
    await desk.both_decide(await desk.open(), "changed", grade="pass", score=800)
    for number in (2, 3):
        await desk.station.report(reported(result(result_id=f"R{number}", grade="fail")))
    challenge = await desk.open(result_id="cisco:vue:R2", text="My eyes were bad that day.")
    await desk.candidate("POST", f"challenges/{challenge['challenge_id']}/evidence", file=PDF)
    await desk.decide(challenge, "refused", reason="Nobody can know.")
    await desk.staff("POST", "results/cisco:vue:R3/rulings", grade="invalidated", reason="It was his brother.")


async def test_export_says_all_that_the_candidate_wrote_and_nothing_of_whom_and_what_staff_think(
    desk: ChallengeDesk,
) -> None:
    await with_a_past(desk)
    files = await desk.station.exported("C1")
    open_, decided = sorted(files["challenges.json"], key=lambda one: str(one["state"] == "changed"))
    assert open_["messages"][0]["text"] == "My eyes were bad that day."
    assert (decided["decided"], decided["reason"]) == ({"grade": "pass", "score": 800.0}, "Two answers were right.")
    assert [step["what"] for step in open_["history"]] == ["opened", "evidence"]
    (path,) = [name for name in files if name.startswith("files/")]
    assert (files[path], path.endswith(".pdf")) == (PDF[1], True)
    assert (len(files["challenge_evidence.json"]), len(files["rulings.json"])) == (1, 2)
    told = str({name: one for name, one in files.items() if name != "results.json"})
    assert not [word for word in (ADA, BEN, "Nobody can know") if word in told]
    assert await desk.station.exported("C2") == {}


async def test_outcome_stays_under_a_pseudonym_without_a_word_of_anybody(desk: ChallengeDesk) -> None:
    await with_a_past(desk)
    before = await desk.station.stored()
    words = ("'C1'", "candidate:C1", "My eyes", "Question 12", "Two answers", "Nobody can know", "brother", "'sealed'")
    assert not [word for word in words if word not in before]
    await desk.station.erase("C1")
    left = await desk.station.stored()
    assert not [word for word in words if word in left]
    rows = {row["result_id"]: row for row in await desk.base.rows("challenges")}
    assert {row["candidate_id"] for row in rows.values()} == {PSEUDONYM}
    assert (rows[RESULT]["state"], rows[RESULT]["decided"]) == ("changed", {"grade": "pass", "score": 800.0})
    assert (rows["cisco:vue:R2"]["state"], rows["cisco:vue:R2"]["closed"]) == ("withdrawn", True)
    assert await desk.base.rows("challenge_evidence") == []
    assert {row["closed"] for row in await desk.base.rows("rulings")} == {True}
    (kept,) = await desk.base.rows("results", _id=RESULT)
    assert (kept["grade"], kept["candidate_id"]) == ("pass", PSEUDONYM), "the ruling goes on counting"
    await desk.station.erase("C1")
    assert await desk.station.stored() == left, "it is told again an hour later"


async def test_every_look_and_every_decision_names_the_candidate(desk: ChallengeDesk) -> None:
    class Trail:
        programs: Collection[str] = {"cisco", "juniper"}

        def __init__(self) -> None:
            self.kept: list[Access] = []

        async def write(self, _program: str, access: Access) -> None:
            self.kept.append(access)

    challenge, trail = await desk.open(), Trail()
    place = f"/cisco/challenges/{challenge['challenge_id']}"
    _, file = await desk.candidate("POST", f"challenges/{challenge['challenge_id']}/evidence", file=PDF)
    verifier = TokenVerifier(StaticKeys(KEY), "certrail", desk.base.clock)
    idempotency = kept_answers(desk.base.database, desk.base.clock)
    app = build_app(desk.station.parts.api, verifier, idempotency=idempotency, trail=trail)
    async with TestClient(TestServer(app)) as client:
        staff = Callers(client, desk.base)
        calls: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", "/cisco/challenges", {}),
            ("GET", place, {}),
            ("GET", f"{place}/evidence/{file['evidence_id']}", {}),
            ("PUT", f"{place}/assignee", {"assignee": ADA}),
            ("POST", f"{place}/messages", {"text": "Which?", "needs_answer": False}),
            ("POST", f"{place}/decision", {"decision": "upheld", "reason": "x"}),
            ("POST", f"/cisco/results/{RESULT}/rulings", {"grade": "pass", "reason": "x"}),
            ("GET", f"/cisco/results/{RESULT}/rulings", {}),
        ]
        for method, path, body in calls:
            trail.kept.clear()
            assert (await staff.staff(method, path, **body))[0] < 300
            assert (trail.kept[-1].step, trail.kept[-1].candidates) == ("answered", ["C1"]), path


async def test_results_told_before_there_were_challenges_count_from_their_last_word(desk: ChallengeDesk) -> None:
    await desk.station.report(reported(result(result_id="R2", grade="fail")), reported(result("P9", "R9")))
    await desk.base.database["results"].update_many({"told": {"$ne": None}}, {"$unset": {"told.at": 1}})
    await MIGRATION.apply(desk.base.database)
    rows = await desk.base.rows("results")
    assert [row["told"] and row["told"]["at"] for row in rows] == [desk.base.clock.now(), desk.base.clock.now(), None]
    assert (await desk.candidate("GET", f"results/{RESULT}/challenge"))[1]["may_challenge"]
