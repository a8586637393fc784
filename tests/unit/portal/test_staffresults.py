"""What staff read at the queues of results and vendors."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exams.domain.challenges import CLOSED, State
from services.portal.staff.listing import csv_file, path_of
from services.portal.staff.people import Names
from services.portal.staff.results import asking, rulings, words
from services.portal.staff.results.shapes import (
    Challenge,
    Late,
    Opinion,
    Person,
    Reason,
    Suggestion,
    UnmatchedDetail,
    WhatIf,
)
from services.portal.staff.vendors import differences, overview
from services.portal.staff.vendors import words as messages
from services.portal.staff.vendors.shapes import Finding, Parked, Refused, Verdicts
from services.portal.web.vendor_names import NAMES as NAMES_OF_VENDORS

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMES = Names({"staff:rosa": "Rosa"}, "staff:me")
PERSON = Person(candidate_id="C1", given_name="Ada", family_name="Byron", email="a@x.example", country="GB")


def unmatched(**changed: Any) -> UnmatchedDetail:
    base: dict[str, Any] = {
        "item_id": "i1",
        "vendor": "vue",
        "result_id": "R1",
        "vendor_candidate_id": "V9",
        "exam_code": "200-301",
        "taken_on": date(2026, 11, 19),
        "registration_id": "G1",
        "registration": {
            "registration_id": "G1",
            "candidate_id": "C1",
            "exam_code": "200-301",
            "scheduled_at": datetime(2026, 11, 19, 9, tzinfo=UTC),
        },
        "received_at": NOON,
        "age_days": 1,
        "suggestions": [],
        "handling": [],
    }
    return UnmatchedDetail.model_validate(base | changed)


def suggestion(score: int) -> Suggestion:
    return Suggestion(candidate_id=f"C{score}", score=score, reasons=[Reason(code="registration", text="It is.")])


@pytest.mark.parametrize(
    ("scores", "word"),
    [
        ([], "None yet"),
        ([80], "Strong"),
        ([80, 75], "Several candidates"),
        ([80, 40], "Strong"),
        ([60], "Likely"),
        ([40], "Weak"),
    ],
    ids=["none", "one strong", "two alike", "one clearly first", "likely", "weak"],
)
def test_a_likeness_is_strong_only_where_nobody_else_is_as_likely(scores: list[int], word: str) -> None:
    assert words.likeness([suggestion(score) for score in scores]).word == word


def test_facts_that_fit_and_differ_are_told_apart_and_counted() -> None:
    facts = words.facts_of(unmatched(), PERSON)
    assert [fact.fits for fact in facts] == [False, True, True, True]
    assert words.fitting(facts) == "3 of 4 facts fit."
    other = words.facts_of(unmatched(), PERSON.model_copy(update={"candidate_id": "C2"}))
    assert [fact.fits for fact in other] == [False, False, None, None], "another's registration says nothing"


def test_the_history_of_a_result_says_who_took_it_and_from_whom_it_came() -> None:
    steps = [
        {"what": "taken", "by": "staff:rosa", "at": NOON, "text": "staff:rosa"},
        {"what": "taken", "by": "staff:rosa", "at": NOON, "text": "staff:me"},
        {"what": "left", "by": "staff:me", "at": NOON, "text": ""},
        {"what": "noted", "by": "staff:me", "at": NOON, "text": "It's late"},
    ]
    assert [(said, text) for _, said, text in words.handled(unmatched(handling=steps).handling, NAMES)] == [
        ("You noted", "It's late"),
        ("You: gave it back", ""),
        ("Rosa: gave it to somebody", "You"),
        ("Rosa: took it", ""),
    ]
    assert words.unmatched_row(unmatched(assignee="staff:rosa"), NAMES).cells[-1].text == "Rosa"


def test_an_assignment_says_what_a_pass_would_change_and_never_that_it_is_one() -> None:
    gained = WhatIf.model_validate({"changes": [{"text": "CCNA is gained."}]})
    said = words.follows(unmatched(), PERSON, gained)
    assert "If it is a pass, this is what it would change as of today:" in said
    assert "CCNA is gained." in said
    assert "What a pass would change can't be worked out right now." in words.follows(unmatched(), PERSON, None)


def late(**changed: Any) -> Late:
    base: dict[str, Any] = {
        "late_id": "l1",
        "registration_id": "G1",
        "candidate_id": "C1",
        "vendor": "vue",
        "exam_code": "200-301",
        "scheduled_at": NOON,
        "stage": "late",
        "due_on": date(2026, 11, 2),
        "overdue_on": date(2026, 11, 9),
        "business_days_late": 3,
        "told": True,
        "unmatched_items": [],
    }
    return Late.model_validate(base | changed)


def test_what_a_vendor_is_sent_names_registrations_and_no_candidate() -> None:
    sent = words.question_about([late(), late(registration_id="G2")], "Cisco")
    assert "G1" in sent
    assert "G2" in sent
    assert "C1" not in sent
    assert "C1" not in map(str, words.late_line(late()).values())


@pytest.mark.parametrize(
    ("again", "word"),
    [(None, "Not asked yet"), (date(2026, 11, 21), "Was asked"), (date(2026, 11, 20), "Ask again")],
    ids=["never", "has time", "has let it pass"],
)
def test_a_vendor_is_to_be_asked_until_it_was_and_again_when_its_time_is_over(again: date | None, word: str) -> None:
    assert asking.chip_of(late(ask_again_on=again), NOON.date()).word == word


def test_who_asked_a_vendor_when_and_how_is_told_and_what_is_noted_of_many_lists_them() -> None:
    question = {"asked_on": date(2026, 11, 18), "how": "phone", "note": "They look.", "by": "staff:rosa", "at": NOON}
    asked = late(questions=[question], ask_again_on=date(2026, 11, 24))
    assert [(said.replace("\xa0", " "), note) for _, said, note in asking.steps_of(asked.questions, NAMES)] == [
        ("Rosa asked on 18 November 2026: By phone", "They look.")
    ]
    since = asking.since_said(asked).replace("\xa0", " ")
    assert since == "Asked on 18 November 2026; ask again from 24 November 2026"
    NAMES_OF_VENDORS.set({"vue": "Test Centres"})
    said = asking.follows([late(), late(registration_id="G2")])
    assert said[0] == "It is noted for 2 results that Test Centres was asked."
    assert [line.partition(":")[0] for line in said[-2:]] == ["G1", "G2"]


def test_a_file_for_a_vendor_holds_no_formula() -> None:
    body = csv_file("x.csv", ("vendor",), [{"vendor": "=cmd()"}]).body
    assert body == b"vendor\r\n'=cmd()\r\n"


@given(st.text(min_size=1, max_size=30))
def test_an_id_in_an_address_never_becomes_a_path(text: str) -> None:
    path = path_of(text)
    assert path.startswith("/")
    assert not set(path[1:]) & set("/?#&")


def challenge(**changed: Any) -> Challenge:
    base: dict[str, Any] = {
        "challenge_id": "c1",
        "candidate_id": "C1",
        "result_id": "R1",
        "exam_code": "200-301",
        "taken_on": date(2026, 11, 19),
        "ground": "score",
        "state": "open",
        "opened_at": NOON,
        "due_on": date(2026, 12, 1),
        "overdue": False,
        "four_eyes": True,
        "overtaken": False,
        "challenged": {"grade": "fail", "score": 500},
        "messages": [],
        "evidence": [],
        "history": [],
        "vendor_since": [],
    }
    return Challenge.model_validate(base | changed)


def test_of_four_eyes_two_are_somebody_elses() -> None:
    mine = challenge(state="decided_once", first_opinion={"decision": "upheld", "by": "staff:me"})
    theirs = challenge(state="decided_once", first_opinion={"decision": "upheld", "by": "staff:rosa"})
    assert rulings.may_decide(challenge(), "staff:me")
    assert not rulings.may_decide(mine, "staff:me")
    assert rulings.may_decide(theirs, "staff:me")
    assert not rulings.may_decide(challenge(state="upheld"), "staff:me")


@pytest.mark.parametrize("state", State)
def test_every_state_of_a_challenge_has_its_words_and_is_decided_by_staff_until_it_is_closed(state: State) -> None:
    assert state.value in rulings.STATES
    assert rulings.may_decide(challenge(state=state.value), "staff:me") is (state not in CLOSED)


def test_the_first_of_two_changes_nothing_yet_and_the_second_does() -> None:
    first = rulings.follows(challenge(), "changed", "pass", 812)
    assert first[0] == "Nothing changes yet: someone else must decide the same. Then:"
    second = challenge(state="decided_once", first_opinion={"decision": "changed", "by": "staff:rosa"})
    assert rulings.follows(second, "changed", "pass", 812)[0] == "The result becomes: Passed, 812 points."


def test_an_opinion_says_whose_it_is_and_what_it_makes_of_the_result() -> None:
    changed = Opinion(decision="changed", by="staff:rosa", grade="pass")
    assert rulings.opinion_said(changed, NAMES) == "Rosa would make it: Passed."


def parked(**changed: Any) -> Parked:
    base = {"parked_id": "p1", "service": "certs", "routing_key": "exams.ExamPassed.v1", "code": "failed", "tries": 5}
    return Parked.model_validate(base | changed)


def test_a_parked_message_says_how_often_it_was_tried_and_that_it_held_up_nobody() -> None:
    said = messages.tried(parked(first_failure=NOON))
    assert said == "It was tried 5 times since 20 Nov 2026, 12:00 and waits. Others weren't held up."
    assert "the broker set it aside" in messages.tried(parked(tries=None))


def test_parked_messages_of_two_services_with_one_id_are_two_items() -> None:
    items = [parked(last_failure=NOON), parked(service="notify")]
    assert [messages.item_of(one) for one in messages.earliest_first(items)] == ["notify:p1", "certs:p1"]


def test_a_refused_message_is_the_vendors_to_mend_unless_we_may_lack_a_definition() -> None:
    base = {
        "rejection_id": "r",
        "vendor": "vue",
        "rejected_at": NOON,
        "routing_key": "vue.ExamResultReported.v1",
        "original": "{}",
        "truncated": False,
    }
    wrong = {"path": "data.grade", "code": "schema", "message": "is wrong"}
    unknown = {"path": "data.exam_code", "code": "unknown_exam", "message": "is not known"}
    theirs, ours = (Refused.model_validate(base | {"reasons": [reason]}) for reason in (wrong, unknown))
    assert (messages.is_ours(theirs), messages.is_ours(ours)) == (False, True)
    assert "data.grade: is wrong (schema)" in messages.answer_to(theirs)
    (line,) = messages.refused_lines([theirs])
    assert "original" not in line


def test_what_became_of_messages_is_added_up_without_trials() -> None:
    counts = [
        {"channel": "bus", "verdict": "new", "count": 4},
        {"channel": "bus", "verdict": "duplicate", "count": 2},
        {"channel": "bus", "verdict": "refused", "code": "schema", "count": 1},
        {"channel": "dry_run", "verdict": "refused", "code": "schema", "count": 90},
    ]
    found = Verdicts.model_validate({"vendor": "vue", "days": [{"day": "2026-11-20", "counts": counts}]})
    (line,) = overview.vendor_lines([found])
    assert (line.taken, line.same, line.refused, line.codes) == (4, 2, 1, [("schema", 1)])
    assert line.chip.word == "Some refused"


def test_the_vendors_word_is_offered_only_where_it_alone_is_enough() -> None:
    finding = Finding(finding_id="f", kind="missing_there", registration_id="G1", takeable=False)
    assert [action for action, _, _ in differences.choices_of(finding)] == ["ask_vendor", "dismiss"]
    both = finding.model_copy(update={"takeable": True})
    assert [action for action, _, _ in differences.choices_of(both)] == ["take_theirs", "ask_vendor", "dismiss"]


def test_only_named_differences_are_shown_as_different() -> None:
    side = {"candidate_id": "C1", "exam_code": "200-301", "state": "open"}
    finding = Finding.model_validate(
        {
            "finding_id": "f",
            "kind": "different",
            "registration_id": "G1",
            "takeable": True,
            "theirs": side | {"state": "no_show"},
            "ours": side,
            "differences": [{"field": "state"}],
        }
    )
    facts = {fact.name: (fact.came, fact.held, fact.fits) for fact in differences.facts_of(finding)}
    assert facts["State"] == ("Missed", "Booked", False)
    assert facts["Exam"] == ("200-301", "200-301", True)
    assert facts["Appointment"][2] is None
