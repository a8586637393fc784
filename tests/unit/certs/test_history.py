"""What happened, when it took effect and when it was known: a line for each, and none lost when the past changes."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import Program, load_definition
from services.certs.domain.evaluate import evaluate
from services.certs.domain.facts import DecisionFact, ExamFact, Fact, Outcome
from services.certs.domain.history import Line, history

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T18:00:00+00:00")


def result(code: str, day: str, known: str | None = None, revision: int = 1, outcome: Outcome = "pass") -> ExamFact:
    return ExamFact(f"R-{code}-{day}", revision, code, date.fromisoformat(day), outcome, at(known or day))


def lines(program: Program, facts: Sequence[Fact], now: datetime = NOW) -> list[Line]:
    return history(facts, lambda _moment: facts, [(LONG_AGO, program)], now)


def told(found: list[Line]) -> list[tuple[str, str, str, str, str | None]]:
    return [
        (
            line.happening.certification,
            line.happening.kind,
            str(line.happening.on),
            str(line.known_at.date()),
            str(line.withdrawn_at.date()) if line.withdrawn_at else None,
        )
        for line in found
    ]


def test_award_renewal_and_expiry_stand_with_their_days(cisco: Program) -> None:
    facts = [result("200-301", "2018-05-10", "2018-05-12"), result("350-401", "2020-06-01")]
    assert told(lines(cisco, facts, at("2024-01-01"))) == [
        ("Specialist-350-401", "expired", "2023-06-02", "2023-06-02", None),
        ("CCNA", "expired", "2023-06-02", "2023-06-02", None),
        ("Specialist-350-401", "awarded", "2020-06-01", "2020-06-01", None),
        ("CCNA", "renewed", "2020-06-01", "2020-06-01", None),
        ("CCNA", "awarded", "2018-05-10", "2018-05-12", None),
    ]


def test_voided_result_withdraws_its_lines_and_restored_brings_them_back(cisco: Program) -> None:
    first = result("200-301", "2025-03-10")
    void = result("200-301", "2025-03-10", "2025-04-01", 2, "invalidated")
    again = result("200-301", "2025-03-10", "2025-05-01", 3)
    assert told(lines(cisco, [first, void])) == [("CCNA", "awarded", "2025-03-10", "2025-03-10", "2025-04-01")]
    assert set(told(lines(cisco, [first, void, again]))) == {
        ("CCNA", "awarded", "2025-03-10", "2025-03-10", "2025-04-01"),
        ("CCNA", "awarded", "2025-03-10", "2025-05-01", None),
    }


def test_late_result_is_known_late_and_withdraws_an_expiry(cisco: Program) -> None:
    facts = [result("200-301", "2020-03-10"), result("200-301", "2022-12-01", "2023-06-01")]
    found = told(lines(cisco, facts, at("2024-01-01")))
    assert ("CCNA", "expired", "2023-03-11", "2023-03-11", "2023-06-01") in found
    assert ("CCNA", "renewed", "2022-12-01", "2023-06-01", None) in found


def test_decisions_stand_with_their_reason(cisco: Program) -> None:
    suspended = DecisionFact("D1", "suspend", "CCNA", date(2025, 4, 1), at("2025-04-02"), "Under review.")
    idle = DecisionFact("D2", "suspend", "CCNA", date(2025, 4, 3), at("2025-04-03"), "Again.")
    found = lines(cisco, [result("200-301", "2025-03-10"), suspended, idle])
    assert told(found)[0] == ("CCNA", "suspend", "2025-04-01", "2025-04-02", None)
    assert (found[0].text, len(found)) == ("Under review.", 2)


def test_decision_is_known_no_sooner_than_it_was_made(cisco: Program) -> None:
    """Its day may lie before the moment at which everything else became known."""
    made = DecisionFact("D1", "suspend", "CCNA", date(2025, 3, 10), at("2025-03-12"), "Under review.")
    found = lines(cisco, [result("200-301", "2025-03-10", "2025-03-11"), made])
    assert ("CCNA", "suspend", "2025-03-10", "2025-03-12", None) in told(found)


def test_new_policy_is_known_from_its_day(cisco: Program) -> None:
    text = cisco.definition.replace("validity: 3 years", "validity: 4 years", 1)
    later = load_definition(text, name="cisco.yaml")
    facts = [result("200-301", "2025-03-10")]
    found = history(facts, lambda _moment: facts, [(LONG_AGO, cisco), (at("2026-01-01"), later)], NOW)
    assert [(str(line.happening.expires_on), line.withdrawn_at) for line in found if line.withdrawn_at is None] == [
        ("2029-03-10", None)
    ]
    assert [str(line.happening.expires_on) for line in found if line.withdrawn_at is not None] == ["2028-03-10"]


def test_nothing_known_is_no_history(cisco: Program) -> None:
    assert lines(cisco, []) == []


DAYS = st.dates(date(2018, 1, 1), date(2026, 6, 1))
RESULTS = st.lists(
    st.builds(
        lambda code, day, delay, outcome: ExamFact(
            f"{code}-{day}", 1, code, day, outcome, datetime(day.year, day.month, day.day, 20, tzinfo=UTC) + delay
        ),
        st.sampled_from(["200-301", "350-401", "300-410", "200-201"]),
        DAYS,
        st.timedeltas(timedelta(0), timedelta(days=900)),
        st.sampled_from(["pass", "pass", "fail"]),
    ),
    max_size=6,
    unique_by=lambda fact: fact.result_id,
)


@given(facts=RESULTS)
def test_lines_that_stand_are_what_is_held_and_each_is_known_after_its_facts(
    cisco: Program, facts: list[ExamFact]
) -> None:
    found = lines(cisco, facts)
    standing = evaluate(cisco, facts, NOW)
    steps = {
        (name, step.kind, step.on)
        for name, entry in standing.certifications.items()
        for holding in entry.holdings
        for step in holding.steps
    }
    open_lines = [line for line in found if line.withdrawn_at is None]
    kinds = {(line.happening.certification, line.happening.kind, line.happening.on) for line in open_lines}
    assert {each for each in kinds if each[1] != "expired"} == steps
    assert len({line.happening for line in open_lines}) == len(open_lines)
    moments = {fact.known_at for fact in facts}
    for line in found:
        assert line.known_at in moments or line.happening.kind == "expired"
        assert line.withdrawn_at is None or line.withdrawn_at > line.known_at
