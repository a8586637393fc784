"""What staff see, as pure view models: cases and what follows, what opens next, charts, and the check of records."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.audit.chain import Head, linked
from services.portal.staff.audit.shapes import Seal
from services.portal.staff.audit.words import checked
from services.portal.staff.cases import words
from services.portal.staff.cases.shapes import Case, Opinion, Person
from services.portal.staff.home.charts import DAYS, ages, chart_of, late_results, results_per_day
from services.portal.staff.kit import next_after, with_query
from services.portal.staff.people import Names

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOW.date()


def case(kind: str = "name", details: Mapping[str, Any] | None = None, **fields: Any) -> Case:
    asked = details if details is not None else {"given_name": "Zoë", "family_name": "Åkesson"}
    known: dict[str, Any] = {
        "case_id": "c1",
        "reference": "K00000013",
        "kind": kind,
        "state": "open",
        "candidate_id": "CSCO00000013",
        "opened_at": NOW,
        "due_on": TODAY,
        "details": {"kind": kind, **asked},
        "messages": [],
        "evidence": [],
    }
    return Case.model_validate(known | fields)


ZOE = Person(candidate_id="CSCO00000013", given_name="Zoë", family_name="Ångström", email="zoe@example.com")
FIRST = {
    "first_opinion": Opinion(decision="accept", by="staff:rosa"),
    "first_by": "staff:rosa",
    "state": "decided_once",
}


def test_facts_say_what_fits_and_what_differs() -> None:
    facts = words.facts_of(case(), ZOE)
    assert [(fact.name, fact.came, fact.held, fact.fits) for fact in facts] == [
        ("Given name", "Zoë", "Zoë", True),
        ("Family name", "Åkesson", "Ångström", False),
    ]
    assert [fact.fits for fact in words.facts_of(case(), None)] == [None, None], "nothing to compare with"


def test_of_four_eyes_the_first_opinion_changes_nothing_and_the_second_is_somebody_elses() -> None:
    first = words.follows(case(four_eyes=True), accept=True)
    assert first[0].startswith("Nothing changes yet")
    second = case(four_eyes=True, **FIRST)
    assert words.follows(second, accept=True)[0] == "The name becomes Zoë Åkesson. Verifiers see it within a minute."
    assert not words.may_decide(second, "staff:rosa")
    assert words.may_decide(second, "staff:per")
    assert not words.may_decide(case(state="accepted"), "staff:per")


@pytest.mark.parametrize("kind", [*words.KINDS, "unheard-of"])
def test_every_decision_says_what_follows(kind: str) -> None:
    for accept in (True, False):
        said = words.follows(case(kind, {}), accept=accept)
        assert len(said) >= 2
        assert not [sentence for sentence in said if "{" in sentence]


def test_a_case_past_its_promise_says_so_first() -> None:
    assert words.chip_of(case(overdue=True)).word == "Past its promise"
    assert words.chip_of(case()).word == "Waiting for us"


def test_names_stand_for_subjects_and_whoever_looks_is_you() -> None:
    names = Names({"staff:rosa": "Rosa"}, "staff:per")
    said = [names.of(subject) for subject in ("staff:per", "staff:rosa", "system", "client:psi")]
    assert said == ["You", "Rosa", "by itself", "A system"]
    assert names.of("staff:gone") == "staff:gone"


def test_after_an_item_the_one_behind_it_opens() -> None:
    assert next_after(["a", "b", "c"], "b") == "c"
    assert next_after(["a", "b"], "b") == "a", "behind the last one the first that is left"
    assert next_after(["a", "b"], "x") == "a", "it has left the queue"
    assert next_after(["a"], "a") is None


def test_an_address_keeps_its_query() -> None:
    assert with_query("/staff/cases", {"kind": "kit", "late": ""}, item="a&b") == "/staff/cases?kind=kit&item=a%26b"
    assert with_query("/staff/cases", {"item": "a"}, item=None) == "/staff/cases"


def test_charts_have_every_day_and_every_age() -> None:
    chart = results_per_day([(TODAY, 3), (TODAY, 1), (TODAY - timedelta(days=40), 9)], TODAY)
    assert [bar.value for bar in chart.bars] == [0] * (DAYS - 1) + [4]
    assert chart.story == "4 messages of vendors in 14 days"
    old = ages([NOW, NOW - timedelta(days=3), NOW - timedelta(days=99)], NOW)
    assert [bar.value for bar in old.bars] == [1, 1, 0, 0, 1]
    late = late_results([{"1-2": 2}, {"1-2": 1, "more": 1}])
    assert [bar.value for bar in late.bars] == [3, 0, 0, 1]
    assert all(bar.late for bar in late.bars)


@given(st.lists(st.integers(0, 10_000), max_size=40))
def test_bars_stay_in_their_chart(values: list[int]) -> None:
    chart = chart_of("t", "s", ("a", "b"), [(str(value), value) for value in values])
    for bar in chart.bars:
        x, width, y, height = (float(part.rstrip("%")) for part in (bar.x, bar.width, bar.y, bar.height))
        assert x >= 0
        assert x + width <= 100.01
        assert y >= 0
        assert y + height == pytest.approx(100)
    if any(values):
        assert max(float(bar.height.rstrip("%")) for bar in chart.bars) == 100


def chain(count: int) -> list[dict[str, Any]]:
    return linked(Head(), ({"actor": f"staff:{number}", "status": 200} for number in range(count)))


def sealed(records: list[dict[str, Any]]) -> list[Seal]:
    return [Seal(n=record["n"], hash=record["hash"], sealed_at=NOW) for record in records]


def test_records_as_they_were_written_are_told_as_such() -> None:
    records = chain(5)
    check = checked(records[2:], sealed(records[1:4]), whole=True)
    assert (check.fault, check.sealed, check.chip.word) == (None, 2, "Unchanged")
    assert checked([records[0], records[3]], (), whole=False).fault is None


@given(st.integers(0, 4), st.sampled_from(["changed", "gone", "rewritten"]))
def test_whatever_was_done_to_a_record_is_found(place: int, what: str) -> None:
    records = chain(6)
    seals = sealed(records[-1:])
    if what == "changed":
        records[place]["actor"] = "staff:mallory"
    elif what == "gone":
        del records[place]
    else:
        head = Head(records[place - 1]["n"], records[place - 1]["hash"]) if place else Head()
        records[place:] = linked(head, ({"actor": "staff:mallory", "status": 200} for _ in records[place:]))
    found = checked(records, seals, whole=True).fault
    if what == "gone" and place == 0:
        assert found is None, "what lies before the first that is shown is not looked at"
    else:
        assert found is not None


def test_a_record_that_does_not_follow_on_the_one_before_is_found_without_any_seal() -> None:
    records = [*chain(2), *linked(Head(2, "f" * 64), [{"actor": "staff:mallory", "status": 200}])]
    assert checked(records, (), whole=True).fault == 3
    assert checked(records, (), whole=False).fault is None, "of a search each is checked by itself"


def test_a_day_is_said_for_what_has_one() -> None:
    facts = words.facts_of(
        case("missing_result", {"exam_code": "200-301", "taken_on": date(2026, 11, 1).isoformat()}), None
    )
    assert [(fact.name, fact.came) for fact in facts] == [("Exam", "200-301"), ("Sat on", "1\xa0November\xa02026")]
