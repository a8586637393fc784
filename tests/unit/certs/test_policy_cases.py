"""Worked cases of the two sample programs, those that need exams, prerequisites and validity only.

The file holds more cases; the others need rules that the programs do not state yet: renewal by level and
across tracks, credits, courses, retake rules, review flags, emeritus, extensions, imports, retirements and
merges.
"""

import json
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from libs.common.programs import Program
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import ExamFact

_CASES = {
    case["id"]: case for case in json.loads(Path(__file__).with_name("policy-cases.json").read_text("utf-8"))["cases"]
}

VALIDITY = ["CIS-001", "CIS-050", "CIS-051", "CIS-052", "CIS-063", "JUN-001", "JUN-002", "JUN-003", "JUN-039"]
RENEWAL_BY_THE_SAME_EXAM = ["CIS-006", "CIS-062"]
AWARD = ["CIS-007", "CIS-011", "CIS-013", "CIS-015", "CIS-016", "CIS-017", "CIS-074"]
PREREQUISITES = ["JUN-004", "JUN-005", "JUN-008", "JUN-011"]
LATE_AND_CHANGED_RESULTS = ["CIS-059", "JUN-045"]
FAILS_WITHOUT_A_WAIT = ["JUN-040", "JUN-042"]
CERTIFICATIONS_ONLY = ["CIS-042", "CIS-056", "CIS-075", "JUN-019", "JUN-033", "JUN-046"]
"""Their certifications are asserted; the review flag they also name is not raised yet."""

SELECTED = [
    *VALIDITY,
    *RENEWAL_BY_THE_SAME_EXAM,
    *AWARD,
    *PREREQUISITES,
    *LATE_AND_CHANGED_RESULTS,
    *FAILS_WITHOUT_A_WAIT,
    *CERTIFICATIONS_ONLY,
]


@pytest.mark.parametrize("case_id", SELECTED)
def test_policy_case(case_id: str, programs: dict[str, Program]) -> None:
    case = _CASES[case_id]
    program = programs[case["program"]]
    as_of = date.fromisoformat(case["as_of"])
    standing = evaluate(program, facts_of(case, program), as_of)
    found = {
        name: (entry.status, str(entry.earned_on), str(entry.expires_on or ""))
        for name, entry in standing.certifications.items()
    }
    expected = case["expected"]
    for entry in expected["certs"]:
        assert found.get(entry["cert"]) == (entry["status"], entry["earned"], entry["expires"])
    assert not found.keys() & set(expected["absent"])


def facts_of(case: dict[str, Any], program: Program) -> list[ExamFact]:
    """A case's exam inputs and what happened to them later, as revisions of results."""
    zone = ZoneInfo(program.time_zone)
    results: dict[tuple[str, str], list[ExamFact]] = {}
    for given in sorted(case["inputs"], key=lambda given: given["type"] != "exam"):
        if given["type"] == "exam":
            if given["outcome"] != "no_show":
                results[given["code"], given["date"]] = _exam(given, zone)
        elif given["type"] in {"revoke_result", "unrevoke_result", "modify_result"}:
            revisions = results[given["code"], given["exam_date"]]
            outcome = {"revoke_result": "invalidated", "unrevoke_result": "pass"}.get(given["type"])
            revisions.append(_next(revisions[-1], outcome or given["outcome"], given["date"], zone))
    return [fact for revisions in results.values() for fact in revisions]


def _exam(given: dict[str, Any], zone: ZoneInfo) -> list[ExamFact]:
    known = given.get("embargo_until") or given.get("received") or given["date"]
    first = ExamFact(
        result_id=given.get("registration") or f"{given['code']} on {given['date']}",
        revision=1,
        code=given["code"],
        taken_on=date.fromisoformat(given["date"]),
        outcome="pending" if "held" in given else given["outcome"],
        known_at=_start(known, zone),
    )
    released = given.get("released")
    return [first, _next(first, given["outcome"], released, zone)] if released else [first]


def _next(fact: ExamFact, outcome: Any, known: str, zone: ZoneInfo) -> ExamFact:
    return ExamFact(fact.result_id, fact.revision + 1, fact.code, fact.taken_on, outcome, _start(known, zone))


def _start(day: str, zone: ZoneInfo) -> datetime:
    """A fact known on a day is known from its first moment."""
    return datetime.combine(date.fromisoformat(day), time.min, zone)
