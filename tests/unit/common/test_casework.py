"""What can become of something that staff decide, by any order of steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.casework.progress import Closed, Opinion, Progress, SecondOpinionNeeded, Stage

A, B = "staff:a", "staff:b"
ENDS = ("accepted", "refused")
YES, NO = ENDS

OPINIONS = st.builds(
    Opinion, st.sampled_from(ENDS), st.sampled_from([A, B, "staff:c"]), st.sampled_from([None, "X", "Y"])
)
STEPS = st.lists(st.one_of(st.sampled_from(["answered", "asked", "noted", "withdrawn"]), OPINIONS), max_size=12)
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
        except (Closed, SecondOpinionNeeded):
            continue
        way.append((step, progress))
    return way


@given(steps=STEPS)
def test_no_path_goes_around_the_second_pair_of_eyes(steps: list[Step]) -> None:
    way = walk(four_eyes=True, steps=steps)
    for position, (step, progress) in enumerate(way):
        if progress.state in ENDS:
            before = next(one for one, _ in reversed(way[:position]) if one != "noted")
            assert isinstance(step, Opinion)
            assert isinstance(before, Opinion), "nothing came between the two"
            assert step.by != before.by
            assert (step.end, step.terms) == (before.end, before.terms) == (progress.state, step.terms)


@given(four_eyes=st.booleans(), steps=STEPS, more=STEPS)
def test_nothing_becomes_of_a_closed_case(four_eyes: bool, steps: list[Step], more: list[Step]) -> None:
    way = walk(four_eyes=four_eyes, steps=steps)
    end = way[-1][1] if way else Progress(four_eyes)
    if not end.closed:
        return
    assert all(not progress.closed for _, progress in way[:-1])
    for step in more:
        with pytest.raises(Closed):
            take(end, step)


@given(steps=STEPS)
def test_first_opinion_is_there_exactly_while_a_second_is_waited_for(steps: list[Step]) -> None:
    for _, progress in walk(four_eyes=True, steps=steps):
        assert (progress.first is not None) == (progress.state == Stage.DECIDED_ONCE)


@given(opinion=OPINIONS, steps=st.lists(st.sampled_from(["answered", "asked"]), max_size=4))
def test_one_decides_alone_where_one_is_enough(opinion: Opinion, steps: list[Step]) -> None:
    (*_, (_, end)) = walk(four_eyes=False, steps=[*steps, opinion])
    assert end.state == opinion.end


def test_disagreement_leaves_the_case_open_for_two_who_agree() -> None:
    progress = Progress(four_eyes=True).decided(Opinion(YES, A)).decided(Opinion(NO, B))
    assert (progress.state, progress.first) == (Stage.OPEN, None)
    assert progress.decided(Opinion(NO, A)).decided(Opinion(NO, B)).state == NO


def test_same_person_is_no_second_pair_of_eyes() -> None:
    once = Progress(four_eyes=True).decided(Opinion(YES, A))
    for again in ENDS:
        with pytest.raises(SecondOpinionNeeded):
            once.decided(Opinion(again, A))


def test_what_the_candidate_adds_voids_the_first_opinion() -> None:
    once = Progress(four_eyes=True).decided(Opinion(YES, A))
    assert once.answered().decided(Opinion(YES, B)).state == Stage.DECIDED_ONCE


def test_what_is_settled_by_itself_is_closed_and_cannot_be_settled_twice() -> None:
    once = Progress(four_eyes=True).decided(Opinion(YES, A)).settled("arrived")
    assert (once.state, once.first, once.closed) == ("arrived", None, True)
    with pytest.raises(Closed):
        once.settled("lapsed")
