"""How fast a badge provider is spoken to, how long it is left alone, and which changes it is told of."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.certs.provider.circuit import LEASE, OPENS_AT, pause, rest
from services.certs.provider.credly import Credly
from services.certs.provider.orders import Order
from services.certs.provider.pace import Pace

DAY = timedelta(days=1)
ORDER = Order("t1", "a@example.com", "Ada", "L", "en", datetime(2026, 1, 1, tzinfo=UTC), None)


class Time:
    """Passes only while somebody sleeps, or where a test lets it."""

    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(st.integers(6, 6_000), st.lists(st.floats(0, 100), min_size=1, max_size=40))
def test_no_more_requests_pass_than_the_rate_allows(a_minute: int, pauses: list[float]) -> None:
    time = Time()
    pace = Pace(a_minute, timer=lambda: time.now, sleep=time.sleep)
    passed: list[float] = []
    for idle in pauses:
        time.now += idle
        asyncio.run(pace.turn())
        passed.append(time.now)
    gaps = [later - earlier for earlier, later in pairwise(passed)]
    assert all(gap >= 60 / a_minute - 1e-6 for gap in gaps)


@given(st.integers(1, 10_000), st.one_of(st.none(), st.floats(0, 1e12)))
def test_pauses_grow_to_a_limit_and_keep_to_what_is_asked(failures: int, asked: float | None) -> None:
    wait = pause(failures, asked)
    assert timedelta(0) <= wait <= DAY
    assert wait >= min(timedelta(seconds=min(asked or 0, 1e9)), DAY)
    assert (wait > timedelta(0)) or failures < OPENS_AT
    assert pause(failures + 1, asked) >= wait
    assert pause(failures, asked, shut_out=True) >= timedelta(minutes=10)


@given(st.integers(1, 10_000))
def test_nothing_is_asked_about_before_its_request_is_over(tries: int) -> None:
    assert timedelta(seconds=2 * Credly.SECONDS) < LEASE <= rest(tries) <= timedelta(hours=1)


def test_what_a_badge_says_is_its_name_days_and_template() -> None:
    assert replace(ORDER, email="new@example.com", language="fr").said == ORDER.said
    others = [
        replace(ORDER, given_name="Eva"),
        replace(ORDER, family_name="M"),
        replace(ORDER, template="t2"),
        replace(ORDER, issued_at=ORDER.issued_at + DAY),
        replace(ORDER, expires_at=ORDER.issued_at + DAY),
        replace(ORDER, given_name="Ada L", family_name=""),
    ]
    assert len({ORDER.said, *(one.said for one in others)}) == 7
