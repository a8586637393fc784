"""How long an account rests after wrong passwords."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.lockout import FREE_TRIES, LONGEST, rest_after


@pytest.mark.parametrize("failures", range(FREE_TRIES))
def test_first_wrong_passwords_cost_nothing(failures: int) -> None:
    assert rest_after(failures) == timedelta(0)


def test_rest_begins_with_a_minute_and_doubles() -> None:
    rests = [rest_after(FREE_TRIES + n) for n in range(5)]
    assert rests == [timedelta(minutes=2**n) for n in range(5)]


@given(st.integers(0, 10**9))
def test_rest_never_shrinks_and_never_exceeds_the_longest(failures: int) -> None:
    assert rest_after(failures) <= rest_after(failures + 1) <= LONGEST


def test_who_goes_on_guessing_waits_the_longest() -> None:
    assert rest_after(100) == LONGEST
