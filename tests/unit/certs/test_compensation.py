"""Whatever changes the past is told so that a consumer who keeps the last word of each certification is right."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.events import EventData, certs, exams
from libs.common.programs import Program, load_definition
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import ExamFact, ResultChangeFact
from services.certs.domain.milestones import coming, reached
from services.certs.domain.progress import progress
from services.certs.domain.renewals import renewals
from services.certs.domain.whatif import Assumption, what_if
from tests.service.samples import passed
from tests.unit.certs.desk import NOW, Desk

TODAY = NOW.date()
bounded = settings(max_examples=100)
CODES = {
    "cisco": ["200-301", "200-201", "350-401", "300-410", "300-415", "350-701", "CCIE-EI-LAB"],
    "juniper": ["JN0-105", "JN0-351", "JN0-649", "JPR-946", "JN0-364"],
}


def revision(who: str, result_id: str, number: int, code: str, day: date, grade: str) -> EventData:  # noqa: PLR0917
    """One revision of a result as exams tells it; what is told first may be of any grade."""
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    first = passed(
        who, result_id, revision=number, exam_code=code, taken_on=day, taken_at=moment, known_at=min(moment, NOW)
    )
    fields = first.model_dump(exclude={"score", "passing_score"})
    if grade == "invalidated":
        return exams.ExamResultInvalidated(**fields, previous_grade="pass")
    if number == 1 and grade in ("pass", "fail"):
        return (exams.ExamPassed if grade == "pass" else exams.ExamFailed)(**fields)
    return exams.ExamResultRevised(**fields, grade=grade, previous_grade="pending" if number == 1 else "pass")


GRADES = st.sampled_from(["pass", "pass", "fail", "pending", "invalidated"])
DAYS = st.integers(0, 2300).map(lambda days: TODAY - timedelta(days))


@st.composite
def lives(draw: st.DrawFn, program: str) -> list[Any]:
    """What happens to one candidate's results, in any order: revisions, voidings and restorations, days, policies."""
    told: list[Any] = []
    for number in range(draw(st.integers(1, 5))):
        code, day = draw(st.sampled_from(CODES[program])), draw(DAYS)
        grades = draw(st.lists(GRADES, min_size=1, max_size=4))
        told += [revision("C", f"R{number}", at, code, day, grade) for at, grade in enumerate(grades, start=1)]
        for change in draw(st.lists(st.sampled_from(["revoked", "restored"]), max_size=2)):
            on = day + timedelta(draw(st.integers(0, 200)))
            told.append(ResultChangeFact(change, code, day, on, NOW - timedelta(hours=1)))
    told = list(draw(st.permutations(told)))
    for step in draw(st.lists(st.one_of(st.just("policy"), st.integers(1, 500)), max_size=3)):
        told.insert(draw(st.integers(0, len(told))), step)
    return told


@cache
def _longer(program: Program, step: int) -> Program:
    """The program's next versions, with other validities."""
    text = program.definition.replace(f"\nversion: {program.version}\n", f"\nversion: {program.version + step}\n", 1)
    years = (4, 2, 5)[step % 3]
    return load_definition(text.replace("validity: 3 years ", f"validity: {years} years ", 1), name="p.yaml")


