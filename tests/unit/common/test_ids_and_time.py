"""Ids that sort and ids that repeat, versions that grow, and a clock that does what it is told."""

import re
import uuid
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from libs.common.clock import FixedClock, SystemClock
from libs.common.ids import derived_id, new_id, new_secret
from libs.common.versions import next_version

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
moments = st.integers(0, 3 * 10**15).map(lambda step: datetime(1980, 1, 1, tzinfo=UTC) + timedelta(microseconds=step))
parts = st.lists(st.text(max_size=20), max_size=4)


def test_new_ids_are_of_version_7_and_sort_by_the_time_they_were_made() -> None:
    ids = [new_id() for _ in range(2_000)]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    assert {uuid.UUID(one).version for one in ids} == {7}


@given(parts, parts)
def test_derived_ids_are_the_same_for_the_same_parts_only(one: list[str], other: list[str]) -> None:
    assert (derived_id(*one) == derived_id(*other)) == (one == other)
    assert re.fullmatch("[0-9a-f]{32}", derived_id(*one))


def test_where_a_part_ends_makes_a_difference() -> None:
    assert derived_id("ab", "c") != derived_id("a", "bc")
    assert derived_id("ab") != derived_id("ab", "")


def test_derived_id_stays_what_it_has_been() -> None:
    """Stored documents carry it: another way to derive it would offer everything again."""
    assert derived_id("cisco", "CSCO00000018", "CCNA", "initial_kit") == "e9b4f475053aef26eb2ad398b99f4dc8"


def test_secrets_are_long_and_fit_into_a_link() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in secrets)


@given(st.integers(1, 2**60), moments)
def test_version_is_above_the_known_one_and_not_before_the_moment(known: int, now: datetime) -> None:
    moment = next_version(None, now)
    version = next_version(known, now)
    assert version > known
    assert version >= moment
    assert version in (known + 1, moment)


@given(st.lists(st.integers(-10_000_000, 10_000_000), min_size=2, max_size=20))
def test_versions_grow_whatever_the_clocks_say(steps: list[int]) -> None:
    now, known = NOW, None
    versions = []
    for step in steps:
        now += timedelta(microseconds=step)
        known = next_version(known, now)
        versions.append(known)
    assert versions == sorted(set(versions))


def test_fixed_clock_moves_when_told_and_speaks_utc() -> None:
    clock = FixedClock(datetime(2026, 11, 22, 13, tzinfo=timezone(timedelta(hours=1))))
    assert clock.now() == clock.now() == NOW
    assert clock.now().tzinfo is UTC
    clock.advance(timedelta(days=1))
    assert clock.now() == NOW + timedelta(days=1)


def test_system_clock_speaks_utc() -> None:
    assert SystemClock().now().tzinfo is UTC
