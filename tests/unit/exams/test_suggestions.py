"""Suggestions name who may be meant, and why; the same clues always give the same."""

from datetime import date
from string import ascii_uppercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exams.domain.suggestions import (
    AssignedBefore,
    Clue,
    OfRegistration,
    SameSitting,
    SimilarId,
    near_ids,
    near_own_ids,
    suggest,
)

who = st.sampled_from(["C1", "C2", "C3"])
clues: st.SearchStrategy[Clue] = st.one_of(
    st.builds(OfRegistration, who, st.just("G1")),
    st.builds(
        SimilarId, who, st.sampled_from(["P1", "P12", "Q9"]), st.sampled_from(["P1", "p1", "P13"]), st.booleans()
    ),
    st.builds(SameSitting, who, st.sampled_from(["G2", "G3"]), st.just("200-301"), st.just(date(2026, 3, 2))),
    st.builds(AssignedBefore, who, st.sampled_from(["R2", "R3"]), st.just("P1")),
)


@given(given=st.lists(clues, max_size=8), order=st.randoms())
def test_order_and_repetition_of_clues_change_nothing(given: list[Clue], order: object) -> None:
    mixed = given * 2
    order.shuffle(mixed)  # type: ignore[attr-defined]
    assert suggest(mixed) == suggest(given)


@given(given=st.lists(clues, max_size=6), more=clues)
def test_another_clue_never_makes_its_candidate_less_likely(given: list[Clue], more: Clue) -> None:
    before = {each.candidate_id: each.score for each in suggest(given)}
    after = {each.candidate_id: each.score for each in suggest([*given, more])}
    for candidate_id, score in before.items():
        assert after[candidate_id] >= score
    for suggestion in suggest([*given, more]):
        assert 0 < suggestion.score <= 100
        assert suggestion.reasons
        weights = [reason.weight for reason in suggestion.reasons]
        assert weights == sorted(weights, reverse=True)


def test_who_has_the_registration_comes_before_who_only_sat_that_day() -> None:
    day = date(2026, 3, 2)
    found = suggest([SameSitting("C1", "G7", "200-301", day), OfRegistration("C2", "G1")])
    assert [(each.candidate_id, [reason.code for reason in each.reasons]) for each in found] == [
        ("C2", ["registration"]),
        ("C1", ["same_sitting"]),
    ]
    assert found[0].reasons[0].text == "The registration G1, which the result names, is this candidate's."


@pytest.mark.parametrize(
    ("wrote", "linked", "own", "code"),
    [
        ("vue-0012", "VUE0012", False, "same_id_otherwise_written"),
        ("VUE0021", "VUE0012", False, "similar_id"),
        ("CSCO00000014", "CSCO00000013", True, "similar_id"),
        ("csco00000013", "CSCO00000013", True, "same_id_otherwise_written"),
        ("JPR00000013", "CSCO00000013", True, "other_prefix"),
        ("00000013", "CSCO00000013", True, "other_prefix"),
        ("VUE9912", "VUE0012", False, None),
    ],
)
def test_nearness_of_ids_is_said_as_it_is(wrote: str, linked: str, own: bool, code: str | None) -> None:
    found = suggest([SimilarId("C1", wrote, linked, own)])
    assert [reason.code for each in found for reason in each.reasons] == ([code] if code else [])


ids = st.text(ascii_uppercase + digits, min_size=2, max_size=12).filter(lambda text: not text.isdigit())


@given(right=ids, data=st.data())
def test_every_typing_error_in_an_id_is_found(right: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(right) - 1))
    letter = data.draw(st.sampled_from(ascii_uppercase + digits))
    swapped = right[:at] + right[at + 1 : at + 2] + right[at : at + 1] + right[at + 2 :]
    for wrong in (right[:at] + right[at + 1 :], right[:at] + letter + right[at:], swapped, right.lower()):
        if any(each.isalpha() for each in wrong):  # of digits alone only digits are thought of
            assert right in near_ids(wrong)


@given(number=st.integers(1, 9_999_999), digit=st.integers(0, 9))
def test_own_id_is_found_with_a_wrong_check_digit_prefix_or_letter_case(number: int, digit: int) -> None:
    right = f"CSCO{number:07d}0"
    for wrong in (
        f"{right[:-1]}{digit}",
        right.lower(),
        right.removeprefix("CSCO"),
        f"JPR{right[4:]}",
        f"CSC{right[4:]}",
    ):
        assert right in near_own_ids(wrong, "CSCO", 8)


def test_what_is_no_id_of_ours_is_not_searched_for() -> None:
    for text in ("Smith", "", "MCP2026ABCDEFGH", "1" * 40):
        assert near_own_ids(text, "CSCO", 8) == set()
    assert len(near_ids("A" * 100)) == 2
