"""The ledger of credits in words, its file, and what is claimed."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from libs.common.programs import Program, load_programs
from services.portal.credits.claiming import OTHER, Claim, Course, activities, asked_of, body_of
from services.portal.credits.claims import in_hand
from services.portal.credits.shapes import Credits, Entry, Submission
from services.portal.credits.sheet import sheet
from services.portal.credits.words import rows_of, sum_of
from services.portal.web.forms import Unfit

TODAY = date(2026, 11, 22)
ENDS = date(2027, 3, 14)
HOLD = date(2027, 3, 10)


@pytest.fixture(scope="module")
def programs() -> dict[str, Program]:
    return load_programs(Path(__file__).parents[3] / "deploy" / "programs")


def entry(name: str, state: str, credits_: int, text: str = "A reason.") -> Entry:
    return Entry(submission_id=name, item=name, credits=credits_, completed_on=TODAY, state=state, text=text)


def ledger(*entries: Entry) -> Credits:
    return Credits(
        as_of=TODAY, level="professional", cycle_until=ENDS, counting=0, may_be_held=True, entries=list(entries)
    )


def submission(name: str, state: str = "accepted", **changes: Any) -> Submission:
    fields = {
        "submission_id": name,
        "kind": "credits",
        "origin": "claim",
        "state": state,
        "item": name,
        "title": f"About {name}",
        "completed_on": TODAY,
        "submitted_at": datetime(2026, 11, 22, 9, tzinfo=UTC),
        "due_on": date(2026, 11, 25),
        "credits": 10,
        "held_until": None,
    }
    return Submission.model_validate(fields | changes)


def test_the_sum_says_what_is_there_what_is_on_hold_and_what_is_free(programs: dict[str, Program]) -> None:
    found = ledger(
        entry("A", "held", 40), entry("B", "counting", 12), entry("C", "pending", 9), entry("D", "lapsed", 7)
    )
    claims = in_hand(found, [submission("A", held_until=HOLD), submission("B"), submission("C", "pending")])
    assert [(claim.id, claim.credits, claim.held_until, claim.pending) for claim in claims] == [
        ("A", 40, HOLD, False),
        ("B", 12, None, False),
        ("C", 9, None, True),
    ]
    total = sum_of(programs["cisco"], found, claims, {"CCNP-Enterprise": ENDS, "CCNA": date(2028, 8, 8)})
    assert (total.heading, total.have, total.asked) == ("52 of 80 credits", 52, 80)
    assert total.lead.replace("\xa0", " ") == "40 are on hold until 10 March 2027; 12 are free."
    empty = sum_of(programs["cisco"], ledger(), (), {})
    assert (empty.heading, empty.asked) == ("No credits yet", None)


def test_each_state_has_its_word_and_its_reason() -> None:
    found = ledger(entry("A", "held", 10), entry("B", "used", 10, "Renewed CCNP on 1 May 2026."))
    rows = rows_of(
        found,
        [
            submission("A"),
            submission("B"),
            submission("C", "pending"),
            submission("D", "rejected", reason="The certificate is of somebody else."),
            submission("E", "withdrawn"),
            submission("F", "accepted", kind="course", credits=None),
        ],
    )
    assert [(row.chip.word, row.may_hold, row.may_withdraw) for row in rows] == [
        ("On hold", True, False),
        ("Used", False, False),
        ("In review", False, True),
        ("Rejected", False, False),
        ("Withdrawn", False, False),
        ("Validated", False, False),
    ]
    assert rows[1].text == "Renewed CCNP on 1 May 2026."
    assert rows[2].text.replace("\xa0", " ") == "We answer by 25 November 2026."
    assert rows[3].text == "The certificate is of somebody else."


def test_no_cell_of_the_file_is_a_formula() -> None:
    rows = rows_of(ledger(), [submission("A", "pending", title="=1+1", item="+A")])
    lines = sheet(rows).decode("utf-8-sig").splitlines()
    assert lines[0] == "Earned on,Activity,Code,Credits,State,Why"
    assert lines[1].startswith("2026-11-22,'=1+1,'+A,10,In review,")


CLAIM = {"activity": OTHER, "title": "Core", "code": "ENCOR-ILT", "credits": "16", "completed_on": "2026-11-02"}


def test_a_claim_is_told_as_it_was_typed(programs: dict[str, Program]) -> None:
    asked = asked_of(CLAIM | {"until": "2027-03-10", "evidence": "E1"}, programs["cisco"], TODAY, course=False)
    assert isinstance(asked, Claim)
    assert body_of(asked, programs["cisco"], ["E1"]) == {
        "item": "ENCOR-ILT",
        "title": "Core",
        "credits": 16,
        "completed_on": "2026-11-02",
        "held_until": "2027-03-10",
        "evidence": ["E1"],
        "note": None,
    }


def test_a_course_of_the_list_needs_no_name_but_a_file(programs: dict[str, Program]) -> None:
    juniper = programs["juniper"]
    assert [code for code, _ in activities(juniper, course=True)] == ["JIR", "AJER", OTHER]
    course = {"activity": "JIR", "delivery": "private", "completed_on": "2026-11-02"}
    with pytest.raises(Unfit) as found:
        asked_of(course, juniper, TODAY, course=True)
    assert set(found.value.faults) == {"file"}
    asked = asked_of(course | {"evidence": "E1"}, juniper, TODAY, course=True)
    assert isinstance(asked, Course)
    told = body_of(asked, juniper, ["E1"])
    assert (told["course"], told["title"]) == ("JIR", "Junos Intermediate Routing")


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"title": "", "code": "", "credits": "", "completed_on": ""}, ["title", "code", "credits", "completed_on"]),
        ({"activity": "UNKNOWN"}, ["activity"]),
        ({"credits": "many"}, ["credits"]),
        ({"completed_on": "2026-11-31"}, ["completed_on"]),
        ({"completed_on": "2026-11-23"}, ["completed_on"]),
        ({"completed_on": "2026-08-23"}, ["completed_on"]),
        ({"until": "2026-11-22"}, ["until"]),
    ],
)
def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_page(
    programs: dict[str, Program], changes: dict[str, str], wrong: list[str]
) -> None:
    with pytest.raises(Unfit) as found:
        asked_of(CLAIM | changes, programs["cisco"], TODAY, course=False)
    assert list(found.value.faults) == wrong


def test_the_last_day_to_claim_still_counts(programs: dict[str, Program]) -> None:
    asked = asked_of(CLAIM | {"completed_on": "2026-08-24"}, programs["cisco"], TODAY, course=False)
    assert asked.completed_on == date(2026, 8, 24)
