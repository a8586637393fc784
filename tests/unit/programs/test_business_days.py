"""Promises are counted in days on which people work."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs.calendar import add_business_days


@pytest.mark.parametrize(
    ("day", "days", "end"),
    [
        ("2026-11-20", 0, "2026-11-20"),  # a Friday
        ("2026-11-20", 1, "2026-11-23"),
        ("2026-11-20", 5, "2026-11-27"),
        ("2026-11-21", 1, "2026-11-23"),  # a Saturday
        ("2026-11-22", 5, "2026-11-27"),
        ("2026-11-18", 3, "2026-11-23"),
        ("9999-12-30", 9, "9999-12-31"),
    ],
)
def test_weekends_do_not_count(day: str, days: int, end: str) -> None:
    assert add_business_days(date.fromisoformat(day), days) == date.fromisoformat(end)


@given(day=st.dates(date(2000, 1, 1), date(2100, 1, 1)), days=st.integers(1, 60))
def test_so_many_working_days_lie_between_and_the_last_is_one(day: date, days: int) -> None:
    end = add_business_days(day, days)
    between = [day + timedelta(each) for each in range(1, (end - day).days + 1)]
    assert sum(each.weekday() < 5 for each in between) == days
    assert end.weekday() < 5
