"""Which mails wait for each other, until when, and what of a reminder is still true."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.programs import Program
from services.notify.domain.gathering import (
    CAN_WAIT,
    DIGEST_HOUR,
    Bundle,
    Expiry,
    Standing,
    bundle_of,
    expiry_of,
    next_digest,
    still_true,
)
from services.notify.domain.mails import Template
from tests.unit.notify.conftest import NOON

TODAY = date(2026, 11, 22)
SAID = {"title": "T", "earned_on": "2024-01-01", "because": "Passed."}


def expiry(certification: str, expires_on: date, candidate_id: str = "A") -> Expiry:
    return Expiry(candidate_id, certification, expires_on=expires_on.isoformat(), **SAID)


def test_reminders_always_wait_and_what_can_wait_only_where_that_was_chosen() -> None:
    for template in Template:
        waits = template in CAN_WAIT
        assert bundle_of(template, "daily") == bundle_of(template, "weekly")
        assert (bundle_of(template, "weekly") is Bundle.DIGEST) == waits
        assert (bundle_of(template, None) is None) == (template is not Template.CERTIFICATION_EXPIRING)
    assert bundle_of(Template.CERTIFICATION_EXPIRING, None) is Bundle.REMINDERS


@given(st.integers(0, 2 * 365 * 24 * 60))
@settings(max_examples=60)
def test_summaries_come_in_the_morning_of_the_program(programs: Mapping[str, Program], minutes: int) -> None:
    program, now = programs["juniper"], datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    daily, weekly = next_digest("daily", program, now), next_digest("weekly", program, now)
    there = [moment.astimezone(ZoneInfo(program.time_zone)) for moment in (daily, weekly)]
    assert all((moment.hour, moment.minute) == (DIGEST_HOUR, 0) for moment in there)
    assert now < daily <= weekly
    assert daily - now <= timedelta(hours=25)
    assert weekly - now <= timedelta(days=7, hours=1)
    assert there[1].weekday() == 0


days = st.integers(-3, 400).map(lambda ahead: TODAY + timedelta(ahead))
standing = st.builds(Standing, st.booleans(), days | st.none())


@given(
    st.lists(st.tuples(st.sampled_from("XYZ"), days, st.sampled_from("AB"))),
    st.dictionaries(st.tuples(st.sampled_from("AB"), st.sampled_from("XYZ")), standing),
)
@settings(max_examples=150)
def test_reminder_states_only_what_certs_said_last(
    said: list[tuple[str, date, str]], standings: dict[tuple[str, str], Standing]
) -> None:
    rows = still_true([expiry(*one) for one in said], standings, "B", TODAY)
    for row in rows:
        known = standings.get(("B", row["certification"])) or standings[row["candidate_id"], row["certification"]]
        assert known.active
        assert known.expires_on == date.fromisoformat(row["expires_on"])
        assert row["days_left"] >= 0
        assert TODAY + timedelta(row["days_left"]) == known.expires_on
    assert len({row["certification"] for row in rows}) == len(rows)
    assert [row["expires_on"] for row in rows] == sorted(row["expires_on"] for row in rows)
    again = still_true([expiry_of(row) for row in rows], standings, "B", TODAY)
    assert again == rows
    kept = {row["certification"] for row in rows}
    for certification, day, candidate in said:
        if certification not in kept and day >= TODAY:
            known = standings.get(("B", certification)) or standings.get((candidate, certification))
            assert known is None or not known.active or known.expires_on != day


@pytest.mark.parametrize(("moved", "left"), [(False, ["X", "Y"]), (True, ["Y"])])
def test_renewed_certification_leaves_a_reminder(moved: bool, left: list[str]) -> None:
    soon = TODAY + timedelta(30)
    renewed = soon + timedelta(1095) if moved else soon
    standings = {
        ("A", "X"): Standing(active=True, expires_on=renewed),
        ("A", "Y"): Standing(active=True, expires_on=soon),
    }
    rows = still_true([expiry("X", soon), expiry("Y", soon)], standings, "A", TODAY)
    assert [row["certification"] for row in rows] == left
    assert {row["days_left"] for row in rows} == {30}


def test_program_day_decides(programs: Mapping[str, Program]) -> None:
    assert programs["cisco"].day_of(NOON) == TODAY
