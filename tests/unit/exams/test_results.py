"""What a result is by all that was said of it, and what follows from it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exams.domain.results import (
    Act,
    Consequence,
    Grade,
    Outcome,
    State,
    Status,
    Told,
    Verdict,
    Word,
    consequence,
    in_order,
    judge,
    outcomes,
    repeats,
    told_of,
)

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
moments = st.integers(0, 6).map(lambda hours: START + timedelta(hours=hours))
grades = st.sampled_from(Grade)
scores = st.none() | st.integers(300, 1000).map(float)
reports = st.builds(
    Word,
    ref=st.uuids().map(str),
    said_at=moments,
    act=st.just(Act.REPORT),
    revision=st.none() | st.integers(1, 6),
    status=st.none() | st.sampled_from(Status),
    grade=grades,
    score=scores,
    ruling=st.just(value=False),
)
measures = st.builds(
    Word,
    ref=st.uuids().map(str),
    said_at=moments,
    act=st.sampled_from([Act.HOLD, Act.RELEASE, Act.REVOKE, Act.RESTORE, Act.REGRADE]),
    revision=st.none(),
    status=st.none(),
    grade=grades,
    score=scores,
    ruling=st.just(value=False),
)
histories = st.lists(reports | measures, max_size=8, unique_by=lambda word: word.revision or word.ref)
tolds = st.builds(Told, grades, scores)


def said(*steps: tuple[object, ...]) -> list[Word]:
    """Words, an hour apart: an act, or a grade with a status."""
    words = []
    for at, (what, *more) in enumerate(steps):
        moment = START + timedelta(hours=at)
        if isinstance(what, Act):
            words.append(Word(str(at), moment, what, None, None, *more))  # type: ignore[arg-type]
        else:
            status = more[0] if more else None
            words.append(Word(str(at), moment, Act.REPORT, at + 1, status, what))  # type: ignore[arg-type]
    return words


def states(words: list[Word]) -> list[State | None]:
    return [outcome and outcome.state for outcome in outcomes(in_order(words))]


@given(histories, st.randoms(use_true_random=False))
def test_order_of_arrival_makes_no_difference(words: list[Word], dice: object) -> None:
    shuffled = list(words)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert in_order(shuffled) == in_order(words)


@given(histories)
def test_numbers_order_reports_and_moments_the_rest(words: list[Word]) -> None:
    ordered = in_order(words)
    assert sorted(map(id, ordered)) == sorted(map(id, words))
    numbers = [word.revision for word in ordered if word.revision is not None]
    assert numbers == sorted(numbers)
    for at, word in enumerate(ordered):
        if word.revision is None:
            assert all(later.revision is None or later.said_at > word.said_at for later in ordered[at + 1 :])


@given(histories)
def test_nothing_is_known_before_a_report_and_something_ever_after(words: list[Word]) -> None:
    ordered = in_order(words)
    first = next((at for at, word in enumerate(ordered) if word.act is Act.REPORT), len(ordered))
    found = outcomes(ordered)
    assert all(outcome is None for outcome in found[:first])
    for at, outcome in enumerate(found[first:], start=first):
        assert outcome is not None
        assert ordered[outcome.report].act is Act.REPORT
        assert outcome.report <= at


@given(histories)
def test_nothing_but_a_final_grade_is_told(words: list[Word]) -> None:
    for outcome in outcomes(in_order(words)):
        if outcome is None:
            continue
        told = told_of(outcome.status, outcome.grade, outcome.score)
        if outcome.state in (State.PROVISIONAL, State.ON_HOLD):
            assert told == Told(Grade.PENDING)
        else:
            assert told == Told(outcome.grade, outcome.score)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (said((Grade.PASS,)), [State.FINAL]),
        (said((Grade.PENDING,), (Grade.PASS,)), [State.PROVISIONAL, State.FINAL]),
        (said((Grade.PASS, Status.PROVISIONAL), (Grade.PASS,)), [State.PROVISIONAL, State.FINAL]),
        (said((Grade.FAIL,), (Grade.PASS,)), [State.FINAL, State.REVISED]),
        (said((Grade.FAIL,), (Grade.PASS,), (Grade.PASS,)), [State.FINAL, State.REVISED, State.REVISED]),
        (said((Grade.PASS,), (Act.HOLD,), (Act.RELEASE,)), [State.FINAL, State.ON_HOLD, State.RELEASED]),
        (said((Grade.PASS, Status.ON_HOLD), (Grade.PASS,)), [State.ON_HOLD, State.RELEASED]),
        (said((Grade.PASS,), (Act.HOLD,), (Grade.INVALIDATED,)), [State.FINAL, State.ON_HOLD, State.INVALIDATED]),
        (said((Grade.PASS,), (Act.REVOKE,), (Act.RESTORE,)), [State.FINAL, State.INVALIDATED, State.RESTORED]),
        (said((Grade.PASS,), (Act.REVOKE,), (Grade.FAIL,)), [State.FINAL, State.INVALIDATED, State.RESTORED]),
        (said((Grade.PASS,), (Act.RESTORE,)), [State.FINAL, State.FINAL]),
        (said((Grade.FAIL,), (Act.REGRADE, Grade.PASS, 810.0)), [State.FINAL, State.REVISED]),
        (said((Act.HOLD,), (Grade.PASS,)), [None, State.FINAL]),
    ],
)
def test_states(words: list[Word], expected: list[State | None]) -> None:
    assert states(words) == expected


def test_restored_result_is_what_it_was_before_it_was_revoked() -> None:
    words = said((Grade.PASS,), (Act.REGRADE, Grade.PASS, 900.0), (Act.REVOKE,), (Act.REVOKE,), (Act.RESTORE,))
    last = outcomes(words)[-1]
    assert last == Outcome(State.RESTORED, Status.FINAL, Grade.PASS, 900.0, report=0)


def test_result_that_was_held_when_it_was_revoked_is_held_again_when_restored() -> None:
    assert states(said((Grade.PASS,), (Act.HOLD,), (Act.REVOKE,), (Act.RESTORE,)))[-1] is State.ON_HOLD


@given(histories, reports)
def test_first_word_is_new_and_a_number_is_said_once(words: list[Word], word: Word) -> None:
    verdict = judge(words, word)
    assert (verdict is Verdict.NEW) == (not words)
    same = [known for known in words if word.revision is not None and known.revision == word.revision]
    if same:
        agree = (same[0].grade, same[0].score) == (word.grade, word.score)
        assert verdict in ((Verdict.DUPLICATE, Verdict.CONFLICT) if agree else (Verdict.CONFLICT,))
    elif words:
        assert verdict is (Verdict.REVISED if in_order([*words, word])[-1] == word else Verdict.STALE)


@given(histories.filter(bool))
def test_word_that_is_known_is_known(words: list[Word]) -> None:
    assert all(judge(words, word) is Verdict.DUPLICATE for word in words)


def test_same_number_with_another_status_is_a_conflict() -> None:
    known = Word("1", START, revision=1, grade=Grade.PASS)
    assert judge([known], Word("2", START, revision=1, grade=Grade.PASS, status=Status.FINAL)) is Verdict.DUPLICATE
    assert judge([known], Word("2", START, revision=1, grade=Grade.PASS, status=Status.ON_HOLD)) is Verdict.CONFLICT


def test_report_repeats_only_what_holds_where_it_stands() -> None:
    words = said((Grade.FAIL,), (Grade.PASS,))
    assert not repeats([], Word("f", START, grade=Grade.PASS))
    assert repeats(words, Word("f", START + timedelta(hours=5), grade=Grade.PASS))
    assert not repeats(words, Word("f", START + timedelta(hours=5), grade=Grade.FAIL))
    assert repeats(words, Word("f", START + timedelta(minutes=30), grade=Grade.FAIL))
    assert not repeats(words, Word("f", START - timedelta(hours=1), grade=Grade.FAIL))


PASS, FAIL = Told(Grade.PASS, 900.0), Told(Grade.FAIL, 400.0)


@pytest.mark.parametrize(
    ("told", "current", "expected"),
    [
        (None, PASS, Consequence.PASSED),
        (None, FAIL, Consequence.FAILED),
        (None, Told(Grade.PENDING), None),
        (None, Told(Grade.INVALIDATED), None),
        (PASS, PASS, None),
        (PASS, Told(Grade.PASS, 901.0), Consequence.REVISED),
        (PASS, FAIL, Consequence.REVISED),
        (FAIL, PASS, Consequence.REVISED),
        (PASS, Told(Grade.PENDING), Consequence.REVISED),
        (PASS, Told(Grade.INVALIDATED), Consequence.INVALIDATED),
        (Told(Grade.INVALIDATED), PASS, Consequence.REVISED),
    ],
)
def test_what_is_told(told: Told | None, current: Told, expected: Consequence | None) -> None:
    assert consequence(told, current) is expected


@given(tolds, tolds)
def test_what_reads_the_same_is_not_told_again(told: Told, current: Told) -> None:
    assert (consequence(told, current) is None) == (told == current)
