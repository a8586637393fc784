"""The retake rules: as the samples state them, and exams and certs of one mind about every history."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.platform import PROGRAMS
from libs.common.programs import Program, load_definition, load_program
from services.certs.domain import flags
from services.certs.domain.facts import ExamFact
from services.certs.domain.results import settle
from services.certs.domain.rules import rules_of
from services.exams.history.retakes import Judgement, judge

CISCO = load_program(PROGRAMS / "cisco.yaml")
JUNIPER = load_program(PROGRAMS / "juniper.yaml")
START = date(2024, 1, 1)
TODAY = START + timedelta(days=900)
FLAG = {"after_fail": flags.RETAKE_WAIT, "after_pass": flags.RETAKE_AFTER_PASS, "limit": flags.RETAKE_LIMIT}


def with_limit(program: Program, limit: str) -> Program:
    text = program.definition.replace("\nretake:", f"\nretake:\n  limit: {limit}\n", 1)
    return load_definition(text, name=f"{program.id}.yaml")


LIMITED = with_limit(CISCO, "3 in 12 months")


def row(key: str, code: str, day: date, grade: str, state: str = "final") -> dict[str, Any]:
    return {"_id": key, "exam_code": code, "taken_on": day.isoformat(), "grade": grade, "state": state}


def taken(program: Program, code: str, *attempts: tuple[str, str]) -> Judgement:
    """Attempts by day and grade, named a1, a2 and so on."""
    rows = [
        row(f"a{number}", code, date.fromisoformat(day), grade) for number, (day, grade) in enumerate(attempts, start=1)
    ]
    return judge(program, rows, TODAY)


def broken(judgement: Judgement) -> dict[str, list[tuple[str, str, tuple[str, ...]]]]:
    return {
        key: [(wait.clause, wait.allowed_from.isoformat(), wait.because) for wait in waits]
        for key, waits in judgement.broken.items()
    }


@pytest.mark.parametrize(
    ("program", "code", "attempts", "expected"),
    [
        (CISCO, "200-301", [("2024-05-01", "fail"), ("2024-05-06", "pass")], {}),
        (
            CISCO,
            "200-301",
            [("2024-05-01", "fail"), ("2024-05-05", "pass")],
            {"a2": [("retake.after_fail", "2024-05-06", ("a1",))]},
        ),
        (
            CISCO,
            "200-301",
            [("2024-01-01", "pass"), ("2024-06-29", "pass")],
            {"a2": [("retake.after_pass", "2024-06-30", ("a1",))]},
        ),
        (JUNIPER, "JN0-105", [("2024-03-02", "fail"), ("2024-03-02", "fail")], {}),
        (
            JUNIPER,
            "JN0-105",
            [("2024-03-01", "fail"), ("2024-03-02", "fail"), ("2024-03-16", "pass")],
            {"a3": [("retake.after_fail", "2024-03-17", ("a2",))]},
        ),
        (
            LIMITED,
            "200-301",
            [("2024-01-10", "fail"), ("2024-02-10", "fail"), ("2024-03-10", "fail"), ("2025-01-10", "fail")],
            {"a4": [("retake.limit", "2025-01-11", ("a1", "a2", "a3"))]},
        ),
        (
            LIMITED,
            "200-301",
            [("2024-01-10", "fail"), ("2024-02-10", "fail"), ("2024-03-10", "fail"), ("2025-01-11", "fail")],
            {},
        ),
    ],
)
def test_attempt_that_came_too_soon_says_by_which_clause_and_from_when(
    program: Program, code: str, attempts: list[tuple[str, str]], expected: dict[str, Any]
) -> None:
    assert broken(taken(program, code, *attempts)) == expected


def test_attempt_that_broke_a_rule_does_not_begin_a_wait_of_its_own() -> None:
    judgement = taken(CISCO, "200-301", ("2024-05-01", "fail"), ("2024-05-03", "fail"), ("2024-05-06", "pass"))
    assert list(judgement.broken) == ["a2"]


@pytest.mark.parametrize(
    ("program", "attempts", "earliest"),
    [
        (CISCO, [("2024-05-01", "fail")], "2024-05-06"),
        (CISCO, [("2024-05-01", "fail"), ("2024-05-06", "pass")], None),
        (LIMITED, [("2024-01-10", "fail"), ("2024-02-10", "fail"), ("2024-03-10", "fail")], "2025-01-11"),
    ],
)
def test_certs_names_the_first_day_after_the_last_fail(
    program: Program, attempts: list[tuple[str, str]], earliest: str | None
) -> None:
    known = datetime(2024, 1, 1, tzinfo=UTC)
    facts = [
        ExamFact(f"r{number}", 1, "200-301", date.fromisoformat(day), grade, known)  # type: ignore[arg-type]
        for number, (day, grade) in enumerate(attempts)
    ]
    found = settle(rules_of(program), facts, (), TODAY).earliest_retake
    assert found == (date.fromisoformat(earliest) if earliest else None)


def test_clauses_are_found_in_the_definition() -> None:
    (wait,) = taken(LIMITED, "200-301", ("2024-05-01", "fail")).waits("200-301", date(2024, 5, 2))
    assert LIMITED.clause(wait.clause).wording == "{wait: 5 days}"


@pytest.mark.parametrize("state", ["on_hold", "provisional"])
@pytest.mark.parametrize("grade", ["pass", "fail"])
def test_what_is_not_released_moves_no_day_and_breaks_no_rule(state: str, grade: str) -> None:
    hidden = row("a1", "200-301", date(2024, 5, 1), grade, state)
    known = row("a2", "200-301", date(2024, 5, 2), "fail")
    assert judge(CISCO, [hidden, known], TODAY) == judge(CISCO, [known], TODAY)


HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(["200-301", "350-401", "350-501"]),
        st.integers(0, 905) | st.integers(0, 40) | st.integers(898, 905),
        st.sampled_from(["pass", "fail", "fail", "pending", "invalidated"]),
    ),
    max_size=14,
)


@pytest.mark.parametrize("program", [CISCO, LIMITED], ids=["waits", "waits and a limit"])
@given(history=HISTORIES)
def test_exams_and_certs_find_the_same_attempts_too_soon(program: Program, history: list[tuple[str, int, str]]) -> None:
    attempts = [(f"r{n:02}", code, START + timedelta(days=day), grade) for n, (code, day, grade) in enumerate(history)]
    known = datetime.combine(START, datetime.min.time(), UTC)
    facts = [ExamFact(key, 1, code, day, grade, known) for key, code, day, grade in attempts]
    results = settle(rules_of(program), facts, (), TODAY)
    theirs = {(flag.fact, flag.code) for flag in results.flags if flag.code in FLAG.values()}
    judgement = judge(program, [row(*attempt) for attempt in attempts], TODAY)
    ours = {(key, FLAG[wait.rule]) for key, waits in judgement.broken.items() for wait in waits}
    assert ours == theirs
