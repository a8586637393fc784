"""Which expiries are reminded of, and when: each once, and none that has just moved."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import Program
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import ExamFact
from services.certs.domain.reminders import due_reminders, next_reminder

KNOWN = datetime(2020, 1, 1, tzinfo=UTC)
DAYS = (730, 365, 90, 60, 30)
PASS = ExamFact("r1", 1, "200-301", date(2025, 3, 10), "pass", KNOWN)
EXPIRES = date(2028, 3, 10)


def reminded(
    policy: Program, before: date, after: date, facts: Sequence[ExamFact] = (PASS,), new: Sequence[ExamFact] = ()
) -> list[int]:
    earlier, later = evaluate(policy, facts, before), evaluate(policy, [*facts, *new], after)
    return [reminder.days_left for reminder in due_reminders(DAYS, earlier, later)]


def test_reminder_comes_on_its_day(cisco: Program) -> None:
    assert reminded(cisco, date(2028, 2, 8), date(2028, 2, 9)) == [30]
    assert reminded(cisco, date(2028, 2, 9), date(2028, 2, 10)) == []
    assert reminded(cisco, date(2028, 2, 7), date(2028, 2, 8)) == []


def test_several_days_gone_by_make_one_reminder_that_says_what_is_left(cisco: Program) -> None:
    assert reminded(cisco, date(2026, 1, 1), date(2028, 2, 20)) == [19]


def test_award_and_renewal_remind_of_nothing_on_the_day_they_are_told(cisco: Program) -> None:
    assert reminded(cisco, date(2028, 2, 8), date(2028, 2, 9), facts=(), new=(PASS,)) == []
    renewal = ExamFact("r2", 1, "200-301", date(2027, 3, 1), "pass", KNOWN)
    assert reminded(cisco, date(2026, 12, 1), date(2027, 3, 11), new=(renewal,)) == []
    late = ExamFact("r3", 1, "200-301", date(2026, 3, 11), "pass", KNOWN)
    renewed_until, today = date(2029, 3, 11), date(2027, 3, 12)
    assert evaluate(cisco, [PASS, late], today).certifications["CCNA"].expires_on == renewed_until
    assert (renewed_until - today).days == 730, "a reminder day of the new expiry"
    assert reminded(cisco, date(2026, 12, 1), today, new=(late,)) == []


def test_what_is_over_is_not_reminded_of(cisco: Program) -> None:
    assert reminded(cisco, date(2028, 2, 1), EXPIRES + timedelta(days=1)) == []


def test_next_reminder_is_the_first_day_still_to_come(cisco: Program) -> None:
    assert next_reminder(DAYS, evaluate(cisco, [PASS], date(2026, 11, 22))) == date(2027, 3, 11)
    assert next_reminder(DAYS, evaluate(cisco, [PASS], date(2027, 3, 11))) == date(2027, 12, 11)
    assert next_reminder(DAYS, evaluate(cisco, [PASS], date(2028, 2, 9))) is None
    assert next_reminder(DAYS, evaluate(cisco, [], date(2028, 2, 9))) is None


@given(
    looks=st.lists(st.dates(date(2025, 3, 10), date(2028, 4, 30)), min_size=2, max_size=30).map(sorted),
    days=st.lists(st.integers(0, 1200), max_size=6, unique=True),
)
def test_every_look_tells_the_days_since_the_last_and_none_twice(
    cisco: Program, looks: list[date], days: list[int]
) -> None:
    standings = [evaluate(cisco, [PASS], look) for look in looks]
    for before, after in pairwise(standings):
        passed = [day for day in days if before.as_of < EXPIRES - timedelta(days=day) <= after.as_of]
        told = due_reminders(days, before, after)
        assert len(told) == (1 if passed and after.as_of <= EXPIRES else 0)
        awaited = next_reminder(days, before)
        assert awaited is None or awaited > before.as_of
        if told:
            assert awaited is not None
            assert awaited <= after.as_of
