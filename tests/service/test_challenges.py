"""Challenges on a real database: opened once, seen by those concerned alone, decided by two, told with what changed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from libs.common.casework.evidence import EvidenceStore
from libs.common.clock import FixedClock
from libs.common.events import identity
from libs.common.http.scopes import READING
from libs.common.mongo.links import link_id
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.exams.reports import Report, Source
from services.exams.results import ResultIntake
from services.exams.store import ExamsStore
from tests.service.case_desk import picture
from tests.service.challenge_desk import ADA, BEN, PDF, RESULT, WORDS, ChallengeDesk, challenge_desk
from tests.service.conftest import OpenBase
from tests.service.samples import TAKEN, linked, received, reported, result

SECOND = "urn:certrail:problem:second-opinion-needed"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(TAKEN + timedelta(days=3))


@pytest.fixture
async def desk(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[ChallengeDesk]:
    async with base_of("exams") as base, challenge_desk(base, programs) as desk:
        yield desk


async def test_challenge_is_opened_once_told_once_and_shown_to_both_sides(
    desk: ChallengeDesk, programs: dict[str, Program]
) -> None:
    opened = await asyncio.gather(*(desk.open() for _ in range(5)))
    challenge = opened[0]
    assert len({each["challenge_id"] for each in opened}) == 1
    assert (challenge["state"], challenge["challenged"]) == ("open", {"grade": "fail", "score": 700.0})
    assert challenge["messages"][0]["text"] == "Question 12 had two right answers.\nPlease look."
    (told,) = desk.said("ChallengeOpened")
    assert (told["data"]["result_id"], told["data"]["ground"], told["subject"]) == (RESULT, "score", "C1")
    assert "Question" not in str(told)
    today = programs["cisco"].day_of(desk.base.clock.now())
    assert date.fromisoformat(challenge["due_on"]) == programs["cisco"].calendar.add(today, 10)
    _, page = await desk.candidate("GET", "challenges")
    assert [item["challenge_id"] for item in page["items"]] == [challenge["challenge_id"]]
    seen = await desk.seen(challenge)
    assert [(step["what"], step["by"]) for step in seen["history"]] == [("opened", "candidate:C1")]
    assert seen["result"] == {"grade": "fail", "score": 700.0}


async def test_open_challenge_of_a_result_keeps_another_out(desk: ChallengeDesk) -> None:
    await desk.open()
    assert (await desk.candidate("POST", "challenges", **(WORDS | {"text": "Something else"})))[0] == 409
    _, terms = await desk.candidate("GET", f"results/{RESULT}/challenge")
    assert (terms["may_challenge"], terms["why_not"], len(terms["challenges"])) == (False, None, 1)


async def test_days_are_counted_from_when_the_result_was_first_told(
    desk: ChallengeDesk, programs: dict[str, Program]
) -> None:
    rules = programs["cisco"].challenges
    assert rules is not None
    _, terms = await desk.candidate("GET", f"results/{RESULT}/challenge")
    told_on = programs["cisco"].day_of(desk.base.clock.now())
    assert terms["until"] == (told_on + timedelta(days=rules.days)).isoformat()
    assert (terms["may_challenge"], terms["takes_evidence"]) == (True, True)
    desk.base.clock.advance(timedelta(days=rules.days + 1))
    status, problem = await desk.candidate("POST", "challenges", **WORDS)
    assert (status, problem["type"]) == (409, "urn:certrail:problem:challenge-not-open")
    _, terms = await desk.candidate("GET", f"results/{RESULT}/challenge")
    assert (terms["may_challenge"], terms["why_not"]) == (False, "too_late")
    await desk.station.report(reported(result(revision=2, grade="fail", score=710.0)))
    assert (await desk.candidate("GET", f"results/{RESULT}/challenge"))[1]["may_challenge"], "it is told anew"


async def test_pass_cannot_be_challenged_unless_the_program_says_so(desk: ChallengeDesk) -> None:
    await desk.station.report(reported(result(result_id="R2")))
    status, problem = await desk.candidate("POST", "challenges", **(WORDS | {"result_id": "cisco:vue:R2"}))
    assert (status, problem["detail"]) == (409, "results with this grade cannot be challenged")
    _, terms = await desk.candidate("GET", "results/cisco:vue:R2/challenge")
    assert (terms["may_challenge"], terms["why_not"], terms["until"]) == (False, "grade", None)


async def test_program_without_the_section_offers_nothing(base_of: OpenBase, programs: dict[str, Program]) -> None:
    without = {**programs, "cisco": replace(programs["cisco"], challenges=None)}
    async with base_of("exams") as base, challenge_desk(base, without) as desk:
        _, terms = await desk.candidate("GET", f"results/{RESULT}/challenge")
        assert (terms["may_challenge"], terms["why_not"], terms["takes_evidence"]) == (False, "not_offered", False)
        assert (await desk.candidate("POST", "challenges", **WORDS))[0] == 409
        status, ruling = await desk.staff("POST", f"results/{RESULT}/rulings", grade="pass", reason="x")
        assert (status, ruling["state"]) == (201, "decided_once"), "two rule where nothing is said"


@pytest.mark.parametrize("status", ["on_hold", "provisional"])
async def test_refusal_of_what_is_not_final_is_that_of_what_is_not_there(desk: ChallengeDesk, status: str) -> None:
    held = result(result_id="R2", grade="fail", score=600.0, status=status)
    await desk.station.report(reported(held), reported(result(result_id="R3", grade="fail")))
    await desk.station.report(reported(result(result_id="R3", revision=2, grade="fail", status=status)))
    answers: set[str] = set()
    for result_id in ("cisco:vue:R2", "cisco:vue:R3", "cisco:vue:R404", "juniper:vue:R1"):
        for method, path, body in (
            ("POST", "challenges", WORDS | {"result_id": result_id}),
            ("GET", f"results/{result_id}/challenge", {}),
        ):
            code, problem = await desk.candidate(method, path, **body)
            answers.add(str((code, {name: problem.get(name) for name in ("type", "title", "detail", "errors")})))
    assert len(answers) == 1
    assert "404" in answers.pop()


async def test_changed_result_is_told_in_the_transaction_of_the_second_opinion(desk: ChallengeDesk) -> None:
    challenge = await desk.open()
    status, once = await desk.decide(challenge, "changed", grade="pass", score=810)
    assert (status, once["state"]) == (200, "decided_once")
    assert once["first_opinion"] == {"decision": "changed", "by": ADA, "grade": "pass", "score": 810.0}
    assert (await desk.result())["grade"] == "fail"
    _, own = await desk.candidate("GET", f"challenges/{challenge['challenge_id']}")
    assert (own["reason"], [step["what"] for step in own["steps"]]) == (None, ["opened"]), "opinions are staff's"
    status, problem = await desk.decide(challenge, "changed", grade="pass", score=810)
    assert (status, problem["type"]) == (409, SECOND)
    assert desk.said("ChallengeDecided", "ExamResultRevised") == []
    status, done = await desk.decide(challenge, "changed", grade="pass", score=810, by=BEN)
    assert (status, done["state"], done["decided"]) == (200, "changed", {"grade": "pass", "score": 810.0})
    row = await desk.result()
    assert (row["grade"], row["score"], row["state"]) == ("pass", 810.0, "revised")
    assert row["revisions"][-1]["source"] == {"kind": "staff", "ref": f"challenge:{challenge['challenge_id']}"}
    revised, decided = (event["data"] for event in desk.said("ExamResultRevised", "ChallengeDecided"))
    assert (revised["grade"], revised["score"], revised["previous_grade"]) == ("pass", 810.0, "fail")
    assert (revised["said_by"], revised["challenge_id"]) == ("staff", challenge["challenge_id"])
    assert (decided["decision"], decided["previous_grade"], decided["grade"]) == ("changed", "fail", "pass")
    assert (decided["previous_score"], decided["score"], decided["reason"]) == (700.0, 810.0, "Two answers were right.")
    _, terms = await desk.candidate("GET", f"results/{RESULT}/challenge")
    (ruling,) = terms["rulings"]
    assert (ruling["grade"], ruling["score"], ruling["challenge_id"]) == ("pass", 810.0, challenge["challenge_id"])
    _, rulings = await desk.staff("GET", f"results/{RESULT}/rulings")
    (ruling,) = rulings["items"]
    assert (ruling["by"], ruling["previous"]) == ([ADA, BEN], {"grade": "fail", "score": 700.0})


async def test_decision_and_what_it_does_are_one(desk: ChallengeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    challenge = await desk.open()
    await desk.decide(challenge, "changed", grade="pass")

    async def fail(*_: Any) -> None:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr(EvidenceStore, "drop", fail)
        status, _ = await desk.decide(challenge, "changed", grade="pass", by=BEN)
    assert status == 500
    assert (await desk.seen(challenge))["state"] == "decided_once"
    assert ((await desk.result())["grade"], await desk.base.rows("rulings")) == ("fail", [])
    assert desk.said("ExamResultRevised", "ChallengeDecided") == []
    assert (await desk.decide(challenge, "changed", grade="pass", by=BEN))[1]["state"] == "changed"


async def test_two_who_disagree_on_the_new_result_leave_it_open(desk: ChallengeDesk) -> None:
    challenge = await desk.open()
    await desk.decide(challenge, "changed", grade="pass")
    _, back = await desk.decide(challenge, "changed", score=710, by=BEN)
    assert (back["state"], back["first_opinion"]) == ("open", None)
    assert [step["what"] for step in back["history"]] == ["opened", "changes", "changes", "disagreed"]
    assert (await desk.result())["grade"] == "fail"


async def test_opinion_on_a_result_that_has_moved_since_is_none(desk: ChallengeDesk) -> None:
    challenge = await desk.open()
    await desk.decide(challenge, "upheld")
    await desk.station.report(reported(result(revision=2, grade="fail", score=650.0)))
    _, back = await desk.decide(challenge, "upheld", by=BEN)
    assert back["state"] == "open"
    done = await desk.both_decide(challenge, "upheld")
    assert done["decided"] == {"grade": "fail", "score": 650.0}
    assert desk.said("ExamResultRevised")[1:] == [], "nothing but the vendor's own"


@pytest.mark.parametrize("decision", ["upheld", "refused"])
async def test_result_stays_where_it_is_upheld_or_not_decided(desk: ChallengeDesk, decision: str) -> None:
    challenge = await desk.open()
    await desk.both_decide(challenge, decision)
    assert len((await desk.result())["revisions"]) == 1
    (told,) = desk.said("ChallengeDecided")
    assert (told["data"]["decision"], told["data"]["grade"], told["data"]["score"]) == (decision, "fail", 700.0)
    assert (await desk.decide(challenge, decision))[0] == 200, "the same again"
    assert (await desk.decide(challenge, "changed", grade="pass"))[0] == 409
    assert len(desk.said("ChallengeDecided")) == 1
    status, _ = await desk.candidate("POST", "challenges", **(WORDS | {"text": "But"}))
    assert status == 409, "once for each result"


async def test_void_result_is_restored_by_a_challenge(desk: ChallengeDesk) -> None:
    await desk.station.report(reported(result(result_id="R2")))
    await desk.station.report(reported(result(result_id="R2", revision=2, grade="invalidated", score=None)))
    challenge = await desk.open(result_id="cisco:vue:R2", ground="integrity")
    await desk.both_decide(challenge, "changed", grade="pass", score=900)
    (row,) = await desk.base.rows("results", result_id="R2")
    assert (row["grade"], row["state"]) == ("pass", "restored")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"decision": "changed"}, "body"),
        ({"decision": "changed", "grade": "fail"}, "body"),
        ({"decision": "changed", "grade": "invalidated", "score": 1}, "body.score"),
        ({"decision": "upheld", "grade": "pass"}, "body.decision"),
    ],
)
async def test_decision_that_makes_no_sense_is_refused(desk: ChallengeDesk, body: dict[str, Any], field: str) -> None:
    challenge = await desk.open()
    status, problem = await desk.decide(challenge, **body)
    assert (status, problem["errors"][0]["path"]) == (422, field)
    assert (await desk.seen(challenge))["state"] == "open"


async def test_decisions_at_once_change_a_result_once(desk: ChallengeDesk) -> None:
    challenge = await desk.open()
    await asyncio.gather(*(desk.decide(challenge, "changed", grade="pass", by=f"staff:{n}") for n in range(6)))
    assert len((await desk.result())["revisions"]) == 2
    assert len(desk.said("ChallengeDecided")) == 1


async def test_decision_sent_again_after_a_crash_is_the_same_opinion(desk: ChallengeDesk) -> None:
    challenge = await desk.open()
    for _ in range(2):
        status, once = await desk.decide(challenge, "changed", grade="pass", key="mine")
        assert (status, once["state"]) == (200, "decided_once")
        await desk.base.database["idempotency"].delete_many({})


async def test_vendor_that_says_something_new_wins_and_is_flagged_and_a_repetition_is_not_heard(
    desk: ChallengeDesk,
) -> None:
    challenge = await desk.open()
    await desk.both_decide(challenge, "changed", grade="pass")
    desk.base.clock.advance(timedelta(days=1))
    now = desk.base.clock.now()
    early = reported(result(revision=2, grade="fail", score=660.0), time=TAKEN + timedelta(days=1))
    await desk.station.report(early, reported(result(revision=3, grade="fail", score=660.0), time=now))
    assert (await desk.result())["grade"] == "pass", "said before the ruling, and said again"
    seen = await desk.seen(challenge)
    assert (seen["overtaken"], [each["counts"] for each in seen["vendor_since"]]) == (False, [False, False])
    assert (await desk.staff("GET", "challenges?overtaken=true"))[1]["items"] == []
    await desk.station.report(reported(result(revision=4, grade="invalidated", score=None), time=now))
    assert (await desk.result())["grade"] == "invalidated"
    seen = await desk.seen(challenge)
    assert (seen["state"], seen["overtaken"]) == ("changed", True)
    assert [(each["revision"], each["counts"]) for each in seen["vendor_since"]] == [(2, False), (3, False), (4, True)]
    _, page = await desk.staff("GET", "challenges?overtaken=true")
    assert [item["challenge_id"] for item in page["items"]] == [challenge["challenge_id"]]
    (told,) = desk.said("ExamResultInvalidated")
    assert ("challenge_id" in told["data"], told["data"]["said_by"]) == (False, "vendor")


async def test_hold_after_a_decision_is_shown_to_nobody(desk: ChallengeDesk) -> None:
    challenge = await desk.open()
    await desk.both_decide(challenge, "changed", grade="pass")
    desk.base.clock.advance(timedelta(hours=1))
    later = desk.base.clock.now()
    await desk.station.report(reported(result(revision=2, grade="fail", score=400.0, status="on_hold"), time=later))
    seen = await desk.seen(challenge)
    assert (seen["result"], seen["vendor_since"], seen["overtaken"]) == (None, [], False)
    assert "400" not in str(seen)
    _, rulings = await desk.staff("GET", f"results/{RESULT}/rulings")
    assert "400" not in str(rulings)
    held = desk.said("ExamResultRevised")[-1]["data"]
    assert (held["grade"], "challenge_id" in held) == ("pending", False), "the candidate is told of it by a mail"
    await desk.station.report(reported(result(revision=3, grade="fail", score=700.0), time=later))
    seen = await desk.seen(challenge)
    assert (seen["result"], [each["revision"] for each in seen["vendor_since"]]) == (
        {"grade": "pass", "score": 700.0},
        [3],
    )
    assert "400" not in str(seen)
    again = desk.said("ExamResultRevised")[-1]["data"]
    assert (again["grade"], "challenge_id" in again) == ("pass", False)


async def test_result_on_hold_is_not_changed_and_can_be_upheld(desk: ChallengeDesk) -> None:
    challenge = await desk.open()
    await desk.station.report(reported(result(revision=2, grade="fail", score=400.0, status="on_hold")))
    assert (await desk.decide(challenge, "changed", grade="pass"))[0] == 409
    done = await desk.both_decide(challenge, "refused")
    assert done["decided"] == {"grade": "fail", "score": 700.0}


async def test_question_waits_for_the_candidate_and_the_days_count_anew(desk: ChallengeDesk) -> None:
    challenge = await desk.open()
    place = f"challenges/{challenge['challenge_id']}/messages"
    status, asked = await desk.staff("POST", place, text="Which question?", needs_answer=True)
    assert (status, asked["state"]) == (200, "waiting_for_candidate")
    (told,) = desk.said("ChallengeMessageWritten")
    assert told["data"]["needs_answer"] is True
    assert "question" not in str(told).lower()
    desk.base.clock.advance(timedelta(days=40))
    assert (await desk.staff("GET", "challenges?overdue=true"))[1]["items"] == []
    status, answered = await desk.candidate("POST", place, text="Number 12.")
    assert (status, answered["state"]) == (200, "open")
    assert date.fromisoformat(answered["due_on"]) > date.fromisoformat(challenge["due_on"]) + timedelta(days=30)
    assert [step["what"] for step in answered["steps"]] == ["opened", "asked", "answered"]
    desk.base.clock.advance(timedelta(days=40))
    _, overdue = await desk.staff("GET", "challenges?overdue=true")
    assert [item["overdue"] for item in overdue["items"]] == [True]


async def test_queue_by_due_day_filters_and_pages(desk: ChallengeDesk) -> None:
    first = await desk.open()
    for number in (2, 3):
        desk.base.clock.advance(timedelta(days=7))
        await desk.station.report(reported(result(result_id=f"R{number}", grade="fail")))
        await desk.open(result_id=f"cisco:vue:R{number}", ground="conditions")
    taken = f"challenges/{first['challenge_id']}/assignee"
    assert (await desk.staff("PUT", taken, assignee=ADA))[1]["assignee"] == ADA
    found: list[str] = []
    path = "challenges?limit=1"
    while path:
        _, page = await desk.staff("GET", path)
        found += [item["due_on"] for item in page["items"]]
        path = f"challenges?limit=1&cursor={page['next']}" if page["next"] else ""
    assert (len(found), found) == (3, sorted(found))
    for query, count in (
        (f"assignee={ADA}", 1),
        ("unassigned=true", 2),
        ("ground=conditions", 2),
        ("candidate_id=C1", 3),
        ("exam_code=other", 0),
        ("state=changed", 0),
    ):
        assert len((await desk.staff("GET", f"challenges?{query}"))[1]["items"]) == count, query


async def test_evidence_is_kept_apart_until_the_decision(desk: ChallengeDesk, programs: dict[str, Program]) -> None:
    challenge = await desk.open()
    place = f"challenges/{challenge['challenge_id']}/evidence"
    status, file = await desk.candidate("POST", place, file=PDF)
    assert status == 201
    kind, content = picture()
    status, image = await desk.candidate("POST", place, file=(kind, content + b"<script>"))
    assert (status, image["media_type"]) == (201, "image/jpeg")
    assert (await desk.candidate("POST", place, file=("application/pdf", b"%PDF-1.7 /JavaScript %%EOF")))[0] == 422
    rules = programs["cisco"].challenges
    assert rules is not None
    rows = await desk.base.rows("challenge_evidence")
    assert {row["expires_at"] for row in rows} == {desk.base.clock.now() + (rules.evidence or timedelta())}
    indexes: dict[str, Any] = await desk.base.database["challenge_evidence"].index_information()
    assert (indexes["kept"]["key"], indexes["kept"]["expireAfterSeconds"]) == ([("expires_at", 1)], 0)
    for ask in (desk.staff, desk.candidate):
        assert (await ask("GET", f"{place}/{file['evidence_id']}")) == (200, PDF[1])
    assert (await desk.candidate("GET", f"{place}/{file['evidence_id']}", who="C2"))[0] == 404
    await desk.both_decide(challenge, "upheld")
    assert await desk.base.rows("challenge_evidence") == []
    assert (await desk.staff("GET", f"{place}/{file['evidence_id']}"))[0] == 404
    assert (await desk.candidate("POST", place, file=PDF))[0] == 409
    assert await desk.base.rows("challenge_evidence") == []


async def test_withdrawn_challenge_leaves_room_for_another(desk: ChallengeDesk) -> None:
    challenge = await desk.open()
    place = f"challenges/{challenge['challenge_id']}"
    await desk.candidate("POST", f"{place}/evidence", file=PDF)
    for _ in range(2):
        status, ended = await desk.candidate("POST", f"{place}/withdrawal")
        assert (status, ended["state"]) == (200, "withdrawn")
    assert await desk.base.rows("challenge_evidence") == []
    assert (await desk.candidate("POST", f"{place}/messages", text="But"))[0] == 409
    assert (await desk.decide(challenge, "upheld"))[0] == 409
    assert (await desk.open())["challenge_id"] != challenge["challenge_id"]


async def test_staff_speak_for_no_candidate_and_readers_decide_nothing(desk: ChallengeDesk) -> None:
    challenge = await desk.open()
    own = f"candidates/C1/challenges/{challenge['challenge_id']}"
    assert (await desk.staff("GET", own))[0] == 200
    for path, body in (
        ("candidates/C1/challenges", WORDS),
        (f"{own}/messages", {"text": "x"}),
        (f"{own}/withdrawal", {}),
    ):
        assert (await desk.staff("POST", path, **body))[0] == 403
    for path in ("challenges", f"challenges/{challenge['challenge_id']}", f"results/{RESULT}/rulings"):
        assert (await desk.staff("GET", path, scopes=READING))[0] == 403
        assert (await desk.staff("GET", path, program="juniper"))[0] == 404


async def test_account_that_goes_on_after_a_merge_goes_on_with_the_challenge(desk: ChallengeDesk) -> None:
    challenge = await desk.open()
    merged = identity.CandidatesMerged(
        merge_id="M1", candidate_id="C2", merged_id="C1", merged_at=desk.base.clock.now()
    )
    assert (await desk.candidate("GET", "challenges", who="C2"))[1]["items"] == []
    await desk.station.take(received(merged))
    _, page = await desk.candidate("GET", "challenges", who="C2")
    assert [item["challenge_id"] for item in page["items"]] == [challenge["challenge_id"]]
    place = f"challenges/{challenge['challenge_id']}"
    assert (await desk.candidate("POST", f"{place}/messages", who="C2", text="Still me."))[0] == 200
    assert (await desk.candidate("POST", "challenges", who="C2", **WORDS))[1]["challenge_id"] == challenge[
        "challenge_id"
    ]
    await desk.both_decide(challenge, "changed", grade="pass")
    assert (await desk.result())["grade"] == "pass"


async def test_result_that_turns_out_to_be_anothers_is_neither_shown_nor_changed(desk: ChallengeDesk) -> None:
    challenge = await desk.open()
    moved = linked(candidate_id="C9").model_copy(update={"linked_at": TAKEN + timedelta(days=1)})
    await desk.station.take(received(moved))
    assert (await desk.seen(challenge))["result"] is None
    assert (await desk.decide(challenge, "changed", grade="pass"))[0] == 409
    await desk.both_decide(challenge, "refused")


async def test_result_that_goes_by_its_registration_is_challenged_and_changed_like_any_other(
    desk: ChallengeDesk,
) -> None:
    data = result(result_id="G7", registration_id="G7", grade="fail", score=None)
    source = Source("file", "F1:3")
    link = link_id("cisco", "vue", "P1")
    row = Report("cisco", "vue", data, link, TAKEN, source, b"", numbered=False, names_result=False)

    async def work(transaction: Transaction) -> None:
        await ResultIntake(ExamsStore(desk.base.database), transaction).record([row])

    await desk.base.unit_of_work.run(work)
    key = "cisco:vue/G7"
    status, terms = await desk.candidate("GET", f"results/{quote(key, safe='')}/challenge")
    assert (status, terms.get("may_challenge")) == (200, True), terms
    await desk.both_decide(await desk.open(result_id=key), "changed", grade="pass")
    (found,) = await desk.base.rows("results", registration_id="G7")
    assert (found["_id"], found["grade"]) == (key, "pass")


async def test_result_that_became_anothers_is_challenged_by_one_at_a_time(desk: ChallengeDesk) -> None:
    challenge = await desk.open()
    moved = linked("P1", "C2").model_copy(update={"linked_at": TAKEN + timedelta(days=1)})
    await desk.station.take(received(moved))
    status, problem = await desk.candidate("POST", "challenges", who="C2", **WORDS)
    assert (status, problem["type"].rsplit(":", 1)[-1]) == (409, "conflict")
    await desk.both_decide(challenge, "upheld")
    after, opened = await desk.candidate("POST", "challenges", who="C2", **WORDS)
    assert (after, opened["candidate_id"]) == (201, "C2"), "then it is the other's turn"
