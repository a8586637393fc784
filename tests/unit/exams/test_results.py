"""What a report of a result is, and what follows from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exams.domain.results import Consequence, Grade, Outcome, Verdict, consequence, judge

outcomes = st.builds(Outcome, st.integers(1, 5), st.sampled_from(Grade), st.none() | st.integers(300, 1000).map(float))
PASS, FAIL = Outcome(1, Grade.PASS, 900.0), Outcome(1, Grade.FAIL, 400.0)


@given(outcomes)
def test_first_report_is_new(reported: Outcome) -> None:
    assert judge(None, reported) is Verdict.NEW


@given(outcomes, outcomes)
def test_only_a_higher_revision_replaces(known: Outcome, reported: Outcome) -> None:
    verdict = judge(known, reported)
    assert (verdict is Verdict.REVISED) == (reported.revision > known.revision)
    assert (verdict is Verdict.STALE) == (reported.revision < known.revision)
    if reported.revision == known.revision:
        same = (known.grade, known.score) == (reported.grade, reported.score)
        assert verdict is (Verdict.DUPLICATE if same else Verdict.CONFLICT)


@pytest.mark.parametrize(
    ("told", "current", "expected"),
    [
        (None, PASS, Consequence.PASSED),
        (None, FAIL, Consequence.FAILED),
        (None, Outcome(1, Grade.PENDING), None),
        (None, Outcome(1, Grade.INVALIDATED), None),
        (PASS, PASS, None),
        (PASS, Outcome(2, Grade.PASS, 900.0), None),
        (PASS, Outcome(2, Grade.PASS, 901.0), Consequence.REVISED),
        (PASS, Outcome(2, Grade.FAIL, 400.0), Consequence.REVISED),
        (FAIL, Outcome(2, Grade.PASS, 900.0), Consequence.REVISED),
        (PASS, Outcome(2, Grade.PENDING), Consequence.REVISED),
        (PASS, Outcome(2, Grade.INVALIDATED), Consequence.INVALIDATED),
        (Outcome(2, Grade.INVALIDATED), Outcome(3, Grade.INVALIDATED), None),
        (Outcome(2, Grade.INVALIDATED), Outcome(3, Grade.PASS, 900.0), Consequence.REVISED),
    ],
)
def test_what_is_told(told: Outcome | None, current: Outcome, expected: Consequence | None) -> None:
    assert consequence(told, current) is expected


@given(outcomes, outcomes)
def test_what_reads_the_same_is_not_told_again(told: Outcome, current: Outcome) -> None:
    same = (told.grade, told.score) == (current.grade, current.score)
    assert (consequence(told, current) is None) == same
