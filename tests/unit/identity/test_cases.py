"""What support cases are called, and their days."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from libs.common.candidate_ids import is_candidate_id
from libs.common.programs import Program, load_programs
from libs.common.programs.cases import CASE_KINDS
from services.identity.domain.cases import due_on, reference_of

PROGRAM: Program = load_programs(Path(__file__).parents[3] / "deploy" / "programs")["cisco"]


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
