"""Which key signs follows from moments alone: one at a time, each known before it is used, none of them twice."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.certs.signing.schedule import KEPT, LEAD, KeyTimes, active, following, is_old, signs_no_more, state
from tests.unit.certs.credential_samples import NOW

MINUTES = st.integers(0, 500).map(lambda count: NOW + timedelta(minutes=count))


@st.composite
def rotations(draw: st.DrawFn) -> list[KeyTimes]:
    """Keys as rotation makes them: each is published once the one before it signs."""
    keys = [KeyTimes("0", NOW, NOW, None)]
    for number in range(draw(st.integers(0, 5))):
        published = keys[-1].signs_from + timedelta(minutes=draw(st.integers(0, 200)))
        keys.append(KeyTimes(str(number + 1), published, published + LEAD, None))
    return keys


@given(rotations(), MINUTES)
def test_at_every_moment_one_key_signs_and_at_most_one_follows(keys: list[KeyTimes], now: datetime) -> None:
    states = [state(key, keys, now) for key in keys]
    assert states.count("active") == 1
    assert states == sorted(states, key=["retired", "active", "next"].index)


@given(rotations(), MINUTES, st.integers(0, 300))
def test_no_key_signs_again_and_none_that_was_not_published_long_enough(
    keys: list[KeyTimes], now: datetime, later: int
) -> None:
    first = active(keys, now)
    then = active(keys, now + timedelta(minutes=later))
    assert first is not None
    assert then is not None
    assert keys.index(then) >= keys.index(first)
    assert first.published_at + LEAD <= now or first == keys[0]


@given(rotations(), MINUTES, st.data())
def test_a_compromised_key_never_signs_and_the_order_of_rows_says_nothing(
    keys: list[KeyTimes], now: datetime, data: st.DataObject
) -> None:
    leaked = data.draw(st.sampled_from(keys))
    marked = [KeyTimes(key.kid, key.published_at, key.signs_from, now if key == leaked else None) for key in keys]
    shuffled = data.draw(st.permutations(marked))
    signing = active(shuffled, now)
    assert signing is None or signing.kid != leaked.kid
    assert signing == active(marked, now)
    assert following(shuffled, now) == following(marked, now)
    (row,) = (key for key in marked if key.kid == leaked.kid)
    assert state(row, marked, now) == "compromised"
    assert signs_no_more(row, marked, now)


@given(rotations(), MINUTES)
def test_a_private_part_is_kept_for_as_long_as_a_slow_clock_may_need_it(keys: list[KeyTimes], now: datetime) -> None:
    for slow in (timedelta(0), KEPT):
        signing = active(keys, now - slow)
        if signing is not None:
            assert not signs_no_more(signing, keys, now - timedelta(microseconds=1))
    for key in keys:
        if state(key, keys, now) != "retired":
            assert not signs_no_more(key, keys, now)


def test_a_key_is_followed_so_early_that_its_life_ends_in_time() -> None:
    life = timedelta(days=30)
    keys = [KeyTimes("0", NOW, NOW, None)]
    assert not is_old(keys, life, NOW + life - LEAD - timedelta(seconds=1))
    assert is_old(keys, life, NOW + life - LEAD)
    keys.append(KeyTimes("1", NOW + life - LEAD, NOW + life, None))
    assert not is_old(keys, life, NOW + life - timedelta(seconds=1))
    assert not is_old(keys, life, NOW + life)
