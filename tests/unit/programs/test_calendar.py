"""Calendar arithmetic."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import Period, add_months, add_years


@pytest.mark.parametrize(
    ("start", "years", "end"),
    [
        (date(2024, 2, 29), 3, date(2027, 2, 28)),
        (date(2024, 2, 29), 4, date(2028, 2, 29)),
        (date(2025, 2, 28), 3, date(2028, 2, 28)),
        (date(2023, 5, 10), 3, date(2026, 5, 10)),
        (date(9998, 5, 10), 3, date.max),
    ],
)
def test_years_keep_month_and_day_where_there_is_one(start: date, years: int, end: date) -> None:
    assert add_years(start, years) == end


def test_months_end_with_the_month() -> None:
    assert add_months(date(2023, 8, 31), 6) == date(2024, 2, 29)
    assert add_months(date(2024, 4, 30), 1) == date(2024, 5, 30)
    assert add_months(date(2023, 12, 15), 1) == date(2024, 1, 15)


@given(st.dates(), st.integers(0, 2000))
def test_a_later_start_never_ends_earlier(start: date, months: int) -> None:
    following = start if start == date.max else date.fromordinal(start.toordinal() + 1)
    assert start <= Period(months).last_day(start) <= Period(months).last_day(following)
