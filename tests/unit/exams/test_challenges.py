"""Which results can be challenged and until when; what can become of a challenge."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.casework.progress import Closed, Opinion, Progress, SecondOpinionNeeded
from libs.common.programs import Program, load_programs
from libs.common.programs.challenges import CHALLENGED_GRADES, ChallengeRules
from services.exams.domain.challenges import CLOSED, Obstacle, Standing, State, due_on, last_day, obstacle
from services.exams.domain.results import Grade

PROGRAM: Program = load_programs(Path(__file__).parents[3] / "deploy" / "programs")["cisco"]
TOLD = date(2026, 3, 2)
PEOPLE = st.sampled_from(["staff:a", "staff:b", "staff:c"])
TERMS = st.sampled_from(
    [("fail", None, None, None), ("fail", None, "pass", 700.0), ("fail", None, "invalidated", None)]
)
OPINIONS = st.builds(Opinion, st.sampled_from([State.UPHELD, State.CHANGED, State.REFUSED]), PEOPLE, TERMS)
STEPS = st.lists(st.one_of(st.sampled_from(["answered", "asked", "noted", "withdrawn"]), OPINIONS), max_size=12)

rules = st.builds(
    ChallengeRules,
    days=st.integers(1, 365),
    due_business_days=st.integers(1, 60),
    four_eyes=st.booleans(),
    grades=st.frozensets(st.sampled_from(CHALLENGED_GRADES), min_size=1),
    per_result=st.integers(1, 3),
    evidence=st.none(),
)
standings = st.builds(Standing, st.sampled_from([Grade.PASS, Grade.FAIL, Grade.INVALIDATED]), st.none(), st.just(TOLD))


@given(rules, standings, st.integers(0, 800), st.integers(0, 4))
def test_result_can_be_challenged_within_the_days_of_the_program_and_no_longer(
    rule: ChallengeRules, standing: Standing, after: int, before: int
) -> None:
    today = TOLD + timedelta(days=after)
    found = obstacle(rule, standing, today, before)
    may = standing.grade in rule.grades and before < rule.per_result and today <= last_day(rule, standing)
    assert (found is None) is may
    assert last_day(rule, standing) == TOLD + timedelta(days=rule.days)


@given(standings)
def test_nothing_can_be_challenged_where_the_program_says_nothing(standing: Standing) -> None:
    assert obstacle(None, standing, TOLD, 0) is Obstacle.NOT_OFFERED


def test_last_day_is_a_whole_day_and_the_next_is_too_late() -> None:
    standing = Standing(Grade.FAIL, None, TOLD)
    assert PROGRAM.challenges is not None
    until = last_day(PROGRAM.challenges, standing)
    assert obstacle(PROGRAM.challenges, standing, until, 0) is None
    assert obstacle(PROGRAM.challenges, standing, until + timedelta(days=1), 0) is Obstacle.TOO_LATE


@given(st.booleans(), STEPS)
def test_every_order_of_steps_ends_in_a_state_that_there_is_and_what_is_closed_stays_so(
    four_eyes: bool, steps: list[str | Opinion]
) -> None:
    progress, ends = Progress(four_eyes), 0
    for step in steps:
        before = progress
        try:
            progress = progress.decided(step) if isinstance(step, Opinion) else getattr(progress, step)()
        except (Closed, SecondOpinionNeeded):
            continue
        assert not before.closed, "what is closed stays closed"
        ends += progress.closed
        assert State(progress.state) in set(State)
        assert progress.closed is (State(progress.state) in CLOSED)
    assert ends <= 1


def test_two_who_saw_the_result_stand_differently_have_not_agreed() -> None:
    one = Opinion(State.CHANGED, "staff:a", ("fail", 600.0, "pass", 700.0))
    other = Opinion(State.CHANGED, "staff:b", ("fail", 650.0, "pass", 700.0))
    assert Progress(four_eyes=True).decided(one).decided(other).state == State.OPEN


def test_due_day_is_counted_in_the_programs_calendar() -> None:
    assert PROGRAM.challenges is not None
    late_thursday_in_california = datetime(2026, 11, 20, 6, tzinfo=UTC)
    assert due_on(PROGRAM, PROGRAM.challenges, late_thursday_in_california) == date(2026, 12, 4), (
        "Thanksgiving lies between"
    )


@pytest.mark.parametrize("name", ["cisco", "juniper"])
def test_sample_programs_offer_challenges_decided_by_two(name: str) -> None:
    program = load_programs(Path(__file__).parents[3] / "deploy" / "programs")[name]
    assert program.challenges is not None
    assert program.challenges.four_eyes
