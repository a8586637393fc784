"""What holds for decisions in any history: their order is nothing, the past is stable, and what is undone is undone."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.programs import Program
from services.certs.cases import read_inputs
from services.certs.domain.changes import diff
from services.certs.domain.evaluate import evaluate
from services.certs.domain.standing import CertificationStanding, Standing

untimed = settings(max_examples=150)
both_programs = pytest.mark.parametrize("program_id", ["cisco", "juniper"])
Inputs = list[dict[str, Any]]

FIRST = date(2022, 1, 1)
DAYS = st.integers(0, 60).map(lambda months: FIRST + timedelta(months * 29))
"""Few, so that much falls on one day."""
CODES = {
    "cisco": ["200-301", "350-401", "300-410", "CCIE-EI-LAB"],
    "juniper": ["JN0-105", "JN0-351", "JN0-649", "JPR-946"],
}
CERTIFICATIONS = {
    "cisco": ["CCNA", "CCNP-Enterprise", "CCIE-Enterprise-Infrastructure"],
    "juniper": ["JNCIA-Junos", "JNCIS-ENT", "JNCIP-ENT", "JNCIE-ENT"],
}
END = date(2027, 6, 1)


def _exams(program: str) -> Any:
    return st.lists(
        st.builds(
            lambda code, day: {"type": "exam", "code": code, "date": str(day), "outcome": "pass"},
            st.sampled_from(CODES[program]),
            DAYS,
        ),
        min_size=1,
        max_size=8,
    )


def _decision(decision: str, cert: str, day: date, until: date, lag: int) -> dict[str, Any]:
    own = {"until": str(until)} if decision == "extend" else {}
    received = {"received": str(day + timedelta(lag))}
    return {"type": "decision", "decision": decision, "cert": cert, "date": str(day), "reason": "r", **own, **received}


def _decisions(program: str, *kinds: str) -> Any:
    return st.lists(
        st.builds(
            _decision,
            st.sampled_from(kinds or ("grant", "revoke", "suspend", "reinstate", "extend")),
            st.sampled_from(CERTIFICATIONS[program]),
            DAYS,
            DAYS,
            st.sampled_from([0, 0, 0, 1, 90]),
        ),
        min_size=1,
        max_size=6,
    )


def judged(program: Program, inputs: Inputs, as_of: date) -> Standing:
    return evaluate(program, read_inputs(inputs, program), as_of)


def unexplained(standing: Standing) -> dict[str, CertificationStanding]:
    """What is held and how long, without the decisions behind it."""
    return {name: entry._replace(decisions=()) for name, entry in standing.certifications.items()}


@both_programs
@untimed
@given(st.data())
def test_order_and_repetition_of_decisions_mean_nothing(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    program = programs[program_id]
    inputs = data.draw(_exams(program_id)) + data.draw(_decisions(program_id))
    repeated = data.draw(st.lists(st.sampled_from(inputs), max_size=4))
    shuffled = data.draw(st.permutations(inputs + repeated))
    as_of = data.draw(DAYS)
    assert judged(program, shuffled, as_of) == judged(program, inputs, as_of)


@both_programs
@untimed
@given(st.data())
def test_what_is_decided_later_changes_nothing_earlier(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    program = programs[program_id]
    facts = read_inputs(data.draw(_exams(program_id)) + data.draw(_decisions(program_id)), program)
    as_of = data.draw(DAYS)
    known = [fact for fact in facts if fact.known_at.date() <= as_of]
    assert evaluate(program, facts, as_of) == evaluate(program, known, as_of)


@both_programs
@untimed
@given(st.data())
def test_suspended_and_reinstated_on_one_day_leaves_the_explanation_only(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    program, exams = programs[program_id], data.draw(_exams(program_id))
    cert, day, as_of = data.draw(st.sampled_from(CERTIFICATIONS[program_id])), data.draw(DAYS), data.draw(DAYS)
    both = [_decision(kind, cert, day, day, 0) for kind in ("suspend", "reinstate")]
    touched, untouched = judged(program, exams + both, as_of), judged(program, exams, as_of)
    assert unexplained(touched) == unexplained(untouched)


@both_programs
@untimed
@given(st.data())
def test_an_extension_never_shortens_and_takes_nothing(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    program, exams = programs[program_id], data.draw(_exams(program_id))
    cert, day, until = data.draw(st.sampled_from(CERTIFICATIONS[program_id])), data.draw(DAYS), data.draw(DAYS)
    as_of = data.draw(DAYS)
    before = judged(program, exams, as_of).certifications.get(cert)
    after = judged(program, [*exams, _decision("extend", cert, day, until, 0)], as_of).certifications.get(cert)
    assert (before is None) == (after is None)
    if before is not None and after is not None:
        assert (after.expires_on or date.max) >= (before.expires_on or date.max)
        assert after.status == "active" or before.status != "active"


@both_programs
@untimed
@given(st.data())
def test_nothing_revoked_or_suspended_is_active_or_becomes_so_by_time(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    """Without new facts what is set aside stays as it is; its days are in order."""
    program = programs[program_id]
    inputs = data.draw(_exams(program_id)) + data.draw(_decisions(program_id))
    facts = read_inputs(inputs, program)
    as_of = max(date.fromisoformat(one.get("received", one["date"])) for one in inputs)
    now, later = evaluate(program, facts, as_of), evaluate(program, facts, END + timedelta(3650))
    for name, entry in now.certifications.items():
        for earlier, following in zip(entry.holdings, entry.holdings[1:], strict=False):
            assert earlier.expires_on is not None
            assert earlier.expires_on < following.earned_on
        if entry.status in ("suspended", "revoked"):
            assert entry.decisions
            assert later.certifications[name].status == entry.status
            assert later.certifications[name].expires_on == entry.expires_on


@both_programs
@untimed
@given(st.data())
def test_every_change_of_a_decision_is_told_once(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    """Told one by one, decisions add up to what stands; no certification is set aside or comes back untold."""
    program = programs[program_id]
    facts = read_inputs(data.draw(_exams(program_id)), program)
    standing, aside = evaluate(program, facts, END), set[str]()
    for fact in read_inputs(data.draw(_decisions(program_id)), program):
        facts.append(fact)
        after = evaluate(program, facts, END)
        for change in diff(standing, after):
            if change.after is not None and change.after.status in ("suspended", "revoked"):
                aside.add(change.certification)
            elif change.kind in ("reinstated", "awarded"):
                aside.discard(change.certification)
        standing = after
        suspended = {name for name, entry in standing.certifications.items() if entry.status == "suspended"}
        active = {name for name, entry in standing.certifications.items() if entry.status == "active"}
        assert suspended <= aside
        assert not active & aside


@both_programs
@untimed
@given(st.data())
def test_the_reason_changes_words_only(programs: dict[str, Program], program_id: str, data: st.DataObject) -> None:
    program = programs[program_id]
    facts = read_inputs(data.draw(_exams(program_id)) + data.draw(_decisions(program_id)), program)
    others = [replace(fact, reason="another") if hasattr(fact, "reason") else fact for fact in facts]
    told = [
        {name: (entry.status, entry.earned_on, entry.expires_on) for name, entry in one.certifications.items()}
        for one in (evaluate(program, facts, END), evaluate(program, others, END))
    ]
    assert told[0] == told[1]
