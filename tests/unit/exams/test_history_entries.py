"""Histories as lines: complete, numbered, paged without gaps, and silent about what is on hold."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.platform import PROGRAMS
from libs.common.programs import load_program
from services.exams.history.entries import Entry, Filter, Order, Sort, arranged, entries, place, totals

CISCO = load_program(PROGRAMS / "cisco.yaml")
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
NOW = START + timedelta(days=40)
SORTS, ORDERS = get_args(Sort), get_args(Order)


def result(number: int, day: int = 0, **changes: Any) -> dict[str, Any]:
    taken_at = START + timedelta(days=day)
    return {
        "_id": f"cisco:vue:{number}",
        "vendor": "vue",
        "registration_id": f"G{number}",
        "exam_code": "200-301",
        "utc_offset": 60,
        "taken_at": taken_at,
        "taken_on": taken_at.date().isoformat(),
        "state": "final",
        "grade": "pass",
        "score": 900.0,
    } | changes


def held(number: int, day: int = 0, **changes: Any) -> dict[str, Any]:
    return result(number, day, state="on_hold", **changes)


def booking(number: int, day: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "_id": f"cisco:vue:G{number}",
        "vendor": "vue",
        "registration_id": f"G{number}",
        "exam_code": "200-301",
        "utc_offset": 60,
        "scheduled_at": START + timedelta(days=day),
        "state": "scheduled",
        "reason": None,
    } | changes


def achievement(number: int, day: int = 0) -> dict[str, Any]:
    at = START.replace(hour=0) + timedelta(days=day)
    return {"_id": f"cisco:vue:{number}", "vendor": "vue", "title": "Lab", "achieved_at": at, "withdrawn": False}


def lines(results: Any = (), bookings: Any = (), achievements: Any = ()) -> list[Entry]:
    return entries(CISCO, results, bookings, achievements, NOW)


def told(found: list[Entry]) -> list[tuple[str | None, str, int | None]]:
    return [(entry.kind, entry.state, entry.attempt) for entry in arranged(found, "date", "asc", None)]


def test_every_attempt_is_there_and_counted_by_exam() -> None:
    found = lines(
        [
            result(1, 0, grade="fail"),
            result(2, 10, vendor="psi", state="invalidated", grade="invalidated"),
            result(3, 11, exam_code="350-401"),
        ],
        [
            booking(1, 0),
            booking(4, 12, state="no_show"),
            booking(5, 13, state="no_show", reason="nda_refused"),
            booking(6, 14),
            booking(7, 15, state="cancelled"),
            booking(8, 90),
        ],
        [achievement(1, 16)],
    )
    assert told(found) == [
        ("written", "final", 1),
        ("written", "invalidated", 2),
        ("written", "final", 1),
        ("written", "no_show", 3),
        ("written", "nda_refused", 4),
        ("written", "waiting", 5),
        ("achievement", "achieved", None),
    ]
    assert len({entry.key for entry in found}) == len(found)


def test_older_code_counts_as_the_exam_it_is_now() -> None:
    code, alias = next((exam.code, exam.aliases[0]) for exam in CISCO.exams.values() if exam.aliases)
    found = lines([result(1, 0, exam_code=alias), result(2, 1, exam_code=code)])
    assert [entry.exam_code for entry in found] == [code, code]
    assert [entry.attempt for entry in arranged(found, "date", "asc", None)] == [1, 2]


def test_day_of_an_appointment_is_that_of_the_place() -> None:
    (entry,) = lines([], [booking(1, state="no_show", scheduled_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))])
    assert entry.day == date(2026, 3, 2)


HELD_BOOKINGS = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["pass", "fail"]), st.floats(0, 1000)), max_size=6
)
KNOWN = st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["pass", "fail"]), st.floats(0, 1000)), max_size=6)


@given(hidden=HELD_BOOKINGS, known=KNOWN)
def test_result_on_hold_is_the_same_as_none(hidden: list[Any], known: list[Any]) -> None:
    """Whatever it says, and whenever it was taken: line by line, in every order, count and filter."""
    bookings = [booking(100 + n, day) for n, (day, _, _) in enumerate(hidden)]
    others = [result(n, day, grade=grade, score=score) for n, (day, grade, score) in enumerate(known)]
    secret = [held(100 + n, day // 2, grade=grade, score=score) for n, (day, grade, score) in enumerate(hidden)]
    assert lines([*others, *secret], bookings) == lines(others, bookings)


@given(one=st.sampled_from(["pass", "fail"]), other=st.sampled_from(["pass", "fail"]), score=st.floats(0, 1000))
def test_result_on_hold_without_an_appointment_tells_its_day_and_no_more(one: str, other: str, score: float) -> None:
    assert lines([held(1, grade=one, score=score)]) == lines([held(1, grade=other)])
    (entry,) = lines([held(1, grade=one, score=score)])
    assert (entry.state, entry.grade, entry.score, entry.result) == ("waiting", None, None, None)
    assert not Filter(grades=frozenset({one})).takes(entry)


def test_what_nothing_has_been_reported_of_is_no_line() -> None:
    assert lines([result(1) | dict.fromkeys(("state", "grade", "score", "taken_at", "taken_on"))]) == []


ANY = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["200-301", "350-401"]),
        st.sampled_from(["pass", "fail", "pending"]),
        st.none() | st.sampled_from([-3.5, 0.0, 700.0, 700.5]),
    ),
    max_size=12,
)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("order", ORDERS)
@given(rows=ANY, size=st.integers(1, 4))
def test_pages_show_each_line_once_in_order(sort: Sort, order: Order, rows: list[Any], size: int) -> None:
    found = lines(
        [result(n, day, exam_code=code, grade=grade, score=score) for n, (day, code, grade, score) in enumerate(rows)],
        [booking(50, 3), booking(51, 3, state="no_show")],
        [achievement(1, 2)],
    )
    whole = arranged(found, sort, order, None)
    assert sorted(entry.key for entry in whole) == sorted(entry.key for entry in found)
    places = [place(entry, sort) for entry in whole]
    assert places == sorted(places, reverse=order == "desc")
    paged: list[Entry] = []
    after = None
    while page := arranged(found, sort, order, after)[:size]:
        paged += page
        after = place(page[-1], sort)
    assert paged == whole


def test_filters_take_what_they_say() -> None:
    found = lines(
        [result(1, 0), result(2, 5, grade="fail", vendor="psi"), result(3, 6, exam_code="350-401")],
        [],
        [achievement(1)],
    )

    def taken(**asked: Any) -> list[str]:
        return sorted(entry.key for entry in found if Filter(**asked).takes(entry))

    assert taken(exam="350-401") == ["cisco:vue:3"]
    assert taken(vendor="psi") == ["cisco:vue:2"]
    assert taken(grades=frozenset({"fail"})) == ["cisco:vue:2"]
    assert taken(kinds=frozenset({"achievement"})) == ["achievement/cisco:vue:1"]
    assert taken(from_day=date(2026, 3, 6), to_day=date(2026, 3, 6)) == ["cisco:vue:2"]
    assert taken(states=frozenset({"achieved", "final"}), exam="200-301") == ["cisco:vue:1", "cisco:vue:2"]


def test_totals_count_what_may_be_relied_upon() -> None:
    found = lines(
        [
            result(1, 0, grade="fail"),
            result(2, 9),
            result(3, 10, state="provisional"),
            result(4, 11, exam_code="350-401", state="invalidated", grade="invalidated"),
        ],
        [booking(9, 12, state="no_show")],
    )
    assert [(one.exam_code, one.attempts, one.passed, one.failed) for one in totals(found)] == [
        ("200-301", 4, 1, 1),
        ("350-401", 1, 0, 0),
    ]
