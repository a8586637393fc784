"""Years without a gap: what joins them, what breaks them, and the day on which they are enough."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import Program, add_years
from libs.common.programs.policy import Milestone
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import EmeritusFact, ExamFact, Fact, ImportFact
from services.certs.domain.milestones import coming, next_anniversary, reached
from services.certs.domain.standing import CertificationStanding, Ground, Holding, Standing, Step

KNOWN = datetime(1990, 1, 1, tzinfo=UTC)
TEN = (Milestone("ten", "Ten", 10, "milestones[0]"),)
FIVE_AND_TEN = (Milestone("five", "Five", 5, "milestones[1]"), *TEN)
TODAY = date(2026, 6, 1)


def holding(first: date, last: date | None, **more: date) -> Holding:
    return Holding((Step("awarded", first, last, (Ground("R", "clause", "passed on", first),), 3, "clause"),), **more)


def standing(*entries: tuple[date, date | None], as_of: date = TODAY, status: str = "active") -> Standing:
    """A certification for each first and last day."""
    made = {
        f"C{n}": CertificationStanding(f"C{n}", "T", status, (holding(first, last),), last)  # type: ignore[arg-type]
        for n, (first, last) in enumerate(entries)
    }
    return Standing("p", 1, as_of, made)


def days(*texts: str) -> tuple[date, date]:
    first, last = map(date.fromisoformat, texts)
    return first, last


def test_reached_on_the_anniversary_of_the_first_day() -> None:
    held = standing(days("2016-06-01", "2028-01-01"))
    (found,) = reached(TEN, held)
    assert (found.since, found.on, found.milestone.id) == (date(2016, 6, 1), TODAY, "ten")
    assert found.sentence == "Held without a gap since 1 June 2016: 10 years on 1 June 2026."
    the_day_before = replace(held, as_of=TODAY - timedelta(1))
    assert reached(TEN, the_day_before) == []
    assert next_anniversary(TEN, the_day_before) == TODAY
    assert next_anniversary(TEN, held) is None


def test_29_february_counts_as_the_28th_where_a_year_has_none() -> None:
    (found,) = reached(TEN, standing(days("2004-02-29", "2014-02-28")))
    assert found.on == date(2014, 2, 28)


@pytest.mark.parametrize(
    ("second", "gap"), [("2020-01-01", False), ("2020-01-02", False), ("2020-01-03", True)], ids=["on", "next", "after"]
)
def test_one_certification_goes_on_where_another_ends(second: str, gap: bool) -> None:
    held = standing(days("2012-01-01", "2020-01-01"), days(second, "2027-01-01"))
    assert [found.since for found in reached(TEN, held)] == ([] if gap else [date(2012, 1, 1)])


def test_years_that_ended_too_early_are_not_enough_and_those_that_were_stay_reached() -> None:
    assert reached(TEN, standing(days("2012-01-01", "2021-12-31"), status="expired")) == []
    assert len(reached(TEN, standing(days("2012-01-01", "2022-01-01"), status="expired"))) == 1


def test_what_is_set_aside_counts_for_nothing_meanwhile() -> None:
    assert reached(TEN, standing(days("2012-01-01", "2027-01-01"), status="inactive")) == []


def test_what_never_expires_goes_on() -> None:
    held = standing((date(2018, 1, 1), None))
    assert next_anniversary(TEN, held) == date(2028, 1, 1)


def test_next_one_is_shown_though_a_renewal_must_come_first_and_no_sweep_waits_for_it() -> None:
    held = standing(days("2020-01-01", "2027-01-01"))
    assert [found.milestone.id for found in reached(FIVE_AND_TEN, held)] == ["five"]
    found = coming(FIVE_AND_TEN, held)
    assert found is not None
    assert (found.milestone.id, found.on) == ("ten", date(2030, 1, 1))
    assert found.outlook.endswith("10 years on 1 January 2030, if it goes on.")
    assert next_anniversary(FIVE_AND_TEN, held) is None
    assert coming(FIVE_AND_TEN, standing(days("2020-01-01", "2025-01-01"), status="expired")) is None


def test_program_without_milestones_has_none() -> None:
    held = standing(days("1990-01-01", "2027-01-01"))
    assert (reached((), held), next_anniversary((), held), coming((), held)) == ([], None, None)


def test_import_brings_its_years_along(cisco: Program) -> None:
    facts = [ImportFact("CCNA", date(2024, 5, 1), KNOWN, continuous_since=date(2001, 5, 2))]
    entry = evaluate(cisco, facts, date(2026, 5, 2))
    (found,) = reached(cisco.policy.milestones, entry)
    assert (found.milestone.years, found.since, found.on) == (25, date(2001, 5, 2), date(2026, 5, 2))
    assert reached(cisco.policy.milestones, evaluate(cisco, facts, date(2026, 5, 1))) == []


LAB = "CCIE-Enterprise-Infrastructure"


def test_emeritus_counts_as_held(cisco: Program) -> None:
    facts: list[Fact] = [
        ImportFact(LAB, date(2022, 1, 1), KNOWN, expires_on=date(2025, 1, 1), continuous_since=date(2015, 6, 1)),
        EmeritusFact(LAB, date(2024, 12, 1), KNOWN, paid_on=date(2024, 12, 1)),
    ]
    (found,) = reached(TEN, evaluate(cisco, facts, date(2025, 6, 1)))
    assert found.on == date(2025, 6, 1)
    assert next_anniversary(TEN, evaluate(cisco, facts, date(2025, 5, 1))) == date(2025, 6, 1)
    assert reached(TEN, evaluate(cisco, facts[:1], date(2025, 6, 1))) == []


def test_emeritus_granted_while_active_is_foreseen(cisco: Program) -> None:
    facts: list[Fact] = [
        ImportFact(LAB, date(2022, 1, 1), KNOWN, expires_on=date(2025, 1, 1), continuous_since=date(2015, 6, 1)),
        EmeritusFact(LAB, date(2024, 11, 1), KNOWN, paid_on=date(2024, 11, 1)),
    ]
    assert next_anniversary(TEN, evaluate(cisco, facts, date(2024, 12, 1))) == date(2025, 6, 1)


def test_emeritus_of_an_earlier_time_joins_it_with_a_later_one(cisco: Program) -> None:
    facts: list[Fact] = [
        ImportFact(LAB, date(2014, 1, 2), KNOWN, expires_on=date(2024, 1, 1)),
        EmeritusFact(LAB, date(2023, 12, 1), KNOWN, paid_on=date(2023, 12, 1)),
        ImportFact(LAB, date(2025, 1, 2), KNOWN),
    ]
    (found,) = reached(TEN, evaluate(cisco, facts, date(2025, 6, 1)))
    assert (found.since, found.on) == (date(2014, 1, 2), date(2024, 1, 2))
    assert reached(TEN, evaluate(cisco, [facts[0], facts[2]], date(2025, 6, 1))) == []


FIRST = date(2000, 1, 1)
_SPANS = st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 2500)), min_size=1, max_size=8)


@given(_SPANS, st.integers(0, 12000))
def test_reached_means_held_on_every_day_of_the_years(spans: list[tuple[int, int]], today: int) -> None:
    """Against a look at every single day."""
    as_of = FIRST + timedelta(today)
    entries = [(FIRST + timedelta(start), FIRST + timedelta(start + length)) for start, length in spans]
    held = {first + timedelta(n) for first, last in entries for n in range((last - first).days + 1)}
    expected = None
    for first in sorted(day for day in held if day - timedelta(1) not in held):
        end = add_years(first, 10)
        if end <= as_of and all(first + timedelta(n) in held for n in range((end - first).days + 1)):
            expected = end
            break
    found = reached(TEN, standing(*entries, as_of=as_of, status="expired"))
    assert [each.on for each in found] == ([] if expected is None else [expected])


@given(_SPANS, st.integers(0, 12000))
def test_nothing_is_reached_before_the_day_that_was_foretold(spans: list[tuple[int, int]], today: int) -> None:
    as_of = FIRST + timedelta(today)
    entries = [(FIRST + timedelta(start), FIRST + timedelta(start + length)) for start, length in spans]
    now = standing(*entries, as_of=as_of)
    due = next_anniversary(FIVE_AND_TEN, now)
    known = set(reached(FIVE_AND_TEN, now))
    until = max(last for _, last in entries) + timedelta(5000) if due is None else due - timedelta(1)
    assert set(reached(FIVE_AND_TEN, replace(now, as_of=max(until, as_of)))) == known
    if due is not None:
        assert len(reached(FIVE_AND_TEN, replace(now, as_of=due))) > len(known)


def test_ordinary_exams_reach_nothing(cisco: Program) -> None:
    fact = ExamFact("R", 1, "200-301", date(2024, 1, 1), "pass", KNOWN)
    held = evaluate(cisco, [fact], TODAY)
    assert (reached(cisco.policy.milestones, held), next_anniversary(cisco.policy.milestones, held)) == ([], None)
    found = coming(cisco.policy.milestones, held)
    assert found is not None
    assert found.on == date(2049, 1, 1)
