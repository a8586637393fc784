"""No bytes from outside crash a parser: a short look with every run, a long one by `make fuzz`."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, Target

by_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@by_target
def test_target_takes_what_it_is_meant_for(target: Target) -> None:
    for seed in target.seeds:
        target.run(seed)


@by_target
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_changed_and_made_up_bytes_are_refused_and_crash_nothing(target: Target, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from([*target.seeds, b""]))
    at = data.draw(st.integers(0, len(seed)))
    without = data.draw(st.integers(0, 40))
    target.run(seed[:at] + data.draw(st.binary(max_size=60)) + seed[at + without :])
