"""Cases on a real database: opened once, seen by those concerned alone, decided by as many as the program says."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from libs.common.candidate_ids import is_candidate_id
from libs.common.events import identity
from libs.common.programs import Program
from services.identity.cases.casework import MOST_A_DAY, MOST_OPEN
from services.identity.merging import Merging
from tests.service.case_desk import ADA, BEN, NAME, PDF, Desk
from tests.service.identity_station import IdentityStation
from tests.service.test_merging import KilledError


@pytest.fixture
def desk(station: IdentityStation) -> Desk:
    return Desk(station)


async def test_case_is_opened_once_told_once_and_shown_to_both_sides(desk: Desk, programs: dict[str, Program]) -> None:
    me = await desk.station.register("P1")
    opened = await asyncio.gather(*(desk.open(me, **NAME, text="I married.\r\nPlease") for _ in range(5)))
    case = opened[0]
    assert len({each["case_id"] for each in opened}) == 1
    assert is_candidate_id(case["reference"], "K", 8)
    assert (case["state"], case["messages"][0]["text"]) == ("open", "I married.\nPlease")
    (told,) = desk.station.said(identity.CaseOpened)
    assert (told["data"]["reference"], told["data"]["kind"]) == (case["reference"], "name")
    assert "I married" not in str(told)
    today = programs["cisco"].day_of(desk.base.clock.now())
    assert date.fromisoformat(case["due_on"]) == programs["cisco"].calendar.add(today, 5)
    _, page = await desk.candidate(me, "GET", "cases")
    assert [item["case_id"] for item in page["items"]] == [case["case_id"]]
    seen = await desk.seen(case)
    assert [(step["what"], step["by"]) for step in seen["history"]] == [("opened", f"candidate:{me}")]
    assert seen["details"] == {**NAME, "native_name": None}


async def test_another_name_waits_for_the_first_to_be_withdrawn(desk: Desk) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me)
    status, problem = await desk.candidate(me, "POST", "cases", **(NAME | {"given_name": "Eva"}))
    assert (status, case["reference"] in problem["detail"]) == (409, True)
    status, ended = await desk.candidate(me, "POST", f"cases/{case['case_id']}/withdrawal")
    assert (status, ended["state"]) == (200, "withdrawn")
    assert (await desk.candidate(me, "POST", f"cases/{case['case_id']}/withdrawal"))[1] == ended
    assert (await desk.open(me, **(NAME | {"given_name": "Eva"})))["case_id"] != case["case_id"]


async def test_two_people_decide_a_name_and_it_changes_with_its_history(desk: Desk) -> None:
    me = await desk.station.register("P1")
    _, before = await desk.candidate(me, "GET", f"candidates/{me}")
    case = await desk.open(me, **NAME, native_name={"given_name": "Зоя", "family_name": "Окессон"})
    status, once = await desk.decide(case)
    assert (status, once["state"], once["first_opinion"]["by"]) == (200, "decided_once", ADA)
    assert (await desk.candidate(me, "GET", f"candidates/{me}"))[1] == before
    for decision in ("accept", "refuse"):
        status, problem = await desk.decide(case, decision)
        assert (status, problem["type"]) == (409, "urn:certrail:problem:second-opinion-needed")
    assert desk.station.said(identity.CandidateNameChanged) == []
    status, done = await desk.decide(case, by=BEN)
    assert (status, done["state"], done["reason"]) == (200, "accepted", "as on the passport")
    _, after = await desk.candidate(me, "GET", f"candidates/{me}")
    assert (after["given_name"], after["family_name"]) == ("Zoë Maria", "Åkesson")
    _, names = await desk.staff("GET", f"candidates/{me}/names")
    assert [(name["family_name"], name["until"] is None, name["by"]) for name in names["items"]] == [
        ("Åkesson", True, BEN),
        ("Ångström", False, None),
    ]
    assert names["items"][0]["since"] == names["items"][1]["until"]
    assert names["items"][0]["case_id"] == case["case_id"]
    _, own = await desk.candidate(me, "GET", "names")
    assert [name["by"] for name in own["items"]] == [None, None]
    (changed,), (profile,), (decided,) = (
        desk.station.said(model)
        for model in (identity.CandidateNameChanged, identity.CandidateProfileChanged, identity.CaseDecided)
    )
    assert changed["data"]["native_family_name"] == profile["data"]["native_family_name"] == "Окессон"
    assert (decided["data"]["decision"], decided["data"]["reason"]) == ("accepted", "as on the passport")
    versions = [event["subjectversion"] for event in (changed, profile, decided)]
    assert versions == sorted(set(versions))


async def test_second_change_of_a_name_goes_on_where_the_first_ended(desk: Desk) -> None:
    me = await desk.station.register("P1")
    for family_name in ("Berg", "Dahl"):
        desk.base.clock.advance(timedelta(seconds=1))
        case = await desk.open(me, **(NAME | {"family_name": family_name}))
        await desk.decide(case)
        assert (await desk.decide(case, by=BEN))[1]["state"] == "accepted"
    _, names = await desk.candidate(me, "GET", "names")
    items = names["items"]
    assert [name["family_name"] for name in items] == ["Dahl", "Berg", "Ångström"]
    assert [name["since"] for name in items[:2]] == [name["until"] for name in items[1:]]


async def test_many_decisions_at_once_change_a_name_once_and_one_person_never_does(desk: Desk) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me)
    await asyncio.gather(*(desk.decide(case) for _ in range(8)))
    assert (await desk.seen(case))["state"] == "decided_once"
    answers = await asyncio.gather(*(desk.decide(case, by=f"staff:{n}") for n in range(8)))
    assert {status for status, _ in answers} == {200}
    assert len(desk.station.said(identity.CandidateNameChanged)) == 1
    assert len(desk.station.said(identity.CaseDecided)) == 1


async def test_those_who_disagree_leave_the_case_open_with_both_opinions(desk: Desk) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me)
    await desk.decide(case)
    _, back = await desk.decide(case, "refuse", by=BEN)
    assert (back["state"], back["first_opinion"]) == ("open", None)
    told = [(step["what"], step["by"]) for step in back["history"]]
    assert told[1:] == [("accepts", ADA), ("refuses", BEN), ("disagreed", BEN)]
    assert desk.station.said(identity.CaseDecided) == []
    assert (await desk.decide(case, "refuse"))[1]["state"] == "decided_once"
    assert (await desk.decide(case, "refuse", by=BEN))[1]["state"] == "refused"
    assert desk.station.said(identity.CandidateNameChanged) == []


async def test_question_waits_for_the_candidate_and_the_days_count_anew(desk: Desk) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me, kind="kit", certification="CCNA")
    ask = {"text": "Which address?\nPlease write it out.", "needs_answer": True}
    status, asked = await desk.staff("POST", f"cases/{case['case_id']}/messages", **ask)
    assert (status, asked["state"]) == (200, "waiting_for_candidate")
    (told,) = desk.station.said(identity.CaseMessageWritten)
    assert told["data"]["needs_answer"] is True
    assert "address" not in str(told).lower()
    desk.base.clock.advance(timedelta(days=40))
    _, overdue = await desk.staff("GET", "cases?overdue=true")
    assert overdue["items"] == [], "what waits for the candidate is nobody's delay"
    status, answered = await desk.candidate(me, "POST", f"cases/{case['case_id']}/messages", text="The old one.")
    assert (status, answered["state"]) == (200, "open")
    assert [(each["by"], each["text"]) for each in answered["messages"]] == [
        ("staff", ask["text"]),
        ("candidate", "The old one."),
    ]
    assert date.fromisoformat(answered["due_on"]) > date.fromisoformat(case["due_on"]) + timedelta(days=30)
    status, news = await desk.staff("POST", f"cases/{case['case_id']}/messages", text="It is sent.", needs_answer=False)
    assert news["state"] == "open"
    assert (await desk.decide(case))[1]["state"] == "accepted"


async def test_case_that_staff_open_has_their_words_and_is_the_candidates(desk: Desk) -> None:
    me = await desk.station.register("P1")
    body = {"kind": "kit", "certification": "CCNA", "text": "Called and said that nothing came."}
    status, case = await desk.staff("POST", f"candidates/{me}/cases", **body)
    assert (status, [each["by"] for each in case["messages"]]) == (201, ["staff"])
    assert (await desk.candidate(me, "POST", f"cases/{case['case_id']}/withdrawal"))[1]["state"] == "withdrawn"


async def test_message_sent_again_is_written_once(desk: Desk) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me)
    path = f"cases/{case['case_id']}/messages"
    for _ in range(2):
        await desk.candidate(me, "POST", path, key="one", text="Hello")
        await desk.staff("POST", path, key="two", text="Hello")
        await desk.base.database["idempotency"].delete_many({})  # as if the process had died before it answered
    assert [each["by"] for each in (await desk.seen(case))["messages"]] == ["candidate", "staff"]
    assert len(desk.station.said(identity.CaseMessageWritten)) == 1


async def test_decision_sent_again_after_a_crash_is_the_same_opinion(desk: Desk) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me)
    for _ in range(2):
        status, once = await desk.decide(case, key="mine")
        assert (status, once["state"]) == (200, "decided_once")
        await desk.base.database["idempotency"].delete_many({})


async def test_answer_after_the_first_opinion_asks_both_again(desk: Desk) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me)
    await desk.decide(case)
    await desk.upload(me, case)
    assert (await desk.seen(case))["state"] == "open"
    assert (await desk.decide(case, by=BEN))[1]["state"] == "decided_once"
    assert desk.station.said(identity.CandidateNameChanged) == []


async def test_nothing_becomes_of_a_closed_case(desk: Desk) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me, kind="other", text="Where is the exam?")
    _, done = await desk.decide(case, "refuse")
    place = f"cases/{case['case_id']}"
    assert (await desk.decide(case, "refuse", by=BEN))[1] == done
    assert (await desk.decide(case, "accept"))[0] == 409
    assert (await desk.candidate(me, "POST", f"{place}/messages", text="But"))[0] == 409
    assert (await desk.candidate(me, "POST", f"{place}/withdrawal"))[0] == 409
    assert (await desk.upload(me, case))[0] == 409
    assert (await desk.staff("POST", f"{place}/messages", text="But"))[0] == 409
    assert (await desk.staff("PUT", f"{place}/assignee", assignee=BEN))[0] == 409
    assert (await desk.seen(case)) == done
    assert (await desk.open(me, kind="other", text="Where is the exam?"))["case_id"] != case["case_id"]


async def test_case_is_nothing_to_other_candidates_and_other_programs(desk: Desk) -> None:
    me, other = await desk.station.register("P1"), await desk.station.register("P2")
    case = await desk.open(me)
    _, file = await desk.upload(me, case)
    own, evidence = f"cases/{case['case_id']}", f"cases/{case['case_id']}/evidence/{file['evidence_id']}"
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", own, {}),
        ("GET", evidence, {}),
        ("POST", f"{own}/messages", {"text": "x"}),
        ("POST", f"{own}/evidence", {"file": PDF}),
        ("POST", f"{own}/withdrawal", {}),
    ]
    for method, path, body in asked:
        assert (await desk.candidate(other, method, path, **body))[0] == 404
        assert (await desk.candidate(other, method, f"candidates/{me}/{path}", **body))[0] == 404
        assert (await desk.candidate(me, method, path, program="juniper", **body))[0] == 404
    decision = {"decision": "refuse", "reason": "x"}
    of_staff: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", own, {}),
        ("GET", evidence, {}),
        ("POST", f"{own}/messages", {"text": "x"}),
        ("PUT", f"{own}/assignee", {"assignee": ADA}),
        ("POST", f"{own}/decision", decision),
    ]
    for method, path, body in of_staff:
        assert (await desk.staff(method, path, program="juniper", **body))[0] == 404
        # Below the program, without a candidate in between.
        assert (await desk.candidate(me, method, f"candidates/../{path}", **body))[0] == 403
    assert (await desk.staff("GET", "cases", program="juniper"))[0] == 404
    for method, path, body in asked[1:]:
        assert (await desk.staff(method, f"candidates/{me}/{path}", **body))[0] == 403, "that is the candidate's own"
    assert (await desk.candidate(other, "GET", "cases"))[1]["items"] == []
    assert (await desk.candidate(other, "GET", f"candidates/{me}/names"))[0] == 404
    assert (await desk.seen(case))["messages"] == []


async def test_candidate_sees_neither_who_decides_nor_their_doubts(desk: Desk) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me)
    await desk.staff("PUT", f"cases/{case['case_id']}/assignee", assignee=BEN)
    await desk.decide(case)
    await desk.decide(case, "refuse", by=BEN)
    _, shown = await desk.candidate(me, "GET", f"cases/{case['case_id']}")
    assert "staff:" not in str(shown)
    assert "as on the passport" not in str(shown)


async def test_staff_find_what_is_due_by_kind_state_and_person(desk: Desk) -> None:
    me, other = await desk.station.register("P1"), await desk.station.register("P2")
    name = await desk.open(me)
    kit = await desk.open(me, kind="kit", order_id="O-1")
    missing = await desk.open(other, kind="missing_result", exam_code="200-301", taken_on="2025-03-10")
    await desk.staff("PUT", f"cases/{kit['case_id']}/assignee", assignee=BEN)

    async def found(query: str) -> list[str]:
        status, page = await desk.staff("GET", f"cases?{query}")
        assert status == 200
        return [item["case_id"] for item in page["items"]]

    every = [missing["case_id"], name["case_id"], kit["case_id"]]
    assert await found("") == every, "what is due first stands first"
    first, rest = await desk.staff("GET", "cases?limit=1"), every[1:]
    assert await found(f"cursor={first[1]['next']}") == rest
    assert await found("kind=name") == [name["case_id"]]
    assert await found(f"assignee={BEN}") == [kit["case_id"]]
    assert await found("unassigned=true") == [missing["case_id"], name["case_id"]]
    assert await found(f"candidate_id={other}") == [missing["case_id"]]
    assert await found(f"reference={kit['reference']}") == [kit["case_id"]]
    assert await found("state=decided_once") == []
    await desk.decide(name)
    assert await found("state=decided_once") == [name["case_id"]]
    await desk.decide(missing, "refuse")
    assert await found("") == rest
    assert await found("state=refused") == [missing["case_id"]]
    assert await found("overdue=true") == []
    desk.base.clock.advance(timedelta(days=9))
    assert await found("overdue=true") == [name["case_id"]]
    assert (await desk.seen(name))["overdue"] is True
    assert await found("overdue=true&state=refused") == []
    await desk.staff("PUT", f"cases/{kit['case_id']}/assignee", assignee=None)
    assert (await desk.seen(kit))["assignee"] is None


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"kind": "other"}, "body.other.text"),
        ({"kind": "other", "text": " \r\n "}, "body.other.text"),
        ({"kind": "kit"}, "body.kit"),
        ({"kind": "duplicate"}, "body.duplicate"),
        ({"kind": "mapping", "system": "vue"}, "body"),
        ({"kind": "name", "given_name": "A"}, "body.name.family_name"),
        (NAME | {"given_name": "A\nB"}, "body.name.given_name"),
        ({"kind": "other", "text": "a\x00b"}, "body.other.text"),
        ({"kind": "missing_result", "exam_code": "200-301", "taken_on": "2090-01-01"}, "body.taken_on"),
    ],
)
async def test_request_that_says_too_little_or_the_impossible_is_refused(
    desk: Desk, body: dict[str, Any], path: str
) -> None:
    me = await desk.station.register("P1")
    status, problem = await desk.candidate(me, "POST", "cases", **body)
    assert (status, problem["errors"][0]["path"]) == (422, path)
    assert await desk.base.rows("cases") == []


async def test_cases_cannot_be_opened_without_end(desk: Desk) -> None:
    me = await desk.station.register("P1")
    cases = [await desk.open(me, kind="other", text=f"Question {n}") for n in range(MOST_OPEN)]
    assert (await desk.candidate(me, "POST", "cases", kind="other", text="One more"))[0] == 409
    for n in range(MOST_A_DAY - MOST_OPEN):
        await desk.candidate(me, "POST", f"cases/{cases[n]['case_id']}/withdrawal")
        await desk.open(me, kind="other", text=f"Question {MOST_OPEN + n}")
    _, page = await desk.candidate(me, "GET", "cases?limit=1")
    await desk.candidate(me, "POST", f"cases/{page['items'][0]['case_id']}/withdrawal")
    assert (await desk.candidate(me, "POST", "cases", kind="other", text="One more"))[0] == 409
    desk.base.clock.advance(timedelta(days=1, seconds=1))
    await desk.open(me, kind="other", text="One more")


@pytest.mark.parametrize("name", ["=SUM(A1:A9)", "@cmd", "<b>Ada</b><script>alert(1)</script>", "{{ token }}"])
async def test_name_that_would_act_elsewhere_is_text(desk: Desk, name: str) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me, **(NAME | {"family_name": name}))
    for by in (ADA, BEN):
        status, _ = await desk.decide(case, by=by)
        assert status == 200
    response = await desk.request(desk.member(), "GET", f"candidates/{me}")
    assert response.content_type == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert (await response.json())["family_name"] == name
    (told,) = desk.station.said(identity.CandidateNameChanged)
    assert told["data"]["family_name"] == name


async def test_accepted_duplicate_merges_the_account_that_was_named(desk: Desk) -> None:
    me, other = await desk.station.register("P1"), await desk.station.register("P2")
    case = await desk.open(me, kind="duplicate", candidate_id=other)
    await desk.decide(case)
    _, done = await desk.decide(case, by=BEN)
    assert done["state"] == "accepted"
    _, merge = await desk.staff("GET", f"merges/{done['merge_id']}")
    assert (merge["state"], merge["merged_id"], merge["candidate_id"]) == ("done", other, me)
    assert (await desk.candidate(me, "GET", f"candidates/{other}"))[1]["candidate_id"] == me


async def test_two_people_must_mean_the_same_account(desk: Desk) -> None:
    me, other, third = [await desk.station.register(person) for person in ("P1", "P2", "P3")]
    case = await desk.open(me, kind="duplicate", email="p2@example.com")
    status, problem = await desk.decide(case)
    assert (status, problem["errors"][0]["path"]) == (422, "body.other_candidate_id")
    await desk.decide(case, other_candidate_id=other)
    assert (await desk.decide(case, by=BEN, other_candidate_id=third))[1]["state"] == "open"
    await desk.decide(case, other_candidate_id=other)
    assert (await desk.decide(case, by=BEN, other_candidate_id=other))[1]["state"] == "accepted"
    assert [row["merged_id"] for row in await desk.base.rows("merges")] == [other]
    kit = await desk.open(me, kind="kit", certification="CCNA")
    assert (await desk.decide(kit, other_candidate_id=third))[0] == 422


@pytest.mark.parametrize("other", ["CSCO00000000", "itself"])
async def test_merge_that_cannot_be_leaves_the_case_undecided(desk: Desk, other: str) -> None:
    me = await desk.station.register("P1")
    case = await desk.open(me, kind="duplicate", candidate_id=me if other == "itself" else other)
    await desk.decide(case)
    status, _ = await desk.decide(case, by=BEN)
    assert status == (409 if other == "itself" else 404)
    assert (await desk.seen(case))["state"] == "decided_once"
    assert desk.station.said(identity.CaseDecided) == []
    assert await desk.base.rows("merges") == []


async def test_crash_between_decision_and_merge_is_made_good(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    me, other = await desk.station.register("P1"), await desk.station.register("P2")
    case = await desk.open(me, kind="duplicate", candidate_id=other)
    await desk.decide(case)

    async def die(_merging: Merging, _merge_id: str) -> None:
        raise KilledError

    with monkeypatch.context() as dying:
        dying.setattr(Merging, "advance", die)
        status, _ = await desk.decide(case, by=BEN, key="the-decision")
        assert status == 500
    seen = await desk.seen(case)
    assert seen["state"] == "accepted"
    (merge,) = await desk.base.rows("merges")
    assert (merge["_id"], merge["state"]) == (seen["merge_id"], "requested")
    desk.base.clock.advance(Merging.PATIENCE + timedelta(seconds=1))
    await desk.station.run("merges")
    assert [row["state"] for row in await desk.base.rows("merges")] == ["done"]
    status, again = await desk.decide(case, by=BEN, key="the-decision")
    assert (status, again["state"]) == (200, "accepted")
    assert len(desk.station.said(identity.CandidatesMerged)) == 1


async def test_cases_of_a_merged_account_are_those_of_the_one_that_goes_on(desk: Desk) -> None:
    me, other = await desk.station.register("P1"), await desk.station.register("P2")
    before = await desk.open(other)
    await desk.staff("POST", "merges", **{"from": other, "into": me, "reason": "one person"})
    _, page = await desk.candidate(me, "GET", "cases")
    assert [item["case_id"] for item in page["items"]] == [before["case_id"]]
    assert (await desk.candidate(me, "POST", f"cases/{before['case_id']}/messages", text="Still me"))[0] == 200
    await desk.decide(before)
    await desk.decide(before, by=BEN)
    _, after = await desk.candidate(me, "GET", f"candidates/{me}")
    assert (after["candidate_id"], after["family_name"]) == (me, "Åkesson")
