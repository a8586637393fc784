"""Promises are counted in days on which people work."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import BusinessCalendar, Program, ProgramErrors, load_definition, load_programs
from libs.common.programs.business_calendar import WEEKDAYS

FEDERAL = BusinessCalendar(country="US")
SAMPLES = load_programs(Path(__file__).parents[3] / "deploy" / "programs")

FEDERAL_2026 = (
    # Title 5 of the United States Code, section 6103; 4 July 2026 is a Saturday, so the Friday before is off.
    "2026-01-01",
    "2026-01-19",
    "2026-02-16",
    "2026-05-25",
    "2026-06-19",
    "2026-07-03",
    "2026-09-07",
    "2026-10-12",
    "2026-11-11",
    "2026-11-26",
    "2026-12-25",
)


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
    assert WEEKDAYS.add(date.fromisoformat(day), days) == date.fromisoformat(end)


@pytest.mark.parametrize(
    ("day", "days", "end"),
    [
        ("2026-11-20", 4, "2026-11-27"),  # over Thanksgiving, a Thursday
        ("2026-11-25", 1, "2026-11-27"),
        ("2026-07-02", 1, "2026-07-06"),  # over Independence Day, a Saturday: the Friday is off
        ("2026-12-24", 5, "2027-01-04"),  # over Christmas and New Year's Day
        ("2027-12-30", 1, "2028-01-03"),  # New Year's Day 2028 is a Saturday: it is observed in the year before
        ("2026-12-25", 1, "2026-12-28"),  # begun on a holiday
        ("2026-03-02", 5, "2026-03-09"),
    ],
)
def test_public_holidays_do_not_count(day: str, days: int, end: str) -> None:
    for calendar in (FEDERAL, SAMPLES["cisco"].calendar, SAMPLES["juniper"].calendar):
        assert calendar.add(date.fromisoformat(day), days) == date.fromisoformat(end)


def test_days_off_of_2026_are_those_of_the_table() -> None:
    days = (date(2026, 1, 1) + timedelta(number) for number in range(365))
    off = [day.isoformat() for day in days if day.weekday() < 5 and not FEDERAL.is_business_day(day)]
    assert off == list(FEDERAL_2026)


days_of_our_time = st.dates(date(2000, 1, 1), date(2090, 1, 1))
near = st.dates(date(2025, 12, 1), date(2026, 2, 1))
calendars = st.builds(
    BusinessCalendar,
    weekend=st.frozensets(st.integers(0, 6), max_size=6),
    country=st.sampled_from([None, "US", "DE", "AE", "IN"]),
    closed=st.frozensets(near),
    open=st.frozensets(near),
)


@given(calendar=calendars, day=st.one_of(days_of_our_time, near), days=st.integers(1, 60))
def test_so_many_business_days_lie_between_and_the_last_is_one(
    calendar: BusinessCalendar, day: date, days: int
) -> None:
    end = calendar.add(day, days)
    between = [day + timedelta(each) for each in range(1, (end - day).days + 1)]
    assert sum(map(calendar.is_business_day, between)) == days == calendar.between(day, end)
    assert calendar.is_business_day(end)


@given(calendar=calendars, start=near, end=near)
def test_days_between_are_those_counted_one_by_one(calendar: BusinessCalendar, start: date, end: date) -> None:
    each = [start + timedelta(number) for number in range(1, (end - start).days + 1)]
    assert calendar.between(start, end) == sum(map(calendar.is_business_day, each))


@given(calendar=calendars, day=near, some=st.integers(0, 40), more=st.integers(0, 40))
def test_counting_on_is_counting_at_once(calendar: BusinessCalendar, day: date, some: int, more: int) -> None:
    assert calendar.add(calendar.add(day, some), more) == calendar.add(day, some + more)


@given(day=days_of_our_time)
def test_own_days_go_before_all_else(day: date) -> None:
    assert BusinessCalendar(weekend=frozenset({day.weekday()}), open=frozenset({day})).is_business_day(day)
    assert not BusinessCalendar(weekend=frozenset(), closed=frozenset({day})).is_business_day(day)


def load(section: str) -> Program:
    cisco = SAMPLES["cisco"].definition
    start = cisco.index("result_overdue_business_days")
    end = cisco.index("defaults:")
    return load_definition(cisco[:start] + section + "\n" + cisco[end:], name="cisco.yaml")


def test_program_without_a_calendar_works_from_monday_to_friday() -> None:
    program = load("")
    assert program.calendar == BusinessCalendar()
    assert (program.result_promise, program.result_overdue) == (5, 10)


def test_calendar_is_read_as_it_is_written() -> None:
    section = "calendar: {weekend: [friday, saturday], holidays: {country: DE, subdivision: BY}, closed: [2026-12-24]}"
    calendar = load(section).calendar
    assert not calendar.is_business_day(date(2026, 11, 20))
    assert calendar.is_business_day(date(2026, 11, 22))
    assert not calendar.is_business_day(date(2026, 1, 6)), "Epiphany is a holiday of Bavaria"
    assert not calendar.is_business_day(date(2026, 12, 24))


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("calendar: {holidays: {country: XX}}", "the holidays of the country 'XX' are not known"),
        ("calendar: {holidays: {country: US, subdivision: BY}}", "the country 'US' has no subdivision 'BY'"),
        ("calendar: {weekend: [sunday, sunday]}", "the weekend names a day twice"),
        (
            "calendar: {weekend: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]}",
            "at most 6 items",
        ),
        ("calendar: {closed: [2026-01-02], open: [2026-01-02]}", "2026-01-02 cannot be both closed and open"),
        ("result_overdue_business_days: 4", "must be no less than result_promise_business_days"),
    ],
)
def test_calendar_that_cannot_be_is_refused_with_its_line(section: str, fault: str) -> None:
    with pytest.raises(ProgramErrors) as refused:
        load(section)
    (error,) = refused.value.errors
    assert fault in str(error)
    assert (
        error.line == SAMPLES["cisco"].definition[: SAMPLES["cisco"].definition.index("result_overdue")].count("\n") + 1
    )