@pytest.mark.parametrize("program_id", ["cisco", "juniper"])
@bounded
@given(data=st.data())
def test_last_word_of_each_certification_is_what_is_held(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    desk, step = Desk(programs[program_id]), 0
    for happened in data.draw(lives(program_id)):
        if isinstance(happened, EventData):
            desk.take(happened)
        elif isinstance(happened, ResultChangeFact):
            desk.learn("C", happened)
        elif happened == "policy":
            step += 1
            desk.adopt(_longer(programs[program_id], step))
        else:
            desk.now += timedelta(days=happened)
            if "C" in desk.store.rows:
                desk.pass_time("C")
        if "C" in desk.store.rows:
            assert desk.folded("C") == desk.active("C")


@pytest.mark.parametrize("program_id", ["cisco", "juniper"])
@bounded
@given(data=st.data())
def test_held_and_released_is_as_never_held(programs: dict[str, Program], program_id: str, data: st.DataObject) -> None:
    """Every result is held at some point, from the start or later, and released in the end."""
    desk, plain = Desk(programs[program_id]), Desk(programs[program_id])
    told: list[EventData] = []
    for number in range(data.draw(st.integers(1, 5))):
        code, day = data.draw(st.sampled_from(CODES[program_id])), data.draw(DAYS)
        grade = data.draw(st.sampled_from(["pass", "pass", "fail"]))
        steps = data.draw(st.sampled_from([["pending", grade], [grade, "pending", grade], ["fail", "pending", grade]]))
        told += [revision("C", f"R{number}", at, code, day, each) for at, each in enumerate(steps, start=1)]
        plain.take(revision("C", f"R{number}", 1, code, day, grade))
    for event in data.draw(st.permutations(told)):
        desk.take(event)
    assert desk.standing("C") == plain.standing("C")
    assert desk.row("C")["flags"] == plain.row("C")["flags"]
    assert desk.folded("C") == plain.active("C")


@pytest.mark.parametrize("program_id", ["cisco", "juniper"])
@bounded
@given(data=st.data())
def test_what_is_held_is_nowhere(programs: dict[str, Program], program_id: str, data: st.DataObject) -> None:
    """One result is pending from the start: nothing is told and nothing is shown that would not be without it."""
    desk, without = Desk(programs[program_id]), Desk(programs[program_id])
    others = [
        revision("C", f"R{number}", 1, data.draw(st.sampled_from(CODES[program_id])), data.draw(DAYS), grade)
        for number, grade in enumerate(data.draw(st.lists(st.sampled_from(["pass", "fail"]), max_size=5)))
    ]
    held = [revision("C", "H", at, data.draw(st.sampled_from(CODES[program_id])), TODAY, "pending") for at in (1, 2)]
    for event in data.draw(st.permutations([*others, *held])):
        desk.take(event)
    for event in data.draw(st.permutations(others)):
        without.take(event)
    assert desk.standing("C") == without.standing("C")
    assert desk.folded("C") == without.folded("C")
    assert desk.row("C")["flags"] == (without.row("C")["flags"] if others else [])
    day = without.row("C")["next_transition_on"] if others else None
    assert desk.row("C")["next_transition_on"] == day


HOLDS = st.tuples(st.integers(-900, 0), st.integers(1, 900))


@bounded
@given(st.sampled_from(CODES["cisco"]), DAYS, HOLDS, st.sampled_from(CODES["cisco"]), st.integers(0, 1500))
def test_hold_of_a_history_shows_nothing_in_any_outlook(  # noqa: PLR0917
    cisco: Program, code: str, day: date, hold: tuple[int, int], planned: str, ahead: int
) -> None:
    """Held today and released on a day to come, which a plan looks beyond."""
    known = datetime(2020, 1, 1, tzinfo=UTC)
    held_on, released_on = TODAY + timedelta(hold[0]), TODAY + timedelta(hold[1])
    other = ExamFact("R0", 1, "200-301", TODAY - timedelta(400), "pass", known)
    result = ExamFact("H", 1, code, day, "pass", known, held_on=held_on, released_on=released_on)
    with_it, without = [other, result], [other]

    def shown(facts: list[ExamFact]) -> list[Any]:
        now = evaluate(cisco, facts, TODAY)
        milestones = cisco.policy.milestones
        plan = what_if(cisco, facts, [Assumption(TODAY + timedelta(ahead), planned)], TODAY)
        return [
            now.certifications,
            now.earliest_retake,
            progress(cisco, facts, TODAY),
            renewals(cisco, facts, TODAY),
            (plan.as_of, plan.differences, plan.warnings),
            (reached(milestones, now), coming(milestones, now)),
        ]

    assert shown(with_it) == shown(without)
    never = ExamFact("H", 1, code, day, "pass", known)
    after = evaluate(cisco, with_it, released_on)
    assert after == evaluate(cisco, [other, never], released_on)


def test_result_under_an_embargo_is_in_no_plan(cisco: Program) -> None:
    result = ExamFact("H", 1, "200-301", TODAY, "pass", NOW + timedelta(days=30))
    plan = [Assumption(TODAY + timedelta(60), "350-401")]
    assert what_if(cisco, [result], plan, TODAY) == what_if(cisco, [], plan, TODAY)


def test_result_that_is_put_on_hold_takes_back_its_award_and_the_renewals_below(cisco: Program) -> None:
    desk = Desk(cisco)
    desk.take(
        revision("C", "R1", 1, "200-301", date(2024, 5, 1), "pass"),
        revision("C", "R2", 1, "350-401", date(2026, 5, 1), "pass"),
    )
    assert desk.active("C")["CCNA"] == ("2024-05-01", "2029-05-01")
    count = len(desk.said["C"])
    desk.take(revision("C", "R2", 2, "350-401", date(2026, 5, 1), "pending"))
    assert desk.active("C") == desk.folded("C") == {"CCNA": ("2024-05-01", "2027-05-01")}
    taken = [data for version, data in sorted(desk.said["C"].items()) if version > count]
    assert [(type(data), data.certification, data.remains) for data in taken] == [
        (certs.CertificationRevoked, "CCNA", True),
        (certs.CertificationRevoked, "Specialist-350-401", False),
    ]
    for data in taken:
        for word in ("hold", "held", "pending", "fail", "review"):
            assert word not in data.because.lower(), "the reason is nobody's business"
    assert "350-401" not in taken[0].because
    desk.take(revision("C", "R2", 3, "350-401", date(2026, 5, 1), "pass"))
    assert desk.active("C") == desk.folded("C")
    assert desk.active("C")["Specialist-350-401"] == ("2026-05-01", "2029-05-01")


def test_result_that_turns_out_a_fail_after_the_hold_gives_nothing_back(cisco: Program) -> None:
    desk = Desk(cisco)
    for number, grade in enumerate(("pass", "pending", "fail"), start=1):
        desk.take(revision("C", "R1", number, "200-301", date(2024, 5, 1), grade))
    assert desk.told("C") == [("CertificationAwarded", "CCNA"), ("CertificationRevoked", "CCNA")]
    assert desk.active("C") == {}
