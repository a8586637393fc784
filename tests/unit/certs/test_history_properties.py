"""What holds for histories of every kind of fact: their order is nothing, and the past is stable."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.programs import Program
from services.certs.cases import CaseError, read_inputs
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import AgreementFact, Fact
from services.certs.domain.progress import progress
from services.certs.domain.standing import Standing
from services.certs.stored_facts import loaded, stored
from tests.unit.certs.histories import DAYS, histories

untimed = settings(max_examples=60)
both_programs = pytest.mark.parametrize("program_id", ["cisco", "juniper"])
Inputs = list[dict[str, Any]]


def judged(program: Program, inputs: Inputs, as_of: date) -> Standing:
    return evaluate(program, read_inputs(inputs, program), as_of)


@both_programs
@untimed
@given(st.data())
def test_order_and_repetition_mean_nothing(programs: dict[str, Program], program_id: str, data: st.DataObject) -> None:
    program, inputs = programs[program_id], data.draw(histories(program_id))
    as_of = data.draw(DAYS)
    repeated = data.draw(st.lists(st.sampled_from(inputs), max_size=4))
    shuffled = data.draw(st.permutations(inputs + repeated))
    assert judged(program, shuffled, as_of) == judged(program, inputs, as_of)
    facts = read_inputs(inputs, program)
    assert progress(program, facts[::-1], as_of) == progress(program, facts, as_of)


@both_programs
@untimed
@given(st.data())
def test_what_becomes_known_later_changes_nothing_earlier(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    program = programs[program_id]
    facts = read_inputs(data.draw(histories(program_id)), program)
    as_of = data.draw(DAYS)
    # That an agreement is asked for holds from the beginning; only its acceptance becomes known.
    known = [fact for fact in facts if fact.known_at.date() <= as_of or isinstance(fact, AgreementFact)]
    assert evaluate(program, facts, as_of) == evaluate(program, known, as_of)


@both_programs
@untimed
@given(st.data())
def test_no_renewal_shortens_and_holdings_do_not_touch(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    standing = judged(programs[program_id], data.draw(histories(program_id)), date(2027, 6, 1))
    for entry in standing.certifications.values():
        ends: list[date] = []
        for holding in entry.holdings:
            expiries = [step.expires_on or date.max for step in holding.steps]
            assert expiries == sorted(expiries)
            assert not ends or holding.earned_on > ends[-1]
            ends.append(expiries[-1] if holding.ended is None else holding.ended)


@both_programs
@untimed
@given(st.data())
def test_a_result_revoked_and_restored_leaves_no_trace(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    program, as_of = programs[program_id], date(2027, 6, 1)
    inputs = [one for one in data.draw(histories(program_id)) if not one["type"].endswith("_result")]
    exams = [one for one in inputs if one["type"] == "exam"]
    chosen = data.draw(st.lists(st.sampled_from(exams)))
    changes = [
        {"type": kind, "code": one["code"], "exam_date": one["date"], "date": day, **_account(one)}
        for one in chosen
        for kind, day in (("revoke_result", "2027-03-01"), ("unrevoke_result", "2027-04-01"))
    ]
    assert judged(program, inputs + changes, as_of) == judged(program, inputs, as_of)


def _account(one: dict[str, Any]) -> dict[str, Any]:
    return {"account": one["account"]} if "account" in one else {}


@both_programs
@untimed
@given(st.data())
def test_everything_says_why_and_where_it_is_written(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    program = programs[program_id]
    standing = judged(program, data.draw(histories(program_id)), data.draw(DAYS))
    for entry in standing.certifications.values():
        assert entry.sentence.endswith(".")
        for reason in entry.because:
            clause = program.clause(reason.clause)
            assert reason.text
            assert clause.line > 1
            assert clause.wording


@both_programs
@untimed
@given(st.data())
def test_facts_of_every_kind_are_stored_whole(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    facts: list[Fact] = read_inputs(data.draw(histories(program_id)), programs[program_id])
    assert [loaded(stored(fact)) for fact in facts] == facts


@both_programs
@untimed
@given(st.data())
def test_a_status_changes_on_the_day_it_says(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    """Between `as_of` and the next change by time alone, every day tells the same."""
    program = programs[program_id]
    facts = read_inputs(data.draw(histories(program_id)), program)
    as_of = data.draw(DAYS)
    standing = evaluate(program, facts, as_of)
    known = [fact for fact in facts if fact.known_at.date() <= as_of]
    other = data.draw(DAYS)
    due = min(
        [entry.changes_on for entry in standing.certifications.values() if entry.changes_on]
        + ([standing.resumes_on] if standing.resumes_on else []),
        default=date.max,
    )
    if as_of < other < due:
        assert statuses(program, known, other) == statuses(program, known, as_of)


def statuses(program: Program, facts: list[Fact], as_of: date) -> dict[str, str]:
    """By certification as it is called now: a name changes with the program, not with a holding."""
    names = {
        former.id: certification.id
        for certification in program.certifications.values()
        for former in certification.formerly
        if former.id is not None
    }
    held = evaluate(program, facts, as_of).certifications
    return {names.get(name, name): entry.status for name, entry in held.items()}


def test_an_unknown_kind_is_an_error_that_names_it(cisco: Program) -> None:
    with pytest.raises(CaseError, match=r"inputs\[0\].*'medal'"):
        read_inputs([{"type": "medal", "date": "2026-01-01"}], cisco)
    with pytest.raises(TypeError, match="unknown kind of fact: 'medal'"):
        evaluate(cisco, ["medal"], date(2026, 1, 1))  # type: ignore[list-item]
    with pytest.raises(ValueError, match="unknown kind of fact: 'medal'"):
        loaded({"kind": "medal"})


def test_a_field_that_is_wrong_is_named(cisco: Program) -> None:
    exam = {"type": "exam", "code": "200-301", "outcome": "pass"}
    with pytest.raises(CaseError, match=r"inputs\[1\.exam\.date\]"):
        read_inputs([exam | {"date": "2026-01-01"}, exam | {"date": "soon"}], cisco)
