"""Refusals leave at even moments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.even_time import EVEN_SECONDS, until_even


@given(st.floats(min_value=0, max_value=100))
def test_what_took_any_time_leaves_at_the_next_even_moment(elapsed: float) -> None:
    wait = until_even(elapsed)
    assert 0 <= wait <= EVEN_SECONDS
    steps = (elapsed + wait) / EVEN_SECONDS
    assert steps == pytest.approx(round(steps), abs=1e-6)
    assert steps > 0.5, "nothing leaves at once"
