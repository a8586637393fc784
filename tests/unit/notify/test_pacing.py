"""How many mails a domain gets at a time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.domain.delivery import Accepted, Deferred
from services.notify.domain.pacing import AT_ONCE, LEAST, MOST_LANES, OTHERS, REST, Pacing, read_rates

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TO = "ada@slow.example"


def busy(at: datetime) -> Deferred:
    return Deferred(at, "450", too_fast=True)


def test_limits_are_read_as_settings_write_them() -> None:
    assert read_rates("Example.com=20  *=0.5") == {"example.com": 20.0, OTHERS: 0.5}
    assert read_rates("") == {}


@pytest.mark.parametrize("text", ["example.com", "example.com=", "example.com=0", "=5", "a=1,b=2", "a=-1", "a=1e3"])
def test_limit_that_is_none_is_an_error_that_shows_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no limit: write example\.com=20"):
        read_rates(text)


@settings(max_examples=60)
@given(
    rate=st.sampled_from([0.5, 1.0, 7.0, 50.0]),
    steps=st.lists(st.integers(min_value=0, max_value=900), min_size=1, max_size=150),
)
def test_no_second_sees_more_mails_than_the_limit_and_a_seconds_worth(rate: float, steps: list[int]) -> None:
    pacing, now = Pacing({"slow.example": rate}), NOON
    went: list[datetime] = []
    for step in steps:
        now += timedelta(milliseconds=step)
        turn = pacing.turn(TO, now)
        assert turn is None or turn > now
        went.append(turn or now)
    went.sort()
    for start in went:
        within = sum(start <= moment < start + timedelta(seconds=10) for moment in went)
        assert within <= 10 * rate + rate * AT_ONCE.total_seconds() + 2


def test_turns_are_in_the_order_of_asking_and_none_has_to_wait_twice() -> None:
    pacing = Pacing({"slow.example": 10.0})
    turns = [pacing.turn(TO, NOON) for _ in range(100)]
    later = [turn for turn in turns if turn]
    assert turns[:10] == [None] * 10
    assert later == sorted(later)
    assert later[-1] == NOON + timedelta(seconds=9)
    assert [pacing.turn(TO, turn, given_at=NOON) for turn in later] == [None] * len(later)


def test_limit_of_one_domain_holds_up_no_other() -> None:
    pacing = Pacing({"slow.example": 1.0})
    for _ in range(50):
        pacing.turn(TO, NOON)
    assert [pacing.turn("bob@quick.example", NOON) for _ in range(1_000)] == [None] * 1_000


def test_others_have_a_limit_each() -> None:
    pacing = Pacing({OTHERS: 1.0})
    assert pacing.turn("a@one.example", NOON) is None
    assert pacing.turn("a@one.example", NOON) is not None
    assert pacing.turn("a@two.example", NOON) is None


@pytest.mark.parametrize("limit", [None, 40.0])
def test_domain_that_wants_less_rests_then_gets_half_and_grows_back(limit: float | None) -> None:
    pacing = Pacing({"slow.example": limit} if limit else {})
    pacing.turn(TO, NOON)
    for part in range(4):  # refused together
        pacing.hear(TO, busy(NOON + timedelta(milliseconds=part)))
    assert pacing.rate(TO) == (20.0 if limit else 10.0)
    turn = pacing.turn(TO, NOON)
    assert turn is not None
    assert turn == NOON + REST
    for step in range(30):
        pacing.hear(TO, Accepted(NOON + timedelta(seconds=10 + step)))
    assert pacing.rate(TO) == limit


def test_turn_given_before_a_domain_wanted_less_is_given_anew() -> None:
    pacing = Pacing({"slow.example": 1.0})
    pacing.turn(TO, NOON)
    turn = pacing.turn(TO, NOON)
    assert turn is not None
    pacing.hear(TO, busy(turn - timedelta(milliseconds=1)))
    assert pacing.turn(TO, turn, given_at=NOON) is not None
    assert pacing.turn(TO, turn + timedelta(seconds=9), given_at=turn) is None


def test_domain_that_goes_on_asking_for_less_is_still_tried() -> None:
    pacing, now = Pacing({}), NOON
    for _ in range(40):
        pacing.hear(TO, busy(now))
        turn = pacing.turn(TO, now, given_at=None)
        now = (turn or now) + timedelta(seconds=2)
    assert pacing.rate(TO) == LEAST


def test_memory_is_bounded() -> None:
    pacing = Pacing({OTHERS: 1.0})
    for number in range(MOST_LANES + 10):
        pacing.turn(f"a@d{number}.example", NOON)
    assert len(pacing._lanes) == MOST_LANES
