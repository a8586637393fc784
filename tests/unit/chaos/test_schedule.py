"""The seed of a chaos run decides its faults, and every kind of fault gets its turn."""

from itertools import islice

import pytest

from tests.chaos.suite.catalogue import FAULTS, chosen
from tests.chaos.suite.schedule import PAUSE_SECONDS, steps

LASTS = {name: fault.lasts for name, fault in FAULTS.items()}
ROUND = len(FAULTS)


def test_the_same_seed_brings_the_same_faults_for_the_same_time() -> None:
    assert list(islice(steps(7, LASTS), 3 * ROUND)) == list(islice(steps(7, LASTS), 3 * ROUND))


def test_another_seed_brings_another_order() -> None:
    assert [step.fault for step in islice(steps(7, LASTS), ROUND)] != [
        step.fault for step in islice(steps(8, LASTS), ROUND)
    ]


def test_every_fault_comes_once_before_any_comes_again() -> None:
    drawn = [step.fault for step in islice(steps(7, LASTS), 2 * ROUND)]
    assert sorted(drawn[:ROUND]) == sorted(drawn[ROUND:]) == sorted(FAULTS)
    assert drawn[:ROUND] != drawn[ROUND:]


def test_faults_last_and_pauses_are_as_long_as_they_may_be() -> None:
    for step in islice(steps(7, LASTS), 5 * ROUND):
        least, most = LASTS[step.fault]
        assert least <= step.seconds <= most
        assert PAUSE_SECONDS[0] <= step.pause <= PAUSE_SECONDS[1]


def test_each_step_leaves_its_own_chances_to_its_own_seed() -> None:
    seeds = [step.seed for step in islice(steps(7, LASTS), 3 * ROUND)]
    assert len(set(seeds)) == len(seeds)


def test_only_the_faults_that_are_named_come() -> None:
    assert set(chosen(["kill", " freeze "])) == {"kill", "freeze"}
    assert chosen([""]) == FAULTS


def test_a_fault_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="no fault called earthquake"):
        chosen(["kill", "earthquake"])


def test_no_fault_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="no fault to choose"):
        next(steps(7, {}))
