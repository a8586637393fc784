"""How often a vendor may call."""

import pytest

from libs.common.http.problems import TOO_MANY_REQUESTS, Problem
from services.exams.notices.limits import CallLimit


class Stopwatch:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(limit: CallLimit, vendor: str, times: int) -> int:
    """How many of so many calls were let in."""
    found = 0
    for _ in range(times):
        try:
            limit.take(vendor)
        except Problem:
            continue
        found += 1
    return found


def test_burst_is_let_in_and_then_as_many_as_a_second_gives() -> None:
    timer = Stopwatch()
    limit = CallLimit(a_second=2, burst=5, timer=timer)
    assert taken(limit, "vue", 10) == 5
    timer.now += 0.4
    assert taken(limit, "vue", 10) == 0
    timer.now += 0.6
    assert taken(limit, "vue", 10) == 2
    timer.now += 3600
    assert taken(limit, "vue", 10) == 5


def test_vendors_do_not_use_up_each_others() -> None:
    limit = CallLimit(a_second=1, burst=3, timer=Stopwatch())
    assert [taken(limit, vendor, 9) for vendor in ("vue", "psi")] == [3, 3]


def test_who_is_refused_hears_when_to_come_again() -> None:
    timer = Stopwatch()
    limit = CallLimit(a_second=0.1, burst=1, timer=timer)
    limit.take("vue")
    with pytest.raises(Problem) as refused:
        limit.take("vue")
    assert refused.value.kind is TOO_MANY_REQUESTS
    assert refused.value.headers == {"Retry-After": "10"}
    timer.now += 10
    limit.take("vue")
