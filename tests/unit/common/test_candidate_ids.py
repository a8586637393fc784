"""Candidate IDs: every error people make when they copy a number is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.candidate_ids import candidate_id, is_candidate_id, meant_ids

PREFIX, DIGITS = "CSCO", 8
numbers = st.integers(1, 10 ** (DIGITS - 1) - 1)


@given(numbers)
def test_made_id_is_well_formed(number: int) -> None:
    made = candidate_id(PREFIX, DIGITS, number)
    assert len(made) == len(PREFIX) + DIGITS
    assert is_candidate_id(made, PREFIX, DIGITS)
    assert int(made.removeprefix(PREFIX)[:-1]) == number


@given(numbers)
def test_every_wrong_digit_is_found(number: int) -> None:
    body = candidate_id(PREFIX, DIGITS, number).removeprefix(PREFIX)
    for place, digit in enumerate(body):
        for other in set("0123456789") - {digit}:
            assert not is_candidate_id(PREFIX + body[:place] + other + body[place + 1 :], PREFIX, DIGITS)


@given(numbers)
def test_every_swap_of_neighbours_is_found(number: int) -> None:
    body = candidate_id(PREFIX, DIGITS, number).removeprefix(PREFIX)
    for place in range(DIGITS - 1):
        first, second = body[place], body[place + 1]
        swapped = body[:place] + second + first + body[place + 2 :]
        assert is_candidate_id(PREFIX + swapped, PREFIX, DIGITS) == (first == second)


@given(numbers, numbers)
def test_different_numbers_have_different_ids(one: int, other: int) -> None:
    assert (candidate_id(PREFIX, DIGITS, one) == candidate_id(PREFIX, DIGITS, other)) == (one == other)


@pytest.mark.parametrize("number", [0, -1, 10 ** (DIGITS - 1)])
def test_number_without_room_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=str(number)):
        candidate_id(PREFIX, DIGITS, number)


def test_last_number_that_has_room() -> None:
    assert is_candidate_id(candidate_id(PREFIX, DIGITS, 10 ** (DIGITS - 1) - 1), PREFIX, DIGITS)


@pytest.mark.parametrize("change", [str.lower, lambda text: text[:-1], lambda text: f"{text}0", lambda text: text[4:]])
def test_what_only_looks_like_an_id_is_none(change: object) -> None:
    assert callable(change)
    assert not is_candidate_id(change(candidate_id(PREFIX, DIGITS, 1234)), PREFIX, DIGITS)


def test_digits_of_other_scripts_are_none() -> None:
    made = candidate_id(PREFIX, DIGITS, 1)
    assert not is_candidate_id(made.replace("0", "\N{ARABIC-INDIC DIGIT ZERO}"), PREFIX, DIGITS)


def test_id_of_another_program_is_none() -> None:
    assert not is_candidate_id(candidate_id("JPR", DIGITS, 1), PREFIX, DIGITS)


@given(numbers, st.data())
def test_an_id_with_a_typing_error_means_the_one_it_was(number: int, data: st.DataObject) -> None:
    given_id = candidate_id(PREFIX, DIGITS, number)
    body = given_id.removeprefix(PREFIX)
    at = data.draw(st.integers(0, DIGITS - 1))
    digit = data.draw(st.sampled_from("0123456789"))
    for wrong in (
        body[:at] + digit + body[at + 1 :],
        body[:at] + body[at + 1 :],
        body[:at] + digit + body[at:],
        body[:at] + body[at + 1 : at + 2] + body[at : at + 1] + body[at + 2 :],
    ):
        assert given_id in meant_ids(PREFIX + wrong, PREFIX, DIGITS)


@given(numbers)
def test_an_id_without_error_means_itself_however_it_is_written(number: int) -> None:
    made = candidate_id(PREFIX, DIGITS, number)
    body = made.removeprefix(PREFIX)
    for written in (made, made.lower(), f" csco-{body[:4]} {body[4:]} ", body):
        assert meant_ids(written, PREFIX, DIGITS) == [made]


@given(st.text(max_size=60))
def test_whatever_is_typed_means_few_ids_that_can_be(text: str) -> None:
    meant = meant_ids(text, PREFIX, DIGITS)
    assert len(meant) <= 3 * DIGITS
    assert all(is_candidate_id(each, PREFIX, DIGITS) for each in meant)


@pytest.mark.parametrize("text", ["", "CSCO", "Ada", "1234567", "CSCO²²²²²²²²", "CSCO" + "1" * 150])
def test_what_looks_like_no_id_means_none(text: str) -> None:
    assert not meant_ids(text, PREFIX, DIGITS)
