"""What holds for any history: order, duplicates and batches of facts mean nothing, and the past is stable."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.programs import Program
from services.certs.domain.changes import diff
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import ExamFact
from services.certs.domain.standing import Standing

CODES = {
    "cisco": [
        "200-301",
        "100-150",
        "350-401",
        "300-410",
        "300-415",
        "350-701",
        "CCIE-EI-LAB",
        "300-810",
        "no-such",
    ],
    "juniper": ["JN0-105", "JN0-106", "JN0-351", "JN0-352", "JN0-281", "JN0-683", "JN0-650", "JPR-946"],
}
FIRST = date(2014, 1, 1)
DAYS = st.one_of(
    st.integers(0, 4700).map(lambda days: FIRST + timedelta(days)),
    st.sampled_from([date(2016, 2, 29), date(2019, 2, 28), date(2020, 2, 29), date(2026, 4, 5), date(2026, 4, 6)]),
)
MOMENTS = st.integers(0, 4700 * 24).map(lambda hours: datetime(2014, 1, 1, tzinfo=UTC) + timedelta(hours=hours))
OUTCOMES = st.sampled_from(["pass", "pass", "pass", "fail", "pending", "invalidated"])

untimed = settings(deadline=None)
both_programs = pytest.mark.parametrize("program_id", ["cisco", "juniper"])


@st.composite
def histories(draw: st.DrawFn, program_id: str) -> list[ExamFact]:
    """Results with their revisions, each revision known after the one before."""
    facts = []
    for number in range(draw(st.integers(1, 7))):
        code, taken_on = draw(st.sampled_from(CODES[program_id])), draw(DAYS)
        known_at = datetime(taken_on.year, taken_on.month, taken_on.day, 20, tzinfo=UTC)
        for revision in range(1, draw(st.integers(1, 3)) + 1):
            facts.append(ExamFact(f"r{number}", revision, code, taken_on, draw(OUTCOMES), known_at))
            known_at += timedelta(hours=draw(st.integers(1, 20_000)))
    return facts


def _holds(standing: Standing) -> dict[str, tuple[date, date | None]]:
    return {name: (entry.earned_on, entry.expires_on) for name, entry in standing.certifications.items()}


@both_programs
@untimed
@given(st.data())
def test_order_duplicates_and_batches_mean_nothing(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    policy, facts = programs[program_id], data.draw(histories(program_id))
    as_of = data.draw(MOMENTS)
    shuffled = data.draw(st.permutations(facts + data.draw(st.lists(st.sampled_from(facts), max_size=6))))
    cut = data.draw(st.integers(0, len(shuffled)))
    batches: Iterable[ExamFact] = chain(shuffled[cut:], shuffled[:cut], shuffled[cut:])
    assert evaluate(policy, batches, as_of) == evaluate(policy, facts, as_of)


@both_programs
@untimed
@given(st.data())
def test_two_tellings_of_one_revision_give_one_answer_in_any_order(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    policy, facts = programs[program_id], data.draw(histories(program_id))
    again = [
        replace(fact, known_at=data.draw(MOMENTS), outcome=data.draw(OUTCOMES), taken_on=data.draw(DAYS))
        for fact in facts
    ]
    as_of = data.draw(MOMENTS)
    assert evaluate(policy, facts + again, as_of) == evaluate(policy, again + facts, as_of)


@both_programs
@untimed
@given(st.data())
def test_what_becomes_known_later_changes_nothing_earlier(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    policy, facts = programs[program_id], data.draw(histories(program_id))
    as_of = data.draw(MOMENTS)
    known = [fact for fact in facts if fact.known_at <= as_of]
    assert evaluate(policy, facts, as_of) == evaluate(policy, known, as_of)


@both_programs
@untimed
@given(st.data())
def test_no_step_of_a_holding_shortens_it_and_holdings_do_not_touch(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    standing = evaluate(programs[program_id], data.draw(histories(program_id)), date(2027, 1, 1))
    for entry in standing.certifications.values():
        ends = []
        for holding in entry.holdings:
            expiries = [step.expires_on or date.max for step in holding.steps]
            assert expiries == sorted(expiries)
            assert all(not ends or step.on > ends[-1] for step in holding.steps)
            assert all(step.on <= before for step, before in zip(holding.steps[1:], expiries, strict=False))
            ends.append(expiries[-1])


@both_programs
@untimed
@given(st.data())
def test_a_result_voided_and_restored_leaves_no_trace(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    policy, facts = programs[program_id], data.draw(histories(program_id))
    untouched = [fact for fact in facts if fact.revision == 1]
    later = datetime(2027, 1, 1, tzinfo=UTC)
    chosen = data.draw(st.lists(st.sampled_from(untouched), unique=True))
    voided = [replace(fact, revision=2, outcome="invalidated", known_at=later) for fact in chosen]
    restored = [replace(fact, revision=3, known_at=later) for fact in chosen]
    as_of = date(2027, 6, 1)
    assert evaluate(policy, untouched + voided + restored, as_of) == evaluate(policy, untouched, as_of)
    without = [fact for fact in untouched if fact not in chosen]
    assert _holds(evaluate(policy, untouched + voided, as_of)) == _holds(evaluate(policy, without, as_of))


@both_programs
@untimed
@given(st.data())
def test_changes_account_for_every_difference_in_what_is_active(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    policy, facts = programs[program_id], data.draw(histories(program_id))
    first, second = sorted([data.draw(MOMENTS), data.draw(MOMENTS)])
    before, after = evaluate(policy, facts, first), evaluate(policy, facts, second)
    active = {name for name, entry in before.certifications.items() if entry.status == "active"}
    for change in diff(before, after):
        assert change.sentence
        if change.kind == "awarded":
            assert change.certification not in active
            active.add(change.certification)
        elif change.kind == "expired" or change.after is None or change.after.status == "expired":
            active.remove(change.certification)
    assert active == {name for name, entry in after.certifications.items() if entry.status == "active"}
    assert diff(after, after) == []
