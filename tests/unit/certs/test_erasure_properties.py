"""What holds for any history: under pseudonyms its facts give the same certifications, and no words of people stay."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.programs import Program
from services.certs.cases import CaseError, read_inputs
from services.certs.domain.evaluate import evaluate
from services.certs.domain.merges import counted
from services.certs.domain.standing import Standing
from services.certs.privacy import under_pseudonyms
from services.certs.stored_facts import loaded, stored
from tests.unit.certs.histories import histories

NAMES = {"A": "erased-1", "B": "erased-2"}
ON = date(2027, 6, 1)

Dates = dict[str, tuple[Any, ...]]


def dates(standing: Standing) -> Dates:
    return {
        name: (
            entry.status,
            entry.earned_on,
            entry.expires_on,
            [[(step.kind, step.on, step.expires_on) for step in holding.steps] for holding in entry.holdings],
        )
        for name, entry in standing.certifications.items()
    }


@pytest.mark.parametrize("program_id", ["cisco", "juniper"])
@pytest.mark.parametrize("whose", ["A", "B"])
@settings(max_examples=60)
@given(st.data())
def test_pseudonyms_hold_what_the_accounts_held(
    programs: dict[str, Program], program_id: str, whose: str, data: st.DataObject
) -> None:
    program = programs[program_id]
    try:
        facts = read_inputs(data.draw(histories(program_id)), program)
    except CaseError:
        return
    rows = [stored(fact) for fact in facts]
    after = under_pseudonyms({"_id": whose, "facts": rows, "kin": ["A", "B"], "merged_into": None}, NAMES)
    again = [loaded(row) for row in after["facts"]]
    moment = max(fact.known_at for fact in facts)
    before = evaluate(program, counted(whose, facts, moment), ON)
    assert dates(evaluate(program, counted(NAMES[whose], again, moment), ON)) == dates(before)
    kept = str(after)
    assert "as agreed" not in kept
    assert "N-1" not in kept
    assert after["kin"] == ["erased-1", "erased-2"]
    assert not {"A", "B"} & {row.get(name) for row in after["facts"] for name in ("account", "source", "into")}


def test_facts_of_others_in_a_ledger_keep_their_words() -> None:
    facts = [
        {"kind": "decision", "decision": "grant", "reason": "mine"},
        {"kind": "decision", "decision": "grant", "reason": "theirs", "account": "A"},
    ]
    own = under_pseudonyms({"_id": "C", "facts": facts, "kin": ["A"]}, NAMES)
    assert [(fact["reason"], fact.get("account")) for fact in own["facts"]] == [("mine", None), ("", "erased-1")]
    assert own["_id"] == "C"
