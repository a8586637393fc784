"""What can become of a case, by any order of steps; and its days."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.candidate_ids import is_candidate_id
from libs.common.programs import Program, load_programs
from libs.common.programs.cases import CASE_KINDS
from services.identity.domain.cases import (
    CaseClosed,
    Opinion,
    Progress,
    SecondOpinionNeeded,
    State,
    due_on,
    reference_of,
)

PROGRAM: Program = load_programs(Path(__file__).parents[3] / "deploy" / "programs")["cisco"]
A, B = "staff:a", "staff:b"

OPINIONS = st.builds(Opinion, st.booleans(), st.sampled_from([A, B, "staff:c"]), st.sampled_from([None, "X", "Y"]))
STEPS = st.lists(st.one_of(st.sampled_from(["answered", "asked", "withdrawn"]), OPINIONS), max_size=12)
Step = str | Opinion


def take(progress: Progress, step: Step) -> Progress:
    return progress.decided(step) if isinstance(step, Opinion) else getattr(progress, step)()


def walk(*, four_eyes: bool, steps: list[Step]) -> list[tuple[Step, Progress]]:
    """The steps that were possible, each with what came of it."""
    progress = Progress(four_eyes)
    way: list[tuple[Step, Progress]] = []
    for step in steps:
        try:
            progress = take(progress, step)
        except (CaseClosed, SecondOpinionNeeded):
            continue
        way.append((step, progress))
    return way


@given(steps=STEPS)
def test_no_path_goes_around_the_second_pair_of_eyes(steps: list[Step]) -> None:
    way = walk(four_eyes=True, steps=steps)
    for position, (step, progress) in enumerate(way):
        if progress.state in {State.ACCEPTED, State.REFUSED}:
            before, _ = way[position - 1]
            assert isinstance(step, Opinion)
            assert isinstance(before, Opinion), "nothing came between the two"
            assert position
            assert step.by != before.by
            assert (step.accept, step.other) == (before.accept, before.other)
            assert step.accept is (progress.state is State.ACCEPTED)


@given(four_eyes=st.booleans(), steps=STEPS, more=STEPS)
def test_nothing_becomes_of_a_closed_case(four_eyes: bool, steps: list[Step], more: list[Step]) -> None:
    way = walk(four_eyes=four_eyes, steps=steps)
    end = way[-1][1] if way else Progress(four_eyes)
    if not end.closed:
        return
    assert all(not progress.closed for _, progress in way[:-1])
    for step in more:
        with pytest.raises(CaseClosed):
            take(end, step)


@given(steps=STEPS)
def test_first_opinion_is_there_exactly_while_a_second_is_waited_for(steps: list[Step]) -> None:
    for _, progress in walk(four_eyes=True, steps=steps):
        assert (progress.first is not None) == (progress.state is State.DECIDED_ONCE)


@given(opinion=OPINIONS, steps=st.lists(st.sampled_from(["answered", "asked"]), max_size=4))
def test_one_decides_alone_where_one_is_enough(opinion: Opinion, steps: list[Step]) -> None:
    (*_, (_, end)) = walk(four_eyes=False, steps=[*steps, opinion])
    assert end.state is (State.ACCEPTED if opinion.accept else State.REFUSED)


def test_disagreement_leaves_the_case_open_for_two_who_agree() -> None:
    progress = Progress(four_eyes=True).decided(Opinion(accept=True, by=A)).decided(Opinion(accept=False, by=B))
    assert (progress.state, progress.first) == (State.OPEN, None)
    assert progress.decided(Opinion(accept=False, by=A)).decided(Opinion(accept=False, by=B)).state is State.REFUSED


def test_same_person_is_no_second_pair_of_eyes() -> None:
    once = Progress(four_eyes=True).decided(Opinion(accept=True, by=A))
    for again in (True, False):
        with pytest.raises(SecondOpinionNeeded):
            once.decided(Opinion(accept=again, by=A))


def test_what_the_candidate_adds_voids_the_first_opinion() -> None:
    once = Progress(four_eyes=True).decided(Opinion(accept=True, by=A))
    assert once.answered().decided(Opinion(accept=True, by=B)).state is State.DECIDED_ONCE


@given(
    days=st.integers(0, 20_000),
    kind=st.sampled_from(CASE_KINDS),
)
def test_due_day_is_a_working_day_so_many_after_the_programs_day(days: int, kind: Any) -> None:
    moment = datetime(2020, 1, 1, 7, 30, tzinfo=UTC) + timedelta(days)
    due, today = due_on(PROGRAM, kind, moment), PROGRAM.day_of(moment)
    between = [today + timedelta(n) for n in range(1, (due - today).days + 1)]
    assert sum(map(PROGRAM.calendar.is_business_day, between)) == PROGRAM.cases[kind].due_business_days
    assert PROGRAM.calendar.is_business_day(due)


def test_due_day_is_counted_in_the_programs_calendar() -> None:
    late_thursday_in_california = datetime(2026, 11, 20, 6, tzinfo=UTC)
    assert due_on(PROGRAM, "mapping", late_thursday_in_california) == date(2026, 11, 24)


@given(number=st.integers(1, 9_999_999))
def test_references_have_a_check_digit_and_are_no_candidate_ids(number: int) -> None:
    reference = reference_of(number)
    assert is_candidate_id(reference, "K", 8)
    wrong = f"{reference[:-1]}{(int(reference[-1]) + 1) % 10}"
    assert not is_candidate_id(wrong, "K", 8)
