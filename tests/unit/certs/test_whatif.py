"""Plans: what would follow, what renewing early costs, and the least that renews."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import Program
from services.certs.domain.facts import CreditFact, ExamFact
from services.certs.domain.renewals import renewals, unfilled
from services.certs.domain.whatif import Assumption, what_if

KNOWN = datetime(2020, 1, 1, tzinfo=UTC)
TODAY = date(2026, 11, 22)


def passed(code: str, day: str) -> ExamFact:
    return ExamFact(f"{code} {day}", 1, code, date.fromisoformat(day), "pass", KNOWN)


CCNA = passed("200-301", "2025-03-10")
CORE = passed("350-401", "2025-06-01")


def test_assumed_pass_awards_what_it_completes(cisco: Program) -> None:
    found = what_if(cisco, [CORE], [Assumption(date(2027, 1, 15), exam="300-410")], TODAY)
    changes = {each.certification: each.kind for each in found.differences}
    assert changes["CCNP-Enterprise"] == "gained"
    assert found.as_of == date(2027, 1, 15)
    assert found.after.certifications["CCNP-Enterprise"].expires_on == date(2030, 1, 15)


def test_renewing_early_is_warned_of_with_the_days_it_costs(cisco: Program) -> None:
    found = what_if(cisco, [CCNA], [Assumption(date(2027, 1, 15), exam="350-401")], TODAY)
    (warned,) = found.warnings
    assert (warned.certification, warned.days_given_up) == ("CCNA", (date(2028, 3, 10) - date(2027, 1, 15)).days)
    assert "10 March 2028" in warned.text
    on_the_last_day = what_if(cisco, [CCNA], [Assumption(date(2028, 3, 10), exam="350-401")], TODAY)
    assert on_the_last_day.warnings == ()
    assert on_the_last_day.after.certifications["CCNA"].expires_on == date(2031, 3, 10)


def test_assumed_credits_renew(cisco: Program) -> None:
    enough = what_if(cisco, [CCNA], [Assumption(date(2027, 1, 15), credits=30)], TODAY)
    assert {each.certification: each.kind for each in enough.differences} == {"CCNA": "moved"}
    assert what_if(cisco, [CCNA], [Assumption(date(2027, 1, 15), credits=29)], TODAY).differences == ()


def test_credits_in_hand_can_be_held_until_it_costs_nothing(cisco: Program) -> None:
    pending = replace(credits_of(30, "2026-10-01"), claim_id="S1", status="pending", submitted_on=date(2026, 10, 2))
    at_once = what_if(cisco, [CCNA, pending], [Assumption(TODAY, claim="S1")], TODAY)
    (early,) = at_once.differences
    assert early.after is not None
    assert early.after.expires_on == date(2029, 10, 1)
    held = what_if(cisco, [CCNA, pending], [Assumption(TODAY, claim="S1", held_until=date(2028, 3, 10))], TODAY)
    (late,) = held.differences
    assert late.after is not None
    assert (late.after.expires_on, held.warnings, held.as_of) == (date(2031, 3, 10), (), date(2028, 3, 10))
    with pytest.raises(ValueError, match="no claim 'S2'"):
        what_if(cisco, [CCNA, pending], [Assumption(TODAY, claim="S2")], TODAY)


def test_assumed_credits_can_be_held(cisco: Program) -> None:
    plan = [Assumption(date(2027, 1, 15), credits=30, held_until=date(2028, 3, 1))]
    (moved,) = what_if(cisco, [CCNA], plan, TODAY).differences
    assert moved.after is not None
    assert moved.after.expires_on == date(2031, 3, 1)


def test_plan_changes_nothing_of_what_is_known(cisco: Program) -> None:
    facts = [CCNA]
    what_if(cisco, facts, [Assumption(TODAY, exam="350-401"), Assumption(TODAY, credits=10)], TODAY)
    assert facts == [CCNA]
    with pytest.raises(ValueError, match="nothing to assume"):
        what_if(cisco, facts, [], TODAY)


def test_ways_to_renew_begin_with_the_least_demanding_exam_and_name_the_credits(cisco: Program) -> None:
    (way,) = renewals(cisco, [CCNA], TODAY)
    assert (way.certification, way.expires_on, way.credits) == ("CCNA", date(2028, 3, 10), 30)
    codes = [option.exam for option in way.exams]
    assert codes.index("200-301") < codes.index("350-401")
    assert {option.expires_on for option in way.exams} == {date(2029, 11, 22)}
    assert "300-425" not in codes, "it is not offered any more"


def test_way_to_renew_says_what_else_it_renews(cisco: Program) -> None:
    facts = [CCNA, CORE, passed("300-410", "2025-07-01")]
    ways = {way.certification: way for way in renewals(cisco, facts, TODAY)}
    assert next(iter(ways)) == min(ways.values(), key=lambda way: (way.expires_on, way.certification)).certification
    option = next(each for each in ways["CCNP-Enterprise"].exams if each.exam == "350-701")
    assert "CCNA" in option.also_renews


def test_nothing_to_renew_is_no_way(cisco: Program, juniper: Program) -> None:
    assert renewals(cisco, [], TODAY) == []
    assert renewals(juniper, [passed("JN0-106", "2020-01-10")], TODAY) == []


def test_program_without_credits_offers_none(juniper: Program) -> None:
    (way,) = renewals(juniper, [passed("JN0-106", "2026-05-10")], TODAY)
    assert way.credits is None


def test_cheapest_exam_comes_first_with_its_fee(juniper: Program) -> None:
    facts = [passed("JN0-106", "2026-04-10"), passed("JN0-352", "2026-05-10")]
    found = {each.certification: each for each in renewals(juniper, facts, TODAY)}
    associate, specialist = found["JNCIA-Junos"], found["JNCIS-ENT"]
    fees = [option.fee or 0 for option in associate.exams]
    assert (fees, fees[0], fees[-1]) == (sorted(fees), 200, 400)
    assert specialist.exams[0].fee == 300
    way = specialist.ways[0]
    assert (way.fee, way.credits, way.text) == (300, 0, "Pass one exam (300 USD).")
    assert juniper.clause(way.clause).line > 0


def test_ways_say_what_is_left_of_them(cisco: Program) -> None:
    expert = [passed("350-401", "2024-01-10"), passed("LAB:CCIE-Enterprise-Infrastructure", "2024-02-10")]
    facts = [*expert, passed("300-410", "2024-03-10"), credits_of(25, "2024-04-10")]
    found = {each.certification: each for each in renewals(cisco, facts, TODAY)}
    (name,) = [each for each in found if each.startswith("CCIE")]
    texts = {way.clause.rpartition("[")[2]: way.text for way in found[name].ways}
    assert texts == {
        "0]": "Pass one exam.",
        "1]": "Pass 2 different exams.",
        "2]": "Pass one exam.",
        "3]": "Pass 2 different exams.",
        "4]": "Earn 95 credits.",
        "5]": "Pass one exam and earn 15 credits.",
        "6]": "Pass one exam and earn 15 credits.",
        "7]": "Earn 55 credits.",
    }
    assert all("300-410" not in choice for way in found[name].ways for choice in way.exams)


def credits_of(count: int, day: str) -> CreditFact:
    return CreditFact("credits", count, date.fromisoformat(day), "validated", KNOWN)


CODES = st.sampled_from("ABCDE")


def fits(slots: tuple[frozenset[str], ...], codes: tuple[str, ...]) -> bool:
    return all(code in slot for code, slot in zip(codes, slots, strict=True))


@given(slots=st.lists(st.frozensets(CODES, min_size=1), max_size=4).map(tuple), passed=st.frozensets(CODES))
def test_passes_fill_as_many_slots_as_they_can(slots: tuple[frozenset[str], ...], passed: frozenset[str]) -> None:
    most = max(
        len(chosen)
        for size in range(len(slots) + 1)
        for chosen in combinations(slots, size)
        if any(fits(chosen, codes) for codes in permutations(sorted(passed), size))
    )
    left = unfilled(slots, passed)
    assert len(left) == len(slots) - most
    assert not Counter(left) - Counter(slots)
