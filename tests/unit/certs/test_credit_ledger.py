"""What each claim of credits is good for, was good for, or why it is good for nothing."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import Program
from services.certs.domain.credit_ledger import CreditLedger, credit_ledger
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import CreditFact, ExamFact

KNOWN = datetime(2020, 1, 1, tzinfo=UTC)
TODAY = date(2026, 11, 22)
CCNA = ExamFact("R1", 1, "200-301", date(2025, 3, 10), "pass", KNOWN)
"""CCNA from 10 March 2025 through 10 March 2028; 30 credits renew it."""


def claim(name: str, count: int, day: str, **more: Any) -> CreditFact:
    completed = date.fromisoformat(day)
    more = {"status": "validated", "submitted_on": completed, "validated_on": completed, **more}
    return CreditFact(name, count, completed, known_at=KNOWN, **more)


def states(ledger: CreditLedger) -> dict[str, str]:
    return {entry.claim.claim_id: entry.state for entry in ledger.entries}


@pytest.mark.parametrize(
    ("made", "state"),
    [
        (claim("a", 10, "2026-05-01"), "counting"),
        (claim("a", 10, "2026-05-01", status="pending", validated_on=None), "pending"),
        (claim("a", 10, "2026-05-01", validated_on=date(2026, 12, 1)), "pending"),
        (claim("a", 10, "2026-05-01", status="rejected"), "rejected"),
        (claim("a", 10, "2026-05-01", submitted_on=date(2026, 9, 1)), "late"),
        (claim("a", 10, "2026-05-01", held_until=date(2027, 5, 1)), "held"),
        (claim("a", 10, "2025-03-09"), "unusable"),
        (claim("a", 10, "2026-12-24"), "ahead"),
    ],
)
def test_each_claim_has_its_state(cisco: Program, made: CreditFact, state: str) -> None:
    ledger = credit_ledger(cisco, [CCNA, made], TODAY)
    assert states(ledger) == {"a": state}
    assert ledger.counting == (10 if state == "counting" else 0)
    assert (ledger.level, ledger.cycle_until) == ("associate", date(2028, 3, 10))


def test_claims_that_renewed_say_what_and_begin_a_new_cycle(cisco: Program) -> None:
    facts = [CCNA, claim("a", 16, "2026-03-01"), claim("b", 14, "2026-04-01"), claim("c", 8, "2026-05-01")]
    ledger = credit_ledger(cisco, facts, TODAY)
    assert states(ledger) == {"a": "used", "b": "used", "c": "counting"}
    assert {entry.use.on for entry in ledger.entries if entry.use} == {date(2026, 4, 1)}
    assert (ledger.cycle_from, ledger.cycle_until, ledger.counting) == (date(2026, 4, 1), date(2029, 4, 1), 8)


def test_claims_of_a_cycle_that_an_exam_ended_have_lapsed(cisco: Program) -> None:
    again = ExamFact("R2", 1, "350-401", date(2026, 6, 1), "pass", KNOWN)
    ledger = credit_ledger(cisco, [CCNA, claim("a", 16, "2026-03-01"), again], TODAY)
    assert states(ledger) == {"a": "lapsed"}
    assert "1 June 2026" in ledger.entries[0].text


def test_claims_lapse_with_what_they_would_have_renewed(cisco: Program) -> None:
    ledger = credit_ledger(cisco, [CCNA, claim("a", 16, "2026-03-01")], date(2028, 3, 11))
    assert states(ledger) == {"a": "lapsed"}
    assert (ledger.level, ledger.counting) == (None, 0)


def test_item_counts_once_in_a_cycle(cisco: Program) -> None:
    twice = [claim("a", 10, "2026-03-01", item="X"), claim("b", 10, "2026-04-01", item="X")]
    assert states(credit_ledger(cisco, [CCNA, *twice], TODAY)) == {"a": "counting", "b": "repeated"}


def test_held_credits_renew_on_the_day_chosen(cisco: Program) -> None:
    held = claim("a", 30, "2026-03-01", held_until=date(2028, 3, 1))
    assert evaluate(cisco, [CCNA, held], TODAY).certifications["CCNA"].expires_on == date(2028, 3, 10)
    assert evaluate(cisco, [CCNA, held], TODAY).resumes_on == date(2028, 3, 1)
    assert evaluate(cisco, [CCNA, held], date(2028, 3, 1)).certifications["CCNA"].expires_on == date(2031, 3, 1)


def test_credits_held_too_long_renew_nothing(cisco: Program) -> None:
    held = claim("a", 30, "2026-03-01", held_until=date(2028, 3, 11))
    assert evaluate(cisco, [CCNA, held], date(2028, 4, 1)).certifications["CCNA"].status == "expired"
    assert states(credit_ledger(cisco, [CCNA, held], date(2028, 4, 1))) == {"a": "unusable"}


DAYS = st.dates(date(2025, 1, 1), date(2027, 6, 1))
CLAIMS = st.lists(
    st.builds(
        CreditFact,
        claim_id=st.uuids().map(str),
        credits=st.integers(1, 40),
        completed_on=DAYS,
        status=st.sampled_from(["validated", "validated", "validated", "pending", "rejected"]),
        known_at=st.just(KNOWN),
        held_until=st.one_of(st.none(), DAYS),
        item=st.sampled_from([None, "A", "B"]),
    ),
    max_size=8,
)


@given(claims=CLAIMS)
def test_every_claim_is_told_once_and_what_counts_is_below_what_renews(
    cisco: Program, claims: list[CreditFact]
) -> None:
    ledger = credit_ledger(cisco, [CCNA, *claims], TODAY)
    assert sorted(states(ledger)) == sorted(claim.claim_id for claim in claims)
    assert ledger.counting < 30
    renewed = evaluate(cisco, [CCNA, *claims], TODAY).certifications["CCNA"].expires_on != date(2028, 3, 10)
    assert renewed == ("used" in states(ledger).values())
