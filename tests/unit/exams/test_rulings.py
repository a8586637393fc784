"""Rulings of staff among what a vendor says: they stand against what was said before, and what only repeats it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.exams.domain.results import Act, Grade, Outcome, State, Status, Word, in_order, outcomes
from services.exams.domain.rulings import challenge_of, overtaken, ruling_id_of, ruling_moment, ruling_ref

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
RULED_AT = 4
RULING = ruling_ref("H1", by_challenge=True)

moments = st.integers(0, 8).map(lambda hours: START + timedelta(hours=hours))
scores = st.sampled_from([None, 600.0, 700.0])
grades = st.sampled_from([Grade.PASS, Grade.FAIL, Grade.INVALIDATED])


def report(number: int | None, hours: int, grade: Grade, score: float | None = None, **more: Any) -> Word:
    return Word(f"w{number}-{hours}", START + timedelta(hours=hours), Act.REPORT, number, None, grade, score, **more)


def ruling(hours: int, grade: Grade, score: float | None = None, ref: str = RULING) -> Word:
    return Word(ref, START + timedelta(hours=hours), Act.REGRADE, None, None, grade, score, ruling=True)


def end(words: list[Word]) -> Outcome:
    last = outcomes(in_order(words))[-1]
    assert last is not None
    return last


reports = st.builds(
    Word,
    ref=st.uuids().map(str),
    said_at=moments,
    act=st.just(Act.REPORT),
    revision=st.none() | st.integers(1, 6),
    status=st.none(),
    grade=grades,
    score=scores,
    ruling=st.just(value=False),
)
histories = st.lists(reports, min_size=1, max_size=6, unique_by=lambda word: word.revision or word.ref)


def claim(word: Word) -> tuple[Any, ...]:
    return word.grade, None if word.grade is Grade.INVALIDATED else word.score


@given(histories, grades, scores, st.randoms(use_true_random=False))
def test_ruling_holds_until_a_later_report_says_something_else_in_any_order_of_arrival(
    said: list[Word], grade: Grade, score: float | None, dice: Any
) -> None:
    ruled = ruling(RULED_AT, grade, score)
    words = [*said, ruled]
    dice.shuffle(words)
    ordered = in_order(words)
    at = ordered.index(ruled)
    if at == 0:  # nothing was reported: staff rule on what they see
        return
    last, now = ordered[-1], end(words)
    stands = last is ruled or claim(last) == claim(ordered[at - 1])
    assert (now.grade, now.score) == ((grade, score) if stands else (last.grade, last.score))
    assert now.ruling == (RULING if stands else None)
    assert all(word.said_at > ruled.said_at for word in ordered[at + 1 :] if word.revision is None)
    assert overtaken(words) == (RULING, (now.grade, now.score) != (grade, score))


@given(histories, grades, scores)
def test_nothing_said_before_a_ruling_outweighs_it_however_late_it_comes(
    said: list[Word], grade: Grade, score: float | None
) -> None:
    before = [word for word in said if word.said_at <= START + timedelta(hours=RULED_AT)]
    if before:
        now = end([*before, ruling(RULED_AT, grade, score)])
        assert (now.grade, now.score, now.ruling) == (grade, score, RULING)


def test_higher_number_said_before_the_ruling_and_known_after_it_changes_nothing() -> None:
    words = [report(1, 0, Grade.FAIL, 600.0), ruling(4, Grade.PASS, 700.0), report(2, 3, Grade.FAIL, 650.0)]
    assert (end(words).grade, overtaken(words)) == (Grade.PASS, (RULING, False))


def test_vendor_that_repeats_itself_is_not_heard_again() -> None:
    words = [report(1, 0, Grade.FAIL, 600.0), ruling(4, Grade.PASS, 700.0), report(2, 5, Grade.FAIL, 600.0)]
    now = end(words)
    assert (now.grade, now.score, now.ruling, now.report) == (Grade.PASS, 700.0, RULING, 2)
    assert overtaken(words) == (RULING, False)


def test_vendor_that_says_something_new_is_heard_and_its_old_word_again_is_not() -> None:
    words = [report(1, 0, Grade.FAIL, 600.0), ruling(4, Grade.PASS, 700.0), report(2, 5, Grade.FAIL, 650.0)]
    assert ((end(words).grade, end(words).score), overtaken(words)) == ((Grade.FAIL, 650.0), (RULING, True))
    words.append(report(3, 6, Grade.FAIL, 600.0))
    assert (end(words).grade, overtaken(words)) == (Grade.PASS, (RULING, False))


def test_vendor_is_not_heard_again_with_anything_that_staff_have_overruled_in_whatever_form() -> None:
    words = [report(1, 0, Grade.PASS, 700.0), Word("r", START + timedelta(hours=1), Act.REVOKE)]
    words += [ruling(4, Grade.PASS, 700.0), report(2, 5, Grade.INVALIDATED)]
    assert (end(words).grade, overtaken(words)) == (Grade.PASS, (RULING, False))
    words += [ruling(6, Grade.PASS, 710.0, ref="ruling:R2"), Word("s", START + timedelta(hours=7), Act.REVOKE)]
    assert (end(words).score, end(words).ruling) == (710.0, "ruling:R2")
    words.append(report(3, 8, Grade.FAIL, 500.0))
    assert (end(words).grade, overtaken(words)) == (Grade.FAIL, ("ruling:R2", True))


def test_hold_after_a_ruling_hides_it_and_its_release_brings_it_back() -> None:
    words = [report(1, 0, Grade.FAIL, 600.0), ruling(4, Grade.PASS, 700.0)]
    words.append(Word("h", START + timedelta(hours=5), Act.HOLD))
    assert end(words).status is Status.ON_HOLD
    assert overtaken(words) == (RULING, False), "a hold is nobody's to know"
    words.append(Word("r", START + timedelta(hours=6), Act.RELEASE))
    assert (end(words).grade, end(words).ruling) == (Grade.PASS, RULING)


def test_hold_with_another_grade_moves_no_mark_until_it_is_released_with_it() -> None:
    words = [report(1, 0, Grade.FAIL, 600.0), ruling(4, Grade.PASS, 700.0)]
    words.append(report(2, 5, Grade.FAIL, 400.0)._replace(status=Status.ON_HOLD))
    assert overtaken(words) == (RULING, False)
    words.append(report(3, 6, Grade.FAIL, 400.0))
    assert overtaken(words) == (RULING, True)


def test_ruling_on_what_was_void_restores_it_and_the_last_of_two_counts() -> None:
    words = [report(1, 0, Grade.PASS), report(2, 1, Grade.INVALIDATED), ruling(4, Grade.PASS)]
    assert end(words).state is State.RESTORED
    words.append(ruling(6, Grade.INVALIDATED, ref="ruling:R2"))
    assert (end(words).grade, overtaken(words)) == (Grade.INVALIDATED, ("ruling:R2", False))


def test_nobody_has_ruled() -> None:
    assert overtaken([report(1, 0, Grade.PASS)]) is None


@given(st.lists(moments, max_size=4), moments)
def test_ruling_is_said_after_all_that_it_rests_on(said: list[datetime], now: datetime) -> None:
    words = [Word(str(at), moment, revision=at + 1, grade=Grade.FAIL) for at, moment in enumerate(said)]
    moment = ruling_moment(words, now)
    assert moment >= now
    last = Word(RULING, moment, Act.REGRADE, grade=Grade.PASS, ruling=True)
    assert in_order([*words, last])[-1] is last


def test_name_of_a_ruling_says_whether_it_decides_a_challenge() -> None:
    assert challenge_of(ruling_ref("H1", by_challenge=True)) == "H1"
    assert challenge_of(ruling_ref("H1", by_challenge=False)) is None
    assert ruling_id_of(ruling_ref("H1", by_challenge=False)) == "H1"
